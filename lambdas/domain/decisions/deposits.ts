import type { UnderReview } from '../case.ts';
import type { Command } from '../commands.ts';
import type { Outcome } from '../outcome.ts';
import { conflict, invalid } from '../refusal.ts';

type Of<T extends Command['type']> = Extract<Command, { type: T }>;

/** Largest object of a single PUT. https://docs.aws.amazon.com/AmazonS3/latest/userguide/upload-objects.html */
export const LARGEST_DEPOSIT = 5 * 1024 ** 3;
const MOST_DEPOSITS = 50;

/** OpenDeposit: announces a document by digest and length; the store accepts exactly those bytes and nothing else. */
export function openDeposit(state: UnderReview, command: Of<'OpenDeposit'>): Outcome {
  if (command.length > LARGEST_DEPOSIT || command.length < 1) {
    return invalid({
      code: 'DEPOSIT_LENGTH',
      message: `A deposit has between 1 and ${LARGEST_DEPOSIT} bytes.`,
      next: 'Split the document, or release it as a consignment.',
      pointer: '/length',
    });
  }
  if (state.deposits.length >= MOST_DEPOSITS) {
    return conflict({
      code: 'TOO_MANY_DEPOSITS',
      message: `A case holds at most ${MOST_DEPOSITS} deposits.`,
      next: 'Bundle the documents, or submit the rest under a second case.',
    });
  }
  const { depositId, digest, length } = command;
  return [{ type: 'DepositOpened', payload: { depositId, digest, length } }];
}

/** CompleteDeposit: the store holds the announced bytes. Said again, it changes nothing. */
export function completeDeposit(state: UnderReview, command: Of<'CompleteDeposit'>): Outcome {
  const deposit = state.deposits.find((row) => row.depositId === command.depositId);
  if (deposit === undefined) {
    return invalid({
      code: 'DEPOSIT_UNKNOWN',
      message: 'This case has no such deposit.',
      next: 'Open a deposit first and use the id it answers.',
    });
  }
  if (deposit.complete) return [];
  if (command.storedLength !== deposit.length) {
    return conflict({
      code: 'DEPOSIT_INCOMPLETE',
      message:
        command.storedLength === null
          ? 'Nothing has been uploaded under this deposit.'
          : `${command.storedLength} bytes are stored, ${deposit.length} were announced.`,
      next: 'Upload the document to the address the deposit gave, then complete it.',
    });
  }
  return [{ type: 'DepositCompleted', payload: { depositId: command.depositId } }];
}

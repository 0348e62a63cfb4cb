import type { AwaitingAssurance } from '../case.ts';
import type { Command, Context } from '../commands.ts';
import type { Outcome } from '../outcome.ts';
import { conflict, type Refusal } from '../refusal.ts';

type Of<T extends Command['type']> = Extract<Command, { type: T }>;

const changed = (state: AwaitingAssurance, digest: string): Refusal | undefined =>
  state.proposal.digest === digest
    ? undefined
    : conflict({
        code: 'PROPOSAL_CHANGED',
        message: 'The assurance is not over the proposal that was approved.',
        next: 'Read the conditions again and give the assurance over their present digest.',
      });

/** GiveAssurance: the recipient authority undertakes to protect under those very conditions (rule C5). */
export function giveAssurance(state: AwaitingAssurance, command: Of<'GiveAssurance'>, context: Context): Outcome {
  const { actor, agreement, now } = context;
  if (now >= state.assuranceDeadline.dueAt || now >= state.proposal.proposal.notAfter) {
    return conflict({
      code: 'DEADLINE_PASSED',
      message: `The assurance was due before ${state.assuranceDeadline.dueAt}.`,
      next: 'Read the case: it lapses, and may be submitted again by reference.',
    });
  }
  const refusal = changed(state, command.proposalDigest);
  if (refusal !== undefined) return refusal;
  // The phase table lets only the recipient authority give it, and that is a person.
  const { personId } = (actor as Extract<typeof actor, { kind: 'person' }>).person;
  const textDigest = context.digest(agreement.assurance.text);
  return [{ type: 'AssuranceGiven', payload: { proposalDigest: command.proposalDigest, textDigest, personId } }];
}

/** DeclineAssurance: without the undertaking nothing is sealed; the case ends and may be submitted again. */
export const declineAssurance = (state: AwaitingAssurance, command: Of<'DeclineAssurance'>): Outcome =>
  changed(state, command.proposalDigest) ?? [
    { type: 'AssuranceDeclined', payload: { proposalDigest: command.proposalDigest } },
  ];

import { inForce } from '../agreement.ts';
import { copiesUsed, type Case, type Released } from '../case.ts';
import { clearedUntil } from '../clearance.ts';
import type { Command, Context } from '../commands.ts';
import type { Outcome } from '../outcome.ts';
import { MINUTE, plus } from '../instant.ts';
import type { Person } from '../people.ts';
import { conflict, forbidden, invalid, type Refusal } from '../refusal.ts';

type Of<T extends Command['type']> = Extract<Command, { type: T }>;

/** How long the same idempotency key is the same opening (security.md §5). */
const SAME_OPENING = 10 * MINUTE;

/** Everything that is checked at each opening, not only at the decision (rule B8), in the order in which it is told. */
function closedTo(state: Released, person: Person, context: Context): Refusal | undefined {
  const { agreement, now } = context;
  const { notBefore, notAfter } = state.release;
  if (now < notBefore || now >= notAfter) {
    return forbidden({
      code: 'OUTSIDE_WINDOW',
      message: `The release is open from ${notBefore} until before ${notAfter}; it is ${now}.`,
      next: now < notBefore ? 'Open it once the window has begun.' : 'Submit a new request if it is still needed.',
    });
  }
  if (!inForce(agreement, now)) {
    return forbidden({
      code: 'AGREEMENT_NOT_IN_FORCE',
      message: `${agreement.id} is not in force.`,
      next: 'Your competent authority can say when it will be.',
      rule: 'A1',
    });
  }
  const uncleared = state.proposal.proposal.documents.some((document) => {
    const until = clearedUntil(agreement, person, document.marking, state.recipientNation);
    return until === undefined || until <= now;
  });
  if (uncleared) {
    return forbidden({
      code: 'NOT_CLEARED',
      message: 'Your clearance does not cover this release now.',
      next: 'Have your competent authority confirm your clearance in the directory.',
      rule: 'B8',
    });
  }
  return undefined;
}

/** GrantAccess: recorded before the key leaves. The same idempotency key within ten minutes repeats every check and counts no second copy. */
export function grantAccess(state: Released, command: Of<'GrantAccess'>, context: Context): Outcome {
  // The phase table lets only named recipients open a release, and they are people.
  const { person } = context.actor as Extract<Context['actor'], { kind: 'person' }>;
  const { proposal } = state.proposal;
  const closed = closedTo(state, person, context);
  if (closed !== undefined) return closed;
  const key = person.keys.find((row) =>
    proposal.recipients.some((named) => named.personId === person.personId && named.keyFingerprint === row.fingerprint),
  );
  if (key === undefined) {
    return forbidden({
      code: 'KEY_NOT_CONFIRMED',
      message: 'The key that the decision named is no longer a confirmed key of yours.',
      next: 'A release to another key needs a new proposal and a new decision.',
    });
  }
  const earlier = state.accesses.find(
    (access) => access.recipient === person.personId && access.idempotencyKey === command.idempotencyKey,
  );
  if (earlier !== undefined && !earlier.failed) {
    if (context.now < plus(earlier.at, SAME_OPENING)) return [];
    return conflict({
      code: 'IDEMPOTENCY_KEY_USED',
      message: 'This idempotency key belongs to an earlier opening.',
      next: 'Open again with a new key; it counts as another copy.',
    });
  }
  const used = copiesUsed(state.accesses, person.personId);
  if (used >= proposal.copies) {
    return forbidden({
      code: 'COPIES_EXHAUSTED',
      message: `You may open this release ${proposal.copies} time(s) and have done so.`,
      next: 'Ask the originating nation for a new release.',
      rule: 'D10',
    });
  }
  return [
    {
      type: 'AccessGranted',
      payload: {
        accessId: command.accessId,
        recipient: person.personId,
        keyFingerprint: key.fingerprint,
        copy: used + 1,
        idempotencyKey: command.idempotencyKey,
      },
    },
  ];
}

type WithAccesses = Extract<Case, { phase: 'RELEASED' | 'SUSPENDED' | 'CLOSING' | 'CLOSED' }>;

/** RecordAccessFailure: KMS refused after the access was recorded; the copy is not counted. */
export function recordAccessFailure(state: WithAccesses, command: Of<'RecordAccessFailure'>): Outcome {
  const access = state.accesses.find((row) => row.accessId === command.accessId);
  if (access === undefined || access.failed) return [];
  return [{ type: 'AccessFailed', payload: { accessId: command.accessId, cause: command.cause } }];
}

/** AcknowledgeReceipt: the recipient states the digest of the ciphertext they hold (rule E6). Said again, it changes nothing. */
export function acknowledgeReceipt(state: WithAccesses, command: Of<'AcknowledgeReceipt'>, context: Context): Outcome {
  const { person } = context.actor as Extract<Context['actor'], { kind: 'person' }>; // as in grantAccess
  const access = state.accesses.find(
    (row) => row.accessId === command.accessId && row.recipient === person.personId && !row.failed,
  );
  if (access === undefined) {
    return invalid({
      code: 'ACCESS_UNKNOWN',
      message: 'You have no such opening of this release.',
      next: 'Acknowledge with the accessId that the opening answered.',
      pointer: '/accessId',
    });
  }
  if (state.sealed?.ciphertextDigest !== command.digest) {
    return invalid({
      code: 'DIGEST_DIFFERS',
      message: 'This is not the digest of the package that was released.',
      next: 'Fetch the package again; if it still differs, report an incident to your authority.',
      pointer: '/digest',
      rule: 'E6',
    });
  }
  if (state.receipts.some((receipt) => receipt.accessId === access.accessId)) return [];
  const { accessId, digest } = command;
  return [{ type: 'ReceiptAcknowledged', payload: { accessId, recipient: person.personId, digest } }];
}

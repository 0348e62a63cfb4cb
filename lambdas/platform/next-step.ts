import { LONGEST_WAIT, type Next } from '../contracts/names.ts';
import type { StepResult } from '../contracts/step.ts';
import { toEpoch, type Instant } from '../domain/instant.ts';
import { isWaiting, type Phase } from '../domain/phases.ts';

interface Standing {
  readonly caseId: string;
  readonly attempt: number;
  readonly phase: Phase;
  readonly dueAt?: Instant;
  readonly deposits: number;
}

/** Which edge of the workflow a case takes: where it stands, and nothing else, decides. */
export function nextFor(phase: Phase, depositsRemain: boolean): Next {
  switch (phase) {
    case 'SUBMITTED':
    case 'UNDER_REVIEW':
    case 'AWAITING_CLARIFICATION':
      return 'await-decision';
    case 'AWAITING_ASSURANCE':
      return 'await-assurance';
    case 'SEALING':
      return 'seal';
    case 'RELEASED':
    case 'SUSPENDED':
      return 'hold';
    case 'CLOSING':
      return 'close';
    case 'CLOSED':
      return 'closed';
    case 'INADMISSIBLE':
      return 'inadmissible';
    case 'REFUSED':
      return depositsRemain ? 'close' : 'refused';
    case 'LAPSED':
      return depositsRemain ? 'close' : 'lapsed';
    case 'WITHDRAWN':
      return depositsRemain ? 'close' : 'withdrawn';
  }
}

/** The seconds until an instant, as a wait that Step Functions accepts: a positive integer of at most 300 days. */
export const secondsUntil = (due: Instant | undefined, now: Instant): number =>
  due === undefined ? 1 : Math.min(Math.max(Math.ceil((toEpoch(due) - toEpoch(now)) / 1000), 1), LONGEST_WAIT);

/** Whether an execution has run as long as one may; the next attempt then goes on (architecture §4). */
export const hasRunItsTime = (startedAt: string | undefined, now: Instant): boolean =>
  startedAt !== undefined && toEpoch(now) - Date.parse(startedAt) >= LONGEST_WAIT * 1000;

/** The answer of a step for a case as its head shows it. */
export const resultFor = (head: Standing, attempt: number, now: Instant): StepResult => ({
  caseId: head.caseId,
  attempt,
  next: head.attempt === attempt ? nextFor(head.phase, head.deposits > 0) : 'superseded',
  waitSeconds: secondsUntil(head.dueAt, now),
});

/**
 * Whether a parked wait is over: another attempt has taken over, the case waits for something else or for nobody, or the clock it waits
 * by has another end. Suspension and resumption wake nobody, since the end of the window stays.
 */
export function waitIsOver(
  parked: { readonly attempt: number; readonly phase: Phase; readonly dueAt?: Instant },
  head: Standing,
): boolean {
  return (
    parked.attempt < head.attempt ||
    !isWaiting(head.phase) ||
    nextFor(parked.phase, false) !== nextFor(head.phase, false) ||
    parked.dueAt !== head.dueAt
  );
}

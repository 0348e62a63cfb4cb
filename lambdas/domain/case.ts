import type { AgreementPin } from './agreement.ts';
import type { Clock, Deadline, Reminder } from './clock.ts';
import type { Check, Decision, EndReason, InformationRequest, Proposal, SealedPackage } from './events.ts';
import type { CaseId, Digest, Nation, PersonId } from './ids.ts';
import type { Instant } from './instant.ts';
import type { Phase } from './phases.ts';

export interface Deposit {
  readonly depositId: string;
  readonly digest: Digest;
  readonly length: number;
  readonly complete: boolean;
}

export interface Question {
  readonly question: string;
  readonly askedBy: PersonId;
  readonly askedAt: Instant;
  readonly answer?: string;
  readonly answeredAt?: Instant;
}

export interface Access {
  readonly accessId: string;
  readonly recipient: PersonId;
  readonly copy: number;
  readonly idempotencyKey: string;
  readonly at: Instant;
  /** A failed opening is kept and not counted. */
  readonly failed: boolean;
}

export interface Receipt {
  readonly accessId: string;
  readonly recipient: PersonId;
  readonly digest: Digest;
  readonly at: Instant;
}

/** What every case has, from its first event on. */
export interface Filed {
  readonly caseId: CaseId;
  /** Sequence of the last event. */
  readonly sequence: number;
  readonly openedAt: Instant;
  readonly changedAt: Instant;
  readonly request: InformationRequest;
  readonly requestDigest: Digest;
  readonly agreement: AgreementPin;
  readonly originatingNation: Nation;
  readonly recipientNation: Nation;
  readonly requestingAgency: string;
  readonly requesterId: PersonId;
  readonly exercise: boolean;
  readonly registerNumber: string | null;
  readonly questions: readonly Question[];
  /** Deposits whose objects may still exist. */
  readonly deposits: readonly Deposit[];
  readonly failures: number;
  /** The last attempt that failed, and the event that says so. */
  readonly lastFailure: { readonly sequence: number; readonly step: string; readonly error: string } | null;
  /** Reminders that were given, in every run of every clock. */
  readonly reminders: readonly Reminder[];
  /** Notices that did not arrive, each with the event that says so. */
  readonly undelivered: readonly { readonly notice: number; readonly personId: PersonId; readonly sequence: number }[];
}

export interface PutProposal {
  readonly proposal: Proposal;
  readonly digest: Digest;
}

interface Review extends Filed {
  readonly registerNumber: string;
  readonly checks: readonly Check[];
  readonly deadline: Deadline;
  readonly proposal: PutProposal | null;
  /** Votes on the current proposal; earlier ones are void. */
  readonly decisions: readonly Decision[];
  /** What was last found of it: an authority is told once, and again after it was mended. */
  readonly quorumWithinReach: boolean;
}

interface Decided extends Review {
  readonly proposal: PutProposal;
  readonly assurance: { readonly personId: PersonId; readonly textDigest: Digest; readonly at: Instant } | null;
}

interface Opened extends Decided {
  readonly sealed: SealedPackage;
  readonly release: { readonly releaseId: string; readonly notBefore: Instant; readonly notAfter: Instant };
  readonly accesses: readonly Access[];
  readonly receipts: readonly Receipt[];
}

export interface Submitted extends Filed {
  readonly phase: 'SUBMITTED';
}
export interface Inadmissible extends Filed {
  readonly phase: 'INADMISSIBLE';
  readonly registerNumber: string;
  readonly checks: readonly Check[];
}
export interface UnderReview extends Review {
  readonly phase: 'UNDER_REVIEW';
}
export interface AwaitingClarification extends Review {
  readonly phase: 'AWAITING_CLARIFICATION';
  readonly clarification: Deadline;
}
export interface AwaitingAssurance extends Decided {
  readonly phase: 'AWAITING_ASSURANCE';
  readonly assuranceDeadline: Deadline;
}
export interface Sealing extends Decided {
  readonly phase: 'SEALING';
  readonly sealed: SealedPackage | null;
}
export interface Released extends Opened {
  readonly phase: 'RELEASED';
}
export interface Suspended extends Opened {
  readonly phase: 'SUSPENDED';
  readonly resumptionProposedBy: PersonId | null;
}
export interface Closing extends Decided {
  readonly phase: 'CLOSING';
  readonly reason: EndReason;
  readonly sealed: SealedPackage | null;
  readonly release: Opened['release'] | null;
  readonly accesses: readonly Access[];
  readonly receipts: readonly Receipt[];
}
type EndPhase = 'REFUSED' | 'LAPSED' | 'WITHDRAWN' | 'CLOSED';

export interface EndedIn<P extends EndPhase> extends Filed {
  readonly phase: P;
  readonly proposal: PutProposal | null;
  readonly decisions: readonly Decision[];
  readonly sealed: SealedPackage | null;
  readonly release: Opened['release'] | null;
  readonly accesses: readonly Access[];
  readonly receipts: readonly Receipt[];
  readonly endedBecause: string;
}

export type Ended = { [P in EndPhase]: EndedIn<P> }[EndPhase];

/** Where a case stands: one shape per phase, so that what a phase does not have cannot be read. */
export type Case =
  | Submitted
  | Inadmissible
  | UnderReview
  | AwaitingClarification
  | AwaitingAssurance
  | Sealing
  | Released
  | Suspended
  | Closing
  | Ended;

/** The phases in which a clock of the agreement runs. */
export type Clocked = UnderReview | AwaitingClarification | AwaitingAssurance;

export const isClocked = (state: Case): state is Clocked =>
  phaseIs(state, 'UNDER_REVIEW', 'AWAITING_CLARIFICATION', 'AWAITING_ASSURANCE');

/** The clock that runs in such a phase. */
export function runningClock(state: Clocked): { readonly clock: Clock; readonly deadline: Deadline } {
  switch (state.phase) {
    case 'UNDER_REVIEW':
      return { clock: 'decision', deadline: state.deadline };
    case 'AWAITING_CLARIFICATION':
      return { clock: 'clarification', deadline: state.clarification };
    case 'AWAITING_ASSURANCE':
      return { clock: 'assurance', deadline: state.assuranceDeadline };
  }
}

/**
 * The instant at which the phase's own clock runs out, or null for a phase that waits for nobody.
 * Half-open: at this instant it is over.
 */
export function dueAt(state: Case): Instant | null {
  switch (state.phase) {
    case 'UNDER_REVIEW':
    case 'AWAITING_CLARIFICATION':
    case 'AWAITING_ASSURANCE':
      return runningClock(state).deadline.dueAt;
    case 'RELEASED':
    case 'SUSPENDED':
      return state.release.notAfter;
    case 'SUBMITTED':
    case 'INADMISSIBLE':
    case 'SEALING':
    case 'CLOSING':
    case 'REFUSED':
    case 'LAPSED':
    case 'WITHDRAWN':
    case 'CLOSED':
      return null;
  }
}

/** Openings that count against a recipient's copies. */
export const copiesUsed = (accesses: readonly Access[], recipient: PersonId): number =>
  accesses.filter((access) => access.recipient === recipient && !access.failed).length;

/** A broken invariant: the case is to be parked and an operator told; never a normal outcome (architecture §6). */
export class InvariantBroken extends Error {
  override readonly name = 'InvariantBroken';
}

export const phaseIs = <P extends Phase>(state: Case, ...phases: readonly P[]): state is Extract<Case, { phase: P }> =>
  (phases as readonly Phase[]).includes(state.phase);

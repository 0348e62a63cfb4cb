import type { Audience, CaseEvent } from './events.ts';
import type { Case } from './case.ts';
import type { Nation, PersonId } from './ids.ts';

/** What a notice asks or tells: a verb, never a subject (promise S7). */
export type NoticeVerb =
  | 'request-arrived'
  | 'nobody-can-decide'
  | 'proposal-reminder'
  | 'decision-reminder'
  | 'clarification-reminder'
  | 'assurance-reminder'
  | 'notice-undelivered'
  | 'proposal-awaits-you'
  | 'decision-overdue'
  | 'clarification-asked'
  | 'clarification-answered'
  | 'assurance-due'
  | 'request-registered'
  | 'request-inadmissible'
  | 'request-refused'
  | 'request-lapsed'
  | 'request-approved'
  | 'release-open'
  | 'release-suspended'
  | 'release-resumed'
  | 'resumption-awaits-you'
  | 'release-ending'
  | 'case-closed'
  | 'case-withdrawn';

export interface Notice {
  readonly to: Audience;
  readonly verb: NoticeVerb;
  /** Who is not told, although the directory counts them to the audience. */
  readonly except?: PersonId;
}

const tell = (verb: NoticeVerb, ...audiences: readonly Audience[]): Notice[] => audiences.map((to) => ({ to, verb }));

/** What each of those a clock waits for is reminded of. */
const REMINDERS = {
  'desk-officers': 'proposal-reminder',
  approvers: 'decision-reminder',
  requester: 'clarification-reminder',
  'recipient-authority': 'assurance-reminder',
} as const satisfies Partial<Record<Audience, NoticeVerb>>;

/** Who can act next where a notice did not arrive: the others who could have acted on it, and who can help them. */
const NEXT: Readonly<Record<Audience, readonly Audience[]>> = {
  'desk-officers': ['desk-officers', 'originator-authority'],
  approvers: ['approvers', 'originator-authority'],
  'originator-authority': ['originator-authority', 'desk-officers'],
  'recipient-authority': ['recipient-authority', 'requester'],
  requester: ['requesting-agency', 'recipient-authority'],
  'requesting-agency': ['requesting-agency', 'recipient-authority'],
  recipients: ['requester', 'recipient-authority'],
};

/** Who is told instead when there is nobody whom a notice reaches. */
export const insteadOf = (to: Audience): readonly Notice[] => tell('notice-undelivered', ...NEXT[to]);

const OF_ORIGINATOR: readonly Audience[] = ['desk-officers', 'approvers', 'originator-authority'];

/** The nation whose directory knows an audience. */
export const nationOf = (to: Audience, state: Pick<Case, 'originatingNation' | 'recipientNation'>): Nation =>
  OF_ORIGINATOR.includes(to) ? state.originatingNation : state.recipientNation;

/** Who is told of an event: those who must act, and the requester at every change that concerns them. Votes and drafts are told to nobody. */
export function noticesOf(event: CaseEvent): readonly Notice[] {
  switch (event.type) {
    case 'RequestSubmitted':
      return [];
    case 'RequestAssessed':
      if (!event.payload.admissible) return tell('request-inadmissible', 'requester');
      return [
        ...tell('request-arrived', 'desk-officers'),
        ...tell('request-registered', 'requester'),
        ...(event.payload.escalated ? tell('nobody-can-decide', 'originator-authority') : []),
      ];
    case 'ClarificationSought':
      return tell('clarification-asked', 'requester');
    case 'ClarificationAnswered':
      return tell('clarification-answered', 'desk-officers');
    case 'ProposalPut':
      return tell('proposal-awaits-you', 'approvers');
    case 'Reminded':
      return tell(REMINDERS[event.payload.to], event.payload.to);
    case 'QuorumReachChanged':
      return event.payload.withinReach ? [] : tell('nobody-can-decide', 'originator-authority', 'desk-officers');
    case 'NoticeUndelivered': {
      const { to, personId, again } = event.payload;
      // That a notice of this kind did not arrive either is told to nobody, or two dead addresses would tell each other for ever.
      return again ? [] : insteadOf(to).map((notice) => ({ ...notice, except: personId }));
    }
    case 'DecisionEscalated':
      return tell('decision-overdue', 'approvers', 'originator-authority');
    case 'DecisionCast':
      if (event.payload.outcome === 'pending') return [];
      if (event.payload.outcome === 'refused') return tell('request-refused', 'requester');
      return [
        ...tell('request-approved', 'requester'),
        ...(event.payload.deadline === null ? [] : tell('assurance-due', 'recipient-authority')),
      ];
    case 'AssuranceDeclined':
    case 'CaseLapsed':
      return tell('request-lapsed', 'requester', 'desk-officers');
    case 'ReleaseOpened':
      return tell('release-open', 'recipients', 'requester');
    case 'ReleaseSuspended':
      return tell('release-suspended', 'recipients', 'requester');
    case 'ResumptionProposed':
      return tell('resumption-awaits-you', 'approvers', 'originator-authority');
    case 'ReleaseResumed':
      return tell('release-resumed', 'recipients', 'requester');
    case 'ReleaseRecalled':
    case 'ReleaseExpired':
    case 'ClosingBegun':
      return tell('release-ending', 'recipients', 'requester');
    case 'CaseClosed':
      return tell('case-closed', 'requester', 'desk-officers');
    case 'RequestWithdrawn':
      return tell('case-withdrawn', 'requester', 'desk-officers');
    case 'DepositOpened':
    case 'DepositCompleted':
    case 'AssuranceGiven':
    case 'PackageSealed':
    case 'AccessGranted':
    case 'AccessFailed':
    case 'ReceiptAcknowledged':
    case 'PackageDestroyed':
    case 'DepositsDestroyed':
    case 'AttemptFailed':
      return [];
  }
}

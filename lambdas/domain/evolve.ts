import {
  InvariantBroken,
  phaseIs,
  type Access,
  type Case,
  type Closing,
  type Ended,
  type EndedIn,
  type Filed,
  type Receipt,
  type Released,
  type Suspended,
} from './case.ts';
import type { CaseEvent, EventType } from './events.ts';
import type { PersonId } from './ids.ts';
import type { Phase } from './phases.ts';

type EventOf<T extends EventType> = Extract<CaseEvent, { type: T }>;

/** The case in one of the phases in which `event` can have happened; anything else means the file was not written by `decide`. */
function standing<P extends Phase>(
  state: Case,
  event: CaseEvent,
  ...phases: readonly P[]
): Extract<Case, { phase: P }> {
  if (phaseIs(state, ...phases)) return state;
  throw new InvariantBroken(`${event.type} at sequence ${event.sequence} cannot follow phase ${state.phase}`);
}

function open(event: EventOf<'RequestSubmitted'>): Case {
  if (event.actor.kind !== 'person') throw new InvariantBroken('A request is submitted by a person');
  const { request, requestDigest, agreement, originatingNation, recipientNation, requestingAgency, exercise } =
    event.payload;
  return {
    phase: 'SUBMITTED',
    caseId: event.caseId,
    sequence: event.sequence,
    openedAt: event.at,
    changedAt: event.at,
    request,
    requestDigest,
    agreement,
    originatingNation,
    recipientNation,
    requestingAgency,
    requesterId: event.actor.personId,
    exercise,
    registerNumber: null,
    questions: [],
    deposits: [],
    failures: 0,
    lastFailure: null,
    reminders: [],
    undelivered: [],
  };
}

/** What an ended case keeps of where it stood. */
function end<P extends Ended['phase']>(state: Case, phase: P, because: string): EndedIn<P> {
  const filed: Filed = {
    caseId: state.caseId,
    sequence: state.sequence,
    openedAt: state.openedAt,
    changedAt: state.changedAt,
    request: state.request,
    requestDigest: state.requestDigest,
    agreement: state.agreement,
    originatingNation: state.originatingNation,
    recipientNation: state.recipientNation,
    requestingAgency: state.requestingAgency,
    requesterId: state.requesterId,
    exercise: state.exercise,
    registerNumber: state.registerNumber,
    questions: state.questions,
    deposits: state.deposits,
    failures: state.failures,
    lastFailure: state.lastFailure,
    reminders: state.reminders,
    undelivered: state.undelivered,
  };
  return {
    ...filed,
    phase,
    proposal: 'proposal' in state ? state.proposal : null,
    decisions: 'decisions' in state ? state.decisions : [],
    sealed: 'sealed' in state ? state.sealed : null,
    release: 'release' in state ? state.release : null,
    accesses: 'accesses' in state ? state.accesses : [],
    receipts: 'receipts' in state ? state.receipts : [],
    endedBecause: because,
  };
}

function beginClosing(
  state: Extract<Case, { phase: 'SEALING' | 'RELEASED' | 'SUSPENDED' }>,
  reason: Closing['reason'],
): Closing {
  if (state.phase === 'SEALING') {
    return { ...state, phase: 'CLOSING', reason, release: null, accesses: [], receipts: [] };
  }
  if (state.phase === 'RELEASED') return { ...state, phase: 'CLOSING', reason };
  const { resumptionProposedBy: _ended, ...rest } = state;
  return { ...rest, phase: 'CLOSING', reason };
}

function assess(state: Case, event: EventOf<'RequestAssessed'>): Case {
  const submitted = standing(state, event, 'SUBMITTED');
  const { registerNumber, checks, deadline, escalated } = event.payload;
  if (deadline === null) return { ...submitted, phase: 'INADMISSIBLE', registerNumber, checks };
  const undecided = { proposal: null, decisions: [], quorumWithinReach: !escalated };
  return { ...submitted, phase: 'UNDER_REVIEW', registerNumber, checks, deadline, ...undecided };
}

function answer(state: Case, event: EventOf<'ClarificationAnswered'>): Case {
  const { clarification: _answered, ...review } = standing(state, event, 'AWAITING_CLARIFICATION');
  const { amendments, deadline, requestDigest } = event.payload;
  return {
    ...review,
    phase: 'UNDER_REVIEW',
    request: { ...review.request, ...amendments },
    requestDigest,
    deadline,
    // An amended request voids earlier votes; so does an answer, which the voters had not read.
    proposal: null,
    decisions: [],
    questions: review.questions.map((question, index, all) =>
      index === all.length - 1 ? { ...question, answer: event.payload.answer, answeredAt: event.at } : question,
    ),
  };
}

function vote(state: Case, event: EventOf<'DecisionCast'>): Case {
  const review = standing(state, event, 'UNDER_REVIEW');
  const { decision, outcome, deadline } = event.payload;
  const decided = { ...review, decisions: [...review.decisions, decision] };
  switch (outcome) {
    case 'pending':
      return decided;
    case 'refused':
      return end(decided, 'REFUSED', decision.ground ?? 'refused');
    case 'approved': {
      if (review.proposal === null) throw new InvariantBroken('An approval without a proposal');
      const approved = { ...decided, proposal: review.proposal, assurance: null };
      return deadline === null
        ? { ...approved, phase: 'SEALING', sealed: null }
        : { ...approved, phase: 'AWAITING_ASSURANCE', assuranceDeadline: deadline };
    }
  }
}

function openRelease(state: Case, event: EventOf<'ReleaseOpened'>): Case {
  const sealing = standing(state, event, 'SEALING');
  if (sealing.sealed === null) throw new InvariantBroken('A release without a sealed package');
  const { releaseId, notBefore, notAfter, depositsDestroyed } = event.payload;
  return {
    ...sealing,
    phase: 'RELEASED',
    sealed: sealing.sealed,
    release: { releaseId, notBefore, notAfter },
    accesses: [],
    receipts: [],
    deposits: sealing.deposits.filter((deposit) => !depositsDestroyed.includes(deposit.depositId)),
  };
}

const person = (event: CaseEvent): PersonId => {
  if (event.actor.kind === 'person') return event.actor.personId;
  throw new InvariantBroken(`${event.type} is an act of a person`);
};

const withAccess = <C extends { readonly accesses: readonly Access[] }>(state: C, access: Access): C => ({
  ...state,
  accesses: [...state.accesses, access],
});

const withReceipt = <C extends { readonly receipts: readonly Receipt[] }>(state: C, receipt: Receipt): C => ({
  ...state,
  receipts: [...state.receipts, receipt],
});

function change(state: Case, event: Exclude<CaseEvent, { type: 'RequestSubmitted' }>): Case {
  switch (event.type) {
    case 'RequestAssessed':
      return assess(state, event);
    case 'ClarificationSought': {
      const review = standing(state, event, 'UNDER_REVIEW');
      const asked = { question: event.payload.question, askedBy: person(event), askedAt: event.at };
      const questions = [...review.questions, asked];
      return { ...review, phase: 'AWAITING_CLARIFICATION', questions, clarification: event.payload.deadline };
    }
    case 'ClarificationAnswered':
      return answer(state, event);
    case 'DepositOpened': {
      const review = standing(state, event, 'UNDER_REVIEW');
      return { ...review, deposits: [...review.deposits, { ...event.payload, complete: false }] };
    }
    case 'DepositCompleted': {
      const review = standing(state, event, 'UNDER_REVIEW');
      const deposits = review.deposits.map((deposit) =>
        deposit.depositId === event.payload.depositId ? { ...deposit, complete: true } : deposit,
      );
      return { ...review, deposits };
    }
    case 'ProposalPut': {
      const review = standing(state, event, 'UNDER_REVIEW');
      const { proposal, proposalDigest } = event.payload;
      return { ...review, proposal: { proposal, digest: proposalDigest }, decisions: [] };
    }
    case 'DecisionCast':
      return vote(state, event);
    case 'DecisionEscalated':
      return { ...standing(state, event, 'UNDER_REVIEW'), deadline: event.payload.deadline };
    case 'AssuranceGiven': {
      const { assuranceDeadline: _met, ...waiting } = standing(state, event, 'AWAITING_ASSURANCE');
      const { personId, textDigest } = event.payload;
      return { ...waiting, phase: 'SEALING', sealed: null, assurance: { personId, textDigest, at: event.at } };
    }
    case 'AssuranceDeclined':
      return end(standing(state, event, 'AWAITING_ASSURANCE'), 'LAPSED', 'assurance-declined');
    case 'CaseLapsed':
      return end(
        standing(state, event, 'UNDER_REVIEW', 'AWAITING_CLARIFICATION', 'AWAITING_ASSURANCE'),
        'LAPSED',
        event.payload.clock,
      );
    case 'RequestWithdrawn': {
      const open = standing(
        state,
        event,
        'SUBMITTED',
        'UNDER_REVIEW',
        'AWAITING_CLARIFICATION',
        'AWAITING_ASSURANCE',
        'SEALING',
      );
      return open.phase === 'SEALING' ? beginClosing(open, 'withdrawn') : end(open, 'WITHDRAWN', 'withdrawn');
    }
    case 'PackageSealed':
      return { ...standing(state, event, 'SEALING'), sealed: event.payload.sealed };
    case 'ReleaseOpened':
      return openRelease(state, event);
    case 'ClosingBegun':
      return beginClosing(standing(state, event, 'SEALING'), event.payload.reason);
    case 'AccessGranted': {
      const { accessId, recipient, copy, idempotencyKey } = event.payload;
      const access = { accessId, recipient, copy, idempotencyKey, at: event.at, failed: false };
      return withAccess(standing(state, event, 'RELEASED'), access);
    }
    case 'AccessFailed': {
      const live = standing(state, event, 'RELEASED', 'SUSPENDED', 'CLOSING');
      const accesses = live.accesses.map((access) =>
        access.accessId === event.payload.accessId ? { ...access, failed: true } : access,
      );
      return { ...live, accesses };
    }
    case 'ReceiptAcknowledged': {
      const live = standing(state, event, 'RELEASED', 'SUSPENDED', 'CLOSING', 'CLOSED');
      return withReceipt(live, { ...event.payload, at: event.at });
    }
    case 'ReleaseSuspended':
      return { ...standing(state, event, 'RELEASED'), phase: 'SUSPENDED', resumptionProposedBy: null };
    case 'ResumptionProposed':
      return { ...standing(state, event, 'SUSPENDED'), resumptionProposedBy: event.payload.by };
    case 'ReleaseResumed': {
      const { resumptionProposedBy: _over, ...rest }: Suspended = standing(state, event, 'SUSPENDED');
      return { ...rest, phase: 'RELEASED' } satisfies Released;
    }
    case 'ReleaseRecalled':
      return beginClosing(standing(state, event, 'RELEASED', 'SUSPENDED'), 'recalled');
    case 'ReleaseExpired':
      return beginClosing(standing(state, event, 'RELEASED', 'SUSPENDED'), 'expired');
    case 'PackageDestroyed':
      return standing(state, event, 'CLOSING');
    case 'DepositsDestroyed': {
      const deposits = state.deposits.filter((deposit) => !event.payload.depositIds.includes(deposit.depositId));
      return { ...state, deposits };
    }
    case 'CaseClosed': {
      const closing = standing(state, event, 'CLOSING');
      return end(closing, closing.reason === 'withdrawn' ? 'WITHDRAWN' : 'CLOSED', event.payload.reason);
    }
    case 'Reminded': {
      const { to: _told, ...reminder } = event.payload;
      const waiting = standing(state, event, 'UNDER_REVIEW', 'AWAITING_CLARIFICATION', 'AWAITING_ASSURANCE');
      return { ...waiting, reminders: [...waiting.reminders, reminder] };
    }
    case 'QuorumReachChanged':
      return { ...standing(state, event, 'UNDER_REVIEW'), quorumWithinReach: event.payload.withinReach };
    case 'NoticeUndelivered': {
      const { notice, personId } = event.payload;
      return { ...state, undelivered: [...state.undelivered, { notice, personId, sequence: event.sequence }] };
    }
    case 'AttemptFailed': {
      const { step, error } = event.payload;
      return { ...state, failures: state.failures + 1, lastFailure: { sequence: event.sequence, step, error } };
    }
  }
}

/**
 * The case after one more event. Pure: the same events always give the same case.
 * @throws InvariantBroken for an event that cannot stand at this place: another case, a gap in the sequence, a phase it cannot follow
 */
export function evolve(state: Case | undefined, event: CaseEvent): Case {
  if (event.type === 'RequestSubmitted') {
    if (state !== undefined || event.sequence !== 1)
      throw new InvariantBroken('A case is opened once, by its first event');
    return open(event);
  }
  if (state === undefined) throw new InvariantBroken(`${event.type} cannot be the first event of a case`);
  if (event.caseId !== state.caseId || event.sequence !== state.sequence + 1) {
    throw new InvariantBroken(`Event ${event.sequence} does not follow event ${state.sequence} of this case`);
  }
  return { ...change(state, event), sequence: event.sequence, changedAt: event.at };
}

import type { CaseView } from '../contracts/api-answers.ts';
import { commandsFor } from '../domain/capacity.ts';
import { dueAt, type Case } from '../domain/case.ts';
import type { Deadline } from '../domain/clock.ts';
import type { Person } from '../domain/people.ts';
import { neededRoles, openRoles } from '../domain/quorum.ts';
import { agreementByPin } from '../platform/agreements.ts';
import { isApproved, type Side } from './visibility.ts';

function clockOf(state: Case): Deadline | null {
  switch (state.phase) {
    case 'UNDER_REVIEW':
      return state.deadline;
    case 'AWAITING_CLARIFICATION':
      return state.clarification;
    case 'AWAITING_ASSURANCE':
      return state.assuranceDeadline;
    default:
      return null;
  }
}

/** The ground whose words answer for those that are withheld. */
const NOT_HELD = 'not-held';

/**
 * What the requester is told of the end. A ground that may not be disclosed gets the very answer that information gets which is not held,
 * so that the answer does not say which of the two it is (rule A3).
 */
function outcomeOf(state: Case, reader: Person): CaseView['outcome'] {
  if (!('endedBecause' in state)) return undefined;
  if (state.phase !== 'REFUSED') return { ended: state.phase, statement: state.endedBecause };
  const { refusalGrounds } = agreementByPin(state.agreement);
  const ground = refusalGrounds.find((row) => row.code === state.endedBecause);
  const told = ground?.disclosable === true ? ground : refusalGrounds.find((row) => row.code === NOT_HELD);
  return { ended: state.phase, statement: told?.text[reader.language] ?? null };
}

/** What the originating side sees beside: the proposal as it is being decided. */
function deliberation(state: Case): Partial<CaseView> {
  if (!('decisions' in state)) return {};
  const { proposal, decisions } = state;
  const needed =
    proposal === null ? undefined : neededRoles(agreementByPin(state.agreement), proposal.proposal.documents);
  return {
    decisions: decisions.map(({ personId, role, verdict, ground, note }) => ({
      personId,
      role,
      verdict,
      ...(ground === undefined ? {} : { ground }),
      ...(note === undefined ? {} : { note }),
    })),
    rolesMissing: [...openRoles(needed ?? [], decisions)],
    deposits: state.deposits.map((deposit) => ({ ...deposit })),
  };
}

/** The answer's types are those of JSON, which knows no read-only lists; the values are copies. */
const writable = <T>(value: T): Writable<T> => structuredClone(value) as Writable<T>;
type Writable<T> = T extends string | number | boolean | null | undefined
  ? T
  : { -readonly [K in keyof T]: Writable<T[K]> };

/** A case as one person may see it. */
export function viewOf(state: Case, side: Side, reader: Person): CaseView {
  const { request } = state;
  const proposal = 'proposal' in state ? state.proposal : null;
  const showProposal = proposal !== null && (side === 'originator' || isApproved(state));
  const release = 'release' in state ? state.release : null;
  const outcome = outcomeOf(state, reader);
  return {
    caseId: state.caseId,
    sequence: state.sequence,
    phase: state.phase,
    registerNumber: state.registerNumber,
    exercise: state.exercise,
    openedAt: state.openedAt,
    changedAt: state.changedAt,
    dueAt: dueAt(state),
    clock: writable(clockOf(state)),
    agreement: state.agreement,
    originatingNation: state.originatingNation,
    recipientNation: state.recipientNation,
    requestingAgency: state.requestingAgency,
    request: {
      title: request.title,
      description: request.description,
      purpose: request.purpose,
      justification: request.justification,
      levelSought: request.levelSought,
      recipients: [...request.recipients],
      language: request.language,
      ...(request.reference === undefined ? {} : { reference: request.reference }),
      ...(request.previousCase === undefined ? {} : { previousCase: request.previousCase }),
    },
    requestDigest: state.requestDigest,
    failedChecks: 'checks' in state ? state.checks.filter((check) => !check.passed) : [],
    questions: state.questions.map(({ askedBy: _colleague, ...question }) => question),
    ...(showProposal ? { proposal: writable(proposal.proposal), proposalDigest: proposal.digest } : {}),
    ...(side === 'originator' ? deliberation(state) : {}),
    ...(release === null ? {} : { release }),
    ...('accesses' in state
      ? {
          accesses: state.accesses
            .filter((access) => side === 'originator' || access.recipient === reader.personId)
            .map(({ idempotencyKey: _theirs, ...access }) => access),
          receipts: state.receipts
            .filter((receipt) => side === 'originator' || receipt.recipient === reader.personId)
            .map(({ accessId, recipient, at }) => ({ accessId, recipient, at })),
        }
      : {}),
    ...(outcome === undefined ? {} : { outcome }),
    yourCommands: [...commandsFor(state, { kind: 'person', person: reader })],
  };
}

import { takesPart } from '../domain/canary.ts';
import { InvariantBroken, type Case } from '../domain/case.ts';
import type { CaseId } from '../domain/ids.ts';
import { APPROVING_ROLES, hasRole, holds, type Actor, type Person, type Role } from '../domain/people.ts';
import type { Phase } from '../domain/phases.ts';
import { loadCase, type CaseFile } from '../platform/case-store.ts';
import { dynamodb } from '../platform/dynamodb.ts';
import { FileBehind, NotFound } from '../platform/errors.ts';
import type { Exchange } from '../platform/execute.ts';
import { errorName, log } from '../platform/log.ts';

/** A person whom the directory knows. */
export type Caller = Extract<Actor, { kind: 'person' }>;

const APPROVED: readonly Phase[] = ['AWAITING_ASSURANCE', 'SEALING', 'RELEASED', 'SUSPENDED', 'CLOSING', 'CLOSED'];

/** Whether the recipient side may know the proposal, and those whom it names the case: before, a draft would show itself to them. */
export const isApproved = (state: Case): boolean => APPROVED.includes(state.phase);

/** From which side somebody sees a case; undefined: not at all. This is the one place that decides who may see (security.md §8). */
export type Side = 'originator' | 'recipient';

/** The roles of those of the originating nation who work on its cases, and so see them all. */
export const SEE_ALL: readonly Role[] = ['desk-officer', 'competent-authority', 'auditor', ...APPROVING_ROLES];

export function sideOf(state: Case, person: Person): Side | undefined {
  if (!person.active || !takesPart(state, person)) return undefined;
  if (person.nation === state.originatingNation) return holds(person, ...SEE_ALL) ? 'originator' : undefined;
  if (person.nation !== state.recipientNation) return undefined;
  const named =
    isApproved(state) &&
    'proposal' in state &&
    state.proposal?.proposal.recipients.some((row) => row.personId === person.personId);
  const own = person.agency === state.requestingAgency && holds(person, 'requester');
  return own || named === true || holds(person, 'competent-authority', 'auditor') ? 'recipient' : undefined;
}

/**
 * That somebody may see a case; otherwise it does not exist for them (promise S8), and that they asked stays in the log: who knows the id
 * of a case that is not theirs was told of it, or guessed it.
 */
export function assertVisible(state: Case, { person }: Caller): Side {
  const side = sideOf(state, person);
  if (side !== undefined) return side;
  log('warn', 'CASE_OUT_OF_SIGHT', { caseId: state.caseId });
  throw new NotFound('No such case.');
}

/** A case that the caller may see; otherwise it does not exist for them (promise S8). */
export async function visibleCase(exchange: Exchange, caseId: CaseId, caller: Caller): Promise<CaseFile> {
  const file = await loadCase(dynamodb, exchange.casesTable, caseId);
  assertVisible(file.state, caller);
  return file;
}

/**
 * Does what a caller asks. When the file of the case does not hold together, whose case it is cannot be told: those who see every case of
 * this exchange are told that it is parked, for all others it does not exist (promise S8).
 */
export async function hidingParked<T>(exchange: Exchange, { person }: Caller, act: () => T | Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    const shown = person.nation === exchange.originatingNation && hasRole(person, ...SEE_ALL);
    // A file that is behind has been read, and was shown to its parties only.
    if (!(error instanceof InvariantBroken) || error instanceof FileBehind || shown) throw error;
    log('error', 'CASE_PARKED', { errorName: errorName(error) });
    throw new NotFound('No such case.', { cause: error });
  }
}

import type { Agreement, Marking } from './agreement.ts';
import type { UnderReview } from './case.ts';
import { clearedUntil } from './clearance.ts';
import type { Instant } from './instant.ts';
import type { PersonId } from './ids.ts';
import { APPROVING_ROLES, hasRoleIn, type Person } from './people.ts';
import { couldDecide, neededRoles, openRoles, standingApprovals } from './quorum.ts';

/** What is to be decided, as far as it says who may: a proposal, or the request while there is none. */
type Question = Pick<UnderReview, 'originatingNation' | 'requestingAgency' | 'request' | 'proposal' | 'decisions'>;

interface Surroundings {
  readonly agreement: Agreement;
  readonly now: Instant;
}

/** Why an approver may not vote (promise S5): a code, and the mark they are not cleared to. */
export type Bar =
  | { readonly code: 'OWN_PROPOSAL' | 'CONFLICT_OF_INTEREST' | 'ALREADY_VOTED' }
  | { readonly code: 'NOT_CLEARED'; readonly mark: string };

const marksOf = ({ proposal, request }: Question): readonly { readonly marking: Marking }[] =>
  proposal === null ? [{ marking: request.levelSought }] : proposal.proposal.documents;

/** Whether the person is cleared to a mark now. */
function clearedTo(person: Person, marking: Marking, question: Question, { agreement, now }: Surroundings): boolean {
  const until = clearedUntil(agreement, person, marking, question.originatingNation);
  return until !== undefined && now < until;
}

/** The first thing that keeps an approver from voting, or undefined. */
export function barTo(person: Person, question: Question, surroundings: Surroundings): Bar | undefined {
  if (question.proposal?.proposal.preparedBy === person.personId) return { code: 'OWN_PROPOSAL' };
  if (person.conflicts.includes(question.requestingAgency)) return { code: 'CONFLICT_OF_INTEREST' };
  if (question.decisions.some((decision) => decision.personId === person.personId)) return { code: 'ALREADY_VOTED' };
  const uncleared = marksOf(question).find(({ marking }) => !clearedTo(person, marking, question, surroundings));
  return uncleared === undefined ? undefined : { code: 'NOT_CLEARED', mark: uncleared.marking.mark };
}

/**
 * Whether the people of now could complete the quorum: for every role that no standing approval fills, another person who is active, holds
 * it, has nothing that keeps them from voting, and can be told that a vote awaits them (domain.md §3).
 */
export function quorumReach(
  question: Question,
  surroundings: Surroundings & { readonly people: ReadonlyMap<PersonId, Person> },
): { readonly withinReach: boolean; readonly openRoles: readonly string[] } {
  const needed = neededRoles(surroundings.agreement, marksOf(question));
  if (needed === undefined) return { withinReach: false, openRoles: [] };
  const { people } = surroundings;
  const open = openRoles(needed, standingApprovals(question, people));
  const approvers = [...people.values()].filter(
    (person) =>
      person.nation === question.originatingNation &&
      hasRoleIn(question, person, ...APPROVING_ROLES) &&
      person.unreachable !== true &&
      barTo(person, question, surroundings) === undefined,
  );
  return { withinReach: couldDecide(open, approvers), openRoles: open };
}

import type { Case } from '../domain/case.ts';
import { APPROVING_ROLES, hasRole, type Person } from '../domain/people.ts';

/** From which side somebody sees a case; undefined: not at all. This is the one place that decides who may see (security.md §8). */
export type Side = 'originator' | 'recipient';

export function sideOf(state: Case, person: Person): Side | undefined {
  if (!person.active) return undefined;
  if (person.nation === state.originatingNation) {
    return hasRole(person, 'desk-officer', 'competent-authority', 'auditor', ...APPROVING_ROLES)
      ? 'originator'
      : undefined;
  }
  if (person.nation !== state.recipientNation) return undefined;
  const named =
    'proposal' in state && state.proposal?.proposal.recipients.some((row) => row.personId === person.personId);
  const own = person.agency === state.requestingAgency && hasRole(person, 'requester');
  return own || named === true || hasRole(person, 'competent-authority', 'auditor') ? 'recipient' : undefined;
}

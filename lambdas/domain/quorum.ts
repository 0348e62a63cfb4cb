import { quorumFor, type Agreement } from './agreement.ts';
import type { Decision, ProposedDocument } from './events.ts';
import type { Sealing } from './case.ts';
import type { PersonId } from './ids.ts';
import { hasRoleIn, holds, type Person, type Role } from './people.ts';

/**
 * The roles that must each be filled by a different person to release these documents: the union of the quorum rows of their
 * marks, taking the larger number where rows name a role more than once. Undefined when a mark has no row (deny on doubt).
 */
export function neededRoles(
  agreement: Agreement,
  documents: readonly Pick<ProposedDocument, 'marking'>[],
): readonly string[] | undefined {
  const needed: string[] = [];
  for (const { marking } of documents) {
    const row = quorumFor(agreement, marking);
    if (row === undefined || row.roles.length === 0) return undefined;
    for (const role of row.roles) {
      const missing =
        row.roles.filter((other) => other === role).length - needed.filter((other) => other === role).length;
      if (missing > 0) needed.push(role);
    }
  }
  return needed.length === 0 ? undefined : needed;
}

/** The needed roles that no approval fills yet. One person fills one role, however often they appear. */
export function openRoles(needed: readonly string[], decisions: readonly Decision[]): readonly string[] {
  const counted = new Set<PersonId>();
  const open = [...needed];
  for (const decision of decisions) {
    const place = open.indexOf(decision.role);
    if (decision.verdict !== 'approve' || counted.has(decision.personId) || place === -1) continue;
    counted.add(decision.personId);
    open.splice(place, 1);
  }
  return open;
}

/** Approvals that still count: the person is known, active, of the originating nation, and holds the role in which they voted. */
export const standingApprovals = (
  state: Pick<Sealing, 'decisions' | 'originatingNation' | 'requestingAgency'>,
  people: ReadonlyMap<PersonId, Person>,
): readonly Decision[] =>
  state.decisions.filter((decision) => {
    const person = people.get(decision.personId);
    return person?.nation === state.originatingNation && hasRoleIn(state, person, decision.role as Role); // a role that no person holds is never standing
  });

/** Whether different living people could fill every role: a matching of roles to people (augmenting paths). */
export function couldDecide(needed: readonly string[], approvers: readonly Person[]): boolean {
  const heldBy = new Map<PersonId, number>();
  const place = (index: number, tried: Set<PersonId>): boolean =>
    approvers.some((person) => {
      if (tried.has(person.personId) || !holds(person, needed[index] as Role)) return false; // index < needed.length
      tried.add(person.personId);
      const holder = heldBy.get(person.personId);
      if (holder !== undefined && !place(holder, tried)) return false;
      heldBy.set(person.personId, index);
      return true;
    });
  return needed.every((_, index) => place(index, new Set()));
}

import type * as z from 'zod';
import type { changeBody } from '../../lambdas/contracts/api-bodies.ts';
import { personSchema } from '../../lambdas/contracts/person-schema.ts';
import type { AnswerOf } from '../../lambdas/contracts/routes.ts';
import type { Person } from '../../lambdas/domain/people.ts';

export type Change = AnswerOf<'listChanges'>['changes'][number];
/** An entry as it is proposed: the exchange computes the fingerprints itself. */
export type ProposedEntry = z.input<typeof changeBody>['person'];

/** How many changes the exchange tells at once. */
export const MOST_CHANGES = '50';

/** The person a change is about; undefined for an entry in a form that this client does not know. */
export const personOf = (change: Change): Person | undefined => personSchema.safeParse(change.person).data;

/** Changes in the order in which they count: of those in effect, the one confirmed last stands. */
const inOrder = (a: Change, b: Change): number => {
  const [one, other] = [a, b].map((change) => `${change.confirmedAt}#${change.effectiveFrom}#${change.changeId}`);
  return (one ?? '') < (other ?? '') ? -1 : 1;
};

/**
 * A person's entry that is in effect at an instant, as far as these changes tell it: an exchange's founding officers stand in its
 * environment until they are changed.
 */
export const entryInEffect = (changes: readonly Change[], personId: string, at: string): Person | undefined =>
  changes
    .filter((change) => change.confirmedBy !== null && change.effectiveFrom <= at)
    .sort(inOrder)
    .map(personOf)
    .findLast((person) => person?.personId === personId);

/** An entry as it is, for proposing it with something changed. */
export const asProposed = ({ nation: _officers, keys, ...person }: Person): ProposedEntry => ({
  ...person,
  subjects: [...person.subjects],
  roles: [...person.roles],
  clearances: person.clearances.map((clearance) => ({ ...clearance })),
  citizenships: [...person.citizenships],
  conflicts: [...person.conflicts],
  publicKeys: keys.map((key) => key.publicKey),
});

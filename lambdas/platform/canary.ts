import { canaryOf, peopleOf, type Canary } from '../domain/canary-people.ts';
import type { Nation } from '../domain/ids.ts';
import type { Person } from '../domain/people.ts';
import { CANARY_RECIPIENT_KEY } from '../evidence/canary-key.ts';
import { allAgreements } from './agreements.ts';

/** The canary of an exchange, under the latest exercise agreement of its nation that has room for one. */
export const canaryOfExchange = (nation: Nation): Canary | undefined =>
  allAgreements()
    .flatMap(({ agreement }) => canaryOf(agreement, nation, CANARY_RECIPIENT_KEY) ?? [])
    .toSorted((one, other) => other.agreement.version - one.agreement.version)[0];

/** People of the directory that no officer enters: without the canary's key nobody can speak as one of them. */
export function canaryPeople(nation: Nation): readonly Person[] {
  const canary = canaryOfExchange(nation);
  return canary === undefined ? [] : peopleOf(canary);
}

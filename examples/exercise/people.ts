import type { Nation, PersonId } from '../../lambdas/domain/ids.ts';
import { parseInstant, type Instant } from '../../lambdas/domain/instant.ts';
import type { Clearance, Person, Role } from '../../lambdas/domain/people.ts';
import { issuerOf, type ExerciseNation } from './nations.ts';

/** What the agencies of the exercise are called; none of them exists. */
export const AGENCIES = {
  'exercise-canadian-procurement-office': 'EXERCISE Canadian Procurement Office',
  'exercise-canadian-security-authority': 'EXERCISE Canadian Security Authority',
  'exercise-ukrainian-procurement-agency': 'EXERCISE Ukrainian Procurement Agency',
  'exercise-ukrainian-security-authority': 'EXERCISE Ukrainian Security Authority',
} as const;
type Agency = keyof typeof AGENCIES;

const instant = (text: string): Instant => {
  const read = parseInstant(text);
  if (read === undefined) throw new TypeError(`${text} is not an instant in UTC.`);
  return read;
};

/** Far enough for an exercise whose clock is moved by years. */
const CLEARED_UNTIL = instant('2040-01-01T00:00:00.000Z');

/** What everybody of a nation has in common. */
const NATIONS = {
  CAN: {
    procurement: 'exercise-canadian-procurement-office',
    security: 'exercise-canadian-security-authority',
    mark: 'PROTECTED B',
    zone: 'America/Toronto',
  },
  UKR: {
    procurement: 'exercise-ukrainian-procurement-agency',
    security: 'exercise-ukrainian-security-authority',
    mark: 'Для службового користування',
    zone: 'Europe/Kyiv',
  },
} as const satisfies Record<ExerciseNation, { procurement: Agency; security: Agency; mark: string; zone: string }>;

/** One person of the exercise, known by their part and a number: nobody real, and nobody who could be taken for someone real. */
function person(
  nation: ExerciseNation,
  part: string,
  at: 'procurement' | 'security',
  language: Person['language'],
  ...roles: readonly Role[]
): Person {
  const { mark, zone, [at]: agency } = NATIONS[nation];
  const personId = `${nation.toLowerCase()}-${part}`;
  const clearance: Clearance = { axis: 'protected', mark, validTo: CLEARED_UNTIL };
  return {
    personId: personId as PersonId, // made of letters, digits and hyphens here
    nation: nation as string as Nation, // one of the two parties of the exercise
    agency,
    subjects: [`${issuerOf(nation)}|${personId}`],
    roles,
    clearances: [clearance],
    citizenships: [nation as string as Nation], // likewise
    mail: `${personId}@exercise.valiza.example`,
    language,
    zone,
    keys: [],
    conflicts: [],
    active: true,
  };
}

/** With whom a new exchange of the exercise begins: two directory officers and the competent authority of each nation. */
export const FOUNDING_OFFICERS: readonly Person[] = [
  person('CAN', 'directory-1', 'security', 'en', 'directory-officer'),
  person('CAN', 'directory-2', 'security', 'fr', 'directory-officer'),
  person('CAN', 'authority-1', 'security', 'fr', 'competent-authority'),
  person('UKR', 'directory-1', 'security', 'uk', 'directory-officer'),
  person('UKR', 'directory-2', 'security', 'en', 'directory-officer'),
  person('UKR', 'authority-1', 'security', 'uk', 'competent-authority'),
];

/** Everyone of the exercise, the founding officers first. Each nation can ask and each can decide, so that both directions work. */
export const PEOPLE: readonly Person[] = [
  ...FOUNDING_OFFICERS,
  person('CAN', 'desk-1', 'procurement', 'en', 'desk-officer'),
  person('CAN', 'releasing-1', 'procurement', 'en', 'releasing-officer'),
  person('CAN', 'releasing-2', 'procurement', 'fr', 'releasing-officer'),
  person('CAN', 'security-1', 'security', 'fr', 'security-officer'),
  person('CAN', 'requester-1', 'procurement', 'en', 'requester'),
  person('CAN', 'recipient-1', 'procurement', 'fr'),
  person('UKR', 'desk-1', 'procurement', 'uk', 'desk-officer'),
  person('UKR', 'releasing-1', 'procurement', 'uk', 'releasing-officer'),
  person('UKR', 'releasing-2', 'procurement', 'en', 'releasing-officer'),
  person('UKR', 'security-1', 'security', 'uk', 'security-officer'),
  person('UKR', 'requester-1', 'procurement', 'uk', 'requester'),
  person('UKR', 'recipient-1', 'procurement', 'uk'),
];

/** Those who open releases, and therefore hold a key pair. */
export const RECIPIENTS: readonly PersonId[] = PEOPLE.filter((row) => row.personId.endsWith('-recipient-1')).map(
  (row) => row.personId,
);

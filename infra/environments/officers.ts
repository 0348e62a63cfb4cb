import type { Environment } from './schema.ts';

type Officer = Environment['foundingOfficers'][number];

/** A founding officer of a deployed environment: named by office, and replaced by a confirmed change once real people hold it. */
export const office = (nation: 'CAN' | 'UKR', officeId: string, issuer: string, roles: Officer['roles']): Officer => ({
  personId: `${nation.toLowerCase()}-${officeId}` as Officer['personId'],
  nation: nation as Officer['nation'],
  agency: nation === 'CAN' ? 'canadian-competent-authority' : 'ukrainian-competent-authority',
  subjects: [`${issuer}|${officeId}`],
  roles,
  clearances: [],
  citizenships: [nation as Officer['nation']],
  mail: `${officeId}@${nation.toLowerCase()}.example`,
  language: nation === 'CAN' ? 'en' : 'uk',
  zone: nation === 'CAN' ? 'America/Toronto' : 'Europe/Kyiv',
  keys: [],
  conflicts: [],
  active: true,
});

/** Two directory officers and the authority of each nation: the fewest with whom two-person changes can begin. */
export const offices = (canIssuer: string, ukrIssuer: string): Officer[] =>
  (['CAN', 'UKR'] as const).flatMap((nation) => {
    const issuer = nation === 'CAN' ? canIssuer : ukrIssuer;
    return [
      office(nation, 'directory-1', issuer, ['directory-officer']),
      office(nation, 'directory-2', issuer, ['directory-officer']),
      office(nation, 'authority-1', issuer, ['competent-authority']),
    ];
  });

import { FOUNDING_OFFICERS } from '../../examples/exercise/people.ts';
import type { Environment } from './schema.ts';

const exerciseIssuer = (nation: 'can' | 'ukr', parameter: string): Environment['issuers'][number] => ({
  issuer: `https://exercise.valiza.example/${nation}`,
  nation: nation.toUpperCase(),
  keySet: { parameter },
});

/** An exchange on a laptop: exercise people, the exercise issuer, nothing kept beyond its data directory. */
const local = (nation: 'CAN' | 'UKR', region: Environment['region']): Environment => ({
  name: `${nation.toLowerCase()}-local`,
  nation,
  stage: 'local',
  account: '000000000000',
  region,
  issuers: [exerciseIssuer('can', 'CanadianKeySet'), exerciseIssuer('ukr', 'UkrainianKeySet')],
  foundingOfficers: [...FOUNDING_OFFICERS] as Environment['foundingOfficers'], // the exercise's people are read-only, the schema's are not
  mail: {
    domain: `${nation.toLowerCase()}.exercise.valiza.example`,
    from: `exchange@${nation.toLowerCase()}.exercise.valiza.example`,
  },
  portal: `https://${nation.toLowerCase()}.exercise.valiza.example`,
  releaseKey: 'nation-key',
  api: { requestsPerSecond: 500, burst: 1000, mutualTls: null },
  // A clock that is moved by years would run it thousands of times.
  canary: { everyMinutes: 30, scheduled: false },
  logDays: 30,
  retain: false,
  concurrentSealings: 2,
});

export const canLocal = local('CAN', 'ca-central-1');
export const ukrLocal = local('UKR', 'eu-central-1');

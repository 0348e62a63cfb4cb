import * as z from 'zod';
import { ENV } from '../contracts/names.ts';
import { personSchema } from '../contracts/person-schema.ts';
import type { CaseId, Nation } from '../domain/ids.ts';
import type { Actor, Person } from '../domain/people.ts';
import { canaryPeople } from './canary.ts';
import { now } from './clock.ts';
import { directoryOn } from './directory-store.ts';
import { dynamodb } from './dynamodb.ts';
import { readEnvironment } from './environment.ts';
import type { Exchange } from './execute.ts';

/** The exchange this function belongs to, from its environment. */
export function exchangeFromEnvironment(): Exchange {
  const env = readEnvironment([ENV.casesTable, ENV.tallyTable, ENV.directoryTable, ENV.nation, ENV.foundingOfficers]);
  const founders = z.array(personSchema).parse(JSON.parse(env[ENV.foundingOfficers])) as Person[]; // the schema is the type
  const originatingNation = env[ENV.nation] as Nation; // checked by the environment's schema at synth
  return {
    casesTable: env[ENV.casesTable],
    tallyTable: env[ENV.tallyTable],
    originatingNation,
    directory: directoryOn(dynamodb, env[ENV.directoryTable], [...founders, ...canaryPeople(originatingNation)]),
    now,
  };
}

/** A step of the system as an actor. */
export const system = (step: string): Extract<Actor, { kind: 'system' }> => ({ kind: 'system', step });

/** A case id that a schema has checked. */
export const caseIdOf = (input: { readonly caseId: string }): CaseId => input.caseId as CaseId;

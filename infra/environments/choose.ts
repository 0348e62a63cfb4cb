import * as z from 'zod';
import { canDev, canProduction, canStaging, ukrProduction } from './deployed.ts';
import { canLocal, ukrLocal } from './local.ts';
import { environmentSchema, type Environment } from './schema.ts';

export const ENVIRONMENTS: readonly Environment[] = [
  canLocal,
  ukrLocal,
  canDev,
  canStaging,
  canProduction,
  ukrProduction,
];

const names = (): string => ENVIRONMENTS.map((environment) => environment.name).join(', ');

/** Checks an environment's values and says everything that is wrong with them, in words. */
export function checked(environment: unknown, name: string): Environment {
  const result = environmentSchema.safeParse(environment);
  if (result.success) return result.data;
  throw new Error(`Environment ${name} is not complete:\n${z.prettifyError(result.error)}`);
}

/** The environment of that name. There is no default: which account one deploys to is said each time. */
export function chooseEnvironment(name: unknown): Environment {
  const found = ENVIRONMENTS.find((environment) => environment.name === name);
  if (found !== undefined) return checked(found, found.name);
  const said =
    typeof name === 'string' && name !== '' ? `There is no environment "${name}".` : 'No environment was named.';
  throw new Error(`${said} Choose one of: ${names()} (cdk synth -c env=<name>).`);
}

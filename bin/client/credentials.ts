import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { nationOf, NATIONS_OF_EXERCISE } from '../../examples/exercise/nations.ts';
import type { Connection, Credential } from './api.ts';
import { codeOf, usage } from './errors.ts';
import { askExchange } from './exchange-time.ts';

/** Where the exercise of this checkout keeps its keys. */
const CHECKOUT = join(import.meta.dirname ?? __dirname, '..', '..'); // tests run as CommonJS, where import.meta has no dirname
export const exerciseFolder = (given: string | undefined, env: Readonly<Record<string, string | undefined>>): string =>
  given ?? env['VALIZA_EXERCISE'] ?? join(CHECKOUT, '.valiza', 'exercise');

/** A token that the caller's identity provider gave: used as it is. */
export const givenToken = (token: string): Credential => ({ token: async () => token });

/** Signed anew when this old, well before its end. */
const KEEP_MILLISECONDS = 240_000;

/**
 * A credential for a person of the exercise, signed on this machine with the exercise issuer's key. It takes the time from the exchange,
 * because the clock of a local one may be ahead of this machine's.
 */
export function exerciseCredential(person: string, folder: string, exchange: Connection): Credential {
  const nation = nationOf(person);
  if (nation === undefined) {
    throw usage(
      `${person} is nobody of the exercise.`,
      `Name a person such as ukr-requester-1; ids begin with ${NATIONS_OF_EXERCISE.map((row) => `${row.toLowerCase()}-`).join(' or ')}.`,
    );
  }
  const sign = async (): Promise<string> => {
    // Loaded here because a real credential needs no signing.
    const { readIssuers } = await import('../../examples/exercise/issuer.ts');
    const issuers = await readIssuers(folder).catch((error: unknown) => {
      throw codeOf(error) === 'ENOENT'
        ? usage(
            `There are no keys of the exercise in ${folder}.`,
            'Start the exercise first (npm start), or say where it is with --exercise or VALIZA_EXERCISE.',
          )
        : error;
    });
    const { environment, at } = await askExchange(exchange);
    return issuers.signToken({ person, nation, audience: `valiza:${environment}`, at, seconds: 600 });
  };
  let kept: { readonly token: Promise<string>; readonly since: number } | undefined;
  const renew = (): Promise<string> => {
    const token = sign();
    kept = { token, since: performance.now() };
    return token;
  };
  return {
    renew,
    token: () => (kept !== undefined && performance.now() - kept.since < KEEP_MILLISECONDS ? kept.token : renew()),
  };
}

/** Where the exercise's set-up put a person's key pair, if it did. */
export function exerciseKeyPath(folder: string, person: string): string | undefined {
  const path = join(folder, 'keys', `${person}.json`);
  return existsSync(path) ? path : undefined;
}

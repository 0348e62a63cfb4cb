import {
  calculateJwkThumbprint,
  exportJWK,
  generateKeyPair,
  importJWK,
  SignJWT,
  type JSONWebKeySet,
  type JWK,
} from 'jose';
import { randomUUID } from 'node:crypto';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { toEpoch, type Instant } from '../../lambdas/domain/instant.ts';
import { issuerOf, NATIONS_OF_EXERCISE, type ExerciseNation } from './nations.ts';

/** Longest life of a credential, in seconds: the exchange accepts no longer one (security.md §8). */
export const LONGEST_TOKEN = 600;

const ALGORITHM = 'ES256';

const privateKey = z.object({
  kty: z.literal('EC'),
  crv: z.literal('P-256'),
  x: z.string(),
  y: z.string(),
  d: z.string(),
  kid: z.string(),
});
const keyFile = z.object({ CAN: privateKey, UKR: privateKey });
type KeyFile = z.infer<typeof keyFile>;

export interface TokenFor {
  readonly person: string;
  readonly nation: ExerciseNation;
  /** `valiza:<environment>` of the exchange it is for. */
  readonly audience: string;
  /** When it is issued, on the clock of that exchange. */
  readonly at: Instant;
  /** How long it lasts; at most ten minutes. */
  readonly seconds?: number;
}

/** The identity providers of the exercise: they sign for anybody who can read their file, which is why no real exchange trusts them. */
export interface ExerciseIssuers {
  /** The public keys of a nation's issuer (RFC 7517). */
  jwks(nation: ExerciseNation): JSONWebKeySet;
  /** An access token (RFC 9068) of a person of the exercise. */
  signToken(token: TokenFor): Promise<string>;
}

const fileIn = (folder: string): string => join(folder, 'issuers.json');

async function newKey(): Promise<JWK> {
  const pair = await generateKeyPair(ALGORITHM, { extractable: true });
  const key = await exportJWK(pair.privateKey);
  return { ...key, kid: await calculateJwkThumbprint(key) };
}

function withKeys(keys: KeyFile): ExerciseIssuers {
  return {
    jwks(nation) {
      const { kty, crv, x, y, kid } = keys[nation];
      return { keys: [{ kty, crv, x, y, kid, alg: ALGORITHM, use: 'sig' }] };
    },
    async signToken({ person, nation, audience, at, seconds = 300 }) {
      if (!(seconds > 0 && seconds <= LONGEST_TOKEN)) {
        throw new RangeError(`A token lasts between 1 and ${LONGEST_TOKEN} seconds, not ${seconds}.`);
      }
      const key = keys[nation];
      const issuedAt = Math.floor(toEpoch(at) / 1000);
      return new SignJWT({ auth_time: issuedAt })
        .setProtectedHeader({ alg: ALGORITHM, typ: 'at+jwt', kid: key.kid })
        .setIssuer(issuerOf(nation))
        .setSubject(person)
        .setAudience(audience)
        .setIssuedAt(issuedAt)
        .setExpirationTime(issuedAt + seconds)
        .setJti(randomUUID())
        .sign(await importJWK(key, ALGORITHM));
    },
  };
}

/**
 * The issuers whose keys lie in a folder.
 * @throws when there are none yet (code ENOENT), or the file is not one of theirs
 */
export async function readIssuers(folder: string): Promise<ExerciseIssuers> {
  return withKeys(keyFile.parse(JSON.parse(await readFile(fileIn(folder), 'utf8'))));
}

/** The issuers of a folder, with new keys where it has none yet; of two who begin at once, one makes them. */
export async function openIssuers(folder: string): Promise<ExerciseIssuers> {
  try {
    return await readIssuers(folder);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const draft = `${fileIn(folder)}.${randomUUID()}.part`;
  const keys = Object.fromEntries(
    await Promise.all(NATIONS_OF_EXERCISE.map(async (nation) => [nation, await newKey()] as const)),
  );
  try {
    await writeFile(draft, `${JSON.stringify(keys, undefined, 2)}\n`, { mode: 0o600, flag: 'wx' });
    // A link appears whole or not at all, and never in place of another file.
    await link(draft, fileIn(folder)).catch((error: unknown) => {
      if (codeOf(error) !== 'EEXIST') throw error;
    });
  } finally {
    await rm(draft, { force: true });
  }
  return readIssuers(folder);
}

const codeOf = (error: unknown): unknown =>
  typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;

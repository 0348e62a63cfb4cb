import { createPrivateKey, createPublicKey } from 'node:crypto';
import { mkdir, open, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import * as z from 'zod';
import { digestOfBytes } from '../../lambdas/evidence/digest.ts';
import type { Digest } from '../../lambdas/domain/ids.ts';
import { codeOf, damaged, usage } from './errors.ts';

const keyFile = z.object({
  person: z.string().optional(),
  /** Raw uncompressed P-256 point, base64url: what the directory keeps. */
  publicKey: z.string(),
  privateKey: z.object({
    kty: z.literal('EC'),
    crv: z.literal('P-256'),
    x: z.string(),
    y: z.string(),
    d: z.string(),
  }),
});

/** A recipient's key pair as it lies on their disk. */
export type RecipientKeyFile = z.infer<typeof keyFile>;

/** Where a person's key pair is unless told. */
export const defaultKeyPath = (home: string, person: string): string => join(home, '.valiza', 'keys', `${person}.json`);

/** The fingerprint of a public key, over the raw 65-byte point (SEC 1 §2.3.3). @throws ClientError (2) for anything else */
export function fingerprintOf(publicKey: string): Digest {
  const point = Buffer.from(publicKey, 'base64url');
  if (point.length !== 65 || point[0] !== 4 || point.toString('base64url') !== publicKey) {
    throw usage(
      'This is not a public key of a recipient.',
      'Give the uncompressed P-256 point in base64url that `valiza keys new` prints (87 characters).',
    );
  }
  return digestOfBytes(point);
}

/** Makes a key pair and writes it where only its owner can read it; never over another file. */
export async function writeNewKey(path: string, person: string | undefined): Promise<RecipientKeyFile> {
  // Loaded here because most commands need no HPKE.
  const { newRecipientKey } = await import('../../lambdas/evidence/sealed-key.ts');
  const { privateKey, publicKey } = await newRecipientKey();
  const content = keyFile.parse({ ...(person === undefined ? {} : { person }), publicKey, privateKey });
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  try {
    const file = await open(path, 'wx', 0o600);
    try {
      await file.writeFile(`${JSON.stringify(content, undefined, 2)}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
    throw usage(
      `${path} exists, and a key is never overwritten: what was sealed to it could not be opened again.`,
      'Give another --out, or move the old key away first.',
    );
  }
  return content;
}

/** Whether others than the owner may read a file; Windows says it in another way. */
const isShared = (mode: number): boolean => process.platform !== 'win32' && (mode & 0o077) !== 0;

/**
 * Reads a key pair and holds its halves to each other.
 * @throws ClientError (2) when it is not there or readable by others, (65) when it is not a key pair
 */
export async function readKey(path: string): Promise<RecipientKeyFile> {
  let text: string;
  try {
    if (isShared((await stat(path)).mode)) {
      throw usage(`${path} can be read by others than you.`, `Take it back first: chmod 600 ${path}`);
    }
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
    throw usage(`There is no key at ${path}.`, 'Give --key FILE, or make a key with `valiza keys new`.');
  }
  const broken = (cause: unknown): never => {
    throw damaged(
      'KEY_DAMAGED',
      `${path} is not a key pair of a recipient.`,
      'Use the file as `valiza keys new` wrote it.',
      cause,
    );
  };
  try {
    const read = keyFile.parse(JSON.parse(text));
    const derived = createPublicKey(createPrivateKey({ key: read.privateKey, format: 'jwk' })).export({
      format: 'jwk',
    });
    const [x, y] = [derived.x ?? '', derived.y ?? ''].map((part) => Buffer.from(part, 'base64url'));
    const point = Buffer.concat([Buffer.of(4), x ?? Buffer.of(), y ?? Buffer.of()]).toString('base64url');
    return point === read.publicKey ? read : broken('The halves do not belong together.');
  } catch (error) {
    return broken(error);
  }
}

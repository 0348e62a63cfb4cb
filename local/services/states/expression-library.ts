import { createHash, randomUUID } from 'node:crypto';
import jsonata from 'jsonata';
import type { Moment } from './expression.ts';

type Implementation = Parameters<jsonata.Expression['registerFunction']>[1];
type LibraryFunction = readonly [implementation: Implementation, signature: string];

const ALGORITHMS: Readonly<Record<string, string>> = {
  MD5: 'md5',
  'SHA-1': 'sha1',
  'SHA-256': 'sha256',
  'SHA-384': 'sha384',
  'SHA-512': 'sha512',
};

/** As the language's own range operator. */
const RANGE_LIMIT = 1_000_000;

/**
 * The functions that Step Functions adds to JSONata, and the clock functions on virtual time. Integers are rounded down, as documented.
 * https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html#jsonata-functions-provided-by-sfn
 */
export const stepFunctionsLibrary = (moment: Moment): Readonly<Record<string, LibraryFunction>> => ({
  now: [(picture?: string, timezone?: string) => formatNow(moment, picture, timezone), '<s?s?:s>'],
  millis: [() => moment.now, '<:n>'],
  uuid: [() => randomUUID(), '<:s>'],
  random: [(seed?: number) => (seed === undefined ? Math.random() : seeded(Math.floor(seed))), '<n?:n>'],
  hash: [hash, '<ss:s>'],
  parse: [(text: string) => JSON.parse(text) as unknown, '<s:x>'],
  partition: [partition, '<an:a>'],
  range: [range, '<nnn:a>'],
});

/** `$fromMillis` is the library's own formatter, which it does not export. */
const formatNow = (moment: Moment, picture: string | undefined, timezone: string | undefined): Promise<unknown> =>
  jsonata('$fromMillis($millis, $picture, $timezone)').evaluate(undefined, { millis: moment.now, picture, timezone });

/** The same number for the same seed, 0 ≤ n < 1; the service's own generator is not documented. */
const seeded = (seed: number): number => createHash('sha256').update(String(seed)).digest().readUInt32BE(0) / 2 ** 32;

function hash(text: string, algorithm: string): string {
  const name = ALGORITHMS[algorithm];
  if (name === undefined) throw new Error(`$hash knows ${Object.keys(ALGORITHMS).join(', ')}, not ${algorithm}`);
  return createHash(name).update(text).digest('hex');
}

function partition(items: readonly unknown[], size: number): unknown[][] {
  const length = Math.floor(size);
  if (length < 1) throw new Error('$partition needs a chunk size of at least 1');
  const chunks: unknown[][] = [];
  for (let start = 0; start < items.length; start += length) chunks.push(items.slice(start, start + length));
  return chunks;
}

function range(first: number, last: number, delta: number): number[] {
  const [from, to, step] = [Math.floor(first), Math.floor(last), Math.floor(delta)];
  if (step === 0) throw new Error('$range needs a step other than 0');
  const length = Math.max(Math.floor((to - from) / step) + 1, 0);
  if (length > RANGE_LIMIT) throw new Error(`$range must not make more than ${RANGE_LIMIT} elements`);
  return Array.from({ length }, (_, index) => from + index * step);
}

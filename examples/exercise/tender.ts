import { createCipheriv, createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

// Tests run as CommonJS, where import.meta has no dirname.
const here = import.meta.dirname ?? __dirname;

/** The document of the exercise: four pages, EXERCISE on each. */
export const TENDER = join(here, 'EXERCISE-tender.md');
/** The request of the exercise, as `valiza submit` takes it. */
export const REQUEST = join(here, 'request.json');

/** 64 MiB. */
export const LARGE_BYTES = 64 * 1024 ** 2;
const CHUNK = 1024 ** 2;

/** The same bytes for the same seed: AES-256-CTR over zeros, which looks random and does not compress. */
function* bytesOf(seed: string, length: number): Generator<Buffer> {
  const key = createHash('sha256').update(seed, 'utf8').digest();
  const cipher = createCipheriv('aes-256-ctr', key, Buffer.alloc(16));
  for (let left = length; left > 0; left -= CHUNK) yield cipher.update(Buffer.alloc(Math.min(left, CHUNK)));
}

/** Writes a large document that means nothing, for measuring; memory does not grow with its length. */
export async function writeLargeDocument(path: string, length = LARGE_BYTES, seed = 'EXERCISE'): Promise<void> {
  await pipeline(Readable.from(bytesOf(seed, length)), createWriteStream(path, { mode: 0o600 }));
}

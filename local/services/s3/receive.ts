import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { isDiskError, writeFailed } from '../../durable-file.ts';
import { ServiceError } from '../../service.ts';
import { decodeAwsChunked } from './aws-chunked.ts';
import { assertChecksumValue, headerOf, newDigest, type Digest, type StoredChecksum } from './checksum.ts';
import type { DataFiles } from './data-files.ts';
import { s3Error } from './errors.ts';
import type { Expectations } from './expectations.ts';
import type { Segment } from './records.ts';

/** A body that has arrived whole, was verified, and lies in a file that no record refers to yet. */
export interface Received {
  readonly segment: Segment;
  readonly md5: Buffer;
  readonly checksum: StoredChecksum | undefined;
}

const badDigest = (what: string): ServiceError =>
  s3Error('BadDigest', `The ${what} you specified did not match the calculated checksum.`);

const incomplete = (): ServiceError =>
  s3Error('IncompleteBody', 'You did not provide the number of bytes specified by the Content-Length HTTP header.');

/**
 * Writes a body to a new file as it arrives, a few buffers at a time, and verifies all that its headers promise. When anything is
 * wrong, or the connection breaks, the file is gone.
 * @throws IncompleteBody, BadDigest, XAmzContentSHA256Mismatch, InvalidRequest
 */
export async function receive(body: Readable, expected: Expectations, files: DataFiles): Promise<Received> {
  const file = files.reserve();
  try {
    return await write(body, expected, files, file);
  } catch (error) {
    files.drop(file);
    const broken = body.destroyed;
    // What is left of the body is taken off the wire, or the connection could not be used again.
    body.resume();
    // A connection that broke: nobody reads the answer, but the log says what happened.
    if (isDiskError(error)) throw writeFailed(files.path(file), error);
    throw error instanceof ServiceError || !broken ? error : incomplete();
  }
}

async function write(body: Readable, expected: Expectations, files: DataFiles, file: string): Promise<Received> {
  const digests = {
    md5: createHash('md5'),
    sha256: expected.sha256 === undefined ? undefined : createHash('sha256'),
    checksum: expected.checksum && newDigest(expected.checksum.algorithm),
  };
  const trailers = new Map<string, string>();
  // An early end must leave the connection alive for the answer.
  const raw = body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>; // a request body yields buffers
  const source = expected.chunked ? decodeAwsChunked(raw, trailers) : raw;
  let size = 0;
  await pipeline(
    source,
    async function* (pieces: AsyncIterable<Buffer>) {
      for await (const piece of pieces) {
        size += piece.length;
        if (size > expected.length) throw incomplete();
        for (const digest of Object.values(digests)) digest?.update(piece);
        yield piece;
      }
    },
    createWriteStream(files.path(file), { flags: 'wx', mode: 0o600, flush: files.durable }),
  );
  if (size !== expected.length) throw incomplete();
  const md5 = digests.md5.digest();
  if (expected.md5 !== undefined && md5.toString('base64') !== expected.md5) throw badDigest('Content-MD5');
  if (digests.sha256 !== undefined && digests.sha256.digest('hex') !== expected.sha256) {
    throw s3Error(
      'XAmzContentSHA256Mismatch',
      "The provided 'x-amz-content-sha256' header does not match what was computed.",
    );
  }
  const checksum = verified(expected.checksum, digests.checksum, trailers);
  return { segment: { file, size }, md5, checksum };
}

function verified(
  expected: Expectations['checksum'],
  digest: Digest | undefined,
  trailers: ReadonlyMap<string, string>,
): StoredChecksum | undefined {
  if (expected === undefined || digest === undefined) return undefined;
  const { algorithm } = expected;
  const value = expected.value ?? trailers.get(headerOf(algorithm));
  if (value === undefined)
    throw s3Error('MalformedTrailerError', 'The request contained trailing data that was not well-formed.');
  assertChecksumValue(algorithm, value);
  if (digest.digest().toString('base64') !== value) throw badDigest(algorithm);
  return { algorithm, value, type: 'FULL_OBJECT' };
}

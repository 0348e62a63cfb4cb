import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Digest } from '../../lambdas/domain/ids.ts';
import { safeAddress } from './addresses.ts';
import { ClientError, codeOf, unavailable, usage } from './errors.ts';
import { EXIT } from './exit-codes.ts';
import { pause } from './transport.ts';

export interface FileMeasure {
  readonly digest: Digest;
  /** Bytes. */
  readonly length: number;
}

/** Digest and length of a file, read as a stream. @throws ClientError (2) when there is none, or it is empty */
export async function measureFile(path: string, signal?: AbortSignal): Promise<FileMeasure> {
  const hash = createHash('sha256');
  let length = 0;
  try {
    for await (const chunk of createReadStream(path, { signal })) {
      const bytes = chunk as Buffer; // without an encoding, file streams give buffers
      hash.update(bytes);
      length += bytes.length;
    }
  } catch (error) {
    if (codeOf(error) === 'ENOENT') throw usage(`There is no file ${path}.`, 'Give the path of the document.');
    if (codeOf(error) === 'EISDIR') throw usage(`${path} is a folder.`, 'Deposit its documents one by one.');
    throw error;
  }
  if (length === 0) throw usage(`${path} is empty.`, 'Deposit a document that has something in it.');
  return { digest: `sha256:${hash.digest('hex')}`, length };
}

export interface UploadAddress {
  readonly url: string;
  readonly method: 'PUT';
  readonly headers: Readonly<Record<string, string>>;
}

/** Sends the bytes once; node:http because fetch sends streams without a length, and the length is signed. */
function put(
  address: UploadAddress,
  path: string,
  onBytes: (count: number) => void,
  signal: AbortSignal | undefined,
): Promise<number> {
  const url = safeAddress(address.url, 'The address of the deposit');
  const { method, headers } = address;
  return new Promise((resolve, reject) => {
    const request = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, { method, headers, signal });
    request.once('response', (answer) => {
      answer.resume();
      answer.once('end', () => resolve(answer.statusCode ?? 0));
      answer.once('error', reject);
    });
    request.once('error', reject);
    const counted = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        onBytes(chunk.length);
        done(null, chunk);
      },
    });
    // A store that has seen enough answers before everything is sent; its answer counts then.
    pipeline(createReadStream(path), counted, request).catch(() => undefined);
  });
}

const ATTEMPTS = 3;

/**
 * Uploads a document to the address that accepts exactly its bytes. What is there already counts as uploaded: the store took nothing else.
 * @throws ClientError (75) when the store refuses, (69) when it cannot be reached
 */
export async function upload(
  address: UploadAddress,
  path: string,
  onBytes: (count: number) => void,
  signal?: AbortSignal,
): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    let status = 0;
    let cause: unknown;
    try {
      status = await put(address, path, onBytes, signal);
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof ClientError) throw error;
      cause = error;
    }
    // If-None-Match: an attempt whose answer was lost has arrived.
    if (status === 200 || (status === 412 && attempt > 1)) return;
    if (status !== 0 && status !== 503) {
      throw new ClientError(
        EXIT.tryAgain,
        'UPLOAD_REFUSED',
        `The store refused the document (${status}): it is not the announced one any more, or the address has ended.`,
        'Leave the file as it is while it is deposited, and deposit it again.',
      );
    }
    if (attempt === ATTEMPTS) throw unavailable('The store cannot be reached.', 'Deposit the document again.', cause);
    await pause(500 * attempt, signal);
  }
}

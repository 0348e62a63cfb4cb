import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { safeAddress } from './addresses.ts';
import { damaged, unavailable, type ClientError } from './errors.ts';

/** The bytes did not come; asking for another address may help. */
export class DownloadFailed extends Error {
  override readonly name = 'DownloadFailed';
}

export interface Expected {
  readonly url: string;
  /** Bytes. */
  readonly length: number;
  /** `sha256:…` over them. */
  readonly digest: string;
}

/**
 * Downloads a ciphertext into a file while hashing it, and holds it to length and digest: whatever it is, it is not decrypted before it is
 * known to be the package that was announced (security.md §4).
 * @param onBytes told of every piece
 * @throws DownloadFailed when the bytes do not come, ClientError (65) when they are others
 */
export async function download(
  expected: Expected,
  file: FileHandle,
  onBytes: (count: number) => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  const address = safeAddress(expected.url, 'The address of the package');
  const hash = createHash('sha256');
  let length = 0;
  try {
    const answer = await fetch(address, { redirect: 'error', ...(signal === undefined ? {} : { signal }) });
    if (answer.status !== 200 || answer.body === null)
      throw new DownloadFailed(`The package store answered ${answer.status}.`);
    for await (const chunk of answer.body) {
      const bytes = chunk as Uint8Array; // fetch streams bytes
      length += bytes.length;
      if (length > expected.length) break;
      hash.update(bytes);
      await file.writeFile(bytes);
      onBytes(bytes.length);
    }
  } catch (error) {
    signal?.throwIfAborted();
    // Fetch says that a network failed with a TypeError (Fetch Standard §5.6); a full disk is no reason to ask again.
    if (!isTypeError(error)) throw error;
    throw new DownloadFailed('The package store cannot be reached.', { cause: error });
  }
  if (length !== expected.length) {
    throw damaged(
      'LENGTH_DIFFERS',
      `The package that came is ${length > expected.length ? 'longer' : 'shorter'} than the ${expected.length} bytes it has.`,
      'Open it again; if it happens again, tell your competent authority: the package may have been altered.',
    );
  }
  if (`sha256:${hash.digest('hex')}` !== expected.digest) {
    throw damaged(
      'DIGEST_DIFFERS',
      'The package that came is not the one that was sealed: its digest is another.',
      'Do not use it. Open it again; if it happens again, report an incident to your competent authority.',
    );
  }
}

/** By name: an error of Node's own may come from another realm than ours. */
const isTypeError = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && 'name' in error && error.name === 'TypeError';

export const notDownloaded = (cause: DownloadFailed, idempotencyKey: string): ClientError =>
  unavailable(
    cause.message,
    `Open it again within ten minutes with --idempotency-key ${idempotencyKey}: it then counts no second copy.`,
    cause,
  );

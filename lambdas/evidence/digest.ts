import { createHash } from 'node:crypto';
import type { Digest } from '../domain/ids.ts';
import { canonical } from './canonical.ts';

/** SHA-256 of bytes, as the product writes digests: `sha256:` and 64 lower-case hexadecimal digits. */
export const digestOfBytes = (bytes: Uint8Array): Digest =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/**
 * SHA-256 over canonical JSON (RFC 8785, UTF-8).
 * @param domain says what is hashed, for values that must not be mistaken for others of the same shape (domain separation): the hash
 *   is then over `domain`, a zero byte and the JSON. No canonical JSON contains a zero byte, so no plain digest is one of these.
 * @throws NotCanonical for a value that JSON cannot hold
 */
export function digestOf(value: unknown, domain?: string): Digest {
  const hash = createHash('sha256');
  if (domain !== undefined) hash.update(domain, 'utf8').update('\0');
  return `sha256:${hash.update(canonical(value), 'utf8').digest('hex')}`;
}

import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { s3Error } from './errors.ts';

/** The algorithms that are implemented, of https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html */
export type ChecksumAlgorithm = 'CRC32' | 'SHA256';

export interface StoredChecksum {
  readonly algorithm: ChecksumAlgorithm;
  /** Base64; of a composite one followed by `-` and the number of parts. */
  readonly value: string;
  readonly type: 'FULL_OBJECT' | 'COMPOSITE';
}

/** A checksum in the making. */
export interface Digest {
  update(bytes: Buffer): void;
  digest(): Buffer;
}

const LENGTHS: Readonly<Record<ChecksumAlgorithm, number>> = { CRC32: 4, SHA256: 32 };

export const isAlgorithm = (name: string): name is ChecksumAlgorithm => Object.hasOwn(LENGTHS, name);

export const headerOf = (algorithm: ChecksumAlgorithm): string => `x-amz-checksum-${algorithm.toLowerCase()}`;

/** Name of the member in XML documents. */
export const memberOf = (algorithm: ChecksumAlgorithm): string => `Checksum${algorithm}`;

function crc32Digest(): Digest {
  let value = 0;
  return {
    update: (bytes) => {
      value = crc32(bytes, value);
    },
    digest: () => {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32BE(value);
      return bytes;
    },
  };
}

export function newDigest(algorithm: ChecksumAlgorithm): Digest {
  if (algorithm === 'CRC32') return crc32Digest();
  const hash = createHash('sha256');
  return { update: (bytes) => void hash.update(bytes), digest: () => hash.digest() };
}

/** The checksum of the checksums of the parts. https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html */
export function compositeChecksum(algorithm: ChecksumAlgorithm, parts: readonly StoredChecksum[]): StoredChecksum {
  const digest = newDigest(algorithm);
  for (const { value } of parts) digest.update(Buffer.from(value, 'base64'));
  return { algorithm, value: `${digest.digest().toString('base64')}-${parts.length}`, type: 'COMPOSITE' };
}

/** @throws InvalidRequest when this cannot be a checksum of that kind */
export function assertChecksumValue(algorithm: ChecksumAlgorithm, value: string): void {
  const bytes = Buffer.from(value, 'base64');
  if (bytes.length !== LENGTHS[algorithm] || bytes.toString('base64') !== value) {
    throw s3Error('InvalidRequest', `Value for ${headerOf(algorithm)} header is invalid.`);
  }
}

import type { ChecksumAlgorithm, StoredChecksum } from './checksum.ts';
import type { Encryption, SseHeaders } from './encryption.ts';

/** A file of the data directory of a bucket that holds an object, or a part of one. */
export interface Segment {
  readonly file: string;
  readonly size: number;
}

/** One object; what GetObject answers from. Times are ms since the epoch. */
export interface ObjectRecord {
  readonly key: string;
  readonly size: number;
  /** Without quotes. */
  readonly etag: string;
  readonly lastModified: number;
  /** `content-type` and its kin, and `x-amz-meta-*`. */
  readonly headers: Readonly<Record<string, string>>;
  readonly checksum: StoredChecksum | undefined;
  readonly encryption: Encryption;
  /** In order. */
  readonly segments: readonly Segment[];
  /** The multipart upload that it came from. */
  readonly uploadId: string | undefined;
}

/** A multipart upload that is neither completed nor aborted. */
export interface UploadRecord {
  readonly uploadId: string;
  readonly key: string;
  readonly initiated: number;
  /** ARN */
  readonly initiator: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly encryption: Encryption;
  readonly requested: SseHeaders;
  readonly checksumAlgorithm: ChecksumAlgorithm | undefined;
}

/** An uploaded part. */
export interface PartRecord {
  readonly partNumber: number;
  readonly etag: string;
  readonly size: number;
  readonly lastModified: number;
  readonly checksum: StoredChecksum | undefined;
  readonly segment: Segment;
}

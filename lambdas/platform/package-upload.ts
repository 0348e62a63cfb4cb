import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  UploadPartCommand,
  type CompletedPart,
} from '@aws-sdk/client-s3';
import { createHash } from 'node:crypto';
import { Writable } from 'node:stream';
import { crc32 } from 'node:zlib';
import type { Digest } from '../domain/ids.ts';
import { s3 } from './object-store.ts';

/** Parts of an upload, and how many are under way at once: bounds the memory whatever the package's size. */
export const PART_BYTES = 8 * 1024 * 1024;
const PARTS_IN_FLIGHT = 2;

/** Base64 of four bytes, the highest first. https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html */
function checksumOf(bytes: Uint8Array): string {
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(crc32(bytes));
  return checksum.toString('base64');
}

/**
 * One new object, uploaded while it is being made; S3 verifies a CRC-32 of every part. The buffers of the parts are used again and again:
 * fresh ones made the collector run a hundred times for a gibibyte.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html
 */
export class PackageUpload {
  readonly #object: { readonly Bucket: string; readonly Key: string };
  readonly #hash = createHash('sha256');
  readonly #free: Buffer[] = [];
  readonly #underWay = new Set<Promise<void>>();
  readonly #parts: CompletedPart[] = [];
  #part: Buffer = Buffer.allocUnsafeSlow(PART_BYTES);
  #filled = 0;
  #length = 0;
  #number = 0;
  #uploadId: string | undefined;
  /** Why a part could not be uploaded: an object without it must not come to be. */
  #failure: { readonly error: unknown } | undefined;

  constructor(bucket: string, key: string) {
    this.#object = { Bucket: bucket, Key: key };
  }

  /** Where the bytes go. */
  sink(): Writable {
    return new Writable({
      write: (bytes: Buffer, _encoding, done) => {
        // Nearly always there is room, and nothing to wait for.
        if (this.#filled + bytes.length < PART_BYTES) this.#take(bytes);
        else return void this.#write(bytes).then(() => done(), done);
        done();
      },
    });
  }

  /** Ends the object. @returns its digest and length; rejects when something lies there already */
  async complete(): Promise<{ readonly digest: Digest; readonly length: number }> {
    if (this.#uploadId === undefined) {
      const Body = this.#hashed();
      await s3.send(new PutObjectCommand({ ...this.#object, Body, ChecksumCRC32: checksumOf(Body), IfNoneMatch: '*' }));
    } else {
      if (this.#filled > 0) await this.#send(this.#uploadId);
      await Promise.all(this.#underWay);
      this.#refuseFailed();
      const Parts = this.#parts.toSorted((one, other) => (one.PartNumber ?? 0) - (other.PartNumber ?? 0));
      await s3.send(
        new CompleteMultipartUploadCommand({
          ...this.#object,
          UploadId: this.#uploadId,
          MultipartUpload: { Parts },
          IfNoneMatch: '*',
        }),
      );
    }
    return { digest: `sha256:${this.#hash.digest('hex')}`, length: this.#length };
  }

  /** Leaves nothing behind of an object that is not to be. */
  async abort(): Promise<void> {
    await Promise.all(this.#underWay);
    if (this.#uploadId !== undefined)
      await s3.send(new AbortMultipartUploadCommand({ ...this.#object, UploadId: this.#uploadId }));
  }

  #take(bytes: Buffer): void {
    bytes.copy(this.#part, this.#filled);
    this.#filled += bytes.length;
    this.#length += bytes.length;
  }

  async #write(bytes: Buffer): Promise<void> {
    for (let rest = bytes; rest.length > 0;) {
      const own = rest.subarray(0, PART_BYTES - this.#filled);
      this.#take(own);
      rest = rest.subarray(own.length);
      if (this.#filled === PART_BYTES) await this.#send((this.#uploadId ??= await this.#begin()));
    }
  }

  async #begin(): Promise<string> {
    const { UploadId } = await s3.send(
      new CreateMultipartUploadCommand({ ...this.#object, ChecksumAlgorithm: 'CRC32' }),
    );
    if (UploadId === undefined) throw new Error('S3 began no upload.');
    return UploadId;
  }

  /** Sends the part that is full, or the last one, as soon as fewer than {@link PARTS_IN_FLIGHT} are under way. */
  async #send(uploadId: string): Promise<void> {
    const buffer = this.#part;
    const Body = this.#hashed();
    while (this.#underWay.size >= PARTS_IN_FLIGHT) await Promise.race(this.#underWay);
    this.#refuseFailed();
    this.#number += 1;
    const sending = this.#upload(uploadId, this.#number, Body)
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => {
        this.#underWay.delete(sending);
        this.#free.push(buffer);
      });
    this.#underWay.add(sending);
    this.#part = this.#free.pop() ?? Buffer.allocUnsafeSlow(PART_BYTES);
    this.#filled = 0;
  }

  #refuseFailed(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  async #upload(UploadId: string, PartNumber: number, Body: Buffer): Promise<void> {
    const ChecksumCRC32 = checksumOf(Body);
    const { ETag } = await s3.send(
      new UploadPartCommand({ ...this.#object, UploadId, PartNumber, Body, ChecksumCRC32 }),
    );
    this.#parts.push({ PartNumber, ETag, ChecksumCRC32 });
  }

  /** What the part holds, which now counts into the digest. */
  #hashed(): Buffer {
    const bytes = this.#part.subarray(0, this.#filled);
    this.#hash.update(bytes);
    return bytes;
  }
}

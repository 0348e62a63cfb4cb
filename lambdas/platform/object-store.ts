import {
  AbortMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import type { Readable } from 'node:stream';
import type { Digest } from '../domain/ids.ts';
import type { AccessSession } from './package-keys.ts';

/**
 * Checksums are asked for where they matter, not on every call: by default the SDK would sign the checksum of an empty body into every
 * presigned address. https://docs.aws.amazon.com/sdkref/latest/guide/feature-dataintegrity.html
 */
const CHECKSUMS = { requestChecksumCalculation: 'WHEN_REQUIRED', responseChecksumValidation: 'WHEN_REQUIRED' } as const;

/** One client per function instance. */
export const s3 = new S3Client(CHECKSUMS);

/**
 * Bytes that carry a CRC-32, which S3 verifies, are not hashed once more for the signature: TLS holds them to their request, and a third
 * SHA-256 of every byte took a sixth of the time of sealing.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 */
s3.middlewareStack.add(
  (next) => (args) => {
    const { headers } = args.request as { headers: Record<string, string> }; // an HTTP request, from the step before on
    if ('x-amz-checksum-crc32' in headers) headers['x-amz-content-sha256'] = 'UNSIGNED-PAYLOAD';
    return next(args);
  },
  // After the checksums, which are of the same step, and before the signature.
  { step: 'build', priority: 'low', name: 'payloadIsChecksummed' },
);

/** Objects of a case lie under its id. */
export const depositKey = (caseId: string, depositId: string): string => `${caseId}/${depositId}`;

/** A new name per attempt, so that a superseded attempt never touches what a later one wrote (architecture §4). */
export const packageObjectKey = (caseId: string, attempt: number, packageId: string): string =>
  `${caseId}/${String(attempt).padStart(6, '0')}/${packageId}`;

/** How long an upload address is good for, in seconds. */
const UPLOAD_SECONDS = 900;

const checksumOf = (digest: Digest): string => Buffer.from(digest.slice('sha256:'.length), 'hex').toString('base64');

/** An address that accepts exactly one object: these bytes, this long, once. */
export interface UploadAddress {
  readonly url: string;
  readonly method: 'PUT';
  /** Headers that must be sent as they stand, because they are signed. */
  readonly headers: Readonly<Record<string, string>>;
  readonly expiresInSeconds: number;
}

/**
 * A presigned PUT for a deposit. Length, SHA-256 and the condition that nothing is there yet are signed headers: S3 itself refuses other
 * bytes, so that a deposit that exists is the announced one and nobody needs to read it to know.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
 */
export async function uploadAddress(
  bucket: string,
  key: string,
  digest: Digest,
  length: number,
): Promise<UploadAddress> {
  const headers = {
    'content-length': String(length),
    'content-type': 'application/octet-stream',
    'if-none-match': '*',
    'x-amz-checksum-sha256': checksumOf(digest),
  };
  const url = await getSignedUrl(
    s3,
    new PutObjectCommand({
      Bucket: bucket,
      Key: key,
      ContentLength: length,
      ContentType: headers['content-type'],
      IfNoneMatch: '*',
      ChecksumSHA256: headers['x-amz-checksum-sha256'],
    }),
    {
      expiresIn: UPLOAD_SECONDS,
      unhoistableHeaders: new Set(['x-amz-checksum-sha256']),
      signableHeaders: new Set(['host', ...Object.keys(headers)]),
    },
  );
  return { url, method: 'PUT', headers, expiresInSeconds: UPLOAD_SECONDS };
}

/** Objects under a prefix, by key and length; asks for `s3:ListBucket` alone, never for the right to read. */
export async function objectsUnder(bucket: string, prefix: string): Promise<ReadonlyMap<string, number>> {
  const found = new Map<string, number>();
  let from: string | undefined;
  do {
    const page = await s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, ContinuationToken: from }));
    for (const object of page.Contents ?? []) found.set(object.Key ?? '', object.Size ?? 0);
    from = page.NextContinuationToken;
  } while (from !== undefined);
  return found;
}

/** The bytes of an object as a stream. */
export async function readObject(bucket: string, key: string): Promise<Readable> {
  const answer = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
  return answer.Body as Readable; // in Node the SDK answers a Readable
}

/**
 * Destroys a deposit: an empty object takes its place, and the bucket removes that after a day. In a bucket without versions what is written
 * over is gone; and while something lies there, no upload address takes the bytes a second time, as long as it may still be good for (promise
 * S2): its If-None-Match is signed. https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
 */
export async function destroyDeposit(bucket: string, key: string): Promise<void> {
  await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: new Uint8Array(), ContentLength: 0 }));
}

/** Those of a case's deposits that were looked for and found destroyed (principle P5). */
export async function destroyedDeposits(
  bucket: string,
  caseId: string,
  depositIds: readonly string[],
): Promise<readonly string[]> {
  const found = await objectsUnder(bucket, `${caseId}/`);
  return depositIds.filter((depositId) => found.get(depositKey(caseId, depositId)) === 0);
}

export async function deleteObject(bucket: string, key: string): Promise<void> {
  await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }));
}

/** Aborts uploads under a prefix that were begun and not completed. */
export async function abortUploadsUnder(bucket: string, prefix: string): Promise<void> {
  const page = await s3.send(new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: prefix }));
  for (const upload of page.Uploads ?? []) {
    await s3.send(new AbortMultipartUploadCommand({ Bucket: bucket, Key: upload.Key, UploadId: upload.UploadId }));
  }
}

/** Seconds for which the address of a ciphertext is good. */
export const DOWNLOAD_SECONDS = 60;

/** A presigned GET of a ciphertext, within an access session: the address dies with the session and opens nothing by itself. */
export async function downloadAddress(session: AccessSession, bucket: string, key: string): Promise<string> {
  const client = new S3Client({ ...CHECKSUMS, credentials: session.credentials });
  try {
    return await getSignedUrl(client, new GetObjectCommand({ Bucket: bucket, Key: key }), {
      expiresIn: DOWNLOAD_SECONDS,
    });
  } finally {
    client.destroy();
  }
}

import { randomBytes } from 'node:crypto';
import { authorize, writeContext } from './access.ts';
import type { Operation, S3Call } from './call.ts';
import { headerOf, type StoredChecksum } from './checksum.ts';
import {
  chooseEncryption,
  encryptionHeaders,
  sseHeaders,
  useKey,
  type Encryption,
  type SseHeaders,
} from './encryption.ts';
import { readExpectations } from './expectations.ts';
import { keptHeaders } from './object-headers.ts';
import { assertConditions, commit } from './precondition.ts';
import { receive } from './receive.ts';
import type { ObjectRecord } from './records.ts';

/** Headers of a body that is verified. */
export const BODY_HEADERS = [
  'x-amz-checksum-crc32',
  'x-amz-checksum-sha256',
  'x-amz-sdk-checksum-algorithm',
  'x-amz-trailer',
  'x-amz-decoded-content-length',
];

/** Headers that say how an object is kept. */
export const KEPT_HEADERS = [
  'x-amz-meta-*',
  'x-amz-storage-class',
  'x-amz-server-side-encryption',
  'x-amz-server-side-encryption-aws-kms-key-id',
  'x-amz-server-side-encryption-bucket-key-enabled',
];

/**
 * The ETag is the MD5 of the bytes, except under SSE-KMS, where it is nothing that could be computed.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html
 */
export const etagOf = (md5: Buffer, encryption: Encryption): string =>
  (encryption.algorithm === 'AES256' ? md5 : randomBytes(16)).toString('hex');

export const checksumHeaders = (checksum: StoredChecksum | undefined): Record<string, string> =>
  checksum === undefined
    ? {}
    : { [headerOf(checksum.algorithm)]: checksum.value, 'x-amz-checksum-type': checksum.type };

/** Leave to create the object. If-Match compares with the ETag of the one that is there, so it needs leave to read it. */
export function authorizeWrite(call: S3Call, requested: SseHeaders): void {
  authorize(call, 's3:PutObject', writeContext(call, requested, true));
  if (call.headers['if-match'] !== undefined) authorize(call, 's3:GetObject');
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html */
export const putObject: Operation = {
  query: [],
  headers: [...BODY_HEADERS, ...KEPT_HEADERS, 'if-match', 'if-none-match'],
  run: async (call) => {
    const { headers, bucket, key, host } = call;
    assertConditions(headers);
    const expected = readExpectations(headers, call.presigned);
    const kept = keptHeaders(headers);
    const encryption = chooseEncryption(call);
    authorizeWrite(call, sseHeaders(headers));
    useKey(call, encryption, 'kms:GenerateDataKey');
    const { etag, checksum } = await commit(call, async () => {
      const { segment, md5, checksum } = await receive(call.body, expected, bucket.files);
      return {
        record: (): ObjectRecord => ({
          key,
          size: segment.size,
          etag: etagOf(md5, encryption),
          lastModified: host.clock.now(),
          headers: kept,
          checksum,
          encryption,
          segments: [segment],
          uploadId: undefined,
        }),
        settled: (stored) => {
          if (!stored) bucket.files.drop(segment.file);
        },
      };
    });
    return {
      status: 200,
      headers: { etag: `"${etag}"`, ...checksumHeaders(checksum), ...encryptionHeaders(encryption) },
    };
  },
};

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html: deleting what is not there succeeds. */
export const deleteObject: Operation = {
  query: [],
  headers: [],
  run: (call) => {
    authorize(call, 's3:DeleteObject');
    call.bucket.objects.delete(call.key);
    return { status: 204 };
  },
};

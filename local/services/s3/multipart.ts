import { notImplemented } from '../../service.ts';
import { authorize, writeContext } from './access.ts';
import type { Operation, S3Call } from './call.ts';
import { isAlgorithm, type ChecksumAlgorithm } from './checksum.ts';
import { chooseEncryption, encryptionHeaders, sseHeaders, useKey, type SseHeaders } from './encryption.ts';
import { invalidArgument, noSuchUpload, s3Error } from './errors.ts';
import { readExpectations } from './expectations.ts';
import { keptHeaders } from './object-headers.ts';
import { BODY_HEADERS, checksumHeaders, etagOf, KEPT_HEADERS } from './objects.ts';
import { receive } from './receive.ts';
import type { PartRecord, UploadRecord } from './records.ts';
import type { Upload } from './upload-store.ts';
import { renderXml } from './xml.ts';

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
const MOST_PARTS = 10_000;

/** The upload that a request names, which must be of this key. @throws NoSuchUpload */
export function uploadOf({ query, bucket, key }: S3Call): Upload {
  const uploadId = query.get('uploadId') ?? '';
  const upload = bucket.uploads.get(uploadId);
  if (upload === undefined || upload.record.key !== key) throw noSuchUpload(uploadId);
  return upload;
}

/** What the upload that a request names asked for; nothing when there is none, which is told only to those who may write. */
export const requestedBy = ({ query, bucket }: S3Call): SseHeaders =>
  bucket.uploads.get(query.get('uploadId') ?? '')?.record.requested ?? { algorithm: undefined, keyId: undefined };

function requestedChecksum(headers: S3Call['headers']): ChecksumAlgorithm | undefined {
  const algorithm = headers['x-amz-checksum-algorithm']?.toUpperCase();
  const type = headers['x-amz-checksum-type']?.toUpperCase();
  if (type !== undefined && type !== 'COMPOSITE') throw notImplemented(`x-amz-checksum-type ${type}`);
  if (algorithm === undefined) {
    if (type === undefined) return undefined;
    throw s3Error(
      'InvalidRequest',
      'The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.',
    );
  }
  if (!isAlgorithm(algorithm)) throw notImplemented(`x-amz-checksum-algorithm ${algorithm}`);
  return algorithm;
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateMultipartUpload.html */
export const createMultipartUpload: Operation = {
  query: ['uploads'],
  headers: [...KEPT_HEADERS, 'x-amz-checksum-algorithm', 'x-amz-checksum-type'],
  run: (call) => {
    const { bucket, key, host, caller, headers } = call;
    const checksumAlgorithm = requestedChecksum(headers);
    const encryption = chooseEncryption(call);
    authorize(call, 's3:PutObject', writeContext(call, sseHeaders(headers), false));
    useKey(call, encryption, 'kms:GenerateDataKey');
    const record: UploadRecord = {
      uploadId: bucket.uploads.newId(),
      key,
      initiated: host.clock.now(),
      initiator: caller.kind === 'role' ? caller.arn : caller.principal,
      headers: keptHeaders(headers),
      encryption,
      requested: sseHeaders(headers),
      checksumAlgorithm,
    };
    bucket.uploads.begin(record);
    return {
      status: 200,
      headers: {
        'content-type': 'application/xml',
        ...encryptionHeaders(encryption),
        ...(checksumAlgorithm === undefined
          ? {}
          : { 'x-amz-checksum-algorithm': checksumAlgorithm, 'x-amz-checksum-type': 'COMPOSITE' }),
      },
      body: renderXml('InitiateMultipartUploadResult', [
        ['Bucket', bucket.name],
        ['Key', key],
        ['UploadId', record.uploadId],
      ]),
    };
  },
};

function partNumberOf(query: URLSearchParams): number {
  const text = query.get('partNumber') ?? '';
  const number = Number(text);
  if (!/^\d{1,5}$/.test(text) || number < 1 || number > MOST_PARTS) {
    throw invalidArgument(`Part number must be an integer between 1 and ${MOST_PARTS}, inclusive`, 'partNumber', text);
  }
  return number;
}

/**
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPart.html
 * Under SSE-KMS it needs kms:Decrypt, as documented there: the data key is that of the upload.
 */
export const uploadPart: Operation = {
  query: ['partNumber', 'uploadId'],
  headers: BODY_HEADERS,
  run: async (call) => {
    const { bucket, query, host, headers } = call;
    const partNumber = partNumberOf(query);
    const expected = readExpectations(headers, call.presigned);
    authorize(call, 's3:PutObject', writeContext(call, requestedBy(call), false));
    const { record } = uploadOf(call);
    const promised = record.checksumAlgorithm;
    if (promised !== undefined && expected.checksum?.algorithm !== promised) {
      const actual = expected.checksum?.algorithm.toLowerCase() ?? 'null';
      throw s3Error(
        'InvalidRequest',
        `Checksum Type mismatch occurred, expected checksum Type: ${promised.toLowerCase()}, actual checksum Type: ${actual}`,
      );
    }
    useKey(call, record.encryption, 'kms:Decrypt');
    const { segment, md5, checksum } = await receive(call.body, expected, bucket.files);
    const part: PartRecord = {
      partNumber,
      etag: etagOf(md5, record.encryption),
      size: segment.size,
      lastModified: host.clock.now(),
      checksum,
      segment,
    };
    try {
      // It may have been aborted or completed while the body arrived.
      bucket.uploads.addPart(uploadOf(call), part);
    } catch (error) {
      bucket.files.drop(segment.file);
      throw error;
    }
    const { 'x-amz-checksum-type': _, ...checksums } = checksumHeaders(checksum);
    return {
      status: 200,
      headers: { etag: `"${part.etag}"`, ...checksums, ...encryptionHeaders(record.encryption) },
    };
  },
};

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_AbortMultipartUpload.html */
export const abortMultipartUpload: Operation = {
  query: ['uploadId'],
  headers: [],
  run: (call) => {
    authorize(call, 's3:AbortMultipartUpload');
    call.bucket.uploads.remove(uploadOf(call));
    return { status: 204 };
  },
};

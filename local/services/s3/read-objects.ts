import { notImplemented } from '../../service.ts';
import { authorize } from './access.ts';
import type { Operation, S3Call } from './call.ts';
import { encryptionHeaders, useKey } from './encryption.ts';
import { noSuchKey, s3Error } from './errors.ts';
import { overrides, RESPONSE_PARAMETERS } from './object-headers.ts';
import { checksumHeaders } from './objects.ts';
import type { ObjectRecord } from './records.ts';

/** First and last byte, both included. */
interface Range {
  readonly start: number;
  readonly end: number;
}

/**
 * Reads `Range`; undefined means the whole object, also for a header that is none.
 * https://www.rfc-editor.org/rfc/rfc9110#name-range-requests
 * @throws InvalidRange (416); NotImplemented for more than one range, which S3 does not support either
 */
function readRange(header: string | undefined, size: number): Range | undefined {
  if (header === undefined) return undefined;
  if (/^bytes=.*,/.test(header)) throw notImplemented('several ranges in one GetObject');
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header.trim());
  const [, from = '', to = ''] = match ?? [];
  if (from === '' && to === '') return undefined;
  if (from !== '' && to !== '' && Number(from) > Number(to)) return undefined;
  const start = from === '' ? Math.max(size - Number(to), 0) : Number(from);
  const end = from === '' || to === '' ? size - 1 : Math.min(Number(to), size - 1);
  if (start >= size || (from === '' && Number(to) === 0)) {
    throw s3Error('InvalidRange', 'The requested range is not satisfiable', 416, {
      RangeRequested: header,
      ActualObjectSize: size,
    });
  }
  return { start, end };
}

/**
 * The object, if the caller may read it. Whether a key exists is told only to those who may list the bucket.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html (Permissions)
 */
function readable(call: S3Call): ObjectRecord {
  authorize(call, 's3:GetObject');
  const record = call.bucket.objects.get(call.key);
  if (record === undefined) {
    authorize(call, 's3:ListBucket', {}, 'bucket');
    throw noSuchKey(call.key);
  }
  useKey(call, record.encryption, 'kms:Decrypt');
  return record;
}

function describe(call: S3Call, record: ObjectRecord, range: Range | undefined): Record<string, string> {
  const whole = range === undefined;
  const wanted = call.headers['x-amz-checksum-mode'];
  if (wanted !== undefined && wanted.toUpperCase() !== 'ENABLED') throw notImplemented(`x-amz-checksum-mode ${wanted}`);
  return {
    ...record.headers,
    'accept-ranges': 'bytes',
    'content-length': String(whole ? record.size : range.end - range.start + 1),
    ...(whole ? {} : { 'content-range': `bytes ${range.start}-${range.end}/${record.size}` }),
    etag: `"${record.etag}"`,
    'last-modified': new Date(record.lastModified).toUTCString(),
    ...encryptionHeaders(record.encryption),
    ...(whole && wanted !== undefined ? checksumHeaders(record.checksum) : {}),
  };
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html */
export const getObject: Operation = {
  query: RESPONSE_PARAMETERS,
  headers: ['range', 'x-amz-checksum-mode'],
  run: (call) => {
    const record = readable(call);
    const range = readRange(call.headers['range'], record.size);
    const { start, end } = range ?? { start: 0, end: record.size - 1 };
    return {
      status: range === undefined ? 200 : 206,
      headers: { ...describe(call, record, range), ...overrides(call.query) },
      body: call.bucket.files.read(record.segments, start, end),
    };
  },
};

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html */
export const headObject: Operation = {
  query: [],
  headers: ['x-amz-checksum-mode'],
  run: (call) => ({ status: 200, headers: describe(call, readable(call), undefined) }),
};

import { authorize } from './access.ts';
import type { Operation, S3Call } from './call.ts';
import { invalidArgument, noSuchUpload } from './errors.ts';
import { compareKeys } from './object-store.ts';
import { memberOf, type StoredChecksum } from './checksum.ts';
import type { Upload } from './upload-store.ts';
import { renderXml, type XmlContent } from './xml.ts';

const MOST = 1000;

/** A page size: at most 1,000 whatever is asked for. */
function pageSize(query: URLSearchParams, name: string): number {
  const text = query.get(name);
  if (text === null) return MOST;
  if (!/^\d{1,10}$/.test(text))
    throw invalidArgument(`Provided ${name} not an integer or within integer range`, name, text);
  return Math.min(Number(text), MOST);
}

const iso = (time: number): string => new Date(time).toISOString();
const quoted = (etag: string): string => `"${etag}"`;
const xml = (root: string, content: XmlContent) => ({
  status: 200,
  headers: { 'content-type': 'application/xml' },
  body: renderXml(root, content),
});

/** The token is opaque to clients: the last key that was given. */
const tokenOf = (key: string): string => Buffer.from(key).toString('base64url');

function keyOf(token: string | null): string | undefined {
  if (token === null) return undefined;
  const key = Buffer.from(token, 'base64url').toString();
  if (token === '' || tokenOf(key) !== token) {
    throw invalidArgument('The continuation token provided is incorrect', 'continuation-token', token);
  }
  return key;
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html */
export const listObjectsV2: Operation = {
  query: ['list-type', 'prefix', 'max-keys', 'continuation-token'],
  headers: [],
  run: (call) => {
    const { query, bucket } = call;
    const most = pageSize(query, 'max-keys');
    const prefix = query.get('prefix');
    authorize(
      call,
      's3:ListBucket',
      { 's3:prefix': prefix ?? undefined, 's3:max-keys': query.get('max-keys') ?? undefined },
      'bucket',
    );
    const token = query.get('continuation-token');
    const after = keyOf(token);
    const matching = bucket.objects
      .list()
      .filter(({ key }) => key.startsWith(prefix ?? '') && (after === undefined || compareKeys(key, after) > 0));
    const page = matching.slice(0, most);
    const last = page.at(-1);
    const truncated = matching.length > page.length && last !== undefined;
    return xml('ListBucketResult', [
      ['Name', bucket.name],
      ['Prefix', prefix ?? ''],
      ...(token === null ? [] : [['ContinuationToken', token] as const]),
      ...(truncated ? [['NextContinuationToken', tokenOf(last.key)] as const] : []),
      ['KeyCount', page.length],
      ['MaxKeys', most],
      ['IsTruncated', truncated],
      ...page.map(
        ({ key, lastModified, etag, size, checksum }) =>
          [
            'Contents',
            [
              ['Key', key],
              ['LastModified', iso(lastModified)],
              ['ETag', quoted(etag)],
              ...(checksum === undefined
                ? []
                : [['ChecksumAlgorithm', checksum.algorithm] as const, ['ChecksumType', checksum.type] as const]),
              ['Size', size],
              ['StorageClass', 'STANDARD'],
            ],
          ] as const,
      ),
    ]);
  },
};

/** Uploads in the order of ListMultipartUploads: by key, then by time. */
const byKeyThenTime = (a: Upload, b: Upload): number =>
  compareKeys(a.record.key, b.record.key) ||
  a.record.initiated - b.record.initiated ||
  compareKeys(a.record.uploadId, b.record.uploadId);

/** Uploads after the markers. https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html */
function afterMarkers(uploads: readonly Upload[], keyMarker: string, idMarker: string): readonly Upload[] {
  const marked = uploads.findIndex(({ record }) => record.key === keyMarker && record.uploadId === idMarker);
  if (idMarker !== '' && marked >= 0) return uploads.slice(marked + 1);
  return uploads.filter(({ record }) => compareKeys(record.key, keyMarker) > 0);
}

const owner = ({ host }: S3Call): XmlContent => [['ID', host.account]];

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html */
export const listMultipartUploads: Operation = {
  query: ['uploads', 'prefix', 'key-marker', 'upload-id-marker', 'max-uploads'],
  headers: [],
  run: (call) => {
    const { query, bucket } = call;
    const most = pageSize(query, 'max-uploads');
    const prefix = query.get('prefix');
    authorize(call, 's3:ListBucketMultipartUploads', { 's3:prefix': prefix ?? undefined }, 'bucket');
    const sorted = [...bucket.uploads.list()].sort(byKeyThenTime);
    const keyMarker = query.get('key-marker') ?? '';
    const idMarker = query.get('upload-id-marker') ?? '';
    const matching = (keyMarker === '' ? sorted : afterMarkers(sorted, keyMarker, idMarker)).filter(({ record }) =>
      record.key.startsWith(prefix ?? ''),
    );
    const page = matching.slice(0, most);
    const last = page.at(-1)?.record;
    const truncated = matching.length > page.length && last !== undefined;
    return xml('ListMultipartUploadsResult', [
      ['Bucket', bucket.name],
      ['KeyMarker', keyMarker],
      ['UploadIdMarker', idMarker],
      ...(truncated ? [['NextKeyMarker', last.key] as const, ['NextUploadIdMarker', last.uploadId] as const] : []),
      ['Prefix', prefix ?? ''],
      ['MaxUploads', most],
      ['IsTruncated', truncated],
      ...page.map(
        ({ record }) =>
          [
            'Upload',
            [
              ['Key', record.key],
              ['UploadId', record.uploadId],
              ['Initiator', [['ID', record.initiator]]],
              ['Owner', owner(call)],
              ['StorageClass', 'STANDARD'],
              ['Initiated', iso(record.initiated)],
            ],
          ] as const,
      ),
    ]);
  },
};

export const checksumMember = (checksum: StoredChecksum | undefined): (readonly [string, XmlContent])[] =>
  checksum === undefined ? [] : [[memberOf(checksum.algorithm), checksum.value]];

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListParts.html */
export const listParts: Operation = {
  query: ['uploadId', 'part-number-marker', 'max-parts'],
  headers: [],
  run: (call) => {
    const { query, bucket, key } = call;
    const most = pageSize(query, 'max-parts');
    const marker = query.get('part-number-marker') ?? '0';
    if (!/^\d{1,9}$/.test(marker))
      throw invalidArgument('Argument part-number-marker must be an integer', 'part-number-marker', marker);
    authorize(call, 's3:ListMultipartUploadParts');
    const uploadId = query.get('uploadId') ?? '';
    const upload = bucket.uploads.get(uploadId);
    if (upload === undefined || upload.record.key !== key) throw noSuchUpload(uploadId);
    const matching = [...upload.parts.values()]
      .sort((a, b) => a.partNumber - b.partNumber)
      .filter(({ partNumber }) => partNumber > Number(marker));
    const page = matching.slice(0, most);
    return xml('ListPartsResult', [
      ['Bucket', bucket.name],
      ['Key', key],
      ['UploadId', uploadId],
      ['PartNumberMarker', marker],
      ['NextPartNumberMarker', page.at(-1)?.partNumber ?? 0],
      ['MaxParts', most],
      ['IsTruncated', matching.length > page.length],
      ...page.map(
        (part) =>
          [
            'Part',
            [
              ['PartNumber', part.partNumber],
              ['LastModified', iso(part.lastModified)],
              ['ETag', quoted(part.etag)],
              ['Size', part.size],
              ...checksumMember(part.checksum),
            ],
          ] as const,
      ),
      ['Initiator', [['ID', upload.record.initiator]]],
      ['Owner', owner(call)],
      ['StorageClass', 'STANDARD'],
    ]);
  },
};

import { createHash } from 'node:crypto';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  PutObjectCommand,
  UploadPartCommand,
  type CompletedPart,
  type CompleteMultipartUploadCommandInput,
  type CreateMultipartUploadCommandInput,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { Readable } from 'node:stream';
import { BUCKET, S3Fixture } from '../support/s3-fixture.ts';

const MEBIBYTE = 1024 ** 2;
const Key = 'package/one';
const BIG = Buffer.alloc(5 * MEBIBYTE, 'big');
const SMALL = Buffer.from('the end');

let s3: S3Fixture;

beforeEach(async () => {
  s3 = await S3Fixture.start();
  await s3.bucket();
});
afterEach(() => s3.stop());

const begin = async (extra: Partial<CreateMultipartUploadCommandInput> = {}): Promise<string> => {
  const { UploadId } = await s3.client.send(new CreateMultipartUploadCommand({ Bucket: BUCKET, Key, ...extra }));
  return UploadId ?? '';
};

const part = async (UploadId: string, PartNumber: number, Body: Buffer, extra = {}): Promise<CompletedPart> => {
  const command = new UploadPartCommand({ Bucket: BUCKET, Key, UploadId, PartNumber, Body, ...extra });
  const { ETag, ChecksumCRC32, ChecksumSHA256 } = await s3.client.send(command);
  return { PartNumber, ETag, ChecksumCRC32, ChecksumSHA256 };
};

const complete = (UploadId: string, Parts: CompletedPart[], extra: Partial<CompleteMultipartUploadCommandInput> = {}) =>
  s3.client.send(
    new CompleteMultipartUploadCommand({ Bucket: BUCKET, Key, UploadId, MultipartUpload: { Parts }, ...extra }),
  );

const digestOf = async (key = Key): Promise<string> => {
  const { Body } = await s3.client.send(new GetObjectCommand({ Bucket: BUCKET, Key: key }));
  return createHash('sha256')
    .update((await Body?.transformToByteArray()) ?? '')
    .digest('hex');
};

describe('CompleteMultipartUpload refuses', () => {
  test('parts that are too small, unknown, changed, out of order, or none', async () => {
    const UploadId = await begin();
    const [one, two] = [await part(UploadId, 1, SMALL), await part(UploadId, 2, SMALL)];
    await expect(complete(UploadId, [one, two])).rejects.toMatchObject({ name: 'EntityTooSmall' });
    await expect(complete(UploadId, [two, one])).rejects.toMatchObject({ name: 'InvalidPartOrder' });
    await expect(complete(UploadId, [one, one])).rejects.toMatchObject({ name: 'InvalidPartOrder' });
    await expect(complete(UploadId, [{ ...one, PartNumber: 3 }])).rejects.toMatchObject({ name: 'InvalidPart' });
    await expect(complete(UploadId, [{ ...one, ETag: '"0"' }])).rejects.toMatchObject({ name: 'InvalidPart' });
    await expect(complete(UploadId, [{ ...one, ChecksumCRC32: 'AAAAAA==' }])).rejects.toMatchObject({
      name: 'InvalidPart',
    });
    await expect(complete(UploadId, [])).rejects.toMatchObject({ name: 'MalformedXML' });
    await expect(digestOf()).rejects.toMatchObject({ name: 'NoSuchKey' });
  });

  test('an upload that is not there, of another key, completed or aborted', async () => {
    const UploadId = await begin();
    const one = await part(UploadId, 1, SMALL);
    await expect(complete('nothing', [one])).rejects.toMatchObject({ name: 'NoSuchUpload' });
    await expect(complete(UploadId, [one], { Key: 'other' })).rejects.toMatchObject({ name: 'NoSuchUpload' });
    await complete(UploadId, [one]);
    await expect(complete(UploadId, [one])).rejects.toMatchObject({ name: 'NoSuchUpload' });
    const aborted = await begin();
    await s3.client.send(new AbortMultipartUploadCommand({ Bucket: BUCKET, Key, UploadId: aborted }));
    await expect(complete(aborted, [one])).rejects.toMatchObject({ name: 'NoSuchUpload' });
    await expect(part(aborted, 1, SMALL)).rejects.toMatchObject({ name: 'NoSuchUpload' });
  });

  test('to overwrite under If-None-Match, and completes otherwise', async () => {
    await s3.client.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: 'there' }));
    const UploadId = await begin();
    const one = await part(UploadId, 1, SMALL);
    await expect(complete(UploadId, [one], { IfNoneMatch: '*' })).rejects.toMatchObject({
      name: 'PreconditionFailed',
      $metadata: { httpStatusCode: 412 },
    });
    await s3.client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key }));
    await complete(UploadId, [one], { IfNoneMatch: '*' });
    expect(await digestOf()).toBe(createHash('sha256').update(SMALL).digest('hex'));
  });

  test('all but one of several uploads that race', async () => {
    const ids = await Promise.all(Array.from({ length: 4 }, () => begin()));
    const parts = await Promise.all(ids.map((id) => part(id, 1, SMALL)));
    const results = await Promise.allSettled(
      ids.map((id, index) => complete(id, parts.slice(index, index + 1), { IfNoneMatch: '*' })),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  test('a caller whom no policy allows, and tells policies what creates an object', async () => {
    const UploadId = await begin();
    const one = await part(UploadId, 1, SMALL);
    expect(s3.gate.last('s3:PutObject').context?.['s3:ObjectCreationOperation']).toBe('false');
    s3.gate.denied = ({ context }) =>
      context?.['s3:ObjectCreationOperation'] === 'true' && context['s3:if-none-match'] === undefined;
    await expect(complete(UploadId, [one])).rejects.toMatchObject({ name: 'AccessDenied' });
    await complete(UploadId, [one], { IfNoneMatch: '*' });
  });

  test('parts without the checksums that the upload was begun with', async () => {
    const UploadId = await begin({ ChecksumAlgorithm: 'SHA256' });
    await expect(part(UploadId, 1, SMALL, { ChecksumAlgorithm: 'CRC32' })).rejects.toMatchObject({
      name: 'InvalidRequest',
    });
    const one = await part(UploadId, 1, SMALL, { ChecksumAlgorithm: 'SHA256' });
    const { PartNumber, ETag } = one;
    await expect(complete(UploadId, [{ PartNumber, ETag }])).rejects.toMatchObject({ name: 'InvalidRequest' });
    const { ChecksumSHA256, ChecksumType } = await complete(UploadId, [one]);
    const once = createHash('sha256').update(SMALL).digest();
    expect(ChecksumSHA256).toBe(`${createHash('sha256').update(once).digest('base64')}-1`);
    expect(ChecksumType).toBe('COMPOSITE');
  });

  test('documents that are not what S3 documents', async () => {
    const UploadId = await begin();
    const { ETag = '' } = await part(UploadId, 1, SMALL);
    for (const body of [
      '',
      'text',
      '<CompleteMultipartUpload>',
      '<Complete/>',
      `<!DOCTYPE x [<!ENTITY e "x">]><CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${ETag}</ETag></Part></CompleteMultipartUpload>`,
      '<CompleteMultipartUpload><Part><PartNumber>one</PartNumber><ETag>x</ETag></Part></CompleteMultipartUpload>',
      '<CompleteMultipartUpload><Part><PartNumber>1</PartNumber></Part></CompleteMultipartUpload>',
      `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>&nbsp;</ETag></Part></CompleteMultipartUpload>`,
    ]) {
      const response = await fetch(`${s3.endpoint}/${BUCKET}/${Key}?uploadId=${UploadId}`, {
        method: 'POST',
        headers: { authorization: 'Credential=AKIADEPOSITOR/x', 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' },
        body,
      });
      expect([body, await response.text()]).toEqual([body, expect.stringContaining('<Code>MalformedXML</Code>')]);
    }
  });
});

test('UploadPart refuses part numbers out of range and a caller whom no policy allows', async () => {
  const UploadId = await begin();
  await expect(part(UploadId, 0, SMALL)).rejects.toMatchObject({ name: 'InvalidArgument' });
  await expect(part(UploadId, 10_001, SMALL)).rejects.toMatchObject({ name: 'InvalidArgument' });
  s3.gate.denied = ({ action }) => action === 's3:PutObject';
  await expect(part(UploadId, 1, SMALL)).rejects.toMatchObject({ name: 'AccessDenied' });
});

test('CreateMultipartUpload refuses a caller whom no policy allows, and checksums that are not there', async () => {
  await expect(begin({ ChecksumAlgorithm: 'CRC64NVME' })).rejects.toMatchObject({ name: 'NotImplemented' });
  const full = { ChecksumAlgorithm: 'CRC32', ChecksumType: 'FULL_OBJECT' } as const;
  await expect(begin(full)).rejects.toMatchObject({ name: 'NotImplemented' });
  await expect(begin({ ACL: 'private' })).rejects.toMatchObject({ name: 'NotImplemented' });
  s3.gate.denied = ({ action }) => action === 's3:PutObject';
  await expect(begin()).rejects.toMatchObject({ name: 'AccessDenied' });
});

test('AbortMultipartUpload, ListParts and ListMultipartUploads refuse a caller whom no policy allows', async () => {
  const UploadId = await begin();
  s3.gate.denied = ({ action }) => !['s3:PutObject'].includes(action);
  const upload = { Bucket: BUCKET, Key, UploadId };
  const denied = { name: 'AccessDenied' };
  await expect(s3.client.send(new AbortMultipartUploadCommand(upload))).rejects.toMatchObject(denied);
  await expect(s3.client.send(new ListPartsCommand(upload))).rejects.toMatchObject(denied);
  await expect(s3.client.send(new ListMultipartUploadsCommand({ Bucket: BUCKET }))).rejects.toMatchObject(denied);
  expect(s3.gate.asked.slice(-3).map(({ action, resource }) => [action, resource])).toEqual([
    ['s3:AbortMultipartUpload', `arn:aws:s3:::${BUCKET}/${Key}`],
    ['s3:ListMultipartUploadParts', `arn:aws:s3:::${BUCKET}/${Key}`],
    ['s3:ListBucketMultipartUploads', `arn:aws:s3:::${BUCKET}`],
  ]);
  s3.gate.denied = () => false;
  await expect(s3.client.send(new ListPartsCommand({ ...upload, UploadId: 'x' }))).rejects.toMatchObject({
    name: 'NoSuchUpload',
  });
  const listing = new ListMultipartUploadsCommand({ Bucket: BUCKET, Delimiter: '/' });
  await expect(s3.client.send(listing)).rejects.toMatchObject({ name: 'NotImplemented' });
});

describe('a multipart upload', () => {
  test('becomes one object, of the parts that were listed, and is read in ranges across them', async () => {
    const UploadId = await begin({ ContentType: 'application/x-package', Metadata: { digest: 'abc' } });
    const first = await part(UploadId, 1, BIG);
    await part(UploadId, 2, Buffer.from('not listed'));
    await part(UploadId, 7, Buffer.from('replaced'));
    const last = await part(UploadId, 7, SMALL);
    const { ETag } = await complete(UploadId, [first, last]);
    expect(ETag).toMatch(/^"[\da-f]{32}-2"$/);
    expect(await digestOf()).toBe(createHash('sha256').update(BIG).update(SMALL).digest('hex'));
    const Range = `bytes=${BIG.length - 3}-${BIG.length + 2}`;
    const read = await s3.client.send(new GetObjectCommand({ Bucket: BUCKET, Key, Range }));
    expect(await read.Body?.transformToString()).toBe(`${BIG.subarray(-3).toString()}the`);
    expect(read).toMatchObject({ ContentType: 'application/x-package', Metadata: { digest: 'abc' }, ETag });
  });

  test('lists its parts and itself, by pages', async () => {
    const UploadId = await begin();
    for (const number of [3, 1, 2]) await part(UploadId, number, SMALL);
    const other = await begin({ Key: 'package/two' });
    const upload = { Bucket: BUCKET, Key, UploadId };
    const page = await s3.client.send(new ListPartsCommand({ ...upload, MaxParts: 2 }));
    expect(page.Parts?.map(({ PartNumber, Size }) => [PartNumber, Size])).toEqual([
      [1, 7],
      [2, 7],
    ]);
    expect(page).toMatchObject({ IsTruncated: true, NextPartNumberMarker: '2' });
    const rest = await s3.client.send(new ListPartsCommand({ ...upload, PartNumberMarker: '2' }));
    expect(rest.Parts?.map(({ PartNumber }) => PartNumber)).toEqual([3]);
    const list = (extra = {}) => s3.client.send(new ListMultipartUploadsCommand({ Bucket: BUCKET, ...extra }));
    const some = await list({ MaxUploads: 1 });
    expect(some.Uploads?.map((found) => found.UploadId)).toEqual([UploadId]);
    const { NextKeyMarker: KeyMarker, NextUploadIdMarker: UploadIdMarker } = some;
    expect((await list({ KeyMarker, UploadIdMarker })).Uploads?.map((found) => found.UploadId)).toEqual([other]);
    expect((await list({ Prefix: 'elsewhere' })).Uploads).toBeUndefined();
  });

  test('works with the Upload of lib-storage, from a stream of unknown length', async () => {
    const chunks = Array.from({ length: 12 }, (_, index) => Buffer.alloc(MEBIBYTE, `${index}`));
    const upload = new Upload({
      client: s3.client,
      params: { Bucket: BUCKET, Key, Body: Readable.from(chunks), IfNoneMatch: '*' },
      partSize: 5 * MEBIBYTE,
      queueSize: 2,
    });
    const { ChecksumCRC32 } = await upload.done();
    expect(ChecksumCRC32).toMatch(/-3$/);
    expect(await digestOf()).toBe(createHash('sha256').update(Buffer.concat(chunks)).digest('hex'));
  });
});

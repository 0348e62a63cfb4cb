import { createHash } from 'node:crypto';
import { Agent, request as httpRequest } from 'node:http';
import { Readable } from 'node:stream';
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type PutObjectCommandInput,
} from '@aws-sdk/client-s3';
import { BUCKET, S3Fixture, caller } from '../support/s3-fixture.ts';

let s3: S3Fixture;

beforeEach(async () => {
  s3 = await S3Fixture.start();
  await s3.bucket();
});
afterEach(() => s3.stop());

const put = (Key: string, Body: PutObjectCommandInput['Body'], extra: Partial<PutObjectCommandInput> = {}) =>
  s3.client.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body, ...extra }));

const get = async (Key: string, extra = {}): Promise<string> => {
  const { Body } = await s3.client.send(new GetObjectCommand({ Bucket: BUCKET, Key, ...extra }));
  return (await Body?.transformToString()) ?? '';
};

/** A request as it stands on the wire, for what the SDK would not send. */
const raw = (method: string, path: string, headers: Record<string, string>, body: Buffer | string = '') =>
  fetch(`${s3.endpoint}${path}`, {
    method,
    headers: { authorization: `AWS4-HMAC-SHA256 Credential=${caller.accessKeyId}/x`, ...headers },
    ...(method === 'PUT' || method === 'POST' ? { body } : {}),
  });

const bytesOf = async (body: { transformToByteArray(): Promise<Uint8Array> } | undefined): Promise<Buffer> =>
  Buffer.from((await body?.transformToByteArray()) ?? new Uint8Array());

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

describe('PutObject refuses', () => {
  test('a body that is not what its headers promise, and nothing becomes visible', async () => {
    const unsigned = { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' };
    const attempts: [Record<string, string>, string][] = [
      [{ 'x-amz-content-sha256': sha256('other') }, 'XAmzContentSHA256Mismatch'],
      [{ ...unsigned, 'content-md5': createHash('md5').update('other').digest('base64') }, 'BadDigest'],
      [{ ...unsigned, 'content-md5': 'short' }, 'InvalidDigest'],
      [{ ...unsigned, 'x-amz-checksum-crc32': 'AAAAAA==' }, 'BadDigest'],
      [{ ...unsigned, 'x-amz-checksum-sha256': Buffer.from(sha256('other'), 'hex').toString('base64') }, 'BadDigest'],
      [{ ...unsigned, 'x-amz-checksum-crc32': 'AAAA' }, 'InvalidRequest'],
      [{ ...unsigned, 'x-amz-checksum-crc32': 'AAAAAA==', 'x-amz-checksum-sha256': 'AA==' }, 'InvalidRequest'],
      [{ ...unsigned, 'x-amz-sdk-checksum-algorithm': 'CRC32' }, 'InvalidRequest'],
      [{ 'x-amz-content-sha256': 'nonsense' }, 'InvalidArgument'],
      [{}, 'InvalidRequest'],
      [{ ...unsigned, 'x-amz-meta-long': 'x'.repeat(2048) }, 'MetadataTooLarge'],
      [{ ...unsigned, 'x-amz-checksum-crc64nvme': 'AAAAAAAAAAA=' }, 'NotImplemented'],
      [{ 'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD' }, 'NotImplemented'],
      [{ ...unsigned, 'x-amz-acl': 'public-read' }, 'NotImplemented'],
      [{ ...unsigned, 'x-amz-tagging': 'a=b' }, 'NotImplemented'],
      [{ ...unsigned, 'x-amz-storage-class': 'GLACIER' }, 'NotImplemented'],
      [{ ...unsigned, 'x-amz-object-lock-mode': 'COMPLIANCE' }, 'NotImplemented'],
    ];
    for (const [headers, code] of attempts) {
      const response = await raw('PUT', `/${BUCKET}/a`, headers, 'body');
      expect([headers, await response.text()]).toEqual([headers, expect.stringContaining(`<Code>${code}</Code>`)]);
    }
    await expect(get('a')).rejects.toMatchObject({ name: 'NoSuchKey' });
  });

  test('malformed and mendacious aws-chunked bodies', async () => {
    const attempts: [string, string][] = [
      ['4\r\nbody\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n', 'BadDigest'],
      ['4\r\nbody\r\n0\r\n\r\n', 'MalformedTrailerError'],
      ['3\r\nbody\r\n0\r\n\r\n', 'InvalidRequest'],
      ['z\r\nbody\r\n', 'InvalidRequest'],
      ['4;chunk-signature=00\r\nbody\r\n', 'InvalidRequest'],
      ['4\r\nbody\r\n', 'IncompleteBody'],
      ['3\r\nbod\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n', 'IncompleteBody'],
      ['4\r\nbody\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\nmore', 'InvalidRequest'],
    ];
    for (const [body, code] of attempts) {
      const headers = {
        'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
        'x-amz-decoded-content-length': '4',
        'x-amz-trailer': 'x-amz-checksum-crc32',
      };
      const response = await raw('PUT', `/${BUCKET}/a`, headers, body);
      expect([body, await response.text()]).toEqual([body, expect.stringContaining(`<Code>${code}</Code>`)]);
    }
  });

  test('a malformed body, taking what follows off the wire, so that the connection stays usable', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const send = (body: Buffer) =>
      new Promise<string>((resolve, reject) => {
        const request = httpRequest(`${s3.endpoint}/${BUCKET}/a`, {
          agent,
          method: 'PUT',
          headers: {
            authorization: `Credential=${caller.accessKeyId}/x`,
            'content-length': body.length,
            'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
            'x-amz-decoded-content-length': '4',
          },
        });
        request.on('error', reject);
        request.on('response', (response) => {
          void response.toArray().then((chunks) => {
            resolve(Buffer.concat(chunks).toString());
          });
        });
        request.end(body);
      });
    expect(await send(Buffer.alloc(8_000_000, 'z\r\n'))).toContain('<Code>InvalidRequest</Code>');
    expect(await send(Buffer.from('4\r\nbody\r\n0\r\n\r\n'))).toBe('');
    expect(await get('a')).toBe('body');
    agent.destroy();
  });

  test('a caller whom no policy allows, before the body is read', async () => {
    s3.gate.denied = ({ action }) => action === 's3:PutObject';
    await expect(put('a', 'body')).rejects.toMatchObject({ name: 'AccessDenied', $metadata: { httpStatusCode: 403 } });
  });

  test('an upload without length, one beyond 5 GiB, and a key beyond 1,024 bytes', async () => {
    const headers = { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD', 'content-length': String(5 * 1024 ** 3 + 1) };
    const answer = await new Promise<string>((resolve, reject) => {
      const request = httpRequest(`${s3.endpoint}/${BUCKET}/a`, {
        method: 'PUT',
        headers: { ...headers, authorization: `Credential=${caller.accessKeyId}/x` },
      });
      request.on('response', (response) => {
        void response.toArray().then((chunks) => {
          resolve(Buffer.concat(chunks).toString());
          request.destroy();
        });
      });
      request.on('error', reject);
      request.flushHeaders();
    });
    expect(answer).toContain('<Code>EntityTooLarge</Code>');
    await expect(put('ü'.repeat(513), 'x')).rejects.toMatchObject({ name: 'KeyTooLongError' });
    const chunked = { 'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER' };
    expect((await raw('PUT', `/${BUCKET}/a`, chunked, 'x')).status).toBe(411);
  });

  test('to overwrite under If-None-Match, and to replace another object under If-Match', async () => {
    const { ETag } = await put('a', 'first', { IfNoneMatch: '*' });
    await expect(put('a', 'second', { IfNoneMatch: '*' })).rejects.toMatchObject({
      name: 'PreconditionFailed',
      $metadata: { httpStatusCode: 412 },
    });
    await expect(put('a', 'second', { IfMatch: '"0"' })).rejects.toMatchObject({ name: 'PreconditionFailed' });
    await expect(put('b', 'second', { IfMatch: ETag })).rejects.toMatchObject({ name: 'NoSuchKey' });
    expect(await get('a')).toBe('first');
    await put('a', 'second', { IfMatch: ETag });
    expect(await get('a')).toBe('second');
    await expect(put('a', 'x', { IfNoneMatch: '"etag"' })).rejects.toMatchObject({ name: 'NotImplemented' });
  });

  test('a conditional write during which the object was deleted', async () => {
    await put('a', 'first');
    const body = new Readable({ read: () => undefined });
    const attempt = put('a', body, { IfNoneMatch: '*', ContentLength: 6 });
    body.push('sec');
    while (!s3.gate.asked.some(({ context }) => context?.['s3:if-none-match'] === '*')) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await s3.client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: 'a' }));
    body.push('ond');
    body.push(null);
    await expect(attempt).rejects.toMatchObject({
      name: 'ConditionalRequestConflict',
      $metadata: { httpStatusCode: 409 },
    });
    await expect(get('a')).rejects.toMatchObject({ name: 'NoSuchKey' });
  });

  test('one of two conditional writes that race', async () => {
    const results = await Promise.allSettled(
      Array.from({ length: 8 }, (_, index) => put('a', `writer ${index}`, { IfNoneMatch: '*' })),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  test('a bucket that is not there, or of another owner', async () => {
    await expect(put('a', 'x', { Bucket: 'nobodys' })).rejects.toMatchObject({ name: 'NoSuchBucket' });
    await expect(put('a', 'x', { ExpectedBucketOwner: '444455556666' })).rejects.toMatchObject({
      name: 'AccessDenied',
    });
  });
});

describe('GetObject and HeadObject refuse', () => {
  test('to tell a caller who may not list the bucket that a key is missing', async () => {
    await expect(get('missing')).rejects.toMatchObject({ name: 'NoSuchKey', $metadata: { httpStatusCode: 404 } });
    const head = new HeadObjectCommand({ Bucket: BUCKET, Key: 'missing' });
    await expect(s3.client.send(head)).rejects.toMatchObject({ name: 'NotFound' });
    s3.gate.denied = ({ action, resource }) => action === 's3:ListBucket' && resource === `arn:aws:s3:::${BUCKET}`;
    await expect(get('missing')).rejects.toMatchObject({ name: 'AccessDenied', $metadata: { httpStatusCode: 403 } });
    await expect(s3.client.send(head)).rejects.toMatchObject({ $metadata: { httpStatusCode: 403 } });
  });

  test('a caller whom no policy allows', async () => {
    await put('a', 'x');
    s3.gate.denied = ({ action }) => action === 's3:GetObject';
    await expect(get('a')).rejects.toMatchObject({ name: 'AccessDenied' });
    const head = await raw('HEAD', `/${BUCKET}/a`, {});
    expect([head.status, await head.text()]).toEqual([403, '']);
  });

  test('ranges beyond the end, several ranges, versions, parts and conditions', async () => {
    await put('a', 'twelve bytes');
    await expect(get('a', { Range: 'bytes=12-' })).rejects.toMatchObject({ name: 'InvalidRange' });
    await expect(get('a', { Range: 'bytes=-0' })).rejects.toMatchObject({ name: 'InvalidRange' });
    for (const extra of [
      { Range: 'bytes=0-1,3-4' },
      { VersionId: 'null' },
      { PartNumber: 1 },
      { IfNoneMatch: '*' },
      { IfModifiedSince: new Date() },
    ]) {
      await expect(get('a', extra)).rejects.toMatchObject({
        name: 'NotImplemented',
        $metadata: { httpStatusCode: 501 },
      });
    }
  });
});

test('DeleteObject refuses a caller whom no policy allows, conditions, and versions', async () => {
  await put('a', 'x');
  const remove = (extra = {}) => s3.client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: 'a', ...extra }));
  await expect(remove({ IfMatch: '"x"' })).rejects.toMatchObject({ name: 'NotImplemented' });
  await expect(remove({ VersionId: 'v' })).rejects.toMatchObject({ name: 'NotImplemented' });
  s3.gate.denied = ({ action }) => action === 's3:DeleteObject';
  await expect(remove()).rejects.toMatchObject({ name: 'AccessDenied' });
  expect(await get('a')).toBe('x');
});

test('ListObjectsV2 refuses a caller whom no policy allows, delimiters and bad tokens; ListObjects is not there', async () => {
  const list = (extra = {}) => s3.client.send(new ListObjectsV2Command({ Bucket: BUCKET, ...extra }));
  await expect(list({ Delimiter: '/' })).rejects.toMatchObject({ name: 'NotImplemented' });
  await expect(list({ ContinuationToken: '***' })).rejects.toMatchObject({ name: 'InvalidArgument' });
  await expect(list({ MaxKeys: -1 })).rejects.toMatchObject({ name: 'InvalidArgument' });
  await expect(s3.client.send(new ListObjectsCommand({ Bucket: BUCKET }))).rejects.toMatchObject({
    name: 'NotImplemented',
  });
  const copy = new CopyObjectCommand({ Bucket: BUCKET, Key: 'b', CopySource: `${BUCKET}/a` });
  await expect(s3.client.send(copy)).rejects.toMatchObject({ name: 'NotImplemented' });
  s3.gate.denied = ({ context }) => context?.['s3:prefix'] !== 'mine/';
  await expect(list({ Prefix: 'yours/' })).rejects.toMatchObject({ name: 'AccessDenied' });
  await expect(list({ Prefix: 'mine/' })).resolves.toMatchObject({ KeyCount: 0 });
});

test('an upload that is cut off leaves nothing behind', async () => {
  await new Promise<void>((resolve) => {
    const request = httpRequest(`${s3.endpoint}/${BUCKET}/cut`, {
      method: 'PUT',
      headers: {
        'content-length': '1000000',
        'x-amz-content-sha256': 'UNSIGNED-PAYLOAD',
        authorization: `Credential=${caller.accessKeyId}/x`,
      },
    });
    request.on('error', () => undefined);
    request.on('close', resolve);
    request.write(Buffer.alloc(300_000), () => {
      request.destroy();
    });
  });
  await expect(get('cut')).rejects.toMatchObject({ name: 'NoSuchKey' });
  await put('cut', 'whole');
  expect(await get('cut')).toBe('whole');
});

describe('an object', () => {
  test('comes back as it was put, with what was said of it', async () => {
    const written = await put('report', Buffer.from('body'), {
      ContentType: 'text/plain',
      ContentDisposition: 'inline',
      CacheControl: 'no-store',
      Metadata: { digest: 'abc' },
    });
    expect(written.ETag).toBe(`"${createHash('md5').update('body').digest('hex')}"`);
    expect(written.ServerSideEncryption).toBe('AES256');
    const read = await s3.client.send(new GetObjectCommand({ Bucket: BUCKET, Key: 'report' }));
    expect(await read.Body?.transformToString()).toBe('body');
    const head = await s3.client.send(
      new HeadObjectCommand({ Bucket: BUCKET, Key: 'report', ChecksumMode: 'ENABLED' }),
    );
    for (const answer of [read, head]) {
      expect(answer).toMatchObject({
        ContentType: 'text/plain',
        ContentDisposition: 'inline',
        CacheControl: 'no-store',
        ContentLength: 4,
        ETag: written.ETag,
        Metadata: { digest: 'abc' },
        AcceptRanges: 'bytes',
      });
    }
    expect(head.ChecksumCRC32).toBe(written.ChecksumCRC32);
    expect(head.ChecksumType).toBe('FULL_OBJECT');
  });

  test('may be streamed in, with a trailing checksum, and read in ranges', async () => {
    const bytes = Buffer.alloc(300_000, 'abcdefg');
    await put('big', Readable.from([bytes.subarray(0, 100_000), bytes.subarray(100_000)]), {
      ContentLength: bytes.length,
      ContentEncoding: 'gzip',
      ChecksumAlgorithm: 'SHA256',
    });
    const whole = await s3.client.send(new GetObjectCommand({ Bucket: BUCKET, Key: 'big' }));
    expect((await bytesOf(whole.Body)).equals(bytes)).toBe(true);
    expect(whole.ContentEncoding).toBe('gzip');
    expect(whole.ChecksumSHA256).toBe(createHash('sha256').update(bytes).digest('base64'));
    const parts: [string, number, number][] = [
      ['bytes=0-9', 0, 10],
      ['bytes=299990-400000', 299_990, 300_000],
      ['bytes=150000-', 150_000, 300_000],
      ['bytes=-5', 299_995, 300_000],
    ];
    for (const [Range, from, to] of parts) {
      const part = await s3.client.send(new GetObjectCommand({ Bucket: BUCKET, Key: 'big', Range }));
      expect((await bytesOf(part.Body)).equals(bytes.subarray(from, to))).toBe(true);
      expect(part.ContentRange).toBe(`bytes ${from}-${to - 1}/300000`);
    }
  });

  test('may be empty', async () => {
    await put('empty', '');
    expect(await get('empty')).toBe('');
    await expect(get('empty', { Range: 'bytes=0-0' })).rejects.toMatchObject({ name: 'InvalidRange' });
  });

  test('is deleted, and deleting it again succeeds', async () => {
    await put('a', 'x');
    const remove = new DeleteObjectCommand({ Bucket: BUCKET, Key: 'a' });
    await s3.client.send(remove);
    await expect(get('a')).rejects.toMatchObject({ name: 'NoSuchKey' });
    await expect(s3.client.send(remove)).resolves.toMatchObject({ $metadata: { httpStatusCode: 204 } });
  });

  test('is read to its end though it is replaced meanwhile', async () => {
    const before = Buffer.alloc(2_000_000, 'a');
    await put('a', before);
    const { Body } = await s3.client.send(new GetObjectCommand({ Bucket: BUCKET, Key: 'a' }));
    await put('a', 'after');
    expect((await bytesOf(Body)).equals(before)).toBe(true);
    expect(await get('a')).toBe('after');
  });

  test('may have any key', async () => {
    const keys = [
      '../../etc/passwd',
      'a b+c&d<e>',
      'Валіза/дело №1',
      '/leading//double/',
      '..',
      'quo\'te"',
      'x'.repeat(1024),
      '%2F',
      '\u0001bell',
    ];
    for (const key of keys) await put(key, `of ${key}`);
    for (const key of keys) expect(await get(key)).toBe(`of ${key}`);
    const { Contents = [] } = await s3.client.send(new ListObjectsV2Command({ Bucket: BUCKET }));
    const listed = Contents.map(({ Key }) => Key);
    expect(listed.filter((key) => !key?.includes('\u0001')).sort()).toEqual(
      keys.filter((key) => !key.includes('\u0001')).sort(),
    );
  });
});

test('listing is in order of keys, by pages, with a prefix', async () => {
  for (const key of ['b/2', 'a/1', 'b/10', 'b/1', 'c']) await put(key, key);
  const found: (string | undefined)[] = [];
  let ContinuationToken: string | undefined;
  do {
    const page = await s3.client.send(
      new ListObjectsV2Command({ Bucket: BUCKET, Prefix: 'b/', MaxKeys: 2, ContinuationToken }),
    );
    found.push(...(page.Contents ?? []).map(({ Key }) => Key));
    ContinuationToken = page.NextContinuationToken;
    expect(page.IsTruncated).toBe(ContinuationToken !== undefined);
  } while (ContinuationToken !== undefined);
  expect(found).toEqual(['b/1', 'b/10', 'b/2']);
});

import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  UploadPartCommand,
  type PutObjectCommandInput,
} from '@aws-sdk/client-s3';
import { AccessDenied } from '../../local/iam/policy.ts';
import { ServiceError } from '../../local/service.ts';
import { KmsService } from '../../local/services/kms/service.ts';
import { ACCOUNT, REGION, create } from '../support/kms-s3-server.ts';
import { BUCKET, S3Fixture, caller } from '../support/s3-fixture.ts';

const KEY_ID = '1234abcd-12ab-34cd-56ef-1234567890ab';
const KEY_ARN = `arn:aws:kms:${REGION}:${ACCOUNT}:key/${KEY_ID}`;

const kms = (bucketKey: boolean) => ({
  BucketEncryption: {
    ServerSideEncryptionConfiguration: [
      {
        ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: KEY_ARN },
        BucketKeyEnabled: bucketKey,
      },
    ],
  },
});

let s3: S3Fixture;

beforeEach(async () => {
  s3 = await S3Fixture.start();
});
afterEach(() => s3.stop());

const put = (extra: Partial<PutObjectCommandInput> = {}) =>
  s3.client.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'a', Body: 'body', ...extra }));
const get = () => s3.client.send(new GetObjectCommand({ Bucket: BUCKET, Key: 'a' }));

describe('under SSE-KMS', () => {
  test('a caller without leave to use the key is refused, and a key that cannot be used', async () => {
    await s3.bucket(kms(false));
    s3.onKeyUse = ({ actions }) => {
      if (!actions.includes('kms:GenerateDataKey')) return;
      throw new AccessDenied({ caller, action: 'kms:GenerateDataKey', resource: KEY_ARN }, 'no policy allows it');
    };
    await expect(put()).rejects.toMatchObject({ name: 'AccessDenied', message: expect.stringContaining(KEY_ARN) });
    s3.onKeyUse = () => undefined;
    await put();
    s3.onKeyUse = () => {
      throw new ServiceError('DisabledException', `${KEY_ARN} is disabled.`);
    };
    await expect(get()).rejects.toMatchObject({ name: 'KMS.DisabledException', $metadata: { httpStatusCode: 400 } });
  });

  test('KMS is asked with the ARN of the object as context, or of the bucket where it has a bucket key', async () => {
    await s3.bucket(kms(false));
    const written = await put();
    expect(written).toMatchObject({ ServerSideEncryption: 'aws:kms', SSEKMSKeyId: KEY_ARN });
    expect(written.BucketKeyEnabled).toBeUndefined();
    expect(written.ETag).not.toBe('"841a2d689ad86bd1611447453c22c6fc"');
    await get();
    const use = { caller, keyId: KEY_ARN, viaService: 's3' };
    const encryptionContext = { 'aws:s3:arn': `arn:aws:s3:::${BUCKET}/a` };
    expect(s3.keyUses).toEqual([
      { ...use, actions: ['kms:GenerateDataKey'], encryptionContext },
      { ...use, actions: ['kms:Decrypt'], encryptionContext },
    ]);
    await s3.bucket(kms(true));
    expect(await put()).toMatchObject({ BucketKeyEnabled: true });
    expect(s3.keyUses.at(-1)?.encryptionContext).toEqual({ 'aws:s3:arn': `arn:aws:s3:::${BUCKET}` });
  });

  test('a multipart upload needs to generate a data key to begin, and to decrypt for each part and at its end', async () => {
    await s3.bucket(kms(true));
    const upload = { Bucket: BUCKET, Key: 'a' };
    const { UploadId } = await s3.client.send(new CreateMultipartUploadCommand(upload));
    const part = { ...upload, UploadId, PartNumber: 1 };
    const { ETag } = await s3.client.send(new UploadPartCommand({ ...part, Body: 'body' }));
    const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
    await s3.client.send(new CompleteMultipartUploadCommand({ ...upload, UploadId, MultipartUpload }));
    expect(s3.keyUses.map(({ actions }) => actions)).toEqual([
      ['kms:GenerateDataKey'],
      ['kms:Decrypt'],
      ['kms:Decrypt'],
    ]);
  });

  test('headers choose another key, and what they cannot choose is refused', async () => {
    await s3.bucket();
    const head = new HeadObjectCommand({ Bucket: BUCKET, Key: 'a' });
    await put({ ServerSideEncryption: 'aws:kms', SSEKMSKeyId: KEY_ID, BucketKeyEnabled: true });
    expect(await s3.client.send(head)).toMatchObject({ SSEKMSKeyId: KEY_ARN, BucketKeyEnabled: true });
    await expect(put({ ServerSideEncryption: 'aws:kms' })).rejects.toMatchObject({ name: 'NotImplemented' });
    await expect(put({ ServerSideEncryption: 'aws:kms:dsse' })).rejects.toMatchObject({ name: 'NotImplemented' });
    await expect(put({ ServerSideEncryption: 'aws:kms', SSEKMSKeyId: 'alias/x' })).rejects.toMatchObject({
      name: 'NotImplemented',
    });
    await expect(put({ SSEKMSKeyId: KEY_ID })).rejects.toMatchObject({ name: 'InvalidArgument' });
    // The value is wrong on purpose.
    await expect(put({ ServerSideEncryption: 'ROT13' as never })).rejects.toMatchObject({
      name: 'InvalidEncryptionAlgorithmError',
    });
    const SSECustomerKey = Buffer.alloc(32).toString('base64');
    await expect(put({ SSECustomerAlgorithm: 'AES256', SSECustomerKey })).rejects.toMatchObject({
      name: 'NotImplemented',
    });
  });

  test('the KMS service is asked through S3, and its errors are those of S3', async () => {
    const service = new KmsService(s3.host);
    s3.onKeyUse = (use) => {
      service.assertUsable(use);
    };
    await s3.bucket(kms(false));
    await expect(put()).rejects.toMatchObject({ name: 'KMS.NotFoundException' });
    const { attributes } = await create(s3.host, service.types, 'AWS::KMS::Key', {});
    await put({ ServerSideEncryption: 'aws:kms', SSEKMSKeyId: attributes['Arn'] });
    expect(s3.gate.last('kms:GenerateDataKey')).toMatchObject({
      resource: attributes['Arn'],
      mode: 'key',
      context: {
        'kms:ViaService': `s3.${REGION}.amazonaws.com`,
        'kms:EncryptionContext:aws:s3:arn': `arn:aws:s3:::${BUCKET}/a`,
      },
    });
    s3.gate.denied = ({ action }) => action === 'kms:Decrypt';
    await expect(get()).rejects.toMatchObject({ name: 'AccessDenied', $metadata: { httpStatusCode: 403 } });
  });
});

describe('policies are asked', () => {
  test('about the object, with the policy of the bucket, and with what the request says', async () => {
    await s3.bucket(kms(true));
    const deny = {
      Effect: 'Deny',
      Principal: '*',
      Action: 's3:*',
      Resource: [`arn:aws:s3:::${BUCKET}`, `arn:aws:s3:::${BUCKET}/*`],
      Condition: { Bool: { 'aws:SecureTransport': 'false' } },
    };
    await s3.policy(deny);
    await put({ ServerSideEncryption: 'aws:kms', SSEKMSKeyId: KEY_ARN, IfNoneMatch: '*' });
    const { resource, resourcePolicy, context, mode } = s3.gate.last('s3:PutObject');
    expect(resource).toBe(`arn:aws:s3:::${BUCKET}/a`);
    expect(resourcePolicy?.Statement).toEqual([deny]);
    expect(mode ?? 'union').toBe('union');
    expect(context).toMatchObject({
      's3:authType': 'REST-HEADER',
      's3:signatureversion': 'AWS4-HMAC-SHA256',
      's3:x-amz-server-side-encryption': 'aws:kms',
      's3:x-amz-server-side-encryption-aws-kms-key-id': KEY_ARN,
      's3:if-none-match': '*',
      's3:ObjectCreationOperation': 'true',
    });
    expect(Number(context?.['s3:signatureAge'])).toBeLessThan(60_000);
  });

  test('without the default of the bucket, which is applied after them', async () => {
    await s3.bucket(kms(true));
    await put();
    expect(s3.gate.last('s3:PutObject').context?.['s3:x-amz-server-side-encryption']).toBeUndefined();
  });

  test('about reading too, where If-Match compares with what is there', async () => {
    await s3.bucket();
    const { ETag } = await put();
    s3.gate.denied = ({ action }) => action === 's3:GetObject';
    await expect(put({ IfMatch: ETag })).rejects.toMatchObject({ name: 'AccessDenied' });
  });
});

describe('a presigned URL', () => {
  test('reads, with the headers that it overrides, and tells policies how old its signature is', async () => {
    await s3.bucket();
    await put({ ContentType: 'text/plain' });
    const url = await getSignedUrl(
      s3.client,
      new GetObjectCommand({
        Bucket: BUCKET,
        Key: 'a',
        ResponseContentDisposition: 'attachment; filename="a.txt"',
        ResponseContentType: 'application/octet-stream',
      }),
      { expiresIn: 60 },
    );
    await s3.clock.advance(10_000);
    const response = await fetch(url);
    expect(await response.text()).toBe('body');
    expect(response.headers.get('content-disposition')).toBe('attachment; filename="a.txt"');
    expect(response.headers.get('content-type')).toBe('application/octet-stream');
    const { context } = s3.gate.last('s3:GetObject');
    expect(context).toMatchObject({
      's3:authType': 'REST-QUERY-STRING',
      's3:x-amz-content-sha256': 'UNSIGNED-PAYLOAD',
    });
    expect(Number(context?.['s3:signatureAge'])).toBeGreaterThanOrEqual(10_000);
  });

  test('writes what its parameters say, and refuses what they do not fit', async () => {
    await s3.bucket();
    const sign = (extra: Partial<PutObjectCommandInput>) =>
      getSignedUrl(s3.client, new PutObjectCommand({ Bucket: BUCKET, Key: 'a', ...extra }), { expiresIn: 60 });
    const send = async (url: string) => fetch(url, { method: 'PUT', body: 'body' });
    // The presigner computes the checksum of no body at all; S3 holds the upload to it.
    expect(await (await send(await sign({}))).text()).toContain('<Code>BadDigest</Code>');
    const url = new URL(await sign({ ChecksumCRC32: 'MjIegA==' }));
    url.searchParams.set('x-amz-checksum-crc32', 'AAAAAA==');
    expect(await (await send(url.href)).text()).toContain('<Code>BadDigest</Code>');
    url.searchParams.delete('x-amz-checksum-crc32');
    url.searchParams.delete('x-amz-sdk-checksum-algorithm');
    expect((await send(url.href)).status).toBe(200);
    url.searchParams.set('x-amz-acl', 'public-read');
    expect((await send(url.href)).status).toBe(501);
    expect(await (await get()).Body?.transformToString()).toBe('body');
  });
});

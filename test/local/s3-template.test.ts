import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { S3Service } from '../../local/services/s3/service.ts';
import { ACCOUNT, create, REGION } from '../support/kms-s3-server.ts';
import { BUCKET, S3Fixture, caller } from '../support/s3-fixture.ts';

const HOUR = 60 * 60 * 1000;
const DAY = 24 * HOUR;

let s3: S3Fixture;
let directory: string;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 's3-test-'));
  s3 = await S3Fixture.start(directory);
});
afterEach(async () => {
  await s3.stop();
  rmSync(directory, { recursive: true });
});

const put = (Key: string, Body = Key) => s3.client.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body }));
const get = async (Key: string) =>
  (await s3.client.send(new GetObjectCommand({ Bucket: BUCKET, Key }))).Body?.transformToString();
const keys = async () =>
  (await s3.client.send(new ListObjectsV2Command({ Bucket: BUCKET }))).Contents?.map(({ Key }) => Key) ?? [];
const files = (kind: 'data' | 'objects' | 'uploads') => readdirSync(join(directory, 's3', BUCKET, kind));

describe('a bucket is refused', () => {
  test.each([
    ['VersioningConfiguration', { Status: 'Enabled' }],
    ['ObjectLockEnabled', true],
    ['LoggingConfiguration', {}],
    ['CorsConfiguration', { CorsRules: [] }],
    ['NotificationConfiguration', {}],
    ['AccessControl', 'PublicRead'],
    ['OwnershipControls', { Rules: [{ ObjectOwnership: 'ObjectWriter' }] }],
    ['LifecycleConfiguration', { Rules: [{ Status: 'Enabled' }] }],
    ['LifecycleConfiguration', { Rules: [{ Status: 'Enabled', Transitions: [] }] }],
    ['LifecycleConfiguration', { Rules: [{ Status: 'Enabled', ObjectSizeLessThan: 0, ExpirationInDays: 1 }] }],
    ['LifecycleConfiguration', { Rules: [{ Status: 'Enabled', ObjectSizeGreaterThan: 1, ExpirationInDays: 1 }] }],
    [
      'BucketEncryption',
      { ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms' } }] },
    ],
  ])('with %s %j', async (name, value) => {
    await expect(s3.bucket({ [name]: value })).rejects.toMatchObject({ status: 501 });
  });

  test('with a name against the rules, or one that another resource has', async () => {
    for (const name of ['Upper', 'a', '..', '../x', 'a..b', '192.168.1.1', 'xn--a', 'a'.repeat(64)]) {
      await expect(s3.bucket({}, name)).rejects.toMatchObject({ name: 'InvalidBucketName' });
    }
    await s3.bucket();
    const properties = { BucketName: BUCKET };
    await expect(create(s3.host, s3.service.types, 'AWS::S3::Bucket', properties, 'Other')).rejects.toMatchObject({
      name: 'BucketAlreadyOwnedByYou',
    });
  });
});

test('a bucket has a name of its own, and its attributes', async () => {
  expect(await create(s3.host, s3.service.types, 'AWS::S3::Bucket', {}, 'Deposits')).toEqual({
    ref: 'stack-deposits',
    attributes: {
      Arn: 'arn:aws:s3:::stack-deposits',
      DomainName: 'stack-deposits.s3.amazonaws.com',
      RegionalDomainName: `stack-deposits.s3.${REGION}.amazonaws.com`,
    },
  });
});

describe('a bucket policy is refused', () => {
  const allow = {
    Effect: 'Allow',
    Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` },
    Action: 's3:GetObject',
    Resource: `arn:aws:s3:::${BUCKET}/*`,
  };

  test.each([
    ['of another bucket', { ...allow, Resource: `arn:aws:s3:::${BUCKET}s/*` }],
    ['for everything', { ...allow, Resource: '*' }],
    ['with actions of another service', { ...allow, Action: 'sqs:SendMessage' }],
    ['for a role of another account', { ...allow, Principal: { AWS: 'arn:aws:iam::444455556666:role/x' } }],
    ['with an unknown element', { ...allow, When: 'always' }],
  ])('%s', async (_, statement) => {
    await s3.bucket();
    await expect(s3.policy(statement)).rejects.toMatchObject({ name: 'MalformedPolicy' });
  });

  test('where it would make the bucket public', async () => {
    await s3.bucket();
    const everyone = { ...allow, Principal: '*' };
    const loose = { ...everyone, Condition: { StringLike: { 'aws:PrincipalArn': '*' } } };
    await expect(s3.policy(everyone)).rejects.toMatchObject({ name: 'AccessDenied' });
    await expect(s3.policy(loose)).rejects.toMatchObject({ name: 'AccessDenied' });
    await s3.policy({ ...everyone, Condition: { StringEquals: { 'aws:PrincipalAccount': ACCOUNT } } });
    await s3.bucket({ PublicAccessBlockConfiguration: { BlockPublicPolicy: false } });
    await s3.policy(everyone);
  });

  test('where its role is unknown, its bucket is, or the bucket has one already', async () => {
    const service = new S3Service(s3.host, { assertUsable: () => undefined }, () => false);
    await create(s3.host, service.types, 'AWS::S3::Bucket', { BucketName: 'other-bucket' });
    const policy = (Bucket: string, logicalId: string, role: string) =>
      create(
        s3.host,
        service.types,
        'AWS::S3::BucketPolicy',
        {
          Bucket,
          PolicyDocument: {
            Version: '2012-10-17',
            Statement: [{ ...allow, Principal: { AWS: role }, Resource: `arn:aws:s3:::${Bucket}/*` }],
          },
        },
        logicalId,
      );
    const ghost = `arn:aws:iam::${ACCOUNT}:role/ghost`;
    await expect(policy('other-bucket', 'A', ghost)).rejects.toMatchObject({ name: 'MalformedPolicy' });
    await expect(policy('nobodys', 'A', ACCOUNT)).rejects.toMatchObject({ name: 'NoSuchBucket' });
    expect(await policy('other-bucket', 'A', ACCOUNT)).toEqual({ ref: 'other-bucket', attributes: {} });
    await expect(policy('other-bucket', 'B', ACCOUNT)).rejects.toMatchObject({ name: 'AlreadyExists' });
  });
});

describe('lifecycle', () => {
  const Rules = [
    { Status: 'Enabled', Prefix: 'short/', ExpirationInDays: 1 },
    { Status: 'Disabled', Prefix: '', ExpirationInDays: 1 },
    { Status: 'Enabled', AbortIncompleteMultipartUpload: { DaysAfterInitiation: 2 } },
  ];

  test('removes objects some time after the midnight that follows their days, and no others', async () => {
    await s3.bucket({ LifecycleConfiguration: { Rules } });
    await put('short/a');
    await put('long/a');
    const midnight = (Math.floor(s3.clock.now() / DAY) + 2) * DAY;
    await s3.clock.advanceTo(midnight - 5000);
    expect(await keys()).toEqual(['long/a', 'short/a']);
    await s3.clock.advance(HOUR + 10_000);
    expect(await keys()).toEqual(['long/a']);
    await expect(get('short/a')).rejects.toMatchObject({ name: 'NoSuchKey' });
    expect(files('data')).toHaveLength(1);
  });

  test('removes what is small enough, where a rule says so', async () => {
    const small = { Status: 'Enabled', ObjectSizeLessThan: '1', ExpirationInDays: 1 };
    await s3.bucket({ LifecycleConfiguration: { Rules: [small] } });
    await s3.client.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'empty', Body: '' }));
    await s3.client.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'one', Body: '1' }));
    await s3.clock.advance(2 * DAY + HOUR);
    expect(await keys()).toEqual(['one']);
  });

  test('aborts uploads that nobody completed', async () => {
    await s3.bucket({ LifecycleConfiguration: { Rules } });
    const upload = { Bucket: BUCKET, Key: 'a' };
    const { UploadId } = await s3.client.send(new CreateMultipartUploadCommand(upload));
    await s3.client.send(new UploadPartCommand({ ...upload, UploadId, PartNumber: 1, Body: 'part' }));
    await s3.clock.advance(DAY);
    const uploads = async () =>
      (await s3.client.send(new ListMultipartUploadsCommand({ Bucket: BUCKET }))).Uploads ?? [];
    expect(await uploads()).toHaveLength(1);
    await s3.clock.advance(2 * DAY + HOUR);
    expect(await uploads()).toHaveLength(0);
    expect(files('data')).toHaveLength(0);
  });
});

describe('on disk', () => {
  /** A new service over the same directory, as after `kill -9`: nothing of the old one is asked to stop. */
  const restart = async () => {
    const before = s3;
    s3 = await S3Fixture.start(directory);
    await s3.bucket();
    await before.stop();
  };

  test('objects, uploads and parts survive a restart', async () => {
    await s3.bucket();
    await put('../a', 'kept');
    const upload = { Bucket: BUCKET, Key: 'b' };
    const { UploadId } = await s3.client.send(new CreateMultipartUploadCommand(upload));
    await s3.client.send(new UploadPartCommand({ ...upload, UploadId, PartNumber: 4, Body: 'part' }));
    await restart();
    expect(await get('../a')).toBe('kept');
    const parts = await s3.client.send(new ListPartsCommand({ ...upload, UploadId }));
    expect(parts.Parts?.map(({ PartNumber, Size }) => [PartNumber, Size])).toEqual([[4, 4]]);
    await put('../a', 'changed');
    await s3.client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: 'missing' }));
    expect(files('data')).toHaveLength(2);
    await s3.client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: '../a' }));
    expect(files('data')).toHaveLength(1);
    expect(files('objects')).toHaveLength(0);
  });

  test('a refused or cut off upload leaves no file, and a restart removes what a crash left', async () => {
    await s3.bucket();
    await put('a', 'a');
    await expect(
      s3.client.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'a', Body: 'b', IfNoneMatch: '*' })),
    ).rejects.toMatchObject({ name: 'PreconditionFailed' });
    expect(files('data')).toHaveLength(1);
    const cut = request(`${s3.endpoint}/${BUCKET}/cut`, {
      method: 'PUT',
      headers: {
        'content-length': '1000000',
        'x-amz-content-sha256': 'UNSIGNED-PAYLOAD',
        authorization: `Credential=${caller.accessKeyId}/x`,
      },
    });
    cut.on('error', () => undefined);
    cut.write(Buffer.alloc(300_000));
    while (files('data').length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    await restart();
    expect(files('data')).toHaveLength(1);
    cut.destroy();
    expect(await keys()).toEqual(['a']);
  });

  test('a connection that breaks takes its file with it', async () => {
    await s3.bucket();
    const cut = request(`${s3.endpoint}/${BUCKET}/cut`, {
      method: 'PUT',
      headers: {
        'content-length': '1000000',
        'x-amz-content-sha256': 'UNSIGNED-PAYLOAD',
        authorization: `Credential=${caller.accessKeyId}/x`,
      },
    });
    cut.on('error', () => undefined);
    cut.write(Buffer.alloc(300_000));
    while (files('data').length < 1) await new Promise((resolve) => setTimeout(resolve, 5));
    cut.destroy();
    while (files('data').length > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(await keys()).toEqual([]);
  });
});

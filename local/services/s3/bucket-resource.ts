import * as z from 'zod';
import type { ResourceContext, ResourceType } from '../../resource.ts';
import { notImplemented, type Host } from '../../service.ts';
import { booleanProperty, numberProperty, resourceType, tagsProperty } from '../template-properties.ts';
import type { BucketSettings, LifecycleRule } from './bucket.ts';
import { keyArn, type Encryption } from './encryption.ts';
import { s3Error } from './errors.ts';

const days = numberProperty.pipe(z.int().min(1));

const rule = z.strictObject({
  Id: z.string().max(255).optional(),
  Status: z.enum(['Enabled', 'Disabled']),
  Prefix: z.string().default(''),
  ObjectSizeLessThan: numberProperty.pipe(z.int().min(1)).optional(),
  ExpirationInDays: days.optional(),
  AbortIncompleteMultipartUpload: z.strictObject({ DaysAfterInitiation: days }).optional(),
});

const encryptionRule = z.strictObject({
  ServerSideEncryptionByDefault: z.strictObject({
    SSEAlgorithm: z.enum(['AES256', 'aws:kms']),
    KMSMasterKeyID: z.string().min(1).optional(),
  }),
  BucketKeyEnabled: booleanProperty.default(false),
});

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-s3-bucket.html */
const schema = z.strictObject({
  BucketName: z.string().optional(),
  BucketEncryption: z.strictObject({ ServerSideEncryptionConfiguration: z.tuple([encryptionRule]) }).optional(),
  PublicAccessBlockConfiguration: z
    .strictObject({
      BlockPublicAcls: booleanProperty.default(false),
      IgnorePublicAcls: booleanProperty.default(false),
      BlockPublicPolicy: booleanProperty.default(false),
      RestrictPublicBuckets: booleanProperty.default(false),
    })
    .optional(),
  // Without access control lists, which the other settings bring back.
  OwnershipControls: z
    .strictObject({ Rules: z.tuple([z.strictObject({ ObjectOwnership: z.literal('BucketOwnerEnforced') })]) })
    .optional(),
  LifecycleConfiguration: z.strictObject({ Rules: z.array(rule).min(1) }).optional(),
  Tags: tagsProperty,
});

type BucketProperties = z.output<typeof schema>;

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
function assertBucketName(name: string): void {
  const wellFormed =
    /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name) &&
    !/\.\.|^\d+(\.\d+){3}$|^(xn--|sthree-|amzn-s3-demo-)|(-s3alias|--ol-s3|\.mrap|--x-s3|--table-s3)$/.test(name);
  if (!wellFormed) throw s3Error('InvalidBucketName', `The specified bucket is not valid: ${name}`);
}

/** CloudFormation makes names in lower case. */
const generatedName = ({ physicalName }: ResourceContext): string =>
  physicalName(63)
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]/g, '-')
    .replaceAll(/^-+|-+$/g, '');

/** Every bucket is encrypted, by S3 if not otherwise. https://docs.aws.amazon.com/AmazonS3/latest/userguide/default-encryption-faq.html */
function defaultEncryption({ BucketEncryption }: BucketProperties, { account, region }: Host): Encryption {
  const configured = BucketEncryption?.ServerSideEncryptionConfiguration[0];
  const { SSEAlgorithm = 'AES256', KMSMasterKeyID } = configured?.ServerSideEncryptionByDefault ?? {};
  if (SSEAlgorithm === 'aws:kms') {
    const bucketKey = configured?.BucketKeyEnabled ?? false;
    return { algorithm: SSEAlgorithm, keyId: keyArn(KMSMasterKeyID, account, region), bucketKey };
  }
  if (KMSMasterKeyID !== undefined) {
    throw s3Error('InvalidArgument', 'a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms');
  }
  return { algorithm: 'AES256' };
}

function lifecycle({ LifecycleConfiguration }: BucketProperties): readonly LifecycleRule[] {
  return (LifecycleConfiguration?.Rules ?? []).flatMap(
    ({ Status, Prefix, ObjectSizeLessThan, ExpirationInDays, AbortIncompleteMultipartUpload }) => {
      if (ExpirationInDays === undefined && AbortIncompleteMultipartUpload === undefined) {
        throw notImplemented('a lifecycle rule without ExpirationInDays or AbortIncompleteMultipartUpload');
      }
      // An upload that is not completed has no size.
      if (ObjectSizeLessThan !== undefined && AbortIncompleteMultipartUpload !== undefined) {
        throw notImplemented('a lifecycle rule that aborts uploads by the size of objects');
      }
      return Status === 'Disabled'
        ? []
        : [
            {
              prefix: Prefix,
              sizeLessThan: ObjectSizeLessThan,
              expirationInDays: ExpirationInDays,
              abortUploadsAfterDays: AbortIncompleteMultipartUpload?.DaysAfterInitiation,
            },
          ];
    },
  );
}

/**
 * The resource type `AWS::S3::Bucket`: Ref is the name. Versioning, Object Lock, logging, CORS and notifications are not there.
 * @param create makes the bucket, or applies the settings to the one that `owner` made before
 */
export const bucketResource = (create: (name: string, owner: string, settings: BucketSettings) => void): ResourceType =>
  resourceType('AWS::S3::Bucket', schema, (properties, context) => {
    const { host, stackName, logicalId } = context;
    const name = properties.BucketName ?? generatedName(context);
    assertBucketName(name);
    create(name, `${stackName}/${logicalId}`, {
      encryption: defaultEncryption(properties, host),
      // All four are on unless the template says otherwise:
      // https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
      blockPublicPolicy: properties.PublicAccessBlockConfiguration?.BlockPublicPolicy ?? true,
      lifecycle: lifecycle(properties),
    });
    return {
      ref: name,
      attributes: {
        Arn: `arn:aws:s3:::${name}`,
        DomainName: `${name}.s3.amazonaws.com`,
        RegionalDomainName: `${name}.s3.${host.region}.amazonaws.com`,
      },
    };
  });

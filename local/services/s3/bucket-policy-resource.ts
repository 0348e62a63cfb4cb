import * as z from 'zod';
import type { ResourceType } from '../../resource.ts';
import type { PrincipalExists } from '../policy-principals.ts';
import { resourceType } from '../template-properties.ts';
import { readBucketPolicy } from './bucket-policy.ts';
import type { Bucket } from './bucket.ts';
import { s3Error } from './errors.ts';

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-s3-bucketpolicy.html */
const schema = z.strictObject({ Bucket: z.string(), PolicyDocument: z.record(z.string(), z.unknown()) });

/** The resource type `AWS::S3::BucketPolicy`: Ref is the name of the bucket, of which it is the only policy. */
export const bucketPolicyResource = (find: (name: string) => Bucket, exists: PrincipalExists): ResourceType =>
  resourceType('AWS::S3::BucketPolicy', schema, (properties, { host, stackName, logicalId }) => {
    const bucket = find(properties.Bucket);
    const owner = `${stackName}/${logicalId}`;
    if (bucket.policy !== undefined && bucket.policy.owner !== owner) {
      throw s3Error('AlreadyExists', `The bucket policy already exists on bucket ${bucket.name}.`, 409);
    }
    const document = readBucketPolicy(properties.PolicyDocument, bucket, host.account, exists);
    bucket.policy = { owner, document };
    return { ref: bucket.name, attributes: {} };
  });

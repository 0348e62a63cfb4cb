import type { PolicyDocument, Statement } from '../../iam/policy.ts';
import { PolicyProblem, validatePolicy } from '../../iam/validate.ts';
import type { ServiceError } from '../../service.ts';
import { awsPrincipals, statementsOf, unknownPrincipal, type PrincipalExists } from '../policy-principals.ts';
import type { Bucket } from './bucket.ts';
import { s3Error } from './errors.ts';

const malformed = (why: string): ServiceError => s3Error('MalformedPolicy', why);

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketPolicy.html */
const LONGEST_POLICY = 20 * 1024;

/**
 * Reads and checks a bucket policy as PutBucketPolicy does: form, principals, actions and resources of this bucket, and that it
 * makes nothing public where that is blocked.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/add-bucket-policy.html
 * @throws MalformedPolicy, AccessDenied (403)
 */
export function readBucketPolicy(
  value: unknown,
  bucket: Bucket,
  account: string,
  exists: PrincipalExists,
): PolicyDocument {
  if (Buffer.byteLength(JSON.stringify(value)) > LONGEST_POLICY)
    throw malformed('Policies must be smaller than 20 KB.');
  const policy = wellFormed(value);
  const stranger = unknownPrincipal(policy, account, exists);
  if (stranger !== undefined) throw malformed(`Invalid principal in policy: ${stranger}`);
  for (const { Action, NotAction, Resource, NotResource } of statementsOf(policy)) {
    const action = [Action ?? NotAction ?? []]
      .flat()
      .find((name) => name !== '*' && !name.toLowerCase().startsWith('s3:'));
    if (action !== undefined) throw malformed(`Policy has invalid action: ${action}`);
    const resource = [Resource ?? NotResource ?? []]
      .flat()
      .find((arn) => arn !== bucket.arn && !arn.startsWith(`${bucket.arn}/`));
    if (resource !== undefined) throw malformed(`Policy has invalid resource: ${resource}`);
  }
  if (bucket.settings.blockPublicPolicy && statementsOf(policy).some(isPublic)) {
    throw s3Error(
      'AccessDenied',
      'Public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access.',
      403,
    );
  }
  return policy;
}

function wellFormed(value: unknown): PolicyDocument {
  try {
    return validatePolicy(value, 'resource');
  } catch (error) {
    throw error instanceof PolicyProblem ? malformed(error.message) : error;
  }
}

/** Keys that, with fixed values, keep a statement for everyone from being public. */
const NARROWING = new Set([
  'aws:principalarn',
  'aws:principalaccount',
  'aws:principalorgid',
  'aws:sourcearn',
  'aws:sourceaccount',
  'aws:sourceowner',
  'aws:sourcevpc',
  'aws:sourcevpce',
  'aws:userid',
]);

const FIXING = /^(StringEquals|StringLike|ArnEquals|ArnLike)$/;

/**
 * Whether a statement allows everyone.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html#access-control-block-public-access-policy-status
 */
function isPublic({ Effect, Principal, Condition = {} }: Statement): boolean {
  if (Effect !== 'Allow' || !awsPrincipals(Principal).includes('*')) return false;
  return !Object.entries(Condition).some(
    ([operator, keys]) =>
      FIXING.test(operator) &&
      Object.entries(keys).some(
        ([key, values]) =>
          NARROWING.has(key.toLowerCase()) && [values].flat().every((text) => !/[*?]/.test(String(text))),
      ),
  );
}

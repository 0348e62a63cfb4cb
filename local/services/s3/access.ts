import type { ConditionContext } from '../../iam/policy.ts';
import type { S3Call } from './call.ts';
import type { SseHeaders } from './encryption.ts';

/** `20260401T120000Z` as ms since the epoch; undefined when it is not such a date. */
function signedAt(date: string | undefined): number | undefined {
  const match = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/.exec(date ?? '');
  if (match === null) return undefined;
  const [year = 0, month = 1, ...rest] = match.slice(1).map(Number);
  return Date.UTC(year, month - 1, ...rest);
}

/** Keys that every action has. https://docs.aws.amazon.com/AmazonS3/latest/API/bucket-policy-s3-sigv4-conditions.html */
function signatureContext({ host, headers, query, presigned }: S3Call): ConditionContext {
  const since = signedAt(presigned ? (query.get('X-Amz-Date') ?? undefined) : headers['x-amz-date']);
  return {
    's3:authType': presigned ? 'REST-QUERY-STRING' : 'REST-HEADER',
    's3:signatureversion': 'AWS4-HMAC-SHA256',
    's3:signatureAge': since === undefined ? undefined : String(Math.max(host.clock.now() - since, 0)),
    's3:x-amz-content-sha256': headers['x-amz-content-sha256'] ?? (presigned ? 'UNSIGNED-PAYLOAD' : undefined),
    's3:ResourceAccount': host.account,
  };
}

/**
 * Keys of s3:PutObject. Encryption is what the request asks for (a part: what its upload asked for), not the default of the bucket: policies are evaluated first.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/default-bucket-encryption.html
 * `s3:ObjectCreationOperation` tells the requests that create an object from those that only begin or continue an upload.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes-enforce.html
 */
export const writeContext = ({ headers }: S3Call, requested: SseHeaders, creates: boolean): ConditionContext => ({
  's3:x-amz-server-side-encryption': requested.algorithm,
  's3:x-amz-server-side-encryption-aws-kms-key-id': requested.keyId,
  's3:x-amz-storage-class': headers['x-amz-storage-class'],
  's3:if-none-match': headers['if-none-match'],
  's3:if-match': headers['if-match'],
  's3:ObjectCreationOperation': String(creates),
});

/** @throws AccessDenied unless an identity or the bucket's policy allows the action on the object, or for bucket actions on the bucket */
export function authorize(
  call: S3Call,
  action: string,
  context: ConditionContext = {},
  on: 'object' | 'bucket' = 'object',
): void {
  const { host, caller, bucket, key } = call;
  host.authorize({
    caller,
    action,
    resource: on === 'bucket' ? bucket.arn : `${bucket.arn}/${key}`,
    context: { ...signatureContext(call), ...context },
    ...(bucket.policy === undefined ? {} : { resourcePolicy: bucket.policy.document }),
  });
}

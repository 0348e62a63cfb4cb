import { ServiceError, notImplemented } from '../../service.ts';
import { invalidArgument, s3Error } from './errors.ts';
import type { S3Call } from './call.ts';

/** How an object is said to be encrypted at rest; `keyId` is the ARN of a KMS key. On a laptop nothing is. */
export type Encryption =
  | { readonly algorithm: 'AES256' }
  | { readonly algorithm: 'aws:kms'; readonly keyId: string; readonly bucketKey: boolean };

const SSE = 'x-amz-server-side-encryption';
const KEY_ID = `${SSE}-aws-kms-key-id`;
const BUCKET_KEY = `${SSE}-bucket-key-enabled`;

/** What a request itself asks for, whatever the bucket's default. */
export interface SseHeaders {
  readonly algorithm: string | undefined;
  readonly keyId: string | undefined;
}

export const sseHeaders = (headers: S3Call['headers']): SseHeaders => ({
  algorithm: headers[SSE],
  keyId: headers[KEY_ID],
});

/** @throws NotImplemented for an alias, and for no key at all, which means the AWS managed key */
export function keyArn(keyId: string | undefined, account: string, region: string): string {
  if (keyId === undefined) throw notImplemented('S3 encryption with the AWS managed key aws/s3');
  if (/^(arn:.*:)?alias\//.test(keyId)) throw notImplemented('an alias as key of S3 encryption');
  return keyId.startsWith('arn:') ? keyId : `arn:aws:kms:${region}:${account}:key/${keyId}`;
}

/**
 * What a PutObject or CreateMultipartUpload asks for: by its headers, or else by the default of the bucket.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/specifying-kms-encryption.html
 */
export function chooseEncryption({ headers, bucket, host }: S3Call): Encryption {
  const algorithm = headers[SSE];
  const keyId = headers[KEY_ID];
  const bucketKey = headers[BUCKET_KEY];
  if (bucketKey !== undefined && bucketKey !== 'true' && bucketKey !== 'false') {
    throw invalidArgument('The bucket key setting must be true or false.', BUCKET_KEY, bucketKey);
  }
  const preset = bucket.settings.encryption;
  const withBucketKey = (byDefault: boolean): boolean => (bucketKey === undefined ? byDefault : bucketKey === 'true');
  if (algorithm === 'aws:kms') {
    const bucketDefault = preset.algorithm === 'aws:kms' && preset.bucketKey;
    return { algorithm, keyId: keyArn(keyId, host.account, host.region), bucketKey: withBucketKey(bucketDefault) };
  }
  if (keyId !== undefined) {
    const message =
      'Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms';
    throw invalidArgument(message, SSE, algorithm ?? 'null');
  }
  if (algorithm === 'AES256') return { algorithm };
  if (algorithm === 'aws:kms:dsse') throw notImplemented(`${SSE} ${algorithm}`);
  if (algorithm !== undefined)
    throw s3Error(
      'InvalidEncryptionAlgorithmError',
      'The encryption request that you specified is not valid. The valid value is AES256.',
    );
  return preset.algorithm === 'AES256' ? preset : { ...preset, bucketKey: withBucketKey(preset.bucketKey) };
}

/** Headers of an answer about an object. */
export function encryptionHeaders(encryption: Encryption): Record<string, string> {
  if (encryption.algorithm === 'AES256') return { [SSE]: encryption.algorithm };
  return {
    [SSE]: encryption.algorithm,
    [KEY_ID]: encryption.keyId,
    ...(encryption.bucketKey ? { [BUCKET_KEY]: 'true' } : {}),
  };
}

/**
 * Asks KMS on the caller's behalf. The encryption context is the ARN of the object, or of the bucket where it has a bucket key.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html#encryption-context
 * @throws AccessDenied; `KMS.<code>` for the errors of KMS
 */
export function useKey(call: S3Call, encryption: Encryption, action: 'kms:Decrypt' | 'kms:GenerateDataKey'): void {
  if (encryption.algorithm === 'AES256') return;
  const { keys, caller, bucket, key } = call;
  try {
    keys.assertUsable({
      caller,
      keyId: encryption.keyId,
      actions: [action],
      viaService: 's3',
      encryptionContext: { 'aws:s3:arn': encryption.bucketKey ? bucket.arn : `${bucket.arn}/${key}` },
    });
  } catch (error) {
    // https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList lists KMS.DisabledException and its kin
    if (error instanceof ServiceError) throw s3Error(`KMS.${error.code}`, error.message);
    throw error;
  }
}

import { DecryptCommand, GenerateDataKeyCommand, KMSClient, KMSServiceException } from '@aws-sdk/client-kms';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import type { SealedPackage } from '../domain/events.ts';
import type { CaseId } from '../domain/ids.ts';
import type { Instant } from '../domain/instant.ts';

/** Encryption context of a package's data key: random ids only (CloudTrail shows it in clear). */
export const encryptionContext = (
  caseId: CaseId,
  ids: { readonly releaseId: string; readonly packageId: string },
): Record<string, string> => ({ case: caseId, release: ids.releaseId, package: ids.packageId });

export interface DataKey {
  readonly plaintext: Uint8Array;
  /** Base64. */
  readonly wrapped: string;
  readonly keyId: string;
}

/** What a session opened for one access may use; every other use is refused by the session itself. */
export interface AccessSession {
  readonly credentials: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken: string;
  };
}

/**
 * Where the key of a release comes from: the one seam between the key strategies. `nation-key` shares one package key among all releases
 * of the exchange; a release then ends at the access function and the session (security.md §3).
 */
export interface PackageKeys {
  /** A fresh data key bound to case, release and package. */
  dataKeyFor(caseId: CaseId, ids: { readonly releaseId: string; readonly packageId: string }): Promise<DataKey>;
}

const kms = new KMSClient({});

/**
 * The `nation-key` strategy.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateDataKey.html
 */
export const nationKeys = (keyId: string): PackageKeys => ({
  async dataKeyFor(caseId, ids) {
    const answer = await kms.send(
      new GenerateDataKeyCommand({
        KeyId: keyId,
        KeySpec: 'AES_256',
        EncryptionContext: encryptionContext(caseId, ids),
      }),
    );
    if (answer.Plaintext === undefined || answer.CiphertextBlob === undefined || answer.KeyId === undefined) {
      throw new Error('KMS answered no data key.');
    }
    return {
      plaintext: answer.Plaintext,
      wrapped: Buffer.from(answer.CiphertextBlob).toString('base64'),
      keyId: answer.KeyId,
    };
  },
});

/** Shortest session that STS gives, in seconds. https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html */
const SESSION_SECONDS = 900;

/**
 * The session policy of one access: one key, one object, this release's context, and nothing from `notAfter` on. The Deny statements
 * stand although nothing else is allowed: an explicit Deny holds whatever else may one day allow.
 */
function sessionPolicy(
  caseId: CaseId,
  sealed: SealedPackage,
  notAfter: Instant,
  objectArn: string,
  bucketKeyArn: string,
): string {
  const context = encryptionContext(caseId, sealed);
  const pairs = Object.fromEntries(
    Object.entries(context).map(([key, value]) => [`kms:EncryptionContext:${key}`, value]),
  );
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Action: 'kms:Decrypt', Resource: [sealed.keyId, bucketKeyArn] },
      { Effect: 'Allow', Action: 's3:GetObject', Resource: objectArn },
      {
        Effect: 'Deny',
        Action: '*',
        Resource: '*',
        Condition: { DateGreaterThanEquals: { 'aws:CurrentTime': notAfter } },
      },
      ...Object.entries(pairs).map(([key, value]) => ({
        Effect: 'Deny',
        Action: 'kms:Decrypt',
        Resource: sealed.keyId,
        Condition: { StringNotEquals: { [key]: value } },
      })),
    ],
  });
}

const sts = new STSClient({});

/** Opens a session of the release-access role for one access to one package; named after the release, so that CloudTrail joins on it. */
export async function openAccessSession(access: {
  readonly roleArn: string;
  readonly caseId: CaseId;
  readonly sealed: SealedPackage;
  readonly notAfter: Instant;
  readonly objectArn: string;
  readonly bucketKeyArn: string;
}): Promise<AccessSession> {
  const answer = await sts.send(
    new AssumeRoleCommand({
      RoleArn: access.roleArn,
      RoleSessionName: access.sealed.releaseId,
      DurationSeconds: SESSION_SECONDS,
      Policy: sessionPolicy(access.caseId, access.sealed, access.notAfter, access.objectArn, access.bucketKeyArn),
      // Demanded by the role's trust; the key opens for the package that they name, and CloudTrail says for which a session was made.
      Tags: Object.entries(encryptionContext(access.caseId, access.sealed)).map(([Key, Value]) => ({ Key, Value })),
    }),
  );
  const { AccessKeyId, SecretAccessKey, SessionToken } = answer.Credentials ?? {};
  if (AccessKeyId === undefined || SecretAccessKey === undefined || SessionToken === undefined) {
    throw new Error('STS answered no credentials.');
  }
  return { credentials: { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken } };
}

/** Unwraps a package's data key within an access session. https://docs.aws.amazon.com/kms/latest/APIReference/API_Decrypt.html */
export async function unwrapDataKey(
  session: AccessSession,
  caseId: CaseId,
  sealed: SealedPackage,
): Promise<Uint8Array> {
  const client = new KMSClient({ credentials: session.credentials });
  try {
    const answer = await client.send(
      new DecryptCommand({
        KeyId: sealed.keyId,
        CiphertextBlob: Buffer.from(sealed.wrappedKey, 'base64'),
        EncryptionContext: encryptionContext(caseId, sealed),
      }),
    );
    if (answer.Plaintext === undefined) throw new Error('KMS answered no plaintext.');
    return answer.Plaintext;
  } finally {
    client.destroy();
  }
}

/**
 * Whether KMS said no to the key itself, rather than that it was busy: a throttled caller counts as a fault of the client too.
 * https://docs.aws.amazon.com/kms/latest/developerguide/throttling.html
 */
export const isKeyRefusal = (error: unknown): boolean =>
  error instanceof KMSServiceException && error.$fault === 'client' && error.name !== 'ThrottlingException';

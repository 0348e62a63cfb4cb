import { randomBytes } from 'node:crypto';
import type { PolicyDocument } from '../../iam/policy.ts';
import { ServiceError } from '../../service.ts';

/** One generation of a key's secret. Older ones stay, so that what they sealed still opens. */
export interface KeyMaterial {
  readonly version: number;
  /** 64 hexadecimal digits. https://docs.aws.amazon.com/kms/latest/APIReference/API_KeyMetadata.html */
  readonly id: string;
  /** 32 bytes of a symmetric key; the private key of an asymmetric one, PKCS #8. */
  readonly secret: Buffer;
  /** ms since the epoch */
  readonly createdAt: number;
}

/** https://docs.aws.amazon.com/kms/latest/developerguide/symm-asymm-choose-key-spec.html: those that are implemented */
export type KeySpec = 'SYMMETRIC_DEFAULT' | 'ECC_NIST_P256';
export type KeyUsage = 'ENCRYPT_DECRYPT' | 'SIGN_VERIFY';

/** What outlives a restart: identity and secrets. Times are ms since the epoch. */
export interface StoredKey {
  readonly stackName: string;
  readonly logicalId: string;
  readonly keyId: string;
  readonly createdAt: number;
  /** Never changes; absent where it was kept when there was only the symmetric one. */
  readonly keySpec?: KeySpec;
  readonly materials: readonly KeyMaterial[];
  readonly rotationEnabledAt: number | undefined;
  readonly deletionDate: number | undefined;
}

/** What the template says; read again at each start. */
export interface KeySettings {
  readonly policy: PolicyDocument;
  readonly description: string;
  readonly enabled: boolean;
  /** undefined: no automatic rotation */
  readonly rotationPeriodInDays: number | undefined;
  readonly pendingWindowInDays: number;
  readonly tags: Readonly<Record<string, string>>;
  readonly keySpec: KeySpec;
  readonly keyUsage: KeyUsage;
  readonly origin: 'AWS_KMS';
}

export interface Key {
  readonly arn: string;
  readonly stored: StoredKey;
  readonly settings: KeySettings;
}

/** https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html */
export type KeyState = 'Enabled' | 'Disabled' | 'PendingDeletion';

const DAY = 24 * 60 * 60 * 1000;

export const stateOf = ({ stored, settings }: Key): KeyState => {
  if (stored.deletionDate !== undefined) return 'PendingDeletion';
  return settings.enabled ? 'Enabled' : 'Disabled';
};

/** @throws DisabledException, KMSInvalidStateException when the state forbids cryptographic operations */
export function assertEnabled(key: Key): void {
  const state = stateOf(key);
  if (state === 'Disabled') throw new ServiceError('DisabledException', `${key.arn} is disabled.`);
  if (state === 'PendingDeletion') {
    throw new ServiceError('KMSInvalidStateException', `${key.arn} is pending deletion.`);
  }
}

export const newMaterial = (version: number, now: number, secret: Buffer = randomBytes(32)): KeyMaterial => ({
  version,
  id: randomBytes(32).toString('hex'),
  secret,
  createdAt: now,
});

/** The material that seals: the latest. */
export function currentMaterial(stored: StoredKey): KeyMaterial {
  const latest = stored.materials.at(-1);
  if (latest === undefined) throw new ServiceError('KMSInvalidStateException', `${stored.keyId} has no key material.`);
  return latest;
}

/**
 * The key after any automatic rotation that has fallen due.
 * https://docs.aws.amazon.com/kms/latest/developerguide/rotating-keys-enable.html
 */
export function rotated(stored: StoredKey, periodInDays: number | undefined, now: number): StoredKey {
  if (periodInDays === undefined || stored.rotationEnabledAt === undefined) return stored;
  const latest = currentMaterial(stored);
  const due = Math.max(stored.rotationEnabledAt, latest.createdAt) + periodInDays * DAY;
  if (now < due) return stored;
  return { ...stored, materials: [...stored.materials, newMaterial(latest.version + 1, now)] };
}

import { ServiceError } from '../../service.ts';
import { newPrivateKey, P256, type Curve } from './ecdsa.ts';
import type { Key, KeySpec } from './key.ts';

/** A way to sign: the curve of the key, and the hash that stands between the message and the signature. */
export interface SigningAlgorithm {
  readonly curve: Curve;
  readonly hash: 'sha256';
  /** Of the digest. */
  readonly bytes: number;
}

/**
 * What each asymmetric key spec can sign with.
 * https://docs.aws.amazon.com/kms/latest/developerguide/symm-asymm-choose-key-spec.html#key-spec-ecc
 */
const ALGORITHMS: Readonly<Record<Exclude<KeySpec, 'SYMMETRIC_DEFAULT'>, Readonly<Record<string, SigningAlgorithm>>>> =
  { ECC_NIST_P256: { ECDSA_SHA_256: { curve: P256, hash: 'sha256', bytes: 32 } } };

/** What a key's metadata says of the ways to use it. https://docs.aws.amazon.com/kms/latest/APIReference/API_KeyMetadata.html */
export const algorithmsOf = (spec: KeySpec): Readonly<Record<string, readonly string[]>> =>
  spec === 'SYMMETRIC_DEFAULT'
    ? { EncryptionAlgorithms: ['SYMMETRIC_DEFAULT'] }
    : { SigningAlgorithms: Object.keys(ALGORITHMS[spec]) };

/** New secret material for a key of that spec. */
export const newKeyPair = (spec: Exclude<KeySpec, 'SYMMETRIC_DEFAULT'>): Buffer =>
  newPrivateKey({ ECC_NIST_P256: P256 }[spec]);

/** @throws InvalidKeyUsageException for an algorithm that is not one of the key's */
export function algorithmNamed(name: string, { arn, settings }: Key): SigningAlgorithm {
  const { keySpec } = settings;
  const own = keySpec === 'SYMMETRIC_DEFAULT' ? {} : ALGORITHMS[keySpec];
  const found = Object.hasOwn(own, name) ? own[name] : undefined;
  if (found !== undefined) return found;
  throw new ServiceError(
    'InvalidKeyUsageException',
    `Algorithm ${name} is incompatible with key spec ${keySpec} of ${arn}.`,
  );
}

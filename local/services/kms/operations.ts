import { randomBytes } from 'node:crypto';
import * as z from 'zod';
import { ServiceError, notImplemented } from '../../service.ts';
import { authorizeUse } from './authorization.ts';
import { readHeader, seal, unseal } from './ciphertext.ts';
import type { KeyRing } from './key-ring.ts';
import { assertEnabled, currentMaterial, stateOf, type Key } from './key.ts';
import { assertUsage, common, keyId, read, refused, type Operation } from './operation.ts';
import { getPublicKey, sign, verify } from './signing-operations.ts';
import { algorithmsOf } from './signing.ts';

const encryptionContext = z.record(z.string(), z.string()).optional();

/** https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateDataKey.html */
const generateInput = z.looseObject({
  KeyId: keyId,
  KeySpec: z.enum(['AES_256', 'AES_128']).optional(),
  NumberOfBytes: z.int().min(1).max(1024).optional(),
  EncryptionContext: encryptionContext,
  Recipient: refused('Recipient').optional(),
  ...common,
});

/** https://docs.aws.amazon.com/kms/latest/APIReference/API_Decrypt.html */
const decryptInput = z.looseObject({
  CiphertextBlob: z.base64().min(1),
  KeyId: keyId.optional(),
  EncryptionContext: encryptionContext,
  EncryptionAlgorithm: z.string().optional(),
  Recipient: refused('Recipient').optional(),
  DryRunModifiers: refused('DryRunModifiers', z.array(z.unknown()).length(0)).optional(),
  ...common,
});

/** https://docs.aws.amazon.com/kms/latest/APIReference/API_DescribeKey.html */
const describeInput = z.looseObject({ KeyId: keyId, GrantTokens: common.GrantTokens });

function dataKeyLength(spec: string | undefined, bytes: number | undefined): number {
  if ((spec === undefined) === (bytes === undefined)) {
    throw new ServiceError('ValidationException', 'Please specify either number of bytes or key spec.');
  }
  if (spec === 'AES_128') throw notImplemented('KeySpec AES_128');
  return bytes ?? 32;
}

const generateDataKey: Operation = (input, { host, ring, caller }) => {
  const { KeyId, KeySpec, NumberOfBytes, EncryptionContext: context = {} } = read(generateInput, input);
  const length = dataKeyLength(KeySpec, NumberOfBytes);
  const found = ring.find(KeyId);
  authorizeUse(host, ring, { caller, action: 'kms:GenerateDataKey', found, encryptionContext: context });
  assertUsage(found.key, 'ENCRYPT_DECRYPT', 'GenerateDataKey');
  assertEnabled(ring.inEffect(found.key));
  const key = ring.rotate(found.key);
  const material = currentMaterial(key.stored);
  const plaintext = randomBytes(length);
  const header = { keyId: key.stored.keyId, materialVersion: material.version };
  return {
    CiphertextBlob: seal(header, material.secret, plaintext, context).toString('base64'),
    KeyId: key.arn,
    KeyMaterialId: material.id,
    Plaintext: plaintext.toString('base64'),
  };
};

const decrypt: Operation = (input, { host, ring, caller }) => {
  const { CiphertextBlob, KeyId, EncryptionContext: context = {}, EncryptionAlgorithm } = read(decryptInput, input);
  if (EncryptionAlgorithm !== undefined && EncryptionAlgorithm !== 'SYMMETRIC_DEFAULT') {
    throw notImplemented(`EncryptionAlgorithm ${EncryptionAlgorithm}`);
  }
  const blob = Buffer.from(CiphertextBlob, 'base64');
  if (blob.length > 6144) {
    throw new ServiceError('ValidationException', 'CiphertextBlob must have length less than or equal to 6144');
  }
  const header = readHeader(blob);
  const found = ring.find(KeyId ?? keyOf(header.keyId, ring));
  authorizeUse(host, ring, { caller, action: 'kms:Decrypt', found, encryptionContext: context });
  assertUsage(found.key, 'ENCRYPT_DECRYPT', 'Decrypt');
  const { stored, arn } = found.key;
  if (stored.keyId !== header.keyId) {
    throw new ServiceError(
      'IncorrectKeyException',
      'The key ID in the request does not identify a CMK that can perform this operation.',
    );
  }
  assertEnabled(ring.inEffect(found.key));
  const material = stored.materials.find(({ version }) => version === header.materialVersion);
  return {
    EncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
    KeyId: arn,
    KeyMaterialId: material?.id,
    Plaintext: unseal(blob, material?.secret, context).toString('base64'),
  };
};

/** A blob that names an unknown key is not a ciphertext of this account: its author could have written any name into it. */
function keyOf(id: string, ring: KeyRing): string {
  try {
    return ring.find(id).key.arn;
  } catch {
    throw new ServiceError('InvalidCiphertextException', 'The ciphertext refers to a KMS key that does not exist.');
  }
}

const describeKey: Operation = (input, { host, ring, caller }) => {
  const found = ring.find(read(describeInput, input).KeyId);
  authorizeUse(host, ring, { caller, action: 'kms:DescribeKey', found });
  return { KeyMetadata: metadata(ring.inEffect(ring.rotate(found.key)), host.account) };
};

/** https://docs.aws.amazon.com/kms/latest/APIReference/API_KeyMetadata.html; dates in seconds since the epoch */
function metadata(key: Key, account: string): Readonly<Record<string, unknown>> {
  const { stored, settings, arn } = key;
  const state = stateOf(key);
  return {
    AWSAccountId: account,
    Arn: arn,
    CreationDate: stored.createdAt / 1000,
    ...(settings.keyUsage === 'ENCRYPT_DECRYPT' ? { CurrentKeyMaterialId: currentMaterial(stored).id } : {}),
    CustomerMasterKeySpec: settings.keySpec,
    ...(stored.deletionDate === undefined ? {} : { DeletionDate: stored.deletionDate / 1000 }),
    Description: settings.description,
    Enabled: state === 'Enabled',
    ...algorithmsOf(settings.keySpec),
    KeyId: stored.keyId,
    KeyManager: 'CUSTOMER',
    KeySpec: settings.keySpec,
    KeyState: state,
    KeyUsage: settings.keyUsage,
    MultiRegion: false,
    Origin: settings.origin,
  };
}

/** Every operation that is implemented, by name. */
export const operations: Readonly<Record<string, Operation>> = {
  GenerateDataKey: generateDataKey,
  Decrypt: decrypt,
  DescribeKey: describeKey,
  GetPublicKey: getPublicKey,
  Sign: sign,
  Verify: verify,
};

import { createHash, createPrivateKey, createPublicKey } from 'node:crypto';
import * as z from 'zod';
import { ServiceError } from '../../service.ts';
import { authorizeUse } from './authorization.ts';
import { signDigest, verifyDigest } from './ecdsa.ts';
import { assertEnabled, currentMaterial, type Key } from './key.ts';
import { assertUsage, common, keyId, read, type Operation } from './operation.ts';
import { algorithmNamed, algorithmsOf, type SigningAlgorithm } from './signing.ts';

/** https://docs.aws.amazon.com/kms/latest/APIReference/API_Sign.html */
const signInput = z.looseObject({
  KeyId: keyId,
  Message: z.base64().min(1),
  MessageType: z.enum(['RAW', 'DIGEST']).default('RAW'),
  SigningAlgorithm: z.string(),
  ...common,
});

/** https://docs.aws.amazon.com/kms/latest/APIReference/API_Verify.html */
const verifyInput = z.looseObject({ ...signInput.shape, Signature: z.base64().min(1) });

/** https://docs.aws.amazon.com/kms/latest/APIReference/API_GetPublicKey.html */
const publicKeyInput = z.looseObject({ KeyId: keyId, GrantTokens: common.GrantTokens });

const LONGEST_MESSAGE = 4096;

function digestOf({ Message, MessageType }: z.infer<typeof signInput>, { hash, bytes }: SigningAlgorithm): Buffer {
  const message = Buffer.from(Message, 'base64');
  if (message.length > LONGEST_MESSAGE) {
    throw new ServiceError('ValidationException', `Message must have length less than or equal to ${LONGEST_MESSAGE}`);
  }
  if (MessageType === 'RAW') return createHash(hash).update(message).digest();
  if (message.length === bytes) return message;
  throw new ServiceError('ValidationException', `Digest is invalid length for algorithm: it has to be ${bytes} bytes.`);
}

/** The key that an input names, once its caller may use it so and it can be. */
function prepared(
  input: z.infer<typeof signInput>,
  action: 'Sign' | 'Verify',
  { host, ring, caller }: Parameters<Operation>[1],
): { readonly key: Key; readonly algorithm: SigningAlgorithm; readonly privateKey: Buffer } {
  const found = ring.find(input.KeyId);
  const { SigningAlgorithm: algorithm, MessageType: messageType } = input;
  authorizeUse(host, ring, { caller, action: `kms:${action}`, found, signing: { algorithm, messageType } });
  assertUsage(found.key, 'SIGN_VERIFY', action);
  assertEnabled(ring.inEffect(found.key));
  const { secret } = currentMaterial(found.key.stored);
  return { key: found.key, algorithm: algorithmNamed(algorithm, found.key), privateKey: secret };
}

export const sign: Operation = (given, call) => {
  const input = read(signInput, given);
  const { key, algorithm, privateKey } = prepared(input, 'Sign', call);
  const signature = signDigest(digestOf(input, algorithm), privateKey, algorithm.curve);
  return { KeyId: key.arn, Signature: signature.toString('base64'), SigningAlgorithm: input.SigningAlgorithm };
};

export const verify: Operation = (given, call) => {
  const input = read(verifyInput, given);
  const { key, algorithm, privateKey } = prepared(input, 'Verify', call);
  const signature = Buffer.from(input.Signature, 'base64');
  if (!verifyDigest(digestOf(input, algorithm), signature, privateKey, algorithm.curve)) {
    throw new ServiceError('KMSInvalidSignatureException', 'The signature is not that of the message by this key.');
  }
  return { KeyId: key.arn, SignatureValid: true, SigningAlgorithm: input.SigningAlgorithm };
};

export const getPublicKey: Operation = (input, { host, ring, caller }) => {
  const found = ring.find(read(publicKeyInput, input).KeyId);
  authorizeUse(host, ring, { caller, action: 'kms:GetPublicKey', found });
  const { arn, settings, stored } = found.key;
  if (settings.keySpec === 'SYMMETRIC_DEFAULT') {
    throw new ServiceError('UnsupportedOperationException', `${arn} is symmetric: it has no public key.`);
  }
  assertEnabled(ring.inEffect(found.key));
  const privateKey = createPrivateKey({ key: currentMaterial(stored).secret, format: 'der', type: 'pkcs8' });
  return {
    CustomerMasterKeySpec: settings.keySpec,
    KeyId: arn,
    KeySpec: settings.keySpec,
    KeyUsage: settings.keyUsage,
    PublicKey: createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).toString('base64'),
    ...algorithmsOf(settings.keySpec),
  };
};

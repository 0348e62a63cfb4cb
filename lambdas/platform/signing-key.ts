import { GetPublicKeyCommand, KMSClient, SignCommand } from '@aws-sdk/client-kms';
import { createPublicKey, type KeyObject } from 'node:crypto';
import { Transient } from './errors.ts';

const kms = new KMSClient({});

/** A key pair cannot be rotated, so what was read once holds for good. A failure is not kept. */
const known = new Map<string, Promise<KeyObject>>();

/**
 * The public half of a signing key.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_GetPublicKey.html
 */
export function publicKeyOf(keyId: string): Promise<KeyObject> {
  const key = known.get(keyId) ?? readPublicKey(keyId);
  known.set(keyId, key);
  key.catch(() => known.delete(keyId));
  return key;
}

async function readPublicKey(keyId: string): Promise<KeyObject> {
  const { PublicKey } = await kms.send(new GetPublicKeyCommand({ KeyId: keyId }));
  if (PublicKey === undefined) throw new Transient('KMS answered without a public key.');
  return createPublicKey({ key: Buffer.from(PublicKey), format: 'der', type: 'spki' });
}

/**
 * Signs with ECDSA over P-256 and SHA-256, as ES256 has it (RFC 7518 §3.4): r and s, each of 32 bytes. KMS answers DER.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_Sign.html
 */
export async function signES256(keyId: string, message: string): Promise<Buffer> {
  const { Signature } = await kms.send(
    new SignCommand({
      KeyId: keyId,
      Message: Buffer.from(message),
      MessageType: 'RAW',
      SigningAlgorithm: 'ECDSA_SHA_256',
    }),
  );
  if (Signature === undefined) throw new Transient('KMS answered without a signature.');
  return Buffer.concat(integersOf(Buffer.from(Signature)).map(fixed));
}

/** The two INTEGERs of an ECDSA-Sig-Value (RFC 3279 §2.2.3); for P-256 every length takes one byte. */
function integersOf(der: Buffer): readonly [Buffer, Buffer] {
  const end = 4 + der.readUInt8(3);
  return [der.subarray(4, end), der.subarray(end + 2, end + 2 + der.readUInt8(end + 1))];
}

/** Without the leading zero of a sign, and with those that DER leaves out. */
const fixed = (integer: Buffer): Buffer => Buffer.concat([Buffer.alloc(32), integer]).subarray(-32);

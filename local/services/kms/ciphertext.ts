import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { ServiceError } from '../../service.ts';

/** Non-secret pairs bound to a ciphertext. https://docs.aws.amazon.com/kms/latest/developerguide/encrypt_context.html */
export type EncryptionContext = Readonly<Record<string, string>>;

/** What a blob says of itself: which key, and which version of its material, opens it. */
export interface BlobHeader {
  readonly keyId: string;
  readonly materialVersion: number;
}

const FORMAT = 1;
const KEY_ID_BYTES = 16;
const HEADER_BYTES = 1 + KEY_ID_BYTES + 4;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

const invalid = (): ServiceError =>
  new ServiceError('InvalidCiphertextException', 'The ciphertext refers to another context, or it is damaged.');

const lengthPrefixed = (text: string): Buffer => {
  const bytes = Buffer.from(text, 'utf8');
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
};

/** The order of the pairs is not significant, so they are sorted; lengths keep `{a: 'bc'}` and `{ab: 'c'}` apart. */
const authenticated = (header: Buffer, context: EncryptionContext): Buffer =>
  Buffer.concat([
    header,
    ...Object.entries(context)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .flatMap((pair) => pair.map(lengthPrefixed)),
  ]);

function encodeHeader({ keyId, materialVersion }: BlobHeader): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt8(FORMAT);
  header.write(keyId.replaceAll('-', ''), 1, 'hex');
  header.writeUInt32BE(materialVersion, 1 + KEY_ID_BYTES);
  return header;
}

/** Encrypts with AES-256-GCM; the header and the encryption context are authenticated. */
export function seal(header: BlobHeader, material: Buffer, plaintext: Buffer, context: EncryptionContext): Buffer {
  const head = encodeHeader(header);
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', material, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(authenticated(head, context));
  return Buffer.concat([head, nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

/** @throws InvalidCiphertextException when this is not a blob of this service */
export function readHeader(blob: Buffer): BlobHeader {
  if (blob.length < HEADER_BYTES + NONCE_BYTES + TAG_BYTES || blob.readUInt8() !== FORMAT) throw invalid();
  const hex = blob.toString('hex', 1, 1 + KEY_ID_BYTES);
  const keyId = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  return { keyId, materialVersion: blob.readUInt32BE(1 + KEY_ID_BYTES) };
}

/**
 * Opens what {@link seal} made.
 * @param material of the version that the header names; undefined when the key never had it
 * @throws InvalidCiphertextException for another context, another key or a changed blob
 */
export function unseal(blob: Buffer, material: Buffer | undefined, context: EncryptionContext): Buffer {
  if (material === undefined) throw invalid();
  const nonceEnd = HEADER_BYTES + NONCE_BYTES;
  const decipher = createDecipheriv('aes-256-gcm', material, blob.subarray(HEADER_BYTES, nonceEnd), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(authenticated(blob.subarray(0, HEADER_BYTES), context));
  decipher.setAuthTag(blob.subarray(-TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(blob.subarray(nonceEnd, -TAG_BYTES)), decipher.final()]);
  } catch {
    throw invalid();
  }
}

import { Aes256Gcm, CipherSuite, DhkemP256HkdfSha256, HkdfSha256 } from '@hpke/core';
import type { webcrypto } from 'node:crypto';
import { canonical } from './canonical.ts';

/**
 * HPKE (RFC 9180): DHKEM(P-256, HKDF-SHA256), HKDF-SHA256, AES-256-GCM, base mode. A package's data key travels only in this form,
 * to the key that the decision named.
 */
const suite = new CipherSuite({ kem: new DhkemP256HkdfSha256(), kdf: new HkdfSha256(), aead: new Aes256Gcm() });

const INFO = new TextEncoder().encode('valiza/sealed-key/v1');

/** What a sealed key is bound to: opened for another case, release, recipient or ciphertext, it does not open. */
export interface SealedKeyBinding {
  readonly caseId: string;
  readonly releaseId: string;
  readonly recipient: string;
  readonly ciphertextDigest: string;
}

/** The two parts of an HPKE single-shot message, base64url. */
export interface SealedKey {
  readonly encapsulated: string;
  readonly ciphertext: string;
}

const aad = (binding: SealedKeyBinding): Uint8Array => new TextEncoder().encode(canonical(binding));
const encode = (bytes: ArrayBuffer): string => Buffer.from(bytes).toString('base64url');
const decode = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64url'));

/** Seals a data key to a recipient's public key (raw uncompressed P-256 point, base64url). */
export async function sealKey(key: Uint8Array, publicKey: string, binding: SealedKeyBinding): Promise<SealedKey> {
  const recipientPublicKey = await suite.kem.deserializePublicKey(decode(publicKey));
  const message = await suite.seal({ recipientPublicKey, info: INFO }, new Uint8Array(key), aad(binding));
  return { encapsulated: encode(message.enc), ciphertext: encode(message.ct) };
}

/** Opens a sealed key with the recipient's private key. @throws when key, binding or message are not the ones it was made for */
export async function openKey(
  sealed: SealedKey,
  privateKey: webcrypto.JsonWebKey,
  binding: SealedKeyBinding,
): Promise<Uint8Array> {
  const recipientKey = await suite.kem.importKey('jwk', privateKey, false);
  const enc = decode(sealed.encapsulated);
  return new Uint8Array(await suite.open({ recipientKey, enc, info: INFO }, decode(sealed.ciphertext), aad(binding)));
}

/** A recipient's key pair: the private part as JWK, the public part as the directory keeps it. */
export interface RecipientKeyPair {
  readonly privateKey: webcrypto.JsonWebKey;
  readonly publicKey: string;
}

const exported = async (pair: webcrypto.CryptoKeyPair): Promise<RecipientKeyPair> => ({
  privateKey: await crypto.subtle.exportKey('jwk', pair.privateKey),
  publicKey: encode(await suite.kem.serializePublicKey(pair.publicKey)),
});

/** A new key pair for a recipient. */
export const newRecipientKey = async (): Promise<RecipientKeyPair> =>
  exported(await crypto.subtle.generateKey({ name: 'ECDH', namedCurve: 'P-256' }, true, ['deriveBits']));

/** The key pair that follows from a seed (RFC 9180 §7.1.3): as secret as the seed. */
export const recipientKeyFrom = async (seed: string): Promise<RecipientKeyPair> =>
  exported(await suite.kem.deriveKeyPair(new TextEncoder().encode(seed)));

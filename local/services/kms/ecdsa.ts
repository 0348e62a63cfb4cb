import { createECDH, createPrivateKey, generateKeyPairSync } from 'node:crypto';

/** A curve: its name in OpenSSL and the order of its base point (SEC 2 §2.4). */
export interface Curve {
  readonly name: 'prime256v1';
  readonly order: bigint;
}

export const P256: Curve = {
  name: 'prime256v1',
  order: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
};

/** A new private key, PKCS #8. */
export const newPrivateKey = (curve: Curve): Buffer =>
  generateKeyPairSync('ec', { namedCurve: curve.name }).privateKey.export({ format: 'der', type: 'pkcs8' });

const numberOf = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes).toString('hex') || '0'}`);
const modulo = (value: bigint, order: bigint): bigint => ((value % order) + order) % order;

/** By Fermat's little theorem: the orders of these curves are primes. */
function inverse(value: bigint, order: bigint): bigint {
  let result = 1n;
  for (let base = modulo(value, order), power = order - 2n; power > 0n; power >>= 1n) {
    if (power & 1n) result = (result * base) % order;
    base = (base * base) % order;
  }
  return result;
}

const secretOf = (privateKey: Buffer): bigint => {
  const { d = '' } = createPrivateKey({ key: privateKey, format: 'der', type: 'pkcs8' }).export({ format: 'jwk' });
  return numberOf(Buffer.from(d, 'base64url'));
};

/** The x coordinate of a multiple of the base point, modulo the order: the `r` of a signature. */
function xOf(multiple: bigint, { name, order }: Curve): bigint {
  const length = order.toString(16).length;
  const ecdh = createECDH(name);
  ecdh.setPrivateKey(Buffer.from(multiple.toString(16).padStart(length, '0'), 'hex'));
  return modulo(numberOf(ecdh.getPublicKey().subarray(1, 1 + length / 2)), order);
}

/** A digest of the curve's own length is the number that is signed (FIPS 186-5 §6.4.1, step 2). */
export function signDigest(digest: Uint8Array, privateKey: Buffer, curve: Curve): Buffer {
  const { order } = curve;
  for (;;) {
    const ephemeral = createECDH(curve.name);
    ephemeral.generateKeys();
    const k = numberOf(ephemeral.getPrivateKey());
    const r = xOf(k, curve);
    const s = modulo(inverse(k, order) * (numberOf(digest) + r * secretOf(privateKey)), order);
    if (r !== 0n && s !== 0n) return encode(r, s);
  }
}

/**
 * Verifies with the private key, which a key store has: the point of FIPS 186-5 §6.4.2 is ((z + r·d) / s)·G, and adding points is not needed.
 */
export function verifyDigest(digest: Uint8Array, signature: Uint8Array, privateKey: Buffer, curve: Curve): boolean {
  const { order } = curve;
  const [r, s] = decode(Buffer.from(signature)) ?? [0n, 0n];
  if (r <= 0n || r >= order || s <= 0n || s >= order) return false;
  const multiple = modulo((numberOf(digest) + r * secretOf(privateKey)) * inverse(s, order), order);
  return multiple !== 0n && xOf(multiple, curve) === r;
}

/** An INTEGER of DER (X.690 §8.3): the fewest bytes, the first bit of which is the sign. */
function integer(value: bigint): Buffer {
  const hex = value.toString(16);
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
  const content = (bytes[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), bytes]) : bytes;
  return Buffer.concat([Buffer.of(0x02, content.length), content]);
}

/** ECDSA-Sig-Value (RFC 3279 §2.2.3). */
function encode(r: bigint, s: bigint): Buffer {
  const content = Buffer.concat([integer(r), integer(s)]);
  return Buffer.concat([Buffer.of(0x30, content.length), content]);
}

/** Both numbers, if this is exactly what {@link encode} would write of them. */
function decode(signature: Buffer): readonly [bigint, bigint] | undefined {
  const first = signature[3] ?? 0;
  const second = signature[5 + first] ?? 0;
  const [r, s] = [signature.subarray(4, 4 + first), signature.subarray(6 + first, 6 + first + second)].map(numberOf);
  if (r === undefined || s === undefined) return undefined;
  return encode(r, s).equals(signature) ? [r, s] : undefined;
}

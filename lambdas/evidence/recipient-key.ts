import { createPublicKey } from 'node:crypto';

/**
 * Whether a recipient's public key (raw uncompressed P-256 point, base64url) lies on the curve: anything else of the same length can be
 * confirmed and named, and nothing could ever be sealed to it (NIST SP 800-56A Rev. 3, §5.6.2.3.3).
 */
export function isOnCurve(publicKey: string): boolean {
  const point = Buffer.from(publicKey, 'base64url');
  const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((part) => part.toString('base64url'));
  try {
    createPublicKey({ format: 'jwk', key: { kty: 'EC', crv: 'P-256', x, y } });
    return true;
  } catch {
    return false;
  }
}

import { createHash, createHmac } from 'node:crypto';

/**
 * Signature Version 4, from the verifying side.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export interface CanonicalParts {
  readonly method: string;
  /** As sent, percent-encoded. */
  readonly path: string;
  /** As sent, without the question mark. */
  readonly rawQuery: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly signedHeaders: readonly string[];
  readonly payloadHash: string;
  /** S3 encodes a path once, every other service twice. */
  readonly encodePathTwice: boolean;
}

/** RFC 3986: everything except unreserved characters is encoded. */
const encode = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);

/** @throws {URIError} when the percent-encoding is malformed */
const reencode = (text: string): string => encode(decodeURIComponent(text));

const withoutDots = (path: string): string => {
  const kept: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '..') kept.pop();
    else if (segment !== '.' && segment !== '') kept.push(segment);
  }
  return `/${kept.join('/')}${path.endsWith('/') && kept.length > 0 ? '/' : ''}`;
};

const canonicalPath = ({ path, encodePathTwice }: CanonicalParts): string => {
  const once = (encodePathTwice ? withoutDots(path) : path).split('/').map(reencode).join('/');
  return encodePathTwice ? once.split('/').map(encode).join('/') : once;
};

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Sorted by encoded name, then by value; the signature itself is left out. */
const canonicalQuery = (rawQuery: string): string =>
  rawQuery
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const [name = '', ...value] = pair.split('=');
      return { name: reencode(name), value: reencode(value.join('=')) };
    })
    .filter(({ name }) => name !== 'X-Amz-Signature')
    .sort((a, b) => byText(a.name, b.name) || byText(a.value, b.value))
    .map(({ name, value }) => `${name}=${value}`)
    .join('&');

export const sha256 = (bytes: string | Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** @throws {URIError} when path or query are not validly percent-encoded */
export function canonicalRequest(parts: CanonicalParts): string {
  const headers = parts.signedHeaders.map(
    (name) => `${name}:${(parts.headers[name] ?? '').trim().replace(/\s+/g, ' ')}\n`,
  );
  return [
    parts.method,
    canonicalPath(parts),
    canonicalQuery(parts.rawQuery),
    headers.join(''),
    parts.signedHeaders.join(';'),
    parts.payloadHash,
  ].join('\n');
}

const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();

export interface Scope {
  /** `yyyymmdd` */
  readonly date: string;
  readonly region: string;
  readonly service: string;
}

/** The signature in hexadecimal. @param timestamp `yyyymmddThhmmssZ` */
export function signature(secret: string, scope: Scope, timestamp: string, canonical: string): string {
  const credentialScope = `${scope.date}/${scope.region}/${scope.service}/aws4_request`;
  const toSign = ['AWS4-HMAC-SHA256', timestamp, credentialScope, sha256(canonical)].join('\n');
  const key = [scope.date, scope.region, scope.service, 'aws4_request'].reduce<string | Buffer>(hmac, `AWS4${secret}`);
  return hmac(key, toSign).toString('hex');
}

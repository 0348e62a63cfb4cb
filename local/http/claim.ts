import type { Scope } from './canonical-request.ts';

/** A request that claims to be signed, read apart but not yet believed. */
export interface Claim {
  readonly accessKeyId: string;
  readonly scope: Scope;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  /** `yyyymmddThhmmssZ` */
  readonly timestamp: string;
  readonly token: string | undefined;
  /** The signature stands in the query string. */
  readonly presigned: boolean;
  /** Lifetime of a presigned request in seconds. */
  readonly expires: number | undefined;
}

export interface SignedRequest {
  readonly method: string;
  readonly path: string;
  readonly rawQuery: string;
  readonly headers: Readonly<Record<string, string>>;
}

const ALGORITHM = 'AWS4-HMAC-SHA256';

function scopeOf(credential: string): { accessKeyId: string; scope: Scope } | undefined {
  const parts = credential.split('/');
  const [accessKeyId = '', date = '', region = '', service = '', end] = parts;
  if (parts.length !== 5 || end !== 'aws4_request' || !/^\d{8}$/.test(date)) return undefined;
  return { accessKeyId, scope: { date, region, service } };
}

function fromHeader(authorization: string, headers: SignedRequest['headers']): Claim | undefined {
  const fields = new Map(
    authorization
      .slice(ALGORITHM.length)
      .split(',')
      .map((field) => field.trim())
      .map((field): [string, string] => [field.slice(0, field.indexOf('=')), field.slice(field.indexOf('=') + 1)]),
  );
  const credential = scopeOf(fields.get('Credential') ?? '');
  const signed = fields.get('SignedHeaders');
  const value = fields.get('Signature');
  if (credential === undefined || signed === undefined || value === undefined) return undefined;
  return {
    ...credential,
    signedHeaders: signed.toLowerCase().split(';'),
    signature: value,
    timestamp: headers['x-amz-date'] ?? '',
    token: headers['x-amz-security-token'],
    presigned: false,
    expires: undefined,
  };
}

function fromQuery(query: URLSearchParams): Claim | undefined {
  const credential = scopeOf(query.get('X-Amz-Credential') ?? '');
  const signed = query.get('X-Amz-SignedHeaders');
  const expires = query.get('X-Amz-Expires') ?? '';
  if (query.get('X-Amz-Algorithm') !== ALGORITHM || credential === undefined || signed === null) return undefined;
  return {
    ...credential,
    signedHeaders: signed.toLowerCase().split(';'),
    signature: query.get('X-Amz-Signature') ?? '',
    timestamp: query.get('X-Amz-Date') ?? '',
    token: query.get('X-Amz-Security-Token') ?? undefined,
    presigned: true,
    expires: /^\d{1,9}$/.test(expires) ? Number(expires) : Number.NaN,
  };
}

/** Whether a request claims to be signed at all; the rest is for the application's own API. */
export const isSigned = (request: SignedRequest): boolean =>
  request.headers['authorization']?.startsWith(ALGORITHM) === true ||
  new URLSearchParams(request.rawQuery).has('X-Amz-Signature');

/** Reads the claim of a signed request; undefined when it is malformed. */
export function readClaim(request: SignedRequest): Claim | undefined {
  const authorization = request.headers['authorization'];
  return authorization?.startsWith(ALGORITHM) === true
    ? fromHeader(authorization, request.headers)
    : fromQuery(new URLSearchParams(request.rawQuery));
}

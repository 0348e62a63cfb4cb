import type { Readable } from 'node:stream';
import type { Caller } from '../../iam/policy.ts';
import type { KeyUse } from '../../ports.ts';
import { notImplemented, type Host, type ServiceRequest, type ServiceResponse } from '../../service.ts';
import type { Bucket } from './bucket.ts';
import { s3Error } from './errors.ts';

/** One request for one operation of one bucket. */
export interface S3Call {
  readonly host: Host;
  readonly keys: KeyUse;
  readonly bucket: Bucket;
  /** Decoded; empty for operations on the bucket. */
  readonly key: string;
  /** Names in lower case; of a presigned request with the `x-amz-*` parameters of its query. */
  readonly headers: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly body: Readable;
  readonly caller: Caller;
  readonly presigned: boolean;
}

export interface Operation {
  /** Query parameters that it understands. */
  readonly query: readonly string[];
  /** `x-amz-*` and conditional headers that it understands; a trailing `*` stands for anything. */
  readonly headers: readonly string[];
  run(call: S3Call): Promise<ServiceResponse> | ServiceResponse;
}

const SIGNATURE_PARAMETER = /^x-amz-(algorithm|credential|date|expires|signedheaders|signature|security-token)$/i;

/** Understood with every operation. The SDK adds `x-id`, which S3 ignores. */
const COMMON_HEADERS = [
  'x-amz-date',
  'x-amz-content-sha256',
  'x-amz-security-token',
  'x-amz-user-agent',
  'x-amz-expected-bucket-owner',
];

/** Headers that would change what is done, were they not understood. */
const MATTERS = /^(x-amz-|if-|range$)/;

/**
 * The headers of a request. A presigned URL may carry `x-amz-*` headers in its query.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
 */
export function effectiveHeaders(request: ServiceRequest): Record<string, string> {
  const headers = { ...request.headers };
  if (!request.presigned) return headers;
  for (const [parameter, value] of request.query) {
    const name = parameter.toLowerCase();
    if (!name.startsWith('x-amz-') || SIGNATURE_PARAMETER.test(name)) continue;
    if (headers[name] !== undefined && headers[name] !== value) {
      throw s3Error('InvalidRequest', `${name} stands in the query and in the headers, and differs.`);
    }
    headers[name] = value;
  }
  return headers;
}

/** Refuses parameters and headers that the operation does not understand. */
export function assertUnderstood(
  name: string,
  operation: Operation,
  request: ServiceRequest,
  headers: Readonly<Record<string, string>>,
): void {
  for (const parameter of request.query.keys()) {
    const promoted = request.presigned && parameter.toLowerCase().startsWith('x-amz-');
    if (!promoted && parameter !== 'x-id' && !operation.query.includes(parameter)) {
      throw notImplemented(`s3:${name} with the parameter ${parameter}`);
    }
  }
  const understood = [...COMMON_HEADERS, ...operation.headers];
  for (const header of Object.keys(headers)) {
    if (!MATTERS.test(header)) continue;
    const known = understood.some((pattern) =>
      pattern.endsWith('*') ? header.startsWith(pattern.slice(0, -1)) : header === pattern,
    );
    if (!known) throw notImplemented(`s3:${name} with the header ${header}`);
  }
}

/** @throws AccessDenied (403) when the bucket is not of the account that the caller expects */
export function assertExpectedOwner(headers: Readonly<Record<string, string>>, account: string): void {
  const expected = headers['x-amz-expected-bucket-owner'];
  // https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html
  if (expected !== undefined && expected !== account) throw s3Error('AccessDenied', 'Access Denied', 403);
}

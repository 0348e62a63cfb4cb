import type { Readable } from 'node:stream';
import type { Activity } from './activity.ts';
import type { Clock } from './clock.ts';
import type { Faults } from './faults.ts';
import type { Authorize, Caller } from './iam/policy.ts';
import type { Meter } from './meter.ts';

/** A request whose signature has been verified and whose caller is known. */
export interface ServiceRequest {
  readonly method: string;
  /** Path as sent, still percent-encoded, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** The body as it arrives. Services that read it whole call {@link readBody}. */
  readonly body: Readable;
  readonly caller: Caller;
  /** True when the signature stood in the query string. */
  readonly presigned: boolean;
  readonly requestId: string;
}

export interface ServiceResponse {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer | Readable;
}

/** One emulated AWS service behind the common port. */
export interface Service {
  /** Name in the credential scope of a signature: `dynamodb`, `states`, `kms`, `s3`, … */
  readonly signingName: string;
  /** Answers a request; throws {@link ServiceError} or `AccessDenied` for the rest. */
  handle(request: ServiceRequest): Promise<ServiceResponse>;
  /** How this service writes an error on the wire. */
  renderError(error: ServiceError, request: { readonly requestId: string }): ServiceResponse;
  /**
   * The operation a request asks for, for the meter and the faults; undefined when it cannot be told.
   * @param body the body, for services other than S3: the query protocol names the operation in it
   */
  operationOf(
    request: Pick<ServiceRequest, 'method' | 'path' | 'query' | 'headers'>,
    body?: Buffer,
  ): string | undefined;
  stop?(): Promise<void>;
}

/** An error as the service's documentation names it. */
export class ServiceError extends Error {
  readonly code: string;
  readonly status: number;
  /** Members beside the message, for example `CancellationReasons`. */
  readonly members: Readonly<Record<string, unknown>>;

  constructor(code: string, message: string, status = 400, members: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.name = code;
    this.code = code;
    this.status = status;
    this.members = members;
  }
}

/** The answer to everything that is not implemented: 501, naming the operation. */
export const notImplemented = (what: string): ServiceError =>
  new ServiceError('NotImplemented', `The local runtime does not implement ${what}.`, 501);

/** What every service and resource type is given. */
export interface Host {
  readonly account: string;
  readonly region: string;
  readonly clock: Clock;
  readonly activity: Activity;
  readonly meter: Meter;
  readonly faults: Faults;
  readonly authorize: Authorize;
  /** Where state is kept between starts; undefined for a runtime that forgets. */
  readonly dataDirectory: string | undefined;
  /** Address of the common port, for example `http://127.0.0.1:4566`. */
  readonly endpoint: () => string;
}

/** Reads a body whole, refusing more than `limit` bytes. */
export async function readBody(body: Readable, limit = 16 * 1024 * 1024): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body) {
    const bytes = chunk as Buffer;
    length += bytes.length;
    if (length > limit) throw new ServiceError('RequestEntityTooLarge', `The body exceeds ${limit} bytes.`, 413);
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}

/** JSON services (DynamoDB, Step Functions, KMS, EventBridge, SQS) name the operation in `X-Amz-Target: Prefix.Operation`. */
export const jsonTarget = (request: Pick<ServiceRequest, 'headers'>): string | undefined =>
  request.headers['x-amz-target']?.split('.').pop();

/** A JSON service's answer. https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html */
export const jsonResponse = (value: unknown, version: '1.0' | '1.1', status = 200): ServiceResponse => ({
  status,
  headers: { 'content-type': `application/x-amz-json-${version}` },
  body: JSON.stringify(value),
});

/** A JSON service's error: the type without namespace, and the message under both spellings that SDKs read. */
export const jsonError = (error: ServiceError, version: '1.0' | '1.1'): ServiceResponse =>
  jsonResponse(
    { ...error.members, __type: error.code, message: error.message, Message: error.message },
    version,
    error.status,
  );

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Timer } from '../../clock.ts';
import type { KeyUse } from '../../ports.ts';
import type { ResourceType } from '../../resource.ts';
import {
  ServiceError,
  notImplemented,
  type Host,
  type Service,
  type ServiceRequest,
  type ServiceResponse,
} from '../../service.ts';
import type { PrincipalExists } from '../policy-principals.ts';
import { bucketPolicyResource } from './bucket-policy-resource.ts';
import { bucketResource } from './bucket-resource.ts';
import { Bucket, type BucketSettings } from './bucket.ts';
import { assertExpectedOwner, assertUnderstood, effectiveHeaders, type Operation } from './call.ts';
import { errorResponse, s3Error } from './errors.ts';
import { applyLifecycle } from './lifecycle.ts';
import { operationNamed, operations, splitPath } from './operations.ts';

const LONGEST_KEY = 1024;
/** AWS looks once a day or so; what is due lies there for a while. */
const LIFECYCLE_PERIOD = 60 * 60 * 1000;

/** Amazon S3: objects on disk, behind path-style addresses. https://docs.aws.amazon.com/AmazonS3/latest/API/Welcome.html */
export class S3Service implements Service {
  readonly signingName = 's3';
  readonly types: ResourceType[];
  readonly #host: Host;
  readonly #keys: KeyUse;
  readonly #buckets = new Map<string, Bucket>();
  #directory: string | undefined;
  #lifecycle: Timer | undefined;

  /** @param exists whether a role that a bucket policy names is there; by default only the form and the account of its ARN are checked */
  constructor(host: Host, keys: KeyUse, exists: PrincipalExists = () => true) {
    this.#host = host;
    this.#keys = keys;
    this.types = [
      bucketResource((name, owner, settings) => {
        this.#create(name, owner, settings);
      }),
      bucketPolicyResource((name) => this.#bucket(name), exists),
    ];
  }

  operationOf(request: Pick<ServiceRequest, 'method' | 'path' | 'query'>): string | undefined {
    return operationNamed(request);
  }

  async handle(request: ServiceRequest): Promise<ServiceResponse> {
    try {
      const response = await this.#answer(request);
      return { ...response, headers: { ...response.headers, 'x-amz-request-id': request.requestId } };
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      throw new ServiceError(error.code, error.message, error.status, { ...error.members, Resource: request.path });
    }
  }

  renderError(error: ServiceError, { requestId }: { readonly requestId: string }): ServiceResponse {
    return errorResponse(error, requestId);
  }

  async stop(): Promise<void> {
    this.#lifecycle?.cancel();
    if (this.#host.dataDirectory === undefined && this.#directory !== undefined) {
      rmSync(this.#directory, { recursive: true, force: true });
    }
  }

  async #answer(request: ServiceRequest): Promise<ServiceResponse> {
    const name = operationNamed(request);
    if (name === undefined) {
      throw notImplemented(`s3: ${request.method} ${request.path} ${[...request.query.keys()].join(' ')}`.trim());
    }
    const operation: Operation = operations[name];
    const headers = effectiveHeaders(request);
    assertUnderstood(name, operation, request, headers);
    const path = splitPath(request.path);
    const key = decode(path.key);
    if (Buffer.byteLength(key) > LONGEST_KEY) throw s3Error('KeyTooLongError', 'Your key is too long');
    const bucket = this.#bucket(decode(path.bucket));
    assertExpectedOwner(headers, this.#host.account);
    const { query, body, caller, presigned } = request;
    return await operation.run({
      host: this.#host,
      keys: this.#keys,
      bucket,
      key,
      headers,
      query,
      body,
      caller,
      presigned,
    });
  }

  #bucket(name: string): Bucket {
    const bucket = this.#buckets.get(name);
    if (bucket === undefined) {
      throw s3Error('NoSuchBucket', 'The specified bucket does not exist', 404, { BucketName: name });
    }
    return bucket;
  }

  #create(name: string, owner: string, settings: BucketSettings): void {
    const existing = this.#buckets.get(name);
    if (existing !== undefined && existing.owner !== owner) {
      throw s3Error('BucketAlreadyOwnedByYou', `The bucket ${name} is already there.`, 409);
    }
    if (existing === undefined) {
      const durable = this.#host.dataDirectory !== undefined;
      this.#buckets.set(name, new Bucket(name, owner, settings, this.#root(), durable));
    } else existing.settings = settings;
    if (settings.lifecycle.length > 0) this.#watchLifecycle();
  }

  #watchLifecycle(): void {
    this.#lifecycle ??= this.#host.clock.every(LIFECYCLE_PERIOD, () => {
      for (const bucket of this.#buckets.values()) applyLifecycle(bucket, this.#host.clock.now());
    });
  }

  #root(): string {
    if (this.#directory === undefined) {
      const { dataDirectory } = this.#host;
      this.#directory = dataDirectory === undefined ? mkdtempSync(join(tmpdir(), 's3-')) : join(dataDirectory, 's3');
      mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
    }
    return this.#directory;
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw s3Error('InvalidURI', "Couldn't parse the specified URI.");
  }
}

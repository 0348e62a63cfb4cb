import { createHash } from 'node:crypto';
import { ServiceError } from '../../service.ts';

/** One REST API of the template, as its resources are created. A deployment takes a copy; only what is deployed is served. */
export interface RestApi {
  readonly id: string;
  readonly rootId: string;
  /** Whether it answers under its own name, beside a custom domain. */
  readonly defaultEndpoint: boolean;
  readonly resources: Map<string, ApiResource>;
  readonly authorizers: Map<string, Authorizer>;
  readonly gatewayResponses: Map<string, GatewayResponse>;
  readonly validators: Map<string, RequestValidator>;
}

export interface ApiResource {
  readonly id: string;
  /** Undefined for the root. */
  readonly parentId: string | undefined;
  /** One path segment: text, `{name}` or `{name+}`; empty for the root. */
  readonly pathPart: string;
  readonly methods: Map<string, ApiMethod>;
}

export interface ApiMethod {
  /** Undefined: open to everybody. */
  readonly authorizer: Authorizer | undefined;
  readonly functionArn: string;
  /** Real milliseconds. */
  readonly timeoutMs: number;
  /** `method.request.header.X` and the like that a validator demands. */
  readonly requiredParameters: readonly string[];
}

export interface Authorizer {
  readonly id: string;
  readonly name: string;
  readonly functionArn: string;
  /** `method.request.header.Authorization` and the like; each must be there before the function is asked. */
  readonly identitySource: readonly string[];
}

export interface GatewayResponse {
  readonly statusCode: number | undefined;
  /** Header name to expression. */
  readonly headers: Readonly<Record<string, string>>;
  /** Media type to template. */
  readonly templates: Readonly<Record<string, string>>;
}

export interface RequestValidator {
  readonly validatesParameters: boolean;
}

/** Ten characters, as API Gateway's ids are, and the same after each start. */
export const shortId = (...parts: readonly string[]): string =>
  BigInt(`0x${createHash('sha256').update(parts.join('/')).digest('hex').slice(0, 16)}`)
    .toString(36)
    .padStart(10, '0')
    .slice(-10);

/** Throws `NotFoundException`, as the service does for an identifier that it does not know. */
export function found<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new ServiceError('NotFoundException', `Invalid ${what} identifier specified`, 404);
  return value;
}

/** The path of a resource from the root, for example `/v1/cases/{id}`. */
export function pathOf(api: RestApi, resource: ApiResource): string {
  const parts: string[] = [];
  for (let at: ApiResource | undefined = resource; at !== undefined; at = api.resources.get(at.parentId ?? ''))
    if (at.pathPart !== '') parts.unshift(at.pathPart);
  return `/${parts.join('/')}`;
}

import { isMutation, ROUTES, type AnswerOf, type BodyOf, type OperationId, type Route } from './routes.ts';

type Placeholders<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}`
  ? Name | Placeholders<Rest>
  : never;
type ParamOf<O extends OperationId> = Placeholders<(typeof ROUTES)[O]['path']>;
type QueryOf<O extends OperationId> = (typeof ROUTES)[O] extends {
  readonly query: readonly { readonly name: infer Name extends string }[];
}
  ? Name
  : never;
type None = object;

/** What an operation is called with: as much of it as its route asks for. */
export type CallOf<O extends OperationId> = ([ParamOf<O>] extends [never]
  ? None
  : { readonly params: Readonly<Record<ParamOf<O>, string>> }) &
  ([QueryOf<O>] extends [never]
    ? None
    : { readonly query?: Readonly<Partial<Record<QueryOf<O>, string | undefined>>> }) &
  (BodyOf<O> extends undefined ? None : { readonly body: BodyOf<O> }) &
  ((typeof ROUTES)[O] extends { readonly ifMatch: 'proposal' } ? { readonly proposalDigest: string } : None) & {
    /** Chosen at random unless told; told, when an act is to be done again and not a second time. */
    readonly idempotencyKey?: string;
    /** The ETag that is known; an unchanged answer is then left out. */
    readonly ifNoneMatch?: string | undefined;
  };

/** Members that a call may have, whatever its operation. */
export interface AnyCall {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly body?: unknown;
  readonly proposalDigest?: string;
  readonly idempotencyKey?: string;
  readonly ifNoneMatch?: string | undefined;
}

function addressOf(exchange: string, route: Route, call: AnyCall): string {
  const path = route.path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(call.params?.[name] ?? ''));
  const url = new URL(exchange.replace(/\/+$/, '') + path);
  for (const [name, value] of Object.entries(call.query ?? {})) {
    if (value !== undefined) url.searchParams.set(name, value);
  }
  return url.href;
}

function headersOf(route: Route, call: AnyCall): Record<string, string> {
  return {
    accept: 'application/json, application/problem+json',
    ...(route.body === undefined ? {} : { 'content-type': 'application/json' }),
    ...(isMutation(route) ? { 'idempotency-key': call.idempotencyKey ?? crypto.randomUUID() } : {}),
    ...(call.proposalDigest === undefined ? {} : { 'if-match': `"${call.proposalDigest}"` }),
    ...(call.ifNoneMatch === undefined ? {} : { 'if-none-match': call.ifNoneMatch }),
  };
}

/** An operation as it goes over the wire; its body is text, so that it can be sent again. */
export interface HttpRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** @param exchange address of the API, below which its paths are */
export function requestOf(exchange: string, operation: OperationId, call: AnyCall): HttpRequest {
  const route: Route = ROUTES[operation];
  return {
    method: route.method,
    url: addressOf(exchange, route, call),
    headers: headersOf(route, call),
    ...(route.body === undefined ? {} : { body: JSON.stringify(call.body) }),
  };
}

/** Every operation of the API as a function. */
export type Api = {
  readonly [O in OperationId]: (
    ...call: None extends CallOf<O> ? [call?: CallOf<O>] : [call: CallOf<O>]
  ) => Promise<AnswerOf<O>>;
};

import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import { isCaseId, type CaseId, type Digest, type Nation } from '../domain/ids.ts';
import type { Actor, Person } from '../domain/people.ts';
import type { OperationId, Route } from '../contracts/routes.ts';
import { ROUTES } from '../contracts/routes.ts';
import { entryPoint } from '../platform/entry-point.ts';
import { NotFound } from '../platform/errors.ts';
import type { Exchange } from '../platform/execute.ts';
import { errorName, errorPlace, log } from '../platform/log.ts';
import { invalidBody, problemOf, Problematic } from './problems.ts';
import { parseStrictly } from './strict-json.ts';

/** A request whose route, caller and body are known. */
export interface ApiRequest {
  readonly operation: OperationId;
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
  /** Checked by the route's schema. */
  readonly body: unknown;
  readonly path: string;
  readonly traceId: string;
}

export interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

const HEADERS = { 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff', 'Referrer-Policy': 'no-referrer' };

const respond = (answer: Answer): APIGatewayProxyResult => ({
  statusCode: answer.status,
  headers: { 'Content-Type': 'application/json', ...HEADERS, ...answer.headers },
  body: JSON.stringify(answer.body),
});

function respondWithProblem(error: unknown, traceId: string): APIGatewayProxyResult {
  const problem = problemOf(error, traceId);
  const ours = problem.status >= 500;
  log(ours ? 'error' : 'info', 'API_PROBLEM', {
    status: problem.status,
    reason: problem.code,
    errorName: errorName(error),
    ...(ours ? { at: errorPlace(error) } : {}),
  });
  const retry: Record<string, string> = problem.status === 503 ? { 'Retry-After': '1' } : {};
  return {
    statusCode: problem.status,
    headers: { 'Content-Type': 'application/problem+json', ...HEADERS, ...retry },
    body: JSON.stringify(problem),
  };
}

/** The entry of a function of the API: every error becomes a problem document. */
export const answering = (
  answer: (event: APIGatewayProxyEvent) => Promise<Answer>,
): ((event: APIGatewayProxyEvent) => Promise<APIGatewayProxyResult>) =>
  entryPoint(async (event) => {
    try {
      return respond(await answer(event));
    } catch (error) {
      return respondWithProblem(error, event.requestContext.requestId);
    }
  });

/** Path parameters where the route's pattern fits the path, segment by segment; nothing is decoded twice. */
function match(route: Route, path: string): Record<string, string> | undefined {
  const pattern = route.path.split('/');
  const parts = path.split('/');
  if (pattern.length !== parts.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, expected] of pattern.entries()) {
    const part = parts[index] ?? '';
    if (expected.startsWith('{')) {
      if (!/^[A-Za-z0-9-]{1,80}$/.test(part)) return undefined;
      params[expected.slice(1, -1)] = part;
    } else if (expected !== part) return undefined;
  }
  return params;
}

function find(method: string, path: string): { operation: OperationId; params: Record<string, string> } {
  const fitting = (Object.keys(ROUTES) as OperationId[]).flatMap((operation) => {
    const params = match(ROUTES[operation], path);
    return params === undefined ? [] : [{ operation, params }];
  });
  const found = fitting.find(({ operation }) => ROUTES[operation].method === method);
  if (found !== undefined) return found;
  if (fitting.length === 0) throw new NotFound('No such route.');
  const allowed = fitting.map(({ operation }) => ROUTES[operation].method).join(', ');
  throw new Problematic({
    status: 405,
    code: 'METHOD_NOT_ALLOWED',
    detail: `${method} does not exist here; ${allowed} does.`,
    next: 'GET /v1/openapi.json lists every operation.',
  });
}

const lowerCased = (headers: Readonly<Record<string, string | undefined>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value ?? '']));

function bodyOf(event: APIGatewayProxyEvent, route: Route, headers: Readonly<Record<string, string>>): unknown {
  const text =
    event.isBase64Encoded && event.body !== null ? Buffer.from(event.body, 'base64').toString('utf8') : event.body;
  if (route.body === undefined) return undefined;
  const mediaType = (headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase();
  if (text !== null && text !== '' && mediaType !== 'application/json') {
    throw new Problematic({
      status: 415,
      code: 'MEDIA_TYPE',
      detail: 'Bodies are application/json.',
      next: 'Send the body with Content-Type: application/json.',
    });
  }
  const parsed = route.body.safeParse(parseStrictly(text));
  if (!parsed.success) throw invalidBody(parsed.error);
  return parsed.data;
}

/** Headers that decide something. */
const ONCE = ['authorization', 'content-type', 'idempotency-key', 'if-match'];

/** What stands twice is refused: of two values one reader takes the first and another the last (as with members of a body, row 12). */
function refuseRepeated(event: APIGatewayProxyEvent): void {
  const headers = Object.entries(event.multiValueHeaders ?? {}).flatMap(([name, values = []]) =>
    values.map(() => name.toLowerCase()),
  );
  const query = Object.entries(event.multiValueQueryStringParameters ?? {});
  const header = ONCE.find((name) => headers.filter((each) => each === name).length > 1);
  const parameter = query.find(([, values]) => (values ?? []).length > 1);
  if (header === undefined && parameter === undefined) return;
  throw new Problematic({
    status: 400,
    code: 'REPEATED',
    detail:
      header === undefined
        ? 'A query parameter stands in the request twice.'
        : `The header ${header} stands in the request twice.`,
    next: 'Send it once.',
  });
}

/** Finds the route, checks path, media type and body. */
export function readRequest(event: APIGatewayProxyEvent): ApiRequest {
  const { operation, params } = find(event.httpMethod, event.path);
  refuseRepeated(event);
  const headers = lowerCased(event.headers ?? {});
  const query = Object.fromEntries(
    Object.entries(event.queryStringParameters ?? {}).map(([name, value]) => [name, value ?? '']),
  );
  return {
    operation,
    params,
    query,
    headers,
    body: bodyOf(event, ROUTES[operation], headers),
    path: event.path,
    traceId: event.requestContext.requestId,
  };
}

/**
 * The person a credential names, with what the directory says now. Looked for among the people of the issuer's nation alone: a nation
 * speaks for its own people only.
 */
export async function callerOf(
  event: APIGatewayProxyEvent,
  exchange: Exchange,
): Promise<Extract<Actor, { kind: 'person' }>> {
  const authorizer = event.requestContext.authorizer ?? {};
  const person: Person | undefined = await exchange.directory.whoIs(
    nationIn(String(authorizer['nation'] ?? '')),
    String(authorizer['subject'] ?? ''),
    exchange.now(),
  );
  if (person === undefined) {
    throw new Problematic({
      status: 403,
      code: 'NOT_IN_DIRECTORY',
      detail: 'Your credential is valid, and the directory of this exchange does not know you.',
      next: 'Ask a directory officer of your nation to enter you, and a second one to confirm it.',
    });
  }
  return { kind: 'person', person };
}

/** The case id of a path, or the same answer as for a case that does not exist. */
export function caseIdIn(request: ApiRequest): CaseId {
  const id = request.params['caseId'] ?? '';
  if (!isCaseId(id)) throw new NotFound('No such case.');
  return id;
}

export const digestIn = (text: string): Digest => text as Digest; // the schema has checked the form
export const nationIn = (text: string): Nation => text as Nation; // likewise, or it is the authorizer's

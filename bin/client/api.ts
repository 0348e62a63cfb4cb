import { problem } from '../../lambdas/contracts/api-answers.ts';
import { requestOf, type AnyCall, type Api, type CallOf } from '../../lambdas/contracts/api-calls.ts';
import { ROUTES, type AnswerOf, type OperationId, type Route } from '../../lambdas/contracts/routes.ts';
import { ClientError, ProblemError } from './errors.ts';
import { exitForStatus } from './exit-codes.ts';
import { send, type HttpReply, type Patience } from './transport.ts';

export type { Api, CallOf };

export interface Reply<O extends OperationId> {
  /** Undefined where nothing has changed since `ifNoneMatch`. */
  readonly answer: AnswerOf<O> | undefined;
  readonly headers: Headers;
}

export interface Credential {
  token(): Promise<string>;
  /** A fresh token, where the client can have one by itself. */
  readonly renew?: () => Promise<string>;
}

/** An exchange, and who talks to it. */
export interface Connection extends Patience {
  /** Its address, without a path. */
  readonly exchange: string;
  readonly credential?: Credential | undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** An error for an answer that is none of the route's: a problem as the API writes them, or whatever stands before it. */
function errorFor(reply: HttpReply, exchange: string): ClientError {
  const read = problem.safeParse(parsed(reply.text));
  if (read.success) return new ProblemError(read.data);
  return new ClientError(
    exitForStatus(reply.status),
    `HTTP_${reply.status}`,
    `${exchange} answered ${reply.status}, and not as this API does.`,
    'Check that --exchange is the address of a Valiza exchange, and try again later.',
  );
}

/**
 * Calls an operation and gives its answer with the headers.
 * @throws ProblemError for a problem of the API, ClientError for everything else that is no answer
 */
export async function call<O extends OperationId>(
  connection: Connection,
  operation: O,
  arguments_: CallOf<O>,
): Promise<Reply<O>> {
  const route: Route = ROUTES[operation];
  const given: AnyCall = arguments_;
  const { credential } = connection;
  const request = requestOf(connection.exchange, operation, given);
  const attempt = (token: string | undefined): Promise<HttpReply> =>
    send(
      token === undefined ? request : { ...request, headers: { ...request.headers, authorization: `Bearer ${token}` } },
      connection,
    );
  const known = route.auth === 'none' ? undefined : credential;
  let reply = await attempt(await known?.token());
  // The clock of a local exchange can be moved, and a token ends with it.
  if (reply.status === 401 && known?.renew !== undefined) reply = await attempt(await known.renew());
  if (reply.status === 304) return { answer: undefined, headers: reply.headers };
  if (reply.status !== route.status) throw errorFor(reply, connection.exchange);
  const answer = route.answer.safeParse(parsed(reply.text));
  if (!answer.success) {
    throw new ClientError(
      1,
      'UNEXPECTED_ANSWER',
      `${connection.exchange} answered ${operation} in a form that this client does not know.`,
      'Update the client to the version of the exchange.',
      answer.error,
    );
  }
  // The route's schema has read it.
  return { answer: answer.data as AnswerOf<O>, headers: reply.headers };
}

/** The API of an exchange, as the caller that the connection's credential names. */
export const apiOf = (connection: Connection): Api =>
  Object.fromEntries(
    (Object.keys(ROUTES) as OperationId[]).map((operation) => [
      operation,
      // Without If-None-Match there is always an answer.
      async (given: AnyCall = {}) => (await call(connection, operation, given as never)).answer,
    ]),
    // One function per route, made from the route: what the mapped type says member for member.
  ) as unknown as Api;

import { setTimeout as pause } from 'node:timers/promises';
import { problem } from '../../contracts/api-answers.ts';
import { requestOf, type AnyCall, type Api, type HttpRequest } from '../../contracts/api-calls.ts';
import { ROUTES, type OperationId } from '../../contracts/routes.ts';
import { canaryIssuer } from '../../domain/canary.ts';
import type { Person } from '../../domain/people.ts';
import { randomId } from '../../platform/identifiers.ts';
import { signES256 } from '../../platform/signing-key.ts';
import { CanaryFailure } from './failure.ts';

/** Where the canary calls, and with what it signs in. */
export interface Door {
  /** Address of the API. */
  readonly exchange: string;
  readonly audience: string;
  readonly keyId: string;
}

/** Longest life of a token that the exchange accepts, in seconds (security.md §8): longer than a run. */
const TOKEN_SECONDS = 600;

const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** An access token (RFC 9068) of one of the canary's people, signed by the vault's key. */
export async function tokenOf({ personId, nation }: Person, { audience, keyId }: Door): Promise<string> {
  const iat = Math.floor(Date.now() / 1000);
  const claims = { iss: canaryIssuer(nation), sub: personId, aud: audience, iat, exp: iat + TOKEN_SECONDS };
  const content = `${encoded({ alg: 'ES256', typ: 'at+jwt' })}.${encoded({ ...claims, jti: randomId() })}`;
  try {
    return `${content}.${(await signES256(keyId, content)).toString('base64url')}`;
  } catch (error) {
    throw new CanaryFailure('NOT_SIGNED', null, error);
  }
}

const ATTEMPTS = 3;
const ANSWER_WITHIN = 30_000;
/** What says that it is to be tried again. */
const AGAIN = [429, 503];

/** Sends a request; again where nothing came back, or the answer asks for it: the idempotency key stays the same. */
async function send(request: HttpRequest, token: string): Promise<{ status: number; text: string }> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const answer = await fetch(request.url, {
        ...request,
        headers: { ...request.headers, authorization: `Bearer ${token}` },
        redirect: 'error',
        signal: AbortSignal.timeout(ANSWER_WITHIN),
      });
      const text = await answer.text();
      if (!AGAIN.includes(answer.status) || attempt === ATTEMPTS) return { status: answer.status, text };
    } catch (error) {
      if (attempt === ATTEMPTS) throw new CanaryFailure('UNREACHABLE', null, error);
    }
    await pause(500 * 2 ** attempt * Math.random());
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** @throws CanaryFailure with the code of the problem that came back */
async function call(exchange: string, token: string, operation: OperationId, given: AnyCall): Promise<unknown> {
  const { status, text } = await send(requestOf(exchange, operation, given), token);
  const route = ROUTES[operation];
  if (status !== route.status) {
    const read = problem.safeParse(parsed(text));
    throw new CanaryFailure(read.success ? read.data.code : `HTTP_${status}`, status);
  }
  const answer = route.answer.safeParse(parsed(text));
  if (!answer.success) throw new CanaryFailure('UNEXPECTED_ANSWER', status, answer.error);
  return answer.data;
}

/** The API as one of the canary's people, signed in once. */
export const apiAs = async (person: Person, door: Door): Promise<Api> => {
  const token = await tokenOf(person, door);
  return Object.fromEntries(
    (Object.keys(ROUTES) as OperationId[]).map((operation) => [
      operation,
      (given: AnyCall = {}) => call(door.exchange, token, operation, given),
    ]),
    // One function per route, made from the route: what the mapped type says member for member.
  ) as unknown as Api;
};

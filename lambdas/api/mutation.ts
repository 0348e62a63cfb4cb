import { ENV } from '../contracts/names.ts';
import { ROUTES } from '../contracts/routes.ts';
import type { Case } from '../domain/case.ts';
import { evolve } from '../domain/evolve.ts';
import type { CaseId } from '../domain/ids.ts';
import type { Caller } from './visibility.ts';
import { digestOf } from '../evidence/digest.ts';
import { loadCase, type CaseFile, type IdempotencyRecord } from '../platform/case-store.ts';
import { dynamodb } from '../platform/dynamodb.ts';
import { readEnvironment } from '../platform/environment.ts';
import { Conflict, FileBehind, NotFound, Refused } from '../platform/errors.ts';
import { execute, type CommandFor, type Exchange } from '../platform/execute.ts';
import { answeredBefore, idempotencyKey, recordExpiry, type AnsweredBefore } from '../platform/idempotency.ts';
import { viewOf } from './case-view.ts';
import { Problematic } from './problems.ts';
import type { Answer, ApiRequest } from './request.ts';
import { assertVisible } from './visibility.ts';

const env = readEnvironment([ENV.idempotencyTable]);

/** A repeated request, recognised by its key. */
export interface Keyed {
  readonly table: string;
  readonly key: string;
  readonly fingerprint: string;
}

/** The idempotency key of a POST (draft-ietf-httpapi-idempotency-key-header), bound to the caller, the path and the body. */
export function keyed(request: ApiRequest, caller: Caller): Keyed {
  const key = request.headers['idempotency-key'] ?? '';
  if (!/^[A-Za-z0-9_-]{8,80}$/.test(key)) {
    throw new Problematic({
      status: 400,
      code: 'IDEMPOTENCY_KEY',
      detail: 'Every POST carries an Idempotency-Key of 8 to 80 letters, digits, - or _.',
      next: 'Choose a random key for this act, and send the same one when you send it again.',
    });
  }
  return {
    table: env[ENV.idempotencyTable],
    key: idempotencyKey(caller.person, request.operation, request.path, key),
    fingerprint: digestOf({
      operation: request.operation,
      path: request.path,
      body: request.body ?? null,
      match: request.headers['if-match'] ?? null,
    }),
  };
}

/** What was answered to this key before, or undefined. @throws Problematic 422 when the key was used for another request */
export async function before(keyedRequest: Keyed): Promise<AnsweredBefore | undefined> {
  const record = await answeredBefore(dynamodb, keyedRequest.table, keyedRequest.key);
  if (record === undefined || record.fingerprint === keyedRequest.fingerprint) return record;
  throw new Problematic({
    status: 422,
    code: 'IDEMPOTENCY_KEY_REUSED',
    detail: 'This idempotency key was used for a different request.',
    next: 'Choose a new key for a new act.',
  });
}

export const recordFor = (keyedRequest: Keyed, caseId: string, exchange: Exchange): IdempotencyRecord => ({
  ...keyedRequest,
  caseId,
  expiresAt: recordExpiry(exchange.now()),
});

/** The case as it stood after an event: a repeated request is answered as it was. */
export function asOf(file: CaseFile, sequence: number): Case {
  // What was answered to has been there: a file without it has lost something.
  if (file.events.length < sequence) throw new FileBehind('The file of this case is shorter than it has been.');
  let state: Case | undefined;
  for (const event of file.events.slice(0, sequence)) state = evolve(state, event);
  if (state === undefined) throw new NotFound('No such case.');
  return state;
}

/** The case as the caller sees it, after what they did: also when what they did takes it out of their sight. */
export function answerWithCase(request: ApiRequest, caller: Caller, state: Case): Answer {
  const side = assertVisible(state, caller);
  return {
    status: ROUTES[request.operation].status,
    body: viewOf(state, side, caller.person),
    headers: { ETag: `"${state.sequence}"` },
  };
}

/**
 * Does a command once, however often it is sent: the idempotency record is committed with the events, so there is no moment at which
 * one exists without the other.
 * @returns the case as it stood right after the command
 */
export async function mutate(
  exchange: Exchange,
  request: ApiRequest,
  caller: Caller,
  caseId: CaseId,
  command: CommandFor,
): Promise<Case> {
  // Seen with the same read that is decided on: a case that is not the caller's does not exist for them.
  const visibly: CommandFor = (file) => {
    assertVisible(file.state, caller);
    return typeof command === 'function' ? command(file) : command;
  };
  if (ROUTES[request.operation].method !== 'POST') return (await execute(exchange, caseId, caller, visibly)).state;
  const key = keyed(request, caller);
  const again = async (): Promise<Case | undefined> => {
    const record = await before(key);
    return record === undefined
      ? undefined
      : asOf(await loadCase(dynamodb, exchange.casesTable, caseId), record.sequence);
  };
  const earlier = await again();
  if (earlier !== undefined) return earlier;
  try {
    const idempotency = recordFor(key, caseId, exchange);
    return (await execute(exchange, caseId, caller, visibly, () => ({ idempotency }))).state;
  } catch (error) {
    // The same request, sent twice at once: the other one was faster, and its answer is this one's too.
    const twin = error instanceof Conflict || error instanceof Refused ? await again() : undefined;
    if (twin !== undefined) return twin;
    throw error;
  }
}

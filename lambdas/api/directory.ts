import type { z } from 'zod';
import { instantOf, type changeBody } from '../contracts/api-bodies.ts';
import { personSchema } from '../contracts/person-schema.ts';
import { confirmChange as confirm, proposeChange as propose, type DirectoryChange } from '../domain/directory.ts';
import { isCanary } from '../domain/canary.ts';
import type { Instant } from '../domain/instant.ts';
import { APPROVING_ROLES, hasRole, type Person } from '../domain/people.ts';
import { isRefusal } from '../domain/refusal.ts';
import { digestOfBytes } from '../evidence/digest.ts';
import { isOnCurve } from '../evidence/recipient-key.ts';
import { putNew } from '../platform/dynamodb.ts';
import { Conflict, NotFound, Refused } from '../platform/errors.ts';
import type { Exchange } from '../platform/execute.ts';
import { orderedId } from '../platform/identifiers.ts';
import { limitIn } from './cases.ts';
import { before, keyed, recordFor, type Keyed } from './mutation.ts';
import { type Caller } from './visibility.ts';
import { invalidBody, Problematic } from './problems.ts';
import { nationIn, type Answer, type ApiRequest } from './request.ts';

/** The entry as proposed, with the nation of who proposes it and the fingerprints that the exchange computes itself. */
function personIn(body: z.infer<typeof changeBody>['person'], officer: Person): Person {
  const { publicKeys, ...rest } = body;
  const parsed = personSchema.safeParse({
    ...rest,
    nation: officer.nation,
    clearances: rest.clearances.map((clearance) => ({ ...clearance, validTo: instantOf(clearance.validTo) })),
    keys: publicKeys.map((publicKey) => ({
      publicKey,
      fingerprint: digestOfBytes(Buffer.from(publicKey, 'base64url')),
    })),
  });
  if (!parsed.success) throw invalidBody(parsed.error, '/person');
  const wrong = publicKeys.findIndex((publicKey) => !isOnCurve(publicKey));
  if (wrong !== -1) {
    throw new Problematic({
      status: 400,
      code: 'INVALID_INPUT',
      detail: 'A public key is no point of the curve P-256: nothing could be sealed to it.',
      next: 'Give the key that `valiza keys new` prints.',
      errors: [{ pointer: `/person/publicKeys/${wrong}`, detail: 'must be a point of the curve P-256' }],
    });
  }
  return parsed.data as Person; // the schema is the type
}

const keyWrite = (key: Keyed, change: DirectoryChange, exchange: Exchange) => {
  const { table, ...record } = recordFor(key, change.changeId, exchange);
  return putNew(table, { ...record, sequence: 0 }, 'key');
};

async function changeOf(exchange: Exchange, caller: Caller, changeId: string): Promise<DirectoryChange> {
  const change = await exchange.directory.change(caller.person.nation, changeId);
  if (change === undefined) throw new NotFound('No such change.');
  return change;
}

/** The change as it was proposed: a repeated proposal gets the answer of the first, whatever happened since. */
const asProposed = (change: DirectoryChange): DirectoryChange => ({ ...change, confirmedBy: null, confirmedAt: null });

/** POST /v1/directory/changes */
export async function proposeChange(exchange: Exchange, request: ApiRequest, caller: Caller): Promise<Answer> {
  const body = request.body as z.infer<typeof changeBody>; // checked by the route's schema
  const key = keyed(request, caller);
  const earlier = await before(key);
  if (earlier !== undefined) return { status: 201, body: asProposed(await changeOf(exchange, caller, earlier.caseId)) };
  const now = exchange.now();
  const person = personIn(body.person, caller.person);
  const change = propose(
    {
      changeId: orderedId(now),
      person,
      effectiveFrom: body.effectiveFrom === undefined ? now : instantOf(body.effectiveFrom),
    },
    caller.person,
    await exchange.directory.person(person.nation, person.personId, now),
    now,
  );
  if (isRefusal(change)) throw new Refused(change);
  return once(
    key,
    () => exchange.directory.propose(change, keyWrite(key, change, exchange)),
    async (changeId) => ({
      status: 201,
      body: asProposed(changeId === undefined ? change : await changeOf(exchange, caller, changeId)),
    }),
  );
}

/** POST /v1/directory/changes/{changeId}/confirmation */
export async function confirmChange(exchange: Exchange, request: ApiRequest, caller: Caller): Promise<Answer> {
  const key = keyed(request, caller);
  const change = await changeOf(exchange, caller, request.params['changeId'] ?? '');
  if ((await before(key)) !== undefined) return { status: 201, body: change };
  const now: Instant = exchange.now();
  const current = await exchange.directory.person(change.nation, change.person.personId, now);
  const confirmed = confirm(change, caller.person, current, now);
  if (isRefusal(confirmed)) throw new Refused(confirmed);
  return once(
    key,
    () => exchange.directory.confirm(confirmed, keyWrite(key, confirmed, exchange)),
    async (changeId) => ({
      status: 201,
      body: changeId === undefined ? confirmed : await changeOf(exchange, caller, changeId),
    }),
  );
}

/** Writes once: when the same request was faster in another place, its answer is this one's too. */
async function once(
  key: Keyed,
  write: () => Promise<void>,
  answer: (changeId: string | undefined) => Promise<Answer>,
): Promise<Answer> {
  try {
    await write();
    return await answer(undefined);
  } catch (error) {
    const twin = error instanceof Conflict ? await before(key) : undefined;
    if (twin !== undefined) return answer(twin.caseId);
    throw error;
  }
}

/** GET /v1/directory/changes */
export async function listChanges(exchange: Exchange, request: ApiRequest, { person }: Caller): Promise<Answer> {
  const asked = request.query['nation'] ?? person.nation;
  // Those who prepare and decide need the recipients' entries and keys; everybody else reads their own nation's.
  const mayReadOther =
    person.nation === exchange.originatingNation &&
    hasRole(person, 'desk-officer', 'competent-authority', ...APPROVING_ROLES);
  const limit = limitIn(request);
  if (isCanary(person) || (asked !== person.nation && !mayReadOther)) throw new NotFound('No such directory.');
  const changes = await exchange.directory.changes(nationIn(asked), limit);
  return { status: 200, body: { changes } };
}

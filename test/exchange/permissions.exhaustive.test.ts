import type { Denial } from '../../local/iam/denials.ts';
import { HOUR, openScene, resourcesOf, until, type Scene } from '../support/exchange.ts';
import { examined } from '../support/examined.ts';

jest.setTimeout(120_000);

interface Statement {
  readonly Sid?: string;
  Action: string | string[];
}

type Amendment = NonNullable<NonNullable<Parameters<typeof openScene>[0]>['amend']>;

/** Takes an action away from a role's own policy, and fails when it is not there to be taken. */
const without = (role: string, action: string) => {
  let taken = 0;
  const amend: Amendment = (_stack, template) => {
    for (const [id, { Type, Properties }] of resourcesOf(template)) {
      if (Type !== 'AWS::IAM::Policy' || !id.startsWith(`${role}DefaultPolicy`)) continue;
      const document = Properties['PolicyDocument'] as { Statement: Statement[] }; // as every policy has one
      for (const statement of document.Statement) {
        const left = [statement.Action].flat().filter((name) => name !== action);
        if (left.length < [statement.Action].flat().length) taken += 1;
        statement.Action = left;
      }
      document.Statement = document.Statement.filter(({ Action }) => Action.length > 0);
    }
  };
  return { amend, taken: () => taken };
};

/** Takes a statement out of the policy of the package key. */
const withoutKeyStatement = (sid: string) => {
  let taken = 0;
  const amend: Amendment = (_stack, template) => {
    for (const [id, { Type, Properties }] of resourcesOf(template)) {
      if (Type !== 'AWS::KMS::Key' || !id.startsWith('PackageKey')) continue;
      const document = Properties['KeyPolicy'] as { Statement: Statement[] }; // as every key has one
      const left = document.Statement.filter(({ Sid }) => Sid !== sid);
      taken += document.Statement.length - left.length;
      document.Statement = left;
    }
  };
  return { amend, taken: () => taken };
};

let scene: Scene | undefined;
afterEach(() => examined('permissions', 1));
afterEach(async () => {
  await scene?.close();
  scene = undefined;
});

/** Boots an exchange from whose templates something is missing. */
async function openLacking(...lacks: readonly ReturnType<typeof without>[]): Promise<Scene> {
  scene = await openScene({
    amend(stack, template) {
      for (const { amend } of lacks) amend(stack, template);
    },
  });
  expect(lacks.map((lack) => lack.taken() > 0)).toEqual(lacks.map(() => true));
  // Entering the people needed nothing of it.
  expect(scene.runtime.denials()).toEqual([]);
  return scene;
}

/** The first refusal of an action, once there is one. */
const denialOf = (of: Scene, action: string, role: string): Promise<Denial> =>
  until(`${role} is refused ${action}`, () =>
    of.runtime.denials().find((denial) => denial.action === action && denial.caller === of.roleNamed(role)),
  );

const table = (name: string): unknown => expect.stringMatching(new RegExp(`:table/.*${name}`));
/** One transaction writes an event and the tally of its case; which of the two is refused first is the store's to choose. */
const EVENTS = table('(Cases|Tally)');

test('a request is not assessed without the right to write events', async () => {
  const exchange = await openLacking(without('assessrequestRole', 'dynamodb:PutItem'));
  const { who, mark } = exchange;
  const { caseId } = await exchange.as(who.requester).submitRequest({
    body: {
      agreementId: 'CAN-UKR-EXERCISE',
      purpose: 'tender',
      justification: 'To bid.',
      title: 'Tender documents',
      description: 'The tender file.',
      levelSought: { axis: 'protected', mark },
      recipients: [who.recipient],
      language: 'en',
    },
  });
  const denial = await denialOf(exchange, 'dynamodb:PutItem', 'assessrequestRole');
  expect(denial).toMatchObject({ resource: EVENTS, reason: expect.stringMatching(/./) });
  await exchange.runtime.settled();
  const { events } = await exchange.as(who.desk).readEvents({ params: { caseId } });
  expect(events.map(({ type, payload }) => [type, payload?.['step']])).toEqual([
    ['RequestSubmitted', undefined],
    ['AttemptFailed', 'Assess request'],
  ]);
});

test('a wait is not parked without the right to keep tokens, and nothing is sealed without the right to write events', async () => {
  const exchange = await openLacking(
    without('awaitpartyRole', 'dynamodb:PutItem'),
    without('SealingRole', 'dynamodb:PutItem'),
  );
  const { caseId } = await exchange.submit();
  const parking = await denialOf(exchange, 'dynamodb:PutItem', 'awaitpartyRole');
  expect(parking).toMatchObject({ resource: table('Tokens') });
  await exchange.runtime.settled();
  const seen = await exchange.propose(caseId);
  await exchange.approve(seen, exchange.who.releasing);
  await exchange.approve(seen, exchange.who.security);
  await exchange.assure(seen);
  await exchange.runtime.settled();
  // The next attempt of a case that has failed comes after some minutes.
  await exchange.runtime.clock.advance(HOUR);
  const sealing = await denialOf(exchange, 'dynamodb:PutItem', 'SealingRole');
  expect(sealing).toMatchObject({ resource: EVENTS });
  await exchange.runtime.settled();
  expect((await exchange.read(caseId)).phase).toBe('SEALING');
});

test('nobody is woken without the right to wake', async () => {
  const exchange = await openLacking(without('resumeworkflowRole', 'states:SendTaskSuccess'));
  const seen = await exchange.reach('PROPOSED');
  await exchange.approve(seen, exchange.who.releasing);
  await exchange.approve(seen, exchange.who.security);
  const waking = await denialOf(exchange, 'states:SendTaskSuccess', 'resumeworkflowRole');
  // The action has no resource of its own, says its reference.
  expect(waking.resource).toBe('*');
  await exchange.runtime.settled();
  expect((await exchange.read(seen.caseId)).phase).toBe('AWAITING_ASSURANCE');
  expect(exchange.statesEntered(seen.caseId).map((states) => states.at(-1))).toEqual(['Await decision']);
});

test('no release opens without the right to write events', async () => {
  const exchange = await openLacking(without('openreleaseRole', 'dynamodb:PutItem'));
  const seen = await exchange.reach('AWAITING_ASSURANCE');
  await exchange.assure(seen);
  const opening = await denialOf(exchange, 'dynamodb:PutItem', 'openreleaseRole');
  expect(opening).toMatchObject({ resource: EVENTS });
  await exchange.runtime.settled();
  const after = await exchange.read(seen.caseId);
  expect([after.phase, after.release]).toEqual(['SEALING', undefined]);
  const path = `/v1/cases/${seen.caseId}/accesses`;
  const early = await exchange.raw(exchange.who.recipient, 'POST', path, { 'idempotency-key': 'too-early' }, '{}');
  expect(early.status).toBe(409);
});

test('no package is opened without the right to its key, and no release is closed without the right to write events', async () => {
  const exchange = await openLacking(
    withoutKeyStatement('ReleaseAccessOpensThem'),
    without('closereleaseRole', 'dynamodb:PutItem'),
  );
  const { caseId } = await exchange.reach('RELEASED', { copies: 1 });
  const path = `/v1/cases/${caseId}/accesses`;
  for (const key of ['first-opening', 'second-opening']) {
    const answer = await exchange.raw(exchange.who.recipient, 'POST', path, { 'idempotency-key': key }, '{}');
    expect([answer.status, JSON.parse(answer.text)]).toEqual([403, expect.objectContaining({ code: 'KEY_REFUSED' })]);
    expect(answer.text).not.toMatch(/sealedKey|https?:/);
  }
  const decrypting = await denialOf(exchange, 'kms:Decrypt', 'ReleaseAccessRole');
  expect(decrypting.resource).toMatch(/:key\//);
  // Recorded both times, and neither counted: the second was not refused for want of a copy.
  const { accesses } = await exchange.read(caseId);
  expect(accesses?.map(({ copy, failed }) => ({ copy, failed }))).toEqual([
    { copy: 1, failed: true },
    { copy: 1, failed: true },
  ]);
  await exchange.as(exchange.who.security).recallRelease({ params: { caseId }, body: { reason: 'It was a mistake.' } });
  const closing = await denialOf(exchange, 'dynamodb:PutItem', 'closereleaseRole');
  expect(closing).toMatchObject({ resource: EVENTS });
  await exchange.runtime.settled();
  // Never said to be over before it is recorded as over; and nothing opens meanwhile.
  expect((await exchange.read(caseId)).phase).toBe('CLOSING');
  const late = await exchange.raw(exchange.who.recipient, 'POST', path, { 'idempotency-key': 'third-opening' }, '{}');
  expect(late.status).toBe(409);
});

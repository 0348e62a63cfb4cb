import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import type { CaseView } from '../../lambdas/contracts/api-answers.ts';
import { examined } from '../support/examined.ts';
import { DAY, MINUTE, openScene, type Scene } from '../support/exchange.ts';

jest.setTimeout(180_000);

/** The sweep looks every minute, and an event is announced when it is settled. */
const SOON = 3 * MINUTE;
const REMINDER = /^\S+ (\[.+\] )?(A reminder|Rappel|Нагадування)/;
const LOST = /did not reach|n’a pas atteint|не дійшло/;
const NOBODY = /no approver can decide|qu'aucun approbateur|нікому вирішити/;

let scene: Scene;
let looked = 0;

beforeAll(async () => {
  scene = await openScene();
});
afterAll(() => scene.close());
afterAll(() => examined('operations', looked));

const moveTo = async (epoch: number): Promise<void> => {
  await scene.runtime.settled();
  await scene.runtime.clock.advanceTo(epoch);
  await scene.runtime.settled();
};
const wait = (milliseconds: number): Promise<void> => moveTo(scene.runtime.clock.now() + milliseconds);

const mailed = (caseId: string, words: RegExp): string[] =>
  scene.runtime.services.ses.outbox
    .list()
    .filter(({ text }) => text?.includes(caseId))
    .map(({ to, subject }) => `${to.join().replace('@exercise.valiza.example', '')} ${subject}`)
    .filter((mail) => words.test(mail))
    .map((mail) => mail.split(' ')[0] ?? '')
    .sort();

interface Filed {
  readonly type: string;
  readonly payload: Record<string, unknown>;
}
const filed = async (caseId: string, ...types: string[]): Promise<Filed[]> => {
  const { events } = await scene.as(scene.who.desk).readEvents({ params: { caseId } });
  const found = (events as unknown as Filed[]).filter(({ type }) => types.includes(type)); // as the originator is shown it
  looked += found.length;
  return found;
};
const logged = (caseId: string): string[] =>
  scene.runtime.services.lambda
    .logs()
    .filter(({ message }) => message.includes(caseId))
    .flatMap(({ message }) => /"code":"([A-Z_]+)"/.exec(message)?.[1] ?? []);

/** The instant at which a share of a case's clock has passed. */
const shareOf = (seen: CaseView, share: number): number => {
  const [start, end] = [Date.parse(seen.clock?.startedAt ?? ''), Date.parse(seen.clock?.dueAt ?? '')];
  return start + (end - start) * share;
};

test('those who have not voted are reminded of a decision at half and nine tenths of its time, and not before', async () => {
  const seen = await scene.reach('PROPOSED', { endsIn: 60 * DAY });
  const { caseId } = seen;
  await scene.approve(seen, scene.who.releasing);
  await moveTo(shareOf(seen, 0.5) - MINUTE);
  expect(mailed(caseId, REMINDER)).toEqual([]);
  await moveTo(shareOf(seen, 0.5) + SOON);
  const others = ['can-releasing-2', 'can-security-1'];
  expect(mailed(caseId, REMINDER)).toEqual(others);
  await moveTo(shareOf(seen, 0.9) - MINUTE);
  expect(mailed(caseId, REMINDER)).toEqual(others);
  await moveTo(shareOf(seen, 0.9) + SOON);
  expect(mailed(caseId, REMINDER)).toEqual([...others, ...others].sort());
  expect((await filed(caseId, 'Reminded')).map(({ payload }) => `${payload['mark']} ${payload['to']}`)).toEqual([
    'half approvers',
    'ninety-percent approvers',
  ]);
  // Nobody was woken for it: the execution waits as it did.
  expect(scene.statesEntered(caseId)).toHaveLength(1);
  await scene.approve(await scene.read(caseId), scene.who.security);
  await scene.waitFor(caseId, 'AWAITING_ASSURANCE');
});

test('an escalated decision is reminded of again', async () => {
  const seen = await scene.reach('UNDER_REVIEW');
  const { caseId, dueAt } = seen;
  for (const share of [0.5, 0.9]) await moveTo(shareOf(seen, share) + SOON);
  await moveTo(Date.parse(dueAt ?? '') + SOON);
  expect((await filed(caseId, 'Reminded', 'DecisionEscalated')).map(({ type }) => type)).toEqual([
    'Reminded',
    'Reminded',
    'DecisionEscalated',
  ]);
  expect(mailed(caseId, REMINDER)).toEqual(['can-desk-1', 'can-desk-1']);
  const escalated = await scene.read(caseId);
  const half = (Date.parse(escalated.clock?.escalatedAt ?? '') + Date.parse(escalated.dueAt ?? '')) / 2;
  await moveTo(half - MINUTE);
  expect(await filed(caseId, 'Reminded')).toHaveLength(2);
  await moveTo(half + SOON);
  expect(await filed(caseId, 'Reminded')).toHaveLength(3);
});

test('the requester is reminded of a clarification, and nobody meanwhile of the decision; a late look reminds once', async () => {
  const seen = await scene.reach('AWAITING_CLARIFICATION');
  // Nothing runs between two instants to which time is moved.
  await moveTo(shareOf(seen, 0.95));
  expect(mailed(seen.caseId, REMINDER)).toEqual([scene.who.requester]);
  const reminded = await filed(seen.caseId, 'Reminded');
  expect(reminded.map(({ payload }) => `${payload['clock']} ${payload['mark']}`)).toEqual([
    'clarification ninety-percent',
  ]);
});

test('the recipient authority is reminded of an assurance', async () => {
  const seen = await scene.reach('AWAITING_ASSURANCE', { endsIn: 60 * DAY });
  await moveTo(shareOf(seen, 0.5) + SOON);
  expect(mailed(seen.caseId, REMINDER)).toEqual([scene.who.recipientAuthority]);
});

describe('mail that comes back', () => {
  const other = 'another@exercise.valiza.example';

  test('is recorded, told to who can act next, and makes its reader unreachable until the entry names another address', async () => {
    await scene.change(scene.who.security, { mail: 'bounce@simulator.amazonses.com' });
    const { caseId } = await scene.reach('PROPOSED', { endsIn: 60 * DAY });
    await wait(MINUTE);
    expect((await filed(caseId, 'NoticeUndelivered')).map(({ payload }) => payload)).toEqual([
      { notice: expect.any(Number), to: 'approvers', personId: scene.who.security, cause: 'bounced', again: false },
    ]);
    expect(mailed(caseId, LOST)).toEqual(['can-authority-1', 'can-releasing-1', 'can-releasing-2']);
    expect(logged(caseId)).toContain('MAIL_UNDELIVERED');
    // There is one security officer: nobody is left who could decide and can be told.
    await wait(DAY + SOON);
    const [lost, ...more] = await filed(caseId, 'QuorumReachChanged');
    expect([lost?.payload, more]).toEqual([
      { withinReach: false, openRoles: ['releasing-officer', 'security-officer'] },
      [],
    ]);
    expect(mailed(caseId, NOBODY)).toEqual(['can-authority-1', 'can-desk-1']);
    expect(logged(caseId)).toContain('NOBODY_CAN_DECIDE');
    const sent = mailed(caseId, /./).filter((to) => to.startsWith('bounce@')).length;
    expect(sent).toBe(1);
    // A request that arrives meanwhile is escalated at once.
    const arrived = await scene.submit();
    expect((await filed(arrived.caseId, 'RequestAssessed'))[0]?.payload['escalated']).toBe(true);

    await scene.change(scene.who.security, { mail: other });
    await wait(DAY + SOON);
    expect((await filed(caseId, 'QuorumReachChanged')).at(-1)?.payload).toMatchObject({ withinReach: true });
    expect(mailed(caseId, NOBODY)).toHaveLength(2);
  });

  test('as a complaint bars the address too; a second report of the same mail is recorded once', async () => {
    await scene.change('can-desk-1', { mail: 'complaint@simulator.amazonses.com' });
    const { caseId } = await scene.submit();
    await wait(SOON);
    expect((await filed(caseId, 'NoticeUndelivered')).map(({ payload }) => payload['cause'])).toEqual(['complained']);
    // The only desk officer cannot be reached: who is told instead of the next notice is their authority.
    await scene.change('can-desk-1', { mail: 'desk@exercise.valiza.example' });
    await wait(SOON);
    expect(mailed(caseId, LOST)).toContain('can-authority-1');
  });

  test('or that was never taken, is recorded all the same', async () => {
    const { caseId } = await scene.submit();
    await wait(MINUTE);
    const bus = new EventBridgeClient({
      endpoint: scene.runtime.url,
      region: scene.runtime.region,
      credentials: scene.runtime.credentialsFor(scene.roleNamed('announceRole')),
    });
    const detail = { caseId, sequence: 2, to: 'requester', personId: scene.who.requester };
    const entry = {
      EventBusName: 'valiza-can-local',
      Source: 'valiza.exchange',
      DetailType: 'MailRejected',
      Detail: JSON.stringify(detail),
    };
    // Told twice, as an event may be.
    await bus.send(new PutEventsCommand({ Entries: [entry, entry] }));
    bus.destroy();
    await wait(SOON);
    expect((await filed(caseId, 'NoticeUndelivered')).map(({ payload }) => payload)).toEqual([
      { notice: 2, to: 'requester', personId: scene.who.requester, cause: 'rejected', again: false },
    ]);
    expect(mailed(caseId, LOST)).toEqual(['ukr-authority-1']);
  });

  test('says nothing to the other side of whose mail it was', async () => {
    const { caseId } = await scene.submit();
    const { events } = await scene.as(scene.who.requester).readEvents({ params: { caseId } });
    expect(JSON.stringify(events)).not.toMatch(/NoticeUndelivered|can-security-1|Reminded/);
  });
});

import { SFNClient, StopExecutionCommand } from '@aws-sdk/client-sfn';
import type { CaseView } from '../../lambdas/contracts/api-answers.ts';
import { examined } from '../support/examined.ts';
import { MINUTE, openScene, resourcesOf, type Reachable, type Scene } from '../support/exchange.ts';
import { valizaOn } from '../support/client.ts';
import { attemptsOf, finishCase, release, type Amendment } from '../support/releases.ts';

jest.setTimeout(300_000);

/** Where a case waits for somebody, and where it is at work when a step is held up. */
const WAITING = ['UNDER_REVIEW', 'AWAITING_CLARIFICATION', 'PROPOSED', 'AWAITING_ASSURANCE', 'RELEASED', 'SUSPENDED'];
const AT_WORK = ['SUBMITTED', 'SEALING', 'CLOSING'];
type Stand = Reachable | 'SUBMITTED' | 'SEALING' | 'CLOSING';
const STANDS = [...WAITING, ...AT_WORK] as readonly Stand[];

/** Lets an administrator stop executions, which no function may. */
const stoppable: Amendment = (_stack, template) => {
  for (const [id, { Type, Properties }] of resourcesOf(template)) {
    if (Type !== 'AWS::IAM::Policy' || !id.startsWith('resumeworkflow')) continue;
    const document = Properties['PolicyDocument'] as { Statement: object[] }; // as every policy has one
    document.Statement.push({ Effect: 'Allow', Action: 'states:StopExecution', Resource: '*' });
  }
};

let scene: Scene;

beforeAll(async () => {
  scene = await openScene({ amend: stoppable });
});
afterAll(() => scene.close());

const deploy = (amendment: Amendment = () => undefined): Promise<void> =>
  scene.runtime.deploy({
    assembly: scene.exchange.assembly,
    amend(stack, template) {
      stoppable(stack, template);
      amendment(stack, template);
    },
  });

/** The role of the step that a case at work waits for. */
const HELD: Readonly<Record<string, string>> = {
  SUBMITTED: 'assessrequestRole',
  SEALING: 'SealingRole',
  CLOSING: 'closereleaseRole',
};

/** Holds up steps: what they read first asks them to slow down, and the workflow tries them again later. */
function holdUp(...stands: readonly Stand[]): void {
  const held = stands.flatMap((stand) => (HELD[stand] === undefined ? [] : [scene.roleNamed(HELD[stand])]));
  scene.runtime.faults.plan = ({ caller, operation, moment }) =>
    held.includes(caller) && operation === 'Query' && moment === 'before' ? 'throttle' : undefined;
}

/** A new case where it stands, waiting or held up at work. @param held where others are held up already */
async function reach(stand: Stand, held: readonly Stand[] = []): Promise<CaseView> {
  const { who } = scene;
  if (!AT_WORK.includes(stand)) return scene.reach(stand as Reachable);
  if (stand === 'SUBMITTED') {
    holdUp(...held, stand);
    const { caseId } = await scene.as(who.requester).submitRequest({ body: REQUEST() });
    return scene.waitFor(caseId, 'SUBMITTED', who.requester);
  }
  const before = await scene.reach(stand === 'SEALING' ? 'AWAITING_ASSURANCE' : 'RELEASED');
  const { caseId } = before;
  holdUp(...held, stand);
  if (stand === 'SEALING') await scene.assure(before);
  else await scene.as(who.security).recallRelease({ params: { caseId }, body: { reason: 'It was a mistake.' } });
  return scene.waitFor(caseId, stand === 'SEALING' ? 'SEALING' : 'CLOSING');
}

const REQUEST = () => ({
  agreementId: 'CAN-UKR-EXERCISE',
  purpose: 'tender',
  justification: 'To bid on the solicitation of the exercise.',
  title: 'Tender documents',
  description: 'The tender file of the exercise.',
  levelSought: { axis: 'protected' as const, mark: scene.mark },
  recipients: [scene.who.recipient],
  language: 'en' as const,
});

/** Carries a case from where it stands to its end. @returns the types of its events */
async function finish(stand: Stand, seen: CaseView): Promise<string[]> {
  scene.runtime.faults.plan = undefined;
  if (AT_WORK.includes(stand)) await scene.runtime.clock.advance(5 * MINUTE);
  return finishCase(scene, seen.caseId);
}

/** Stops the execution of a case's attempt, as an administrator could. */
async function stop(caseId: string): Promise<void> {
  const client = new SFNClient({
    endpoint: scene.runtime.url,
    region: scene.runtime.region,
    credentials: scene.runtime.credentialsFor(scene.roleNamed('resumeworkflowRole')),
  });
  const { arn } = scene.runtime.services.states.executions().find(({ name }) => name.startsWith(caseId)) ?? {};
  await client.send(new StopExecutionCommand({ executionArn: arn }));
  client.destroy();
}

describe('a release while cases stand everywhere', () => {
  /** For each place two cases: one is left alone, the other's execution is lost after the release. */
  const cases = new Map<Stand, { readonly left: CaseView; readonly lost: CaseView }>();
  const seenAfter = new Map<string, readonly unknown[]>();
  const versionsBefore = new Map<string, readonly string[]>();
  /** Types of the events of cases that no release met. */
  const undisturbed = new Map<Stand, readonly string[]>();

  beforeAll(async () => {
    for (const stand of ['PROPOSED', 'AWAITING_CLARIFICATION', 'SUSPENDED'] as const)
      undisturbed.set(stand, await finish(stand, await reach(stand)));
    // Those that are held up come last, and in the order in which nothing holds up the way to them.
    for (const stand of [...WAITING, 'CLOSING', 'SEALING', 'SUBMITTED'] as readonly Stand[]) {
      const held = AT_WORK.filter((other) => cases.has(other as Stand)) as readonly Stand[];
      const left = await reach(stand, held);
      cases.set(stand, { left, lost: await reach(stand, [...held, stand]) });
    }
    const all = [...cases.values()].flatMap(({ left, lost }) => [left, lost]);
    for (const { caseId } of all) versionsBefore.set(caseId, attemptsOf(scene, caseId)[0]?.versions ?? []);
    await deploy(release('B'));
    await scene.runtime.settled();
    for (const { caseId } of all) {
      const { phase, sequence } = await scene.read(caseId, scene.who.requester);
      const attempts = attemptsOf(scene, caseId).map(({ status, versions }) => [status, versions]);
      seenAfter.set(caseId, [phase, sequence, attempts]);
    }
    for (const { lost } of cases.values()) await stop(lost.caseId);
    scene.runtime.faults.plan = undefined;
  });

  const pair = (stand: Stand): { readonly left: CaseView; readonly lost: CaseView } => {
    const found = cases.get(stand);
    if (found === undefined) throw new Error(`No case stands in ${stand}.`);
    return found;
  };
  const expected = (stand: Stand): readonly string[] | undefined =>
    undisturbed.get(stand) ?? undisturbed.get('PROPOSED');

  test.each(STANDS)(
    'disturbs no case in %s: it ends as it would have, on the release that it began with',
    async (stand) => {
      const { left } = pair(stand);
      const versions = versionsBefore.get(left.caseId);
      expect(versions).toEqual(['1']);
      expect(seenAfter.get(left.caseId)).toEqual([left.phase, left.sequence, [['RUNNING', versions]]]);
      expect(await finish(stand, left)).toEqual(expected(stand));
      const [attempt, ...others] = attemptsOf(scene, left.caseId);
      expect(others).toEqual([]);
      expect(attempt).toMatchObject({ status: 'SUCCEEDED', versions });
      expect(attempt?.states).not.toContain('Release B');
      examined('deploys', 1);
    },
  );

  test.each(STANDS)('lets the next attempt at a case in %s go on with the new release', async (stand) => {
    const { lost } = pair(stand);
    expect(await finish(stand, lost)).toEqual(expected(stand));
    const [first, next, ...more] = attemptsOf(scene, lost.caseId);
    expect(more).toEqual([]);
    expect([first?.status, next?.status, next?.states[0]]).toEqual(['ABORTED', 'SUCCEEDED', 'Release B']);
    expect(next?.versions).toEqual(['2']);
    examined('deploys', 1);
  });

  test('refuses nobody anything', () => {
    expect(scene.runtime.denials()).toEqual([]);
  });
});

describe('going back, and taking versions away', () => {
  test('a case that began with a release that is rolled back ends on it', async () => {
    await deploy(release('C'));
    const seen = await scene.reach('AWAITING_ASSURANCE');
    await deploy();
    expect((await finish('AWAITING_ASSURANCE', seen)).at(-1)).toBe('CaseClosed');
    const attempts = attemptsOf(scene, seen.caseId);
    expect(attempts.map(({ status, states }) => [status, states[0]])).toEqual([['SUCCEEDED', 'Release C']]);
    // And a case of now runs on what was deployed first: its old version is not taken up again, it is published anew.
    const after = await scene.reach('UNDER_REVIEW');
    expect(attemptsOf(scene, after.caseId)).toMatchObject([
      { states: ['Assess request', expect.any(String), expect.any(String)] },
    ]);
    const [now, then] = [after, seen].map(({ caseId }) => Number(attemptsOf(scene, caseId)[0]?.versions[0]));
    expect(now).toBeGreaterThan(then ?? Infinity);
    examined('deploys', 1);
  });

  test.each([
    ['UNDER_REVIEW', 'all its steps', /./],
    ['AWAITING_ASSURANCE', 'all its steps', /./],
    ['RELEASED', 'all its steps', /./],
    // That it failed can still be recorded.
    ['UNDER_REVIEW', 'what waits', /^awaitparty/],
    ['AWAITING_ASSURANCE', 'what seals', /^sealpackage/],
    ['RELEASED', 'what closes', /^closerelease/],
  ] as const)(
    'a case in %s that loses %s to a release fails at its next step, and is begun anew within a minute',
    async (stand, _what, loses) => {
      await deploy(release('D', { loses }));
      const seen = await scene.reach(stand);
      await deploy(release('E'));
      await scene.runtime.settled();
      expect(attemptsOf(scene, seen.caseId).map(({ status }) => status)).toEqual(['RUNNING']);
      // Something happens to the case, and its execution moves on to a step that is no longer there.
      const { caseId } = seen;
      const params = { caseId };
      if (stand === 'UNDER_REVIEW') {
        const proposed = await scene.propose(caseId);
        await scene.approve(proposed, scene.who.releasing);
        await scene.approve(proposed, scene.who.security);
      } else if (stand === 'AWAITING_ASSURANCE') await scene.assure(seen);
      else await scene.as(scene.who.security).recallRelease({ params, body: { reason: 'It was a mistake.' } });
      await scene.runtime.settled();
      await scene.runtime.clock.advance(MINUTE);
      await scene.runtime.settled();
      const [first, next] = attemptsOf(scene, caseId);
      expect([first?.status, next?.states[0]]).toEqual(['FAILED', 'Release E']);
      await finish(stand, seen);
      expect(attemptsOf(scene, caseId).map(({ status }) => status)).toEqual(['FAILED', 'SUCCEEDED']);
      const recorded = (await scene.as(scene.who.desk).readEvents({ params })).events.filter(
        ({ type }) => type === 'AttemptFailed',
      );
      const gone = [expect.objectContaining({ error: 'Lambda.ResourceNotFoundException' })];
      expect(recorded.map(({ payload }) => payload)).toEqual(loses.source === '.' ? [] : gone);
      await deploy();
      examined('deploys', 1);
    },
  );
});

test('the doctor’s list goes on where its page ends', async () => {
  // One more than a page holds.
  const ids = new Set<string>();
  while (ids.size < 26) ids.add((await scene.submit()).caseId);
  const { stdout } = await valizaOn(scene.runtime.url, 'ops', 'doctor', '--json');
  const { cases } = JSON.parse(stdout) as { cases: { caseId: string }[] };
  expect(new Set(cases.map(({ caseId }) => caseId)).size).toBe(cases.length);
  for (const id of ids) expect(cases.map(({ caseId }) => caseId)).toContain(id);
  examined('deploys', 1);
});

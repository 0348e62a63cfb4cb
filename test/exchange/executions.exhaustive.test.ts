import { UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { type SFNClient, StartExecutionCommand, StopExecutionCommand } from '@aws-sdk/client-sfn';
import type { CaseView } from '../../lambdas/contracts/api-answers.ts';
import { examined } from '../support/examined.ts';
import { DAY, HOUR, MINUTE, openScene, resourcesOf, SECOND, verifyWhole, type Scene } from '../support/exchange.ts';
import { insiderOf, type Insider } from '../support/insider.ts';
import { leftOf } from '../support/life-end.ts';
import { minutesUntil, newLife } from '../support/lives.ts';

jest.setTimeout(300_000);
afterEach(() => examined('executions', 1));

/** An operator, who may do what no function of the application may. */
const withOperator = (template: Record<string, unknown>): void => {
  for (const [id, { Type, Properties }] of resourcesOf(template)) {
    if (Type !== 'AWS::IAM::Policy' || !id.startsWith('resumeworkflow')) continue;
    const document = Properties['PolicyDocument'] as { Statement: object[] }; // as every policy has one
    document.Statement.push({ Effect: 'Allow', Action: 'states:StopExecution', Resource: '*' });
  }
};

/** A workflow whose executions the service ends after two days, wherever they are. */
const withTimeout = (template: Record<string, unknown>): void => {
  for (const [, { Type, Properties }] of resourcesOf(template)) {
    if (Type !== 'AWS::StepFunctions::StateMachine') continue;
    const text = JSON.stringify(Properties['DefinitionString']).replace(
      '{\\"StartAt\\":',
      `{\\"TimeoutSeconds\\":${(2 * DAY) / SECOND},\\"StartAt\\":`,
    );
    Properties['DefinitionString'] = JSON.parse(text) as unknown;
  }
};

let scene: Scene;
let insider: Insider;

async function begin(amend: (template: Record<string, unknown>) => void): Promise<void> {
  scene = await openScene({ amend: (_stack, template) => amend(template) });
  insider = insiderOf(scene);
}
async function end(): Promise<void> {
  insider.close();
  await scene.close();
}

const operator = (): SFNClient => insider.as('resume-workflow').states;
const executionsOf = (caseId: string) =>
  scene.runtime.services.states.executions().filter(({ name }) => name.startsWith(caseId));
const attemptsOf = (caseId: string): string[] =>
  executionsOf(caseId)
    .map(({ name, status }) => `${name.slice(caseId.length)} ${status}`)
    .sort();
const running = (caseId: string) => executionsOf(caseId).find(({ status }) => status === 'RUNNING');

/** What the sweep said it did for a case: code and attempt. */
const saidOf = (caseId: string): string[] =>
  scene.runtime.services.lambda
    .logs()
    .filter(({ functionName, message }) => functionName.includes('sweep') && message.includes(caseId))
    .map(({ message }) => {
      const { code, attempt } = JSON.parse(message) as { code: string; attempt?: number };
      return `${code} ${attempt}`;
    });

const answerOf = async (seen: CaseView): Promise<CaseView> => {
  const body = { answer: 'The first one.' };
  return scene.as(scene.who.requester).clarify({ params: { caseId: seen.caseId }, body });
};

/** Does what a case waits for next. */
async function act(seen: CaseView): Promise<unknown> {
  const { who } = scene;
  const params = { caseId: seen.caseId };
  const body = { reason: 'It was a mistake.' };
  switch (seen.phase) {
    case 'AWAITING_CLARIFICATION':
      return answerOf(seen);
    case 'UNDER_REVIEW': {
      const proposed = seen.proposal === undefined ? await scene.propose(seen.caseId) : seen;
      await scene.approve(proposed, who.releasing);
      return scene.approve(proposed, who.security);
    }
    case 'AWAITING_ASSURANCE':
      return scene.assure(seen);
    case 'RELEASED':
    case 'SUSPENDED':
      return scene.as(who.authority).recallRelease({ params, body });
    default:
      return undefined;
  }
}

const ONCE = ['ProposalPut', 'AssuranceGiven', 'PackageSealed', 'ReleaseOpened', 'PackageDestroyed', 'CaseClosed'];

/** Carries a case on to its end, where everything has happened once and nothing is left. */
async function carryOn(caseId: string, may: readonly string[] = []): Promise<void> {
  let seen = await scene.read(caseId);
  await minutesUntil(
    scene,
    () => `${caseId} stands in ${seen.phase}, ${attemptsOf(caseId).join(', ')}`,
    async () => {
      seen = await scene.read(caseId);
      await act(seen);
      return seen.phase === 'CLOSED';
    },
  );
  await scene.runtime.clock.advance(5 * MINUTE);
  await scene.runtime.settled();
  const left = await leftOf(scene, insider, { ...newLife(), caseId });
  expect(left.filter((what) => !may.includes(what))).toEqual([]);
  const { events } = await scene.as(scene.who.desk).readEvents({ params: { caseId } });
  verifyWhole(caseId, events);
  for (const type of ONCE) expect([type, events.filter((event) => event.type === type).length]).toEqual([type, 1]);
}

const PHASES = [
  'UNDER_REVIEW',
  'PROPOSED',
  'AWAITING_CLARIFICATION',
  'AWAITING_ASSURANCE',
  'SEALING',
  'RELEASED',
  'SUSPENDED',
  'CLOSING',
] as const;

/** Brings a case into a phase, also into those where it waits for nobody: there the step is kept from beginning. */
async function reach(phase: (typeof PHASES)[number]): Promise<CaseView> {
  if (phase !== 'SEALING' && phase !== 'CLOSING') return scene.reach(phase);
  const step = phase === 'SEALING' ? 'seal-package' : 'close-release';
  const seen = await scene.reach(phase === 'SEALING' ? 'AWAITING_ASSURANCE' : 'RELEASED');
  await scene.runtime.settled();
  const workflow = scene.roleNamed('WorkflowRole');
  let kept = 0;
  scene.runtime.faults.plan = ({ caller, moment, request }) => {
    const own = caller === workflow && moment === 'before' && request.includes(seen.caseId);
    return own && (kept += 1) > 0 ? 'throttle' : undefined;
  };
  await act(seen);
  await scene.runtime.settled();
  scene.runtime.faults.plan = undefined;
  expect([step, kept]).toEqual([step, 1]);
  return scene.read(seen.caseId);
}

/** Ways in which the execution of a case is lost while it runs; the last tells nobody. */
const WAYS: Readonly<Record<string, (executionArn: string) => Promise<unknown>>> = {
  stopped: (executionArn) => operator().send(new StopExecutionCommand({ executionArn })),
  'stopped with a cause': (executionArn) =>
    operator().send(new StopExecutionCommand({ executionArn, error: 'Operator', cause: 'by hand' })),
};

describe('in every phase', () => {
  beforeAll(() => begin(withOperator));
  afterAll(end);

  test.each(PHASES.flatMap((phase) => Object.keys(WAYS).map((way) => [phase, way] as const)))(
    'in %s an execution that is %s is followed by the next within a minute, which the sweep says, and the case goes on',
    async (phase, way) => {
      const { caseId } = await reach(phase);
      await scene.runtime.settled();
      const { sequence, phase: stands } = await scene.read(caseId);
      const lost = running(caseId);
      await WAYS[way]?.(lost?.arn ?? '');
      await scene.runtime.settled();
      await scene.runtime.clock.advance(MINUTE);
      await scene.runtime.settled();
      expect(attemptsOf(caseId).slice(0, 1)).toEqual(['-1 ABORTED']);
      expect(executionsOf(caseId)).toHaveLength(2);
      expect(saidOf(caseId)).toEqual(['CASE_RESTARTED 2']);
      if (phase !== 'SEALING' && phase !== 'CLOSING') {
        expect(running(caseId)?.name).toBe(`${caseId}-2`);
        expect(await scene.read(caseId)).toMatchObject({ sequence, phase: stands });
      }
      await carryOn(caseId);
    },
  );

  test.each(PHASES)(
    'in %s an execution that is unknown, as after ninety days, is replaced at the next look',
    async (phase) => {
      const { caseId } = await reach(phase);
      await scene.runtime.settled();
      scene.runtime.services.states.forget(running(caseId)?.arn ?? '');
      // Every change of a case has the sweep look at it within two minutes; where nothing changes, nothing is waited for before a day.
      await act(await scene.read(caseId));
      const minutes = await minutesUntil(
        scene,
        () => attemptsOf(caseId).join(),
        async () => executionsOf(caseId).length > 0,
      );
      expect(minutes).toBeLessThanOrEqual(3);
      expect(saidOf(caseId)).toContain('CASE_RESTARTED 2');
      await carryOn(caseId);
    },
  );

  test.each(['UNDER_REVIEW', 'RELEASED'] as const)(
    'in %s an execution that nobody hears of is missed within a day, though nothing happens',
    async (phase) => {
      const { caseId } = await scene.reach(phase, { endsIn: 20 * DAY });
      await scene.runtime.settled();
      await scene.runtime.clock.advance(10 * MINUTE);
      await scene.runtime.settled();
      scene.runtime.services.states.forget(running(caseId)?.arn ?? '');
      await scene.runtime.clock.advance(DAY + 2 * MINUTE);
      await scene.runtime.settled();
      expect(attemptsOf(caseId)).toEqual(['-2 RUNNING']);
      await carryOn(caseId);
    },
  );

  test.each(PHASES)(
    'in %s a second execution, started by hand for this attempt or the next, does nothing twice',
    async (phase) => {
      const { caseId } = await reach(phase);
      const start = (name: string, attempt: number) =>
        operator().send(
          new StartExecutionCommand({
            stateMachineArn: insider.stateMachine,
            name: `${caseId}${name}`,
            input: JSON.stringify({ caseId, attempt }),
          }),
        );
      // The name of the next attempt is taken then: the sweep goes past it.
      await Promise.all([start('-twin', 1), start('-2', 2)]);
      await scene.runtime.settled();
      expect(attemptsOf(caseId)).toContain('-2 SUCCEEDED');
      await operator().send(
        new StopExecutionCommand({
          executionArn: executionsOf(caseId).find(({ name }) => name === `${caseId}-1`)?.arn,
        }),
      );
      await scene.runtime.settled();
      await minutesUntil(
        scene,
        () => attemptsOf(caseId).join(),
        // The twin may have carried it to its end before.
        async () =>
          attemptsOf(caseId).some((name) => name.startsWith('-3 ')) || (await scene.read(caseId)).phase === 'CLOSED',
      );
      // Where the two wait for one thing under one attempt, the later one is woken; the other ends with the time of its wait.
      await carryOn(caseId, ['the execution of attempt twin']);
    },
  );

  test('again and again is followed again and again, once a minute at most', async () => {
    const { caseId } = await scene.reach('RELEASED', { endsIn: 20 * DAY });
    const began = scene.runtime.clock.now();
    for (let minutes = 0; minutes < 10; minutes += 1) {
      // As often as anything runs: what always ends at once must not be begun without end.
      for (let found = running(caseId); found !== undefined; found = running(caseId)) {
        await operator().send(new StopExecutionCommand({ executionArn: found.arn }));
        await scene.runtime.settled();
      }
      await scene.runtime.clock.advance(MINUTE);
      await scene.runtime.settled();
    }
    const passed = (scene.runtime.clock.now() - began) / MINUTE;
    expect(executionsOf(caseId).length).toBeGreaterThanOrEqual(9);
    expect(executionsOf(caseId).length).toBeLessThanOrEqual(passed + 2);
    await carryOn(caseId);
  });
});

describe('the sweep', () => {
  beforeAll(() => begin(withOperator));
  afterAll(end);

  test('looks at a case that cannot be read every ten minutes, and at the others meanwhile', async () => {
    const broken = await scene.reach('UNDER_REVIEW');
    await scene.runtime.settled();
    await insider.as('close-release').dynamodb.send(
      new UpdateItemCommand({
        TableName: insider.cases,
        Key: { caseId: { S: broken.caseId }, sk: { S: 'HEAD' } },
        UpdateExpression: 'SET lastHash = :other',
        ExpressionAttributeValues: { ':other': { S: 'sha256:0' } },
      }),
    );
    const looks = () => saidOf(broken.caseId).filter((line) => line.startsWith('SWEEP_FAILED')).length;
    for (const [minutes, times] of [
      [4, 1],
      [5, 1],
      [5, 2],
    ] as const) {
      for (let minute = 0; minute < minutes; minute += 1) {
        await scene.runtime.clock.advance(MINUTE);
        await scene.runtime.settled();
      }
      expect(looks()).toBe(times);
    }
    const { caseId } = await scene.reach('UNDER_REVIEW');
    await carryOn(caseId);
  });

  test('invoked by hand, answers what it repaired', async () => {
    const { caseId } = await scene.reach('UNDER_REVIEW');
    await scene.runtime.settled();
    const { region, account, services, clock } = scene.runtime;
    const report = (name: string) =>
      services.lambda.invoke(
        'valiza-can-local-sweep-cases',
        {
          'detail-type': 'Step Functions Execution Status Change',
          detail: { name, startDate: clock.now() - HOUR, stopDate: clock.now() },
        },
        {
          kind: 'service',
          principal: 'events.amazonaws.com',
          account,
          sourceArn: `arn:aws:events:${region}:${account}:rule/valiza-can-local-case-ended`,
        },
      );
    const nothing = { looked: 0, restarted: 0, redelivered: 0, behind: 0, failed: 0 };
    expect(await report(`${caseId}-7`)).toMatchObject({ ok: true, payload: { ...nothing, looked: 1 } });
    expect(await report(`${'e'.repeat(32)}-1`)).toMatchObject({ ok: true, payload: nothing });
    services.states.forget(running(caseId)?.arn ?? '');
    expect(await report(`${caseId}-1`)).toMatchObject({ ok: true, payload: { ...nothing, looked: 1, restarted: 1 } });
    await scene.runtime.settled();
    expect(attemptsOf(caseId)).toEqual(['-2 RUNNING']);
    await carryOn(caseId);
  });
});

describe('time', () => {
  beforeAll(() => begin(withTimeout));
  afterAll(end);

  test('ends executions in every phase, and the next go on from there', async () => {
    const reached = [];
    for (const phase of PHASES)
      if (phase !== 'SEALING' && phase !== 'CLOSING') reached.push(await scene.reach(phase, { endsIn: 20 * DAY }));
    await scene.runtime.settled();
    const before = await Promise.all(reached.map(({ caseId }) => scene.read(caseId)));
    await scene.runtime.clock.advance(2 * DAY);
    await scene.runtime.settled();
    await scene.runtime.clock.advance(MINUTE);
    await scene.runtime.settled();
    for (const { caseId, sequence, phase } of before) {
      expect([phase, attemptsOf(caseId)]).toEqual([phase, ['-1 TIMED_OUT', '-2 RUNNING']]);
      expect(saidOf(caseId)).toEqual(['CASE_RESTARTED 2']);
      expect((await scene.read(caseId)).sequence).toBeGreaterThanOrEqual(sequence);
    }
    for (const { caseId } of before) await carryOn(caseId);
  });
});

describe('a release of 340 days', () => {
  beforeAll(() => begin(withOperator));
  afterAll(end);

  test('is held by two executions one after the other, and ends at its end', async () => {
    const { caseId, dueAt } = await scene.reach('RELEASED', { endsIn: 340 * DAY });
    await scene.runtime.clock.advance(300 * DAY + HOUR);
    await scene.runtime.settled();
    await scene.runtime.clock.advance(MINUTE);
    await scene.runtime.settled();
    expect(attemptsOf(caseId)).toEqual(['-1 SUCCEEDED', '-2 RUNNING']);
    expect((await scene.read(caseId)).phase).toBe('RELEASED');
    await scene.runtime.clock.advanceTo(Date.parse(dueAt ?? '') + 30 * SECOND);
    await scene.waitFor(caseId, 'CLOSED');
    await carryOn(caseId);
  });
});

import { SendTaskSuccessCommand, StartExecutionCommand, StopExecutionCommand } from '@aws-sdk/client-sfn';
import {
  callbackTask,
  invokeTask,
  type Runs,
  runsIn,
  startStates,
  type StatesWorld,
} from '../support/states-server.ts';

/** Semantics of the Amazon States Language with JSONata. https://states-language.net/spec.html */

const HOUR = 3600 * 1000;
const DAY = 24 * HOUR;

let world: StatesWorld;
let start: Runs['start'];
let output: Runs['output'];

beforeEach(async () => {
  world = await startStates();
  ({ start, output } = runsIn(world));
  world.functions.set('echo', (payload: unknown) => payload);
});
afterEach(() => world.close());

describe('Choice', () => {
  const states = {
    A: {
      Type: 'Choice',
      Choices: [
        { Condition: '{% $states.input.n > 10 %}', Next: 'End', Output: 'large', Assign: { size: 'L' } },
        { Condition: '{% $states.input.n > 5 %}', Next: 'End', Assign: { size: 'M' } },
      ],
      Default: 'End',
      Output: 'default',
      Assign: { size: 'S' },
    },
    End: { Type: 'Succeed', Output: '{% [$states.input, $size] %}' },
  };

  it('fails on a condition that is not boolean, and without a match and default', async () => {
    const rule = (condition: string): Record<string, object> => ({
      A: { Type: 'Choice', Choices: [{ Condition: condition, Next: 'B' }] },
      B: { Type: 'Succeed' },
    });
    expect(await output(rule("{% 'true' %}"))).toMatchObject({ error: 'States.QueryEvaluationError' });
    expect(await output(rule('{% false %}'))).toMatchObject({ error: 'States.Runtime' });
  });

  it('takes the first rule that holds, with its own Output and Assign', async () => {
    expect(await output(states, { n: 11 })).toEqual(['large', 'L']);
    expect(await output(states, { n: 6 })).toEqual([{ n: 6 }, 'M']);
    expect(await output(states, { n: 1 })).toEqual(['default', 'S']);
  });
});

describe('Wait', () => {
  it('fails on what is not a number of seconds or a timestamp', async () => {
    for (const fields of [
      { Seconds: '{% -1 %}' },
      { Seconds: '{% 1.5 %}' },
      { Seconds: "{% '1' %}" },
      { Timestamp: "{% '2030-01-01' %}" },
    ]) {
      expect(await output({ A: { Type: 'Wait', ...fields, End: true } })).toMatchObject({
        error: 'States.QueryEvaluationError',
      });
    }
  });

  it('waits on the virtual clock, for days and until an instant', async () => {
    const until = new Date(world.host.clock.now() + 90 * DAY).toISOString();
    const states = {
      A: { Type: 'Wait', Seconds: '{% $states.input.days * 86400 %}', Next: 'B' },
      B: {
        Type: 'Wait',
        Timestamp: '{% $states.input.until %}',
        Output: '{% $states.context.State.EnteredTime %}',
        End: true,
      },
    };
    const { outcome, types } = await start(states, { days: 30, until });
    await world.host.clock.advance(30 * DAY - 1000);
    expect(types()).not.toContain('WaitStateExited');
    await world.host.clock.advance(2000);
    expect(types().filter((type) => type === 'WaitStateEntered')).toHaveLength(2);
    expect((await outcome()).status).toBe('RUNNING');
    await world.host.clock.advance(60 * DAY);
    const { status, stopDate } = await outcome();
    expect(status).toBe('SUCCEEDED');
    expect(Math.abs((stopDate?.getTime() ?? 0) - Date.parse(until))).toBeLessThan(5000);
  });
});

describe('Fail', () => {
  it('takes Error and Cause from expressions, which must be strings', async () => {
    const fail = { Type: 'Fail', Error: '{% $states.input.e %}', Cause: "{% 'because ' & $states.input.e %}" };
    expect(await output({ A: fail }, { e: 'X' })).toEqual({ status: 'FAILED', error: 'X', cause: 'because X' });
    expect(await output({ A: fail }, { e: 1 })).toMatchObject({ error: 'States.QueryEvaluationError' });
  });
});

describe('an execution', () => {
  it('that was stopped while a function was under way does nothing with its answer', async () => {
    let release: ((value: unknown) => void) | undefined;
    world.functions.set('slow', () => new Promise((resolve) => (release = resolve)));
    const stateMachineArn = await world.machine({
      StartAt: 'A',
      States: { A: invokeTask('slow', { Next: 'B' }), B: { Type: 'Succeed' } },
    });
    const { executionArn = '' } = await world.client().send(new StartExecutionCommand({ stateMachineArn }));
    while (release === undefined) await new Promise((resolve) => setImmediate(resolve));
    await world.client().send(new StopExecutionCommand({ executionArn }));
    release({});
    await world.settled();
    expect(world.service.history(executionArn).at(-1)?.type).toBe('ExecutionAborted');
    expect(world.host.meter.read()['states']).toEqual({ StateEntered: 1 });
  });

  it('times out as a whole', async () => {
    const { outcome, types } = await start(
      { A: { Type: 'Wait', Seconds: 7200, End: true } },
      {},
      { TimeoutSeconds: 3600 },
    );
    await world.host.clock.advance(HOUR + 1000);
    expect((await outcome()).status).toBe('TIMED_OUT');
    expect(types().at(-1)).toBe('ExecutionTimedOut');
    expect(world.events.at(-1)?.detail).toMatchObject({ status: 'TIMED_OUT' });
  });

  it('lasts at most a year', async () => {
    await start({ A: { Type: 'Wait', Seconds: 99_999_999, End: true } });
    await world.host.clock.advance(366 * DAY);
    expect(world.service.executions()).toMatchObject([{ status: 'TIMED_OUT' }]);
  });

  it('fails when its history is full', async () => {
    const states = {
      A: { Type: 'Pass', Next: 'B' },
      B: { Type: 'Choice', Choices: [{ Condition: true, Next: 'A' }], Default: 'C' },
      C: { Type: 'Succeed' },
    };
    const { outcome, arn } = await start(states);
    expect(await outcome()).toMatchObject({ status: 'FAILED', error: 'States.Runtime' });
    expect(world.service.history(arn)).toHaveLength(25_000);
    expect(world.service.history(arn).at(-1)?.type).toBe('ExecutionFailed');
  });

  it('records the documented events', async () => {
    let taskToken = '';
    world.functions.set('park', (payload: { token: string }) => (taskToken = payload.token));
    const { types } = await start({
      A: invokeTask('echo', { Assign: { x: 1 }, Next: 'B' }),
      B: callbackTask('park', { End: true }),
    });
    await world.client().send(new SendTaskSuccessCommand({ taskToken, output: '{}' }));
    await world.settled();
    expect(types()).toEqual([
      'ExecutionStarted',
      'TaskStateEntered',
      'TaskScheduled',
      'TaskStarted',
      'TaskSucceeded',
      'TaskStateExited',
      'TaskStateEntered',
      'TaskScheduled',
      'TaskStarted',
      'TaskSubmitted',
      'TaskSucceeded',
      'TaskStateExited',
      'ExecutionSucceeded',
    ]);
    expect(world.host.meter.read()['states']).toEqual({ StateEntered: 2 });
  });
});

import {
  DescribeExecutionCommand,
  SendTaskFailureCommand,
  SendTaskHeartbeatCommand,
  SendTaskSuccessCommand,
  type SFNClient,
  StartExecutionCommand,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import {
  callbackTask,
  errorOf,
  failing,
  type Runs,
  runsIn,
  startStates,
  type StatesWorld,
} from '../support/states-server.ts';

/** Tasks that wait for their callback. https://docs.aws.amazon.com/step-functions/latest/dg/connect-to-resource.html#connect-wait-token */

const HOUR = 3600 * 1000;
const DAY = 24 * HOUR;

let world: StatesWorld;
let client: SFNClient;
let start: Runs['start'];
const tokens: string[] = [];
const token = (): string => tokens.at(-1) ?? '';

beforeEach(async () => {
  world = await startStates();
  client = world.client();
  ({ start } = runsIn(world));
  tokens.length = 0;
  world.functions.set('park', (payload: { token: string }) => tokens.push(payload.token));
});
afterEach(() => world.close());

describe('a callback task', () => {
  const later = (fields: object = {}): Record<string, object> => ({
    A: callbackTask('park', { Catch: [{ ErrorEquals: ['States.ALL'], Next: 'B' }], Next: 'C', ...fields }),
    B: { Type: 'Succeed', Output: '{% $states.input.Error %}' },
    C: { Type: 'Succeed' },
  });

  it('fails when its function fails, whatever comes later', async () => {
    world.functions.set('park', ({ token: given }: { token: string }) => {
      tokens.push(given);
      failing('NoSuchCase')();
    });
    const { outcome } = await start(later());
    expect(await outcome()).toMatchObject({ output: '"NoSuchCase"' });
    expect(await errorOf(client.send(new SendTaskSuccessCommand({ taskToken: token(), output: '1' })))).toBe(
      'TaskTimedOut',
    );
  });

  it('times out on the virtual clock, and a late token changes nothing', async () => {
    const { outcome, arn } = await start(later({ TimeoutSeconds: '{% 300 * 24 * 3600 %}' }));
    await world.host.clock.advance(300 * DAY - 1000);
    expect((await outcome()).status).toBe('RUNNING');
    await world.host.clock.advance(2000);
    expect(await outcome()).toMatchObject({ status: 'SUCCEEDED', output: '"States.Timeout"' });
    const events = world.service.history(arn).length;
    expect(await errorOf(client.send(new SendTaskSuccessCommand({ taskToken: token(), output: '1' })))).toBe(
      'TaskTimedOut',
    );
    expect(world.service.history(arn)).toHaveLength(events);
  });

  it('is not caught as States.TaskFailed when it times out', async () => {
    const { outcome } = await start(
      later({ TimeoutSeconds: 60, Catch: [{ ErrorEquals: ['States.TaskFailed'], Next: 'B' }] }),
    );
    await world.host.clock.advance(HOUR);
    expect(await outcome()).toMatchObject({ status: 'FAILED', error: 'States.Timeout' });
  });

  it('misses a heartbeat, which both timeout names catch, and is kept alive by heartbeats', async () => {
    const { outcome } = await start(later({ TimeoutSeconds: 10 * 24 * 3600, HeartbeatSeconds: 3600 }));
    for (let beat = 0; beat < 5; beat += 1) {
      await world.host.clock.advance(HOUR - 60_000);
      await client.send(new SendTaskHeartbeatCommand({ taskToken: token() }));
    }
    expect((await outcome()).status).toBe('RUNNING');
    await world.host.clock.advance(HOUR + 1000);
    expect(await outcome()).toMatchObject({ output: '"States.Timeout"' });
    for (const name of ['States.HeartbeatTimeout', 'States.Timeout']) {
      const catching = later({ HeartbeatSeconds: 60, Catch: [{ ErrorEquals: [name], Next: 'B' }] });
      const { outcome: end } = await start(catching);
      await world.host.clock.advance(61_000);
      expect((await end()).status).toBe('SUCCEEDED');
    }
  });

  it('does not start the heartbeat before its function has returned', async () => {
    let release = (): void => undefined;
    world.functions.set('park', ({ token: given }: { token: string }) => {
      tokens.push(given);
      return new Promise<void>((resolve) => (release = resolve));
    });
    const stateMachineArn = await world.machine({ StartAt: 'A', States: later({ HeartbeatSeconds: 1 }) });
    const { executionArn } = await client.send(new StartExecutionCommand({ stateMachineArn }));
    while (tokens.length === 0) await new Promise((resolve) => setImmediate(resolve));
    world.host.clock.shared[0] = (world.host.clock.shared[0] ?? 0) + HOUR;
    release();
    await world.settled();
    expect((await client.send(new DescribeExecutionCommand({ executionArn }))).status).toBe('RUNNING');
    await world.host.clock.advance(2000);
    expect((await client.send(new DescribeExecutionCommand({ executionArn }))).status).toBe('SUCCEEDED');
  });

  describe('whose function has not returned', () => {
    let release: () => void;
    let arn: string;
    beforeEach(async () => {
      world.functions.set('park', ({ token: given }: { token: string }) => {
        tokens.push(given);
        return new Promise<void>((resolve) => (release = resolve));
      });
      const stateMachineArn = await world.machine({ StartAt: 'A', States: later() });
      const { executionArn } = await client.send(new StartExecutionCommand({ stateMachineArn }));
      arn = executionArn ?? '';
      while (tokens.length === 0) await new Promise((resolve) => setImmediate(resolve));
    });

    it('is completed by a callback', async () => {
      await client.send(new SendTaskSuccessCommand({ taskToken: token(), output: '"early"' }));
      release();
      await world.settled();
      const outcome = await client.send(new DescribeExecutionCommand({ executionArn: arn }));
      expect(outcome).toMatchObject({ status: 'SUCCEEDED', output: '"early"' });
      expect(world.service.history(arn).map(({ type }) => type)).not.toContain('TaskSubmitted');
    });

    it('does nothing more once the execution was stopped', async () => {
      await client.send(new StopExecutionCommand({ executionArn: arn }));
      release();
      await world.settled();
      expect(world.service.history(arn).at(-1)?.type).toBe('ExecutionAborted');
      expect(world.events).toHaveLength(2);
    });
  });

  it('has a new token for each attempt; the one before is closed', async () => {
    const { outcome } = await start(later({ Retry: [{ ErrorEquals: ['Again'] }] }));
    const first = token();
    await client.send(new SendTaskFailureCommand({ taskToken: first, error: 'Again' }));
    await world.host.clock.advance(5000);
    expect(tokens).toHaveLength(2);
    expect(token()).not.toBe(first);
    expect(token().length).toBeLessThanOrEqual(2048);
    expect(await errorOf(client.send(new SendTaskSuccessCommand({ taskToken: first, output: '1' })))).toBe(
      'TaskTimedOut',
    );
    await client.send(new SendTaskSuccessCommand({ taskToken: token(), output: '2' }));
    await world.settled();
    expect(await outcome()).toMatchObject({ status: 'SUCCEEDED', output: '2' });
  });
});

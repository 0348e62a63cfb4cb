import {
  type DescribeExecutionOutput,
  DescribeExecutionCommand,
  SendTaskFailureCommand,
  SendTaskHeartbeatCommand,
  SendTaskSuccessCommand,
  type SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import { AccessDenied } from '../../local/iam/policy.ts';
import { ServiceError } from '../../local/service.ts';
import { callbackTask, invokeTask, startStates, type StatesWorld } from '../support/states-server.ts';

/** Semantics of the Amazon States Language with JSONata. https://states-language.net/spec.html */

const HOUR = 3600 * 1000;
const DAY = 24 * HOUR;

let world: StatesWorld;
let client: SFNClient;
const tokens: string[] = [];

beforeEach(async () => {
  world = await startStates();
  client = world.client();
  tokens.length = 0;
  world.functions.set('echo', (payload: unknown) => payload);
  world.functions.set('park', ({ token }: { token: string }) => {
    tokens.push(token);
    return {};
  });
});
afterEach(() => world.close());

interface Started {
  readonly arn: string;
  readonly outcome: () => Promise<DescribeExecutionOutput>;
  readonly types: () => string[];
}

/** Starts an execution of these states, the first of them first, and waits until it waits or ends. */
async function start(
  states: Readonly<Record<string, object>>,
  input: unknown = {},
  top: object = {},
): Promise<Started> {
  const [first] = Object.keys(states);
  const stateMachineArn = await world.machine({ StartAt: first, States: states, ...top });
  const { executionArn } = await client.send(
    new StartExecutionCommand({ stateMachineArn, input: JSON.stringify(input) }),
  );
  await world.settled();
  const arn = executionArn ?? '';
  return {
    arn,
    outcome: () => client.send(new DescribeExecutionCommand({ executionArn })),
    types: () => world.service.history(arn).map(({ type }) => type),
  };
}

/** The outcome of an execution that ends by itself. */
const run = async (states: Readonly<Record<string, object>>, input: unknown = {}): Promise<DescribeExecutionOutput> =>
  (await start(states, input)).outcome();

const output = async (states: Readonly<Record<string, object>>, input: unknown = {}): Promise<unknown> => {
  const { output: text = 'null', status, error, cause } = await run(states, input);
  return status === 'SUCCEEDED' ? (JSON.parse(text) as unknown) : { status, error, cause };
};

/** What one expression returns. */
const value = (expression: string, input: unknown = {}): Promise<unknown> =>
  output({ A: { Type: 'Pass', Output: `{% ${expression} %}`, End: true } }, input);

const token = (): string => tokens.at(-1) ?? '';
const errorOf = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'none',
    (error: Error) => error.name,
  );

const failing = (name: string, message = 'why'): (() => never) => {
  const error = Object.assign(new Error(message), { name });
  return () => {
    throw error;
  };
};

describe('expressions', () => {
  it('fail the state when they are wrong, and say where', async () => {
    const undefinedValue = await run({
      A: { Type: 'Pass', Output: { x: ['{% $states.input.missing %}'] }, End: true },
    });
    expect(undefinedValue).toMatchObject({
      status: 'FAILED',
      error: 'States.QueryEvaluationError',
      cause:
        "An error occurred while executing the state 'A' (entered at the event id #2). The JSONata expression '$states.input.missing' specified for the field 'Output/x[0]' returned nothing (undefined).",
    });
    for (const expression of ["1 + 'a'", '$unknown', '$sum', '$notAFunction()', '$states.context.Task.Token']) {
      expect(await value(expression)).toMatchObject({ status: 'FAILED', error: 'States.QueryEvaluationError' });
    }
  });

  it('are stopped when they run away, and the process goes on', async () => {
    const causes = [
      '($f := function($n) { 1 + $f($n + 1) }; $f(0))',
      '($f := function($n) { $f($n + 1) }; $f(0))',
      `$match('${'a'.repeat(60)}!', /^(a+)+$/)`,
    ].map((expression) => value(expression));
    for (const outcome of await Promise.all(causes)) {
      expect(outcome).toMatchObject({ status: 'FAILED', error: 'States.QueryEvaluationError' });
    }
    expect(await value('1 + 1')).toBe(2);
  });

  it('are only strings that are expressions as a whole, at any depth', async () => {
    const template = { a: [1, '{% 1 + 1 %}', { b: "{% 'x' & 'y' %}" }], c: 'an {% 1 %} inside', d: null, e: true };
    expect(await output({ A: { Type: 'Pass', Output: template, End: true } })).toEqual({
      ...template,
      a: [1, 2, { b: 'xy' }],
    });
  });

  it('flatten sequences of one as JSONata does', async () => {
    const one = { list: [{ who: 'a' }] };
    expect(await value('$states.input.list.who', one)).toBe('a');
    expect(await value('[$states.input.list.who]', one)).toEqual(['a']);
    expect(await value('$states.input.list[0]', one)).toEqual({ who: 'a' });
    expect(await value('$states.input.list.{"who": who}', { list: [...one.list, { who: 'b' }] })).toEqual([
      { who: 'a' },
      { who: 'b' },
    ]);
  });

  it('have the functions of Step Functions, and the virtual clock', async () => {
    await world.host.clock.advanceTo(Date.UTC(2040, 0, 2, 3, 4, 5));
    expect(await value('$substring($now(), 0, 16)')).toBe('2040-01-02T03:04');
    expect(await value("$now('[Y]-[M01]')")).toBe('2040-01');
    expect(await value("$fromMillis($toMillis('10:00', '[H01]:[m01]'), '[Y]')")).toBe('2040');
    expect(await value('$millis() > 2208988800000')).toBe(true);
    expect(await value('$uuid()')).toMatch(/^[0-9a-f-]{36}$/);
    expect(await value('$random(7) = $random(7) and $random() < 1')).toBe(true);
    expect(await value('$partition([1, 2, 3], 2)')).toEqual([[1, 2], [3]]);
    expect(await value('$range(0, 10, 5)')).toEqual([0, 5, 10]);
    expect(await value("$hash('a', 'SHA-256')")).toMatch(/^ca978112/);
    expect(await value('$parse(\'{"a":1}\').a')).toBe(1);
    expect(await value("$hash('a', 'CRC')")).toMatchObject({ error: 'States.QueryEvaluationError' });
    expect(await value("$parse('{')")).toMatchObject({ error: 'States.QueryEvaluationError' });
  });

  it('see the context object', async () => {
    const { arn, outcome } = await start({ A: { Type: 'Pass', Output: '{% $states.context %}', End: true } }, { a: 1 });
    const name = arn.split(':').pop();
    const { output: text = '' } = await outcome();
    const context = JSON.parse(text) as { Execution: { StartTime: string } };
    expect(context).toEqual({
      Execution: {
        Id: arn,
        Input: { a: 1 },
        Name: name,
        RoleArn: expect.stringContaining(':role/machine'),
        StartTime: expect.any(String),
        RedriveCount: 0,
      },
      State: { Name: 'A', EnteredTime: expect.any(String), RetryCount: 0 },
      StateMachine: { Id: expect.stringMatching(/:stateMachine:machine$/), Name: 'machine' },
    });
    expect(context.Execution.StartTime).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z$/);
  });
});

describe('variables', () => {
  it('take effect in the next state, and not in Output', async () => {
    const states = {
      A: { Type: 'Pass', Assign: { x: 5 }, Next: 'B' },
      B: { Type: 'Pass', Assign: { x: 42, old: '{% $x %}' }, Output: { seen: '{% $x %}' }, Next: 'C' },
      C: { Type: 'Succeed', Output: { seen: '{% $states.input.seen %}', x: '{% $x %}', old: '{% $old %}' } },
    };
    expect(await output(states)).toEqual({ seen: 5, x: 42, old: 5 });
  });

  it('are limited in size', async () => {
    const big = { Type: 'Pass', Assign: { x: "{% $pad('', 300000, 'x') %}" }, End: true };
    expect(await output({ A: big })).toMatchObject({ error: 'States.DataLimitExceeded' });
  });
});

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

describe('Task', () => {
  it('fails with the error of the function, of Lambda, or of IAM', async () => {
    world.functions.set('throws', failing('Conflict', 'version 3'));
    expect(await output({ A: invokeTask('throws', { End: true }) })).toEqual({
      status: 'FAILED',
      error: 'Conflict',
      cause: '{"errorType":"Conflict","errorMessage":"version 3"}',
    });
    expect(await output({ A: invokeTask('none', { End: true }) })).toMatchObject({
      error: 'Lambda.ResourceNotFoundException',
    });
    world.functions.set('throttled', () => {
      throw new ServiceError('TooManyRequestsException', 'Rate exceeded', 429);
    });
    expect(await output({ A: invokeTask('throttled', { End: true }) })).toMatchObject({
      error: 'Lambda.TooManyRequestsException',
    });
    world.functions.set('broken', () => {
      throw new ServiceError('ServiceException', 'gone', 500);
    });
    expect(await output({ A: invokeTask('broken', { End: true }) })).toMatchObject({
      error: 'Lambda.ServiceException',
    });
    world.functions.set('forbidden', (_payload, caller) => {
      throw new AccessDenied({ caller, action: 'lambda:InvokeFunction', resource: 'fn' }, 'no statement allows it');
    });
    expect(await output({ A: invokeTask('forbidden', { End: true }) })).toMatchObject({
      error: 'Lambda.AWSLambdaException',
      cause: expect.stringContaining('assumed-role/machine/'),
    });
  });

  it('fails for good on what is not implemented', async () => {
    world.functions.set('unimplemented', () => {
      throw new ServiceError('NotImplemented', 'not here', 501);
    });
    const all = { Catch: [{ ErrorEquals: ['States.ALL'], Next: 'B' }], End: true };
    const states = (fields: object): Record<string, object> => ({
      A: invokeTask('unimplemented', { ...all, ...fields }),
      B: { Type: 'Succeed' },
    });
    expect(await output(states({}))).toMatchObject({ error: 'States.Runtime', cause: 'not here' });
    const asynchronous = "{% {'FunctionName': 'echo', 'InvocationType': 'Event'} %}";
    expect(await output(states({ Arguments: asynchronous }))).toMatchObject({
      error: 'States.Runtime',
      cause: expect.stringContaining('InvocationType'),
    });
  });

  it('invokes as the role of the machine, in a session named after the execution', async () => {
    const callers: string[] = [];
    world.functions.set('who', (_payload, caller) => callers.push(caller.arn));
    const { arn } = await start({ A: invokeTask('who', { End: true }) });
    expect(callers).toEqual([expect.stringMatching(new RegExp(`assumed-role/machine/${arn.split(':').pop()}$`))]);
  });

  it('gives the result of lambda:invoke', async () => {
    const task = invokeTask('echo', { Output: '{% $states.result %}', End: true });
    expect(await output({ A: task }, { a: 1 })).toMatchObject({
      ExecutedVersion: '$LATEST',
      Payload: { a: 1 },
      SdkHttpMetadata: { HttpStatusCode: 200 },
      StatusCode: 200,
    });
    const named = { ...task, Arguments: { FunctionName: 'echo', Qualifier: '3', Payload: [1] } };
    expect(await output({ A: named })).toMatchObject({ ExecutedVersion: '3', Payload: [1] });
  });

  it('refuses data that is too large, which States.ALL does not catch', async () => {
    world.functions.set('big', () => 'x'.repeat(262_145));
    const big = (errorEquals: string, fields: object = {}): Record<string, object> => ({
      A: invokeTask('big', { Catch: [{ ErrorEquals: [errorEquals], Next: 'B' }], End: true, ...fields }),
      B: { Type: 'Succeed', Output: 'caught' },
    });
    expect(await output(big('States.ALL'))).toMatchObject({ status: 'FAILED', error: 'States.DataLimitExceeded' });
    expect(await output(big('States.TaskFailed'))).toMatchObject({
      status: 'FAILED',
      error: 'States.DataLimitExceeded',
    });
    expect(await output(big('States.DataLimitExceeded'))).toBe('caught');
    const large = { FunctionName: 'echo', Payload: "{% $pad('', 262200, 'x') %}" };
    expect(await output(big('States.ALL', { Arguments: large }))).toMatchObject({ error: 'States.DataLimitExceeded' });
  });
});

describe('Catch', () => {
  const caught = (errorEquals: string[], fields: object = {}): Record<string, object> => ({
    A: invokeTask('throws', { Catch: [{ ErrorEquals: errorEquals, Next: 'B', ...fields }], End: true }),
    B: { Type: 'Succeed' },
  });

  it('does not catch other errors', async () => {
    world.functions.set('throws', failing('Conflict'));
    expect(await output(caught(['Other', 'States.Timeout']))).toMatchObject({ status: 'FAILED', error: 'Conflict' });
  });

  it('does not catch the failure of its own expressions', async () => {
    world.functions.set('throws', failing('Conflict'));
    expect(await output(caught(['States.ALL'], { Output: '{% $nothing %}' }))).toMatchObject({
      error: 'States.QueryEvaluationError',
    });
  });

  it('gives the error output, or what its Output and Assign make of it', async () => {
    world.functions.set('throws', failing('Conflict', 'm'));
    const errorOutput = { Error: 'Conflict', Cause: '{"errorType":"Conflict","errorMessage":"m"}' };
    expect(await output(caught(['Conflict']))).toEqual(errorOutput);
    expect(await output(caught(['States.TaskFailed'], { Output: { input: '{% $states.input %}' } }), { a: 1 })).toEqual(
      { input: { a: 1 } },
    );
    const assigning = caught(['States.ALL'], { Assign: { e: '{% $states.errorOutput.Error %}' } });
    expect(await output({ ...assigning, B: { Type: 'Succeed', Output: '{% $e %}' } })).toBe('Conflict');
  });

  it('catches evaluation errors of the task, before and after the invocation', async () => {
    const states = (fields: object): Record<string, object> => ({
      A: invokeTask('echo', {
        Catch: [{ ErrorEquals: ['States.QueryEvaluationError'], Next: 'B' }],
        End: true,
        ...fields,
      }),
      B: { Type: 'Succeed', Output: 'caught' },
    });
    expect(await output(states({ Arguments: { FunctionName: 'echo', Payload: '{% $nothing %}' } }))).toBe('caught');
    expect(await output(states({ Output: '{% $nothing %}' }))).toBe('caught');
    expect(await output(states({ TimeoutSeconds: '{% 0 %}' }))).toBe('caught');
  });
});

describe('Retry', () => {
  /** Fails with these errors in turn, then answers the number of calls; notes when it was called. */
  const flaky = (...errors: string[]): number[] => {
    const calls: number[] = [];
    world.functions.set('flaky', () => {
      calls.push(world.host.clock.now());
      const error = errors[calls.length - 1];
      return error === undefined ? calls.length : failing(error)();
    });
    return calls;
  };
  const gaps = (calls: readonly number[]): number[] =>
    calls.slice(1).map((at, index) => Math.round((at - (calls[index] ?? 0)) / 1000));

  it('stops after MaxAttempts, and never retries with 0', async () => {
    const calls = flaky('E', 'E', 'E', 'E');
    const { outcome } = await start({
      A: invokeTask('flaky', { Retry: [{ ErrorEquals: ['E'], MaxAttempts: 2 }], End: true }),
    });
    await world.host.clock.advance(HOUR);
    expect(await outcome()).toMatchObject({ status: 'FAILED', error: 'E' });
    expect(gaps(calls)).toEqual([1, 2]);
    const none = flaky('E');
    const retry = [{ ErrorEquals: ['E'], MaxAttempts: 0 }, { ErrorEquals: ['States.ALL'] }];
    await start({ A: invokeTask('flaky', { Retry: retry, End: true }) });
    await world.host.clock.advance(HOUR);
    expect(none).toHaveLength(1);
  });

  it('waits with backoff, up to a longest delay, and counts each retrier by itself', async () => {
    const calls = flaky('A', 'B', 'C', 'B');
    const retry = [
      { ErrorEquals: ['A', 'B'], IntervalSeconds: 1, BackoffRate: 2, MaxAttempts: 2 },
      { ErrorEquals: ['C'], IntervalSeconds: 5 },
    ];
    const task = invokeTask('flaky', { Retry: retry, Catch: [{ ErrorEquals: ['States.ALL'], Next: 'Z' }], End: true });
    const { outcome } = await start({ A: task, Z: { Type: 'Succeed', Output: 'Z' } });
    await world.host.clock.advance(HOUR);
    expect(await outcome()).toMatchObject({ output: '"Z"' });
    expect(gaps(calls)).toEqual([1, 2, 5]);
    const capped = flaky('E', 'E', 'E');
    const limited = [{ ErrorEquals: ['E'], IntervalSeconds: 3, MaxDelaySeconds: 5, MaxAttempts: 3 }];
    await start({ A: invokeTask('flaky', { Retry: limited, End: true }) });
    await world.host.clock.advance(HOUR);
    expect(gaps(capped)).toEqual([3, 5, 5]);
  });

  it('spreads retries with full jitter', async () => {
    const calls = flaky('E', 'E');
    const retry = [{ ErrorEquals: ['E'], IntervalSeconds: 100, BackoffRate: 1, JitterStrategy: 'FULL' }];
    const { outcome } = await start({ A: invokeTask('flaky', { Retry: retry, End: true }) });
    await world.host.clock.advance(HOUR);
    expect((await outcome()).output).toBe('3');
    expect(Math.max(...gaps(calls))).toBeLessThanOrEqual(100);
  });

  it('counts retries for the context, the bill and the history', async () => {
    flaky('E', 'E');
    const task = invokeTask('flaky', {
      Retry: [{ ErrorEquals: ['States.TaskFailed'] }],
      Output: '{% $states.context.State.RetryCount %}',
      End: true,
    });
    const { outcome, types } = await start({ A: task });
    await world.host.clock.advance(HOUR);
    expect((await outcome()).output).toBe('2');
    expect(world.host.meter.read()['states']).toEqual({ StateEntered: 1, StateRetried: 2 });
    expect(types().filter((type) => type === 'TaskFailed')).toHaveLength(2);
  });
});

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

  it('is completed by a callback that comes before its function has returned', async () => {
    let release = (): void => undefined;
    world.functions.set('park', ({ token: given }: { token: string }) => {
      tokens.push(given);
      return new Promise<void>((resolve) => (release = resolve));
    });
    const stateMachineArn = await world.machine({ StartAt: 'A', States: later() });
    const { executionArn } = await client.send(new StartExecutionCommand({ stateMachineArn }));
    while (tokens.length === 0) await new Promise((resolve) => setImmediate(resolve));
    await client.send(new SendTaskSuccessCommand({ taskToken: token(), output: '"early"' }));
    release();
    await world.settled();
    expect(await client.send(new DescribeExecutionCommand({ executionArn }))).toMatchObject({
      status: 'SUCCEEDED',
      output: '"early"',
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

describe('an execution', () => {
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
    const { types } = await start({
      A: invokeTask('echo', { Assign: { x: 1 }, Next: 'B' }),
      B: callbackTask('park', { End: true }),
    });
    await client.send(new SendTaskSuccessCommand({ taskToken: token(), output: '{}' }));
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

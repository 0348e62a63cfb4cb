import { AccessDenied } from '../../local/iam/policy.ts';
import { ServiceError } from '../../local/service.ts';
import { failing, invokeTask, type Runs, runsIn, startStates, type StatesWorld } from '../support/states-server.ts';

/** Tasks, and what follows their errors. https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html */

const HOUR = 3600 * 1000;

let world: StatesWorld;
let start: Runs['start'];
let output: Runs['output'];

beforeEach(async () => {
  world = await startStates();
  ({ start, output } = runsIn(world));
  world.functions.set('echo', (payload: unknown) => payload);
});
afterEach(() => world.close());

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

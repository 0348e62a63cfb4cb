import {
  DescribeExecutionCommand,
  DescribeStateMachineForExecutionCommand,
  GetExecutionHistoryCommand,
  ListExecutionsCommand,
  ListStateMachinesCommand,
  SendTaskFailureCommand,
  SendTaskHeartbeatCommand,
  SendTaskSuccessCommand,
  StartExecutionCommand,
  type StartExecutionOutput,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import { AccessDenied } from '../../local/iam/policy.ts';
import { ACCOUNT, callbackTask, errorOf, REGION, startStates, type StatesWorld } from '../support/states-server.ts';

/** https://docs.aws.amazon.com/step-functions/latest/apireference/API_Operations.html */

const DAY = 24 * 3600 * 1000;
const ARN = `arn:aws:states:${REGION}:${ACCOUNT}`;
const PASS = { StartAt: 'A', States: { A: { Type: 'Pass', End: true } } };
const WAITING = { StartAt: 'A', States: { A: { Type: 'Wait', Seconds: 3600, End: true } } };
const CALLBACK = { StartAt: 'A', States: { A: callbackTask('park', { End: true }) } };

let world: StatesWorld;
let denied: string | undefined;
const tokens: string[] = [];

beforeEach(async () => {
  denied = undefined;
  tokens.length = 0;
  world = await startStates({
    authorize: (request) => {
      if (request.action === denied) throw new AccessDenied(request, 'no statement allows it');
    },
  });
  world.functions.set('park', ({ token }: { token: string }) => tokens.push(token));
});
afterEach(() => world.close());

const token = (): string => tokens.at(-1) ?? '';

describe('DescribeStateMachineForExecution', () => {
  const asked = (executionArn: string) => new DescribeStateMachineForExecutionCommand({ executionArn });

  it('answers the definition that the execution began with, whatever the machine has become since', async () => {
    const stateMachineArn = await world.machine(CALLBACK);
    const client = world.client();
    const { executionArn = '' } = await client.send(new StartExecutionCommand({ stateMachineArn }));
    const before = await client.send(asked(executionArn));
    expect(before).toMatchObject({ stateMachineArn, revisionId: expect.stringMatching(/./) });
    expect(JSON.parse(before.definition ?? '')).toMatchObject({ StartAt: 'A' });
    await world.machine(PASS);
    const later = await client.send(new StartExecutionCommand({ stateMachineArn }));
    expect((await client.send(asked(executionArn))).definition).toBe(before.definition);
    const { definition, revisionId } = await client.send(asked(later.executionArn ?? ''));
    expect([definition === before.definition, revisionId === before.revisionId]).toEqual([false, false]);
  });

  it('refuses an execution that never was, and a caller without the permission', async () => {
    const client = world.client();
    expect(await errorOf(client.send(asked(`${ARN}:execution:machine:none`)))).toBe('ExecutionDoesNotExist');
    expect(await errorOf(client.send(asked('machine')))).toBe('InvalidArn');
    denied = 'states:DescribeStateMachineForExecution';
    expect(await errorOf(client.send(asked(`${ARN}:execution:machine:none`)))).toBe('AccessDeniedException');
  });

  it('says without the definition what needs no key', async () => {
    const stateMachineArn = await world.machine(CALLBACK);
    const client = world.client();
    const { executionArn } = await client.send(new StartExecutionCommand({ stateMachineArn }));
    const answer = await client.send(
      new DescribeStateMachineForExecutionCommand({ executionArn, includedData: 'METADATA_ONLY' }),
    );
    expect([answer.definition, answer.encryptionConfiguration]).toEqual([undefined, { type: 'AWS_OWNED_KEY' }]);
  });
});

describe('StartExecution', () => {
  it('refuses what is not an ARN of a state machine here', async () => {
    const client = world.client();
    const start = (stateMachineArn: string): Promise<string> =>
      errorOf(client.send(new StartExecutionCommand({ stateMachineArn })));
    expect(await start('machine')).toBe('InvalidArn');
    expect(await start(`${ARN}:execution:machine:x`)).toBe('InvalidArn');
    expect(await start(`arn:aws:states:us-east-1:${ACCOUNT}:stateMachine:machine`)).toBe('InvalidArn');
    expect(await start(`${ARN}:stateMachine:machine/label`)).toBe('ValidationException');
    expect(await start(`${ARN}:stateMachine:unknown`)).toBe('StateMachineDoesNotExist');
  });

  it('refuses names and inputs that AWS refuses', async () => {
    const stateMachineArn = await world.machine(PASS);
    const client = world.client();
    const start = (more: { name?: string; input?: string }): Promise<string> =>
      errorOf(client.send(new StartExecutionCommand({ stateMachineArn, ...more })));
    for (const name of ['a b', 'a:b', 'a/b', 'a*', '{a}', 'a\u0007', '\ud800'])
      expect(await start({ name })).toBe('InvalidName');
    expect(await start({ name: 'a'.repeat(81) })).toBe('ValidationException');
    expect(await start({ input: '{' })).toBe('InvalidExecutionInput');
    expect(await start({ input: JSON.stringify('x'.repeat(262_144)) })).toBe('ValidationException');
    expect(world.service.executions()).toEqual([]);
  });

  it('refuses a parameter that is not implemented, by name', async () => {
    const stateMachineArn = await world.machine(PASS);
    const call = world.client().send(new StartExecutionCommand({ stateMachineArn, traceHeader: 'Root=1' }));
    await expect(call).rejects.toMatchObject({
      name: 'NotImplemented',
      message: expect.stringContaining('traceHeader'),
    });
  });

  it('refuses a caller without permission before it says whether the machine exists', async () => {
    denied = 'states:StartExecution';
    const call = world.client().send(new StartExecutionCommand({ stateMachineArn: `${ARN}:stateMachine:unknown` }));
    expect(await errorOf(call)).toBe('AccessDeniedException');
  });

  it('asks for permission on the unqualified ARN, with the qualifier as a condition key', async () => {
    const machine = await world.machine(PASS);
    const version = await world.create('AWS::StepFunctions::StateMachineVersion', { StateMachineArn: machine });
    await world.client('starter').send(new StartExecutionCommand({ stateMachineArn: version.ref }));
    expect(world.accesses.at(-1)).toMatchObject({
      caller: { roleName: 'starter' },
      action: 'states:StartExecution',
      resource: machine,
      context: { 'states:StateMachineQualifier': ['1'] },
    });
  });

  it('repeats its answer for the same name and input while the execution runs, and refuses the name otherwise', async () => {
    const stateMachineArn = await world.machine(WAITING);
    const client = world.client();
    const start = (input: string): Promise<StartExecutionOutput> =>
      client.send(new StartExecutionCommand({ stateMachineArn, name: 'one', input }));
    const first = await start('{"a":1}');
    expect(await start('{"a":1}')).toMatchObject({ executionArn: first.executionArn, startDate: first.startDate });
    expect(await errorOf(start('{"a":2}'))).toBe('ExecutionAlreadyExists');
    expect(world.service.executions()).toHaveLength(1);
    await world.host.clock.advance(2 * 3600 * 1000);
    expect(await errorOf(start('{"a":1}'))).toBe('ExecutionAlreadyExists');
    await world.host.clock.advance(89 * DAY);
    expect(await errorOf(start('{"a":1}'))).toBe('ExecutionAlreadyExists');
    await world.host.clock.advance(2 * DAY);
    expect((await start('{"a":2}')).executionArn).toBe(`${ARN}:execution:machine:one`);
  });

  it('runs the version it was started with to its end, while an alias moves on', async () => {
    const definition = (output: string): object => ({
      StartAt: 'A',
      States: { A: { Type: 'Wait', Seconds: 60, Output: output, End: true } },
    });
    const machine = await world.machine(definition('old'));
    const publish = async (): Promise<string> =>
      (await world.create('AWS::StepFunctions::StateMachineVersion', { StateMachineArn: machine })).ref;
    const point = async (StateMachineVersionArn: string): Promise<string> =>
      (
        await world.create('AWS::StepFunctions::StateMachineAlias', {
          Name: 'live',
          DeploymentPreference: { StateMachineVersionArn, Type: 'ALL_AT_ONCE' },
        })
      ).ref;
    const stateMachineArn = await point(await publish());
    const client = world.client();
    const { executionArn: before } = await client.send(new StartExecutionCommand({ stateMachineArn }));
    await world.machine(definition('new'));
    await point(await publish());
    const { executionArn: after } = await client.send(new StartExecutionCommand({ stateMachineArn }));
    await world.host.clock.advance(61_000);
    expect(await client.send(new DescribeExecutionCommand({ executionArn: before }))).toMatchObject({
      output: '"old"',
      stateMachineArn: machine,
      stateMachineVersionArn: `${machine}:1`,
      stateMachineAliasArn: `${machine}:live`,
    });
    expect(await client.send(new DescribeExecutionCommand({ executionArn: after }))).toMatchObject({
      output: '"new"',
      stateMachineVersionArn: `${machine}:2`,
    });
    const list = async (arn: string): Promise<number | undefined> =>
      (await client.send(new ListExecutionsCommand({ stateMachineArn: arn }))).executions?.length;
    expect([await list(machine), await list(`${machine}:1`), await list(stateMachineArn)]).toEqual([2, 1, 2]);
  });
});

describe('DescribeExecution', () => {
  it('refuses unknown executions, other ARNs and callers without permission', async () => {
    const client = world.client();
    const describe = (executionArn: string): Promise<string> =>
      errorOf(client.send(new DescribeExecutionCommand({ executionArn })));
    expect(await describe(`${ARN}:execution:machine:none`)).toBe('ExecutionDoesNotExist');
    expect(await describe(`${ARN}:stateMachine:machine`)).toBe('InvalidArn');
    denied = 'states:DescribeExecution';
    expect(await describe(`${ARN}:execution:machine:none`)).toBe('AccessDeniedException');
    expect(world.accesses.at(-1)).toMatchObject({ resource: `${ARN}:execution:machine:none` });
  });

  it('describes a running and a finished execution, and hides data on request', async () => {
    const stateMachineArn = await world.machine(WAITING);
    const client = world.client();
    const { executionArn } = await client.send(
      new StartExecutionCommand({ stateMachineArn, name: 'x', input: '{"a":1}' }),
    );
    const describe = (includedData?: 'METADATA_ONLY'): Promise<object> =>
      client.send(new DescribeExecutionCommand({ executionArn, includedData }));
    const running = await describe();
    expect(running).toMatchObject({ executionArn, stateMachineArn, name: 'x', status: 'RUNNING', input: '{"a":1}' });
    expect(running).not.toHaveProperty('stopDate');
    await world.host.clock.advance(3_601_000);
    expect(await describe()).toMatchObject({ status: 'SUCCEEDED', output: '{"a":1}', stopDate: expect.any(Date) });
    const metadata = await describe('METADATA_ONLY');
    expect(metadata).toMatchObject({ status: 'SUCCEEDED' });
    expect(metadata).not.toHaveProperty('output');
  });
});

describe('StopExecution', () => {
  it('refuses unknown executions and callers without permission', async () => {
    const client = world.client();
    const stop = (): Promise<string> =>
      errorOf(client.send(new StopExecutionCommand({ executionArn: `${ARN}:execution:machine:none` })));
    expect(await stop()).toBe('ExecutionDoesNotExist');
    denied = 'states:StopExecution';
    expect(await stop()).toBe('AccessDeniedException');
  });

  it('ends a waiting execution for good: nothing of it continues, and its token is dead', async () => {
    const stateMachineArn = await world.machine(CALLBACK);
    const client = world.client();
    const { executionArn } = await client.send(new StartExecutionCommand({ stateMachineArn }));
    await world.settled();
    await client.send(new StopExecutionCommand({ executionArn, error: 'Superseded', cause: 'why' }));
    expect(await errorOf(client.send(new SendTaskSuccessCommand({ taskToken: token(), output: '{}' })))).toBe(
      'TaskTimedOut',
    );
    const length = world.service.history(executionArn ?? '').length;
    await world.host.clock.advance(30 * DAY);
    expect(world.service.executions()).toMatchObject([{ status: 'ABORTED' }]);
    expect(world.service.history(executionArn ?? '')).toHaveLength(length);
  });

  it('reports error and cause, and leaves a finished execution as it is', async () => {
    const stateMachineArn = await world.machine(WAITING);
    const client = world.client();
    const { executionArn } = await client.send(new StartExecutionCommand({ stateMachineArn }));
    const { stopDate } = await client.send(new StopExecutionCommand({ executionArn, error: 'E', cause: 'C' }));
    expect(await client.send(new StopExecutionCommand({ executionArn, error: 'other' }))).toMatchObject({ stopDate });
    expect(await client.send(new DescribeExecutionCommand({ executionArn }))).toMatchObject({
      status: 'ABORTED',
      error: 'E',
      cause: 'C',
    });
  });
});

describe('SendTaskSuccess, SendTaskFailure, SendTaskHeartbeat', () => {
  const begin = async (fields: object = {}): Promise<string> => {
    const definition = { StartAt: 'A', States: { A: callbackTask('park', { End: true, ...fields }) } };
    const stateMachineArn = await world.machine(definition);
    const { executionArn } = await world.client().send(new StartExecutionCommand({ stateMachineArn }));
    await world.settled();
    return executionArn ?? '';
  };
  const status = (): string | undefined => world.service.executions()[0]?.status;

  it('refuse forged tokens, whatever they look like', async () => {
    await begin();
    const client = world.client();
    const flipped = `${token().slice(0, -2)}${token().endsWith('A') ? 'BB' : 'AA'}`;
    for (const taskToken of ['x', 'AAAA', flipped, token().slice(1), `${token()}A`]) {
      expect(await errorOf(client.send(new SendTaskSuccessCommand({ taskToken, output: '{}' })))).toBe('InvalidToken');
      expect(await errorOf(client.send(new SendTaskFailureCommand({ taskToken, error: 'E' })))).toBe('InvalidToken');
      expect(await errorOf(client.send(new SendTaskHeartbeatCommand({ taskToken })))).toBe('InvalidToken');
    }
    expect(await errorOf(client.send(new SendTaskSuccessCommand({ taskToken: 'x'.repeat(2049), output: '{}' })))).toBe(
      'ValidationException',
    );
    expect(status()).toBe('RUNNING');
  });

  it('refuse callers without permission; the permission has no resource', async () => {
    await begin();
    const client = world.client();
    const calls = {
      'states:SendTaskSuccess': new SendTaskSuccessCommand({ taskToken: token(), output: '{}' }),
      'states:SendTaskFailure': new SendTaskFailureCommand({ taskToken: token(), error: 'E' }),
      'states:SendTaskHeartbeat': new SendTaskHeartbeatCommand({ taskToken: token() }),
    };
    for (const [action, command] of Object.entries(calls)) {
      denied = action;
      expect(await errorOf(client.send(command as SendTaskHeartbeatCommand))).toBe('AccessDeniedException');
      expect(world.accesses.at(-1)).toMatchObject({ action, resource: '*' });
    }
    expect(status()).toBe('RUNNING');
  });

  it('refuse an output that is not JSON, and a failure without error', async () => {
    await begin();
    const client = world.client();
    expect(await errorOf(client.send(new SendTaskSuccessCommand({ taskToken: token(), output: '{' })))).toBe(
      'InvalidOutput',
    );
    expect(await errorOf(client.send(new SendTaskFailureCommand({ taskToken: token() })))).toBe('NotImplemented');
    expect(status()).toBe('RUNNING');
  });

  it('complete a task once: the second call finds it closed', async () => {
    const executionArn = await begin();
    const client = world.client();
    await client.send(new SendTaskSuccessCommand({ taskToken: token(), output: '{"done":true}' }));
    expect(
      await errorOf(client.send(new SendTaskSuccessCommand({ taskToken: token(), output: '{"done":false}' }))),
    ).toBe('TaskTimedOut');
    expect(await errorOf(client.send(new SendTaskHeartbeatCommand({ taskToken: token() })))).toBe('TaskTimedOut');
    await world.settled();
    expect(await client.send(new DescribeExecutionCommand({ executionArn }))).toMatchObject({
      status: 'SUCCEEDED',
      output: '{"done":true}',
    });
  });

  it('fail a task with the given error', async () => {
    const executionArn = await begin();
    const client = world.client();
    await client.send(new SendTaskFailureCommand({ taskToken: token(), error: 'Refused', cause: 'no' }));
    await world.settled();
    expect(await client.send(new DescribeExecutionCommand({ executionArn }))).toMatchObject({
      status: 'FAILED',
      error: 'Refused',
      cause: 'no',
    });
  });
});

describe('GetExecutionHistory', () => {
  it('refuses unknown executions, callers without permission, and tokens of another request', async () => {
    const stateMachineArn = await world.machine(PASS);
    const client = world.client();
    const { executionArn } = await client.send(new StartExecutionCommand({ stateMachineArn }));
    await world.settled();
    const { nextToken } = await client.send(new GetExecutionHistoryCommand({ executionArn, maxResults: 1 }));
    const history = (more: object, arn = executionArn): Promise<string> =>
      errorOf(client.send(new GetExecutionHistoryCommand({ executionArn: arn, ...more })));
    expect(await history({}, `${ARN}:execution:machine:none`)).toBe('ExecutionDoesNotExist');
    expect(await history({ nextToken, reverseOrder: true })).toBe('InvalidToken');
    expect(await history({ nextToken: 'x' })).toBe('InvalidToken');
    expect(await history({ maxResults: 1001 })).toBe('ValidationException');
    await world.host.clock.advance(DAY + 1);
    expect(await history({ nextToken })).toBe('InvalidToken');
    denied = 'states:GetExecutionHistory';
    expect(await history({})).toBe('AccessDeniedException');
  });

  it('pages in either order, with and without data', async () => {
    const stateMachineArn = await world.machine(PASS);
    const client = world.client();
    const { executionArn } = await client.send(new StartExecutionCommand({ stateMachineArn, input: '{"a":1}' }));
    await world.settled();
    const first = await client.send(new GetExecutionHistoryCommand({ executionArn, maxResults: 3 }));
    const rest = await client.send(
      new GetExecutionHistoryCommand({ executionArn, maxResults: 3, nextToken: first.nextToken }),
    );
    expect([...(first.events ?? []), ...(rest.events ?? [])].map(({ id, type }) => `${id} ${type}`)).toEqual([
      '1 ExecutionStarted',
      '2 PassStateEntered',
      '3 PassStateExited',
      '4 ExecutionSucceeded',
    ]);
    expect(rest.nextToken).toBeUndefined();
    expect(first.events?.[1]).toMatchObject({
      stateEnteredEventDetails: { name: 'A', input: '{"a":1}' },
      previousEventId: 0,
    });
    const quiet = await client.send(
      new GetExecutionHistoryCommand({ executionArn, includeExecutionData: false, reverseOrder: true }),
    );
    expect(quiet.events?.map(({ id }) => id)).toEqual([4, 3, 2, 1]);
    expect(JSON.stringify(quiet.events)).not.toContain('"{');
  });
});

describe('ListExecutions', () => {
  it('refuses unknown machines, callers without permission and map runs', async () => {
    const client = world.client();
    const list = (more: object): Promise<string> =>
      errorOf(client.send(new ListExecutionsCommand({ stateMachineArn: `${ARN}:stateMachine:none`, ...more })));
    expect(await list({})).toBe('StateMachineDoesNotExist');
    expect(await list({ statusFilter: 'PENDING_REDRIVE' })).toBe('ValidationException');
    expect(await list({ mapRunArn: 'x' })).toBe('NotImplemented');
    denied = 'states:ListExecutions';
    expect(await list({})).toBe('AccessDeniedException');
  });

  it('lists the latest first, by status, in pages', async () => {
    const stateMachineArn = await world.machine({
      StartAt: 'A',
      States: {
        A: { Type: 'Choice', Choices: [{ Condition: '{% $states.input.wait %}', Next: 'B' }], Default: 'C' },
        B: { Type: 'Wait', Seconds: 60, End: true },
        C: { Type: 'Succeed' },
      },
    });
    const client = world.client();
    for (const [name, wait] of [
      ['a', true],
      ['b', false],
      ['c', true],
    ] as const) {
      await client.send(new StartExecutionCommand({ stateMachineArn, name, input: JSON.stringify({ wait }) }));
      await world.settled();
    }
    const names = async (more: object): Promise<[(string | undefined)[] | undefined, string | undefined]> => {
      const { executions, nextToken } = await client.send(new ListExecutionsCommand({ stateMachineArn, ...more }));
      return [executions?.map(({ name }) => name), nextToken];
    };
    expect(await names({})).toEqual([['c', 'b', 'a'], undefined]);
    expect(await names({ statusFilter: 'SUCCEEDED' })).toEqual([['b'], undefined]);
    const [page, nextToken] = await names({ statusFilter: 'RUNNING', maxResults: 1 });
    expect(page).toEqual(['c']);
    expect(await names({ statusFilter: 'RUNNING', maxResults: 1, nextToken })).toEqual([['a'], undefined]);
  });
});

it('answers every other operation with 501 and its name', async () => {
  await expect(world.client().send(new ListStateMachinesCommand({}))).rejects.toMatchObject({
    name: 'NotImplemented',
    message: expect.stringContaining('ListStateMachines'),
    $metadata: { httpStatusCode: 501 },
  });
});

describe('status change events', () => {
  it('are published on start and on end, in the documented shape', async () => {
    const stateMachineArn = await world.machine(PASS);
    await world.client().send(new StartExecutionCommand({ stateMachineArn, name: 'x', input: '{"a":1}' }));
    await world.settled();
    const executionArn = `${ARN}:execution:machine:x`;
    expect(world.events).toEqual([
      {
        source: 'aws.states',
        detailType: 'Step Functions Execution Status Change',
        resources: [executionArn],
        detail: expect.objectContaining({
          executionArn,
          stateMachineArn,
          name: 'x',
          status: 'RUNNING',
          startDate: expect.any(Number),
          stopDate: null,
          input: '{"a":1}',
          inputDetails: { included: true },
          output: null,
          outputDetails: null,
        }),
      },
      expect.objectContaining({
        detail: expect.objectContaining({
          status: 'SUCCEEDED',
          stopDate: expect.any(Number),
          output: '{"a":1}',
          outputDetails: { included: true },
        }),
      }),
    ]);
  });

  it('leave out input that does not fit together with the output', async () => {
    const stateMachineArn = await world.machine(PASS);
    const input = JSON.stringify('x'.repeat(150_000));
    await world.client().send(new StartExecutionCommand({ stateMachineArn, input }));
    await world.settled();
    expect(world.events[0]?.detail).toMatchObject({ input, inputDetails: { included: true } });
    expect(world.events[1]?.detail).toMatchObject({ input: null, inputDetails: { included: false }, output: input });
  });
});

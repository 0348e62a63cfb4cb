import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  DescribeExecutionCommand,
  GetExecutionHistoryCommand,
  SendTaskSuccessCommand,
  StartExecutionCommand,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import { callbackTask, startStates, type StatesWorld } from '../support/states-server.ts';

/** Executions do not survive the process: they are aborted at the next start, and their names stay taken. */

const DAY = 24 * 3600 * 1000;
const DEFINITION = { StartAt: 'A', States: { A: callbackTask('park', { End: true }) } };

let directory: string;
let token = '';
const worlds: StatesWorld[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'states-'));
});
afterEach(async () => {
  for (const world of worlds.splice(0)) await world.close();
  rmSync(directory, { recursive: true });
});

const journal = (): string => join(directory, 'states', 'executions.jsonl');

/** A runtime over the data directory; the one before it is as good as killed: nothing tells it to stop. */
async function boot(
  offset = 0,
): Promise<{ world: StatesWorld; start: (name: string, input?: string) => Promise<string> }> {
  const world = await startStates({ dataDirectory: directory, offset });
  worlds.push(world);
  world.functions.set('park', (payload: { token: string }) => (token = payload.token));
  const stateMachineArn = await world.machine(DEFINITION);
  return {
    world,
    start: async (name, input = '{}') => {
      const { executionArn = '' } = await world
        .client()
        .send(new StartExecutionCommand({ stateMachineArn, name, input }));
      await world.settled();
      return executionArn;
    },
  };
}

it('aborts what was running, publishes that once, and leaves the rest as it was', async () => {
  const { world: first, start } = await boot();
  const running = await start('running');
  const stopped = await start('stopped');
  await first.client().send(new StopExecutionCommand({ executionArn: stopped }));
  const { world } = await boot();
  expect(world.events).toEqual([]);
  await world.service.recover();
  expect(world.events).toEqual([
    expect.objectContaining({
      detailType: 'Step Functions Execution Status Change',
      resources: [running],
      detail: expect.objectContaining({
        executionArn: running,
        status: 'ABORTED',
        stopDate: expect.any(Number),
        input: null,
      }),
    }),
  ]);
  expect(world.service.executions().map(({ name, status }) => [name, status])).toEqual([
    ['stopped', 'ABORTED'],
    ['running', 'ABORTED'],
  ]);
  const { world: third } = await boot();
  await third.service.recover();
  expect(third.events).toEqual([]);
});

it('keeps names taken for 90 days after the end', async () => {
  const { start } = await boot();
  await start('one', '{"a":1}');
  const { world, start: again } = await boot();
  await world.service.recover();
  await expect(again('one', '{"a":1}')).rejects.toMatchObject({ name: 'ExecutionAlreadyExists' });
  await expect(again('two')).resolves.toContain(':two');
  const { world: later, start: afterwards } = await boot(91 * DAY);
  await later.service.recover();
  expect(readFileSync(journal(), 'utf8')).not.toContain('"one"');
  await expect(afterwards('one')).resolves.toContain(':one');
});

it('answers tokens and questions of an earlier process honestly', async () => {
  const { start } = await boot();
  const executionArn = await start('one', '{"a":1}');
  const { world } = await boot();
  await world.service.recover();
  const client = world.client();
  await expect(client.send(new SendTaskSuccessCommand({ taskToken: token, output: '{}' }))).rejects.toMatchObject({
    name: 'TaskTimedOut',
  });
  const described = await client.send(new DescribeExecutionCommand({ executionArn }));
  expect(described).toMatchObject({ name: 'one', status: 'ABORTED', inputDetails: { included: false } });
  await expect(client.send(new GetExecutionHistoryCommand({ executionArn }))).rejects.toMatchObject({
    name: 'NotImplemented',
  });
  expect(world.service.history(executionArn)).toEqual([]);
});

it('writes no input to the disk, and nobody else can read the file', async () => {
  const { start } = await boot();
  await start('one', '{"secret":"content"}');
  const text = readFileSync(journal(), 'utf8');
  expect(text).toContain('"one"');
  expect(text).not.toContain('content');
  expect(statSync(journal()).mode & 0o777).toBe(0o600);
});

it('ignores a last line that a crash cut short', async () => {
  const { start } = await boot();
  await start('one');
  appendFileSync(journal(), '{"start":{"arn":"arn:aws:st');
  const { world } = await boot();
  await world.service.recover();
  expect(world.service.executions()).toMatchObject([{ name: 'one', status: 'ABORTED' }]);
});

it('forgets an execution on demand: without a word, unknown from then on, and its name is free', async () => {
  const { world, start } = await boot();
  const executionArn = await start('one');
  world.events.splice(0);
  world.service.forget(executionArn);
  await world.settled();
  expect(world.events).toEqual([]);
  const client = world.client();
  await expect(client.send(new DescribeExecutionCommand({ executionArn }))).rejects.toMatchObject({
    name: 'ExecutionDoesNotExist',
  });
  await expect(client.send(new SendTaskSuccessCommand({ taskToken: token, output: '{}' }))).rejects.toMatchObject({
    name: 'TaskTimedOut',
  });
  const { world: next } = await boot();
  await next.service.recover();
  expect(next.events).toEqual([]);
  expect(next.service.executions()).toEqual([]);
  expect(() => next.service.forget(executionArn)).toThrow('Execution Does Not Exist');
  await expect(start('one')).resolves.toBe(executionArn);
});

it('forgets everything without a data directory', async () => {
  const world = await startStates();
  worlds.push(world);
  await world.service.recover();
  expect(world.events).toEqual([]);
  expect(world.service.executions()).toEqual([]);
});

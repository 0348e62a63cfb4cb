import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { DescribeExecutionCommand, SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Runtime, type RuntimeOptions, startRuntime } from '../../local/runtime.ts';
import { synthesise } from '../support/local-application.ts';

let scratch: string;
let assembly: string;
const running: Runtime[] = [];
const clients: { destroy(): void }[] = [];

beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'local-runtime-'));
  assembly = synthesise(scratch);
}, 60_000);

afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  for (const runtime of running.splice(0)) await runtime.stop();
});

afterAll(() => {
  rmSync(scratch, { recursive: true, force: true });
});

async function start(options: Partial<RuntimeOptions> = {}): Promise<Runtime> {
  const runtime = await startRuntime({ assembly, ...options });
  running.push(runtime);
  return runtime;
}

const configuration = (runtime: Runtime, role: string): object => ({
  endpoint: runtime.url,
  region: runtime.region,
  credentials: runtime.credentialsFor(role),
  maxAttempts: 1,
});

function states(runtime: Runtime, role = 'Operator'): SFNClient {
  const client = new SFNClient(configuration(runtime, role));
  clients.push(client);
  return client;
}

function dynamodb(runtime: Runtime, role = 'Operator'): DynamoDBClient {
  const client = new DynamoDBClient(configuration(runtime, role));
  clients.push(client);
  return client;
}

const machineArn = (runtime: Runtime): string => runtime.outputs['Tiny-Work']?.['MachineArn'] ?? '';

const getItem = (runtime: Runtime): GetItemCommand =>
  new GetItemCommand({ TableName: runtime.outputs['Tiny-Vault']?.['TableName'], Key: { id: { S: 'one' } } });

/** Runs the machine and answers how the execution ended. */
async function run(
  runtime: Runtime,
): Promise<{ status: string | undefined; output: unknown; error: string | undefined }> {
  const client = states(runtime);
  const { executionArn } = await client.send(
    new StartExecutionCommand({ stateMachineArn: machineArn(runtime), input: '{"id":"one"}' }),
  );
  await runtime.settled();
  const { status, output, error } = await client.send(new DescribeExecutionCommand({ executionArn }));
  return { status, output: output === undefined ? undefined : JSON.parse(output), error };
}

type Template = { Resources: Record<string, { Type: string; Properties: Record<string, unknown> }> };

const resourceOf = (template: Record<string, unknown>, type: string): Template['Resources'][string] => {
  const found = Object.values((template as Template).Resources).find((resource) => resource.Type === type);
  if (found === undefined) throw new Error(`no ${type} in the template`);
  return found;
};

test('a synthesised application runs: state machine, function with the real SDK, table, key', async () => {
  const runtime = await start();
  expect(await run(runtime)).toEqual({
    status: 'SUCCEEDED',
    output: { stored: 'one', at: expect.any(Number) },
    error: undefined,
  });
  expect(await dynamodb(runtime).send(getItem(runtime))).toMatchObject({ Item: { id: { S: 'one' } } });
  expect(runtime.denials()).toEqual([]);
  expect(runtime.callers.read()).toMatchObject({
    Store: { dynamodb: { PutItem: 1 } },
    Operator: { dynamodb: { GetItem: 1 }, states: { StartExecution: 1 } },
  });
}, 60_000);

test('functions live in virtual time, and their credentials with them', async () => {
  const runtime = await start();
  await run(runtime);
  await runtime.clock.advance(90 * 86_400_000);
  const client = new SFNClient({ ...configuration(runtime, 'Operator'), systemClockOffset: runtime.clock.offset });
  clients.push(client);
  const input = { stateMachineArn: machineArn(runtime), input: '{"id":"two"}' };
  const { executionArn } = await client.send(new StartExecutionCommand(input));
  await runtime.settled();
  const { output = '{}' } = await client.send(new DescribeExecutionCommand({ executionArn }));
  const { at } = JSON.parse(output) as { at: number };
  expect(Math.abs(at - runtime.clock.now())).toBeLessThan(60_000);
}, 60_000);

describe('what a role may not do, it cannot do', () => {
  test('a role without permission is refused by name', async () => {
    const runtime = await start();
    const started = states(runtime, 'Outsider').send(
      new StartExecutionCommand({ stateMachineArn: machineArn(runtime) }),
    );
    await expect(started).rejects.toMatchObject({
      name: 'AccessDeniedException',
      message: expect.stringContaining(
        'assumed-role/Outsider/local is not authorized to perform: states:StartExecution',
      ),
    });
    expect(runtime.denials()).toMatchObject([{ caller: 'Outsider', action: 'states:StartExecution' }]);
    expect(() => runtime.credentialsFor('Nobody')).toThrow('Nobody');
  }, 60_000);

  test('a permission taken from the template is missed where it was needed', async () => {
    const runtime = await start({
      amend: (stackName, template) => {
        if (stackName !== 'Tiny-Work') return;
        const { Properties } = resourceOf(template, 'AWS::IAM::Policy');
        Properties['PolicyDocument'] = {
          Version: '2012-10-17',
          Statement: [{ Effect: 'Allow', Action: ['dynamodb:GetItem', 'logs:*'], Resource: '*' }],
        };
      },
    });
    expect(await run(runtime)).toMatchObject({ status: 'FAILED', error: 'AccessDeniedException' });
    expect(runtime.denials()).toMatchObject([{ caller: 'Store', action: 'dynamodb:PutItem' }]);
  }, 60_000);
});

describe('a start that must not succeed', () => {
  const changed = (
    type: string,
    change: (resource: Template['Resources'][string]) => void,
  ): Partial<RuntimeOptions> => ({
    amend: (_, template) => {
      if (Object.values((template as Template).Resources).some((resource) => resource.Type === type))
        change(resourceOf(template, type));
    },
  });

  test.each<[string, Partial<RuntimeOptions>, RegExp]>([
    [
      'an unknown resource type',
      changed('AWS::DynamoDB::GlobalTable', (resource) => (resource.Type = 'AWS::RDS::DBInstance')),
      /Stack Tiny-Vault: Items\w+ \(AWS::RDS::DBInstance\): .*resource type/,
    ],
    [
      'an unknown property',
      changed('AWS::DynamoDB::GlobalTable', ({ Properties }) => (Properties['Extra'] = 1)),
      /Stack Tiny-Vault: Items\w+ \(AWS::DynamoDB::GlobalTable\): .*property Extra/,
    ],
    [
      'a malformed policy',
      changed(
        'AWS::KMS::Key',
        ({ Properties }) => (Properties['KeyPolicy'] = { Version: '2012-10-17', Statement: [{}] }),
      ),
      /Stack Tiny-Vault: Key\w+ \(AWS::KMS::Key\): statement 0/,
    ],
    ['an assembly that is not there', { assembly: '/nonexistent' }, /synthesise the application first/],
  ])('%s', async (_, options, message) => {
    await expect(start(options)).rejects.toThrow(message);
  });
});

test('a port that is taken is refused with its number', async () => {
  const port = Number(new URL((await start()).url).port);
  await expect(start({ port })).rejects.toThrow(`Port ${port} of 127.0.0.1 cannot be used`);
}, 60_000);

describe('a data directory', () => {
  const directory = (name: string): string => join(scratch, name);

  test('keeps items and time, and belongs to one runtime', async () => {
    const dataDirectory = directory('kept');
    const first = await start({ dataDirectory });
    await run(first);
    await first.clock.advance(90 * 86_400_000);
    await expect(start({ dataDirectory })).rejects.toThrow('in use');
    expect(statSync(dataDirectory).mode & 0o777).toBe(0o700);
    await first.stop();

    const second = await start({ dataDirectory });
    expect(second.clock.now() - Date.now()).toBeGreaterThan(89 * 86_400_000);
    const client = dynamodb(second);
    client.config.systemClockOffset = second.clock.offset;
    expect(await client.send(getItem(second))).toMatchObject({ Item: { id: { S: 'one' } } });
  }, 60_000);

  test('takes over the lock of a process that died', async () => {
    const dataDirectory = directory('stale');
    await (await start({ dataDirectory })).stop();
    // No process has an id above the largest that Linux, macOS and Windows give out.
    writeFileSync(join(dataDirectory, 'runtime.lock'), String(2 ** 30));
    await start({ dataDirectory });
  }, 60_000);

  test.each([
    ['other files', 'notes.txt', '', 'holds other files'],
    ['the data of another version', 'local-runtime.json', '{"format":0}', 'another version'],
    [
      'the data of another application',
      'local-runtime.json',
      '{"format":1,"application":"elsewhere"}',
      'the state of elsewhere',
    ],
  ])('with %s is left alone', async (_, name, content, message) => {
    const dataDirectory = mkdtempSync(join(scratch, 'other-'));
    writeFileSync(join(dataDirectory, name), content);
    await expect(start({ dataDirectory })).rejects.toThrow(message);
    expect(readdirSync(dataDirectory)).toEqual([name]);
  });

  test('that cannot be one is refused with its name', async () => {
    writeFileSync(directory('file'), '');
    await expect(start({ dataDirectory: directory('file') })).rejects.toThrow(/file cannot be used for data/);
  });
});

import {
  DescribeExecutionCommand,
  GetExecutionHistoryCommand,
  SendTaskFailureCommand,
  SendTaskSuccessCommand,
  type SFNClient,
  StartExecutionCommand,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import { AccessDenied } from '../../local/iam/policy.ts';
import type { KeyUse } from '../../local/ports.ts';
import { ServiceError } from '../../local/service.ts';
import { callbackTask, errorOf, startStates, type StatesWorld } from '../support/states-server.ts';

/** Who needs which permission on a customer managed key. https://docs.aws.amazon.com/step-functions/latest/dg/encryption-at-rest.html */

const KEY = 'arn:aws:kms:ca-central-1:111122223333:key/11111111-2222-3333-4444-555555555555';
const ENCRYPTED = { EncryptionConfiguration: { Type: 'CUSTOMER_MANAGED_KMS_KEY', KmsKeyId: KEY } };
const CALLBACK = {
  StartAt: 'A',
  States: { A: callbackTask('park', { Next: 'B' }), B: { Type: 'Wait', Seconds: 600, End: true } },
};

/** The reuse period of data keys, 300 s unless given, and the wait of the second state. */
const REUSE = 601_000;

type Use = Parameters<KeyUse['assertUsable']>[0];

let world: StatesWorld;
let client: SFNClient;
let token = '';
let refuse: (use: Use) => void;

beforeEach(async () => {
  refuse = () => undefined;
  world = await startStates({ assertUsable: (use) => refuse(use) });
  world.functions.set('park', (payload: { token: string }) => (token = payload.token));
  client = world.client();
});
afterEach(() => world.close());

const roleOf = ({ caller }: Use): string => (caller.kind === 'role' ? caller.roleName : caller.principal);

/** From now on `role` may not use the key. */
const deny = (role: string): void => {
  refuse = (use) => {
    if (roleOf(use) === role)
      throw new AccessDenied({ caller: use.caller, action: use.actions[0] ?? '', resource: KEY }, 'of the key policy');
  };
};

const begin = async (): Promise<string> => {
  const stateMachineArn = await world.machine(CALLBACK, ENCRYPTED);
  const { executionArn = '' } = await client.send(new StartExecutionCommand({ stateMachineArn, input: '{"a":1}' }));
  await world.settled();
  return executionArn;
};

it('starting needs the role, not the caller: without its permission nothing starts', async () => {
  deny('machine');
  expect(await errorOf(begin())).toBe('KmsAccessDeniedException');
  expect(world.service.executions()).toEqual([]);
  deny('caller');
  expect(await errorOf(begin())).toBe('no error');
});

it('the role uses the key itself: with the machine as encryption context, and without kms:ViaService', async () => {
  await begin();
  const [use] = world.keyUses;
  expect(use).toMatchObject({
    keyId: KEY,
    actions: ['kms:GenerateDataKey', 'kms:Decrypt'],
    encryptionContext: {
      'aws:states:stateMachineArn': 'arn:aws:states:ca-central-1:111122223333:stateMachine:machine',
    },
  });
  expect(use?.viaService).toBeUndefined();
  expect(world.keyUses.map(roleOf)).not.toContain('caller');
});

it('a disabled key lets nothing start', async () => {
  await begin();
  refuse = () => {
    throw new ServiceError('DisabledException', `${KEY} is disabled.`);
  };
  const stateMachineArn = 'arn:aws:states:ca-central-1:111122223333:stateMachine:machine';
  await expect(client.send(new StartExecutionCommand({ stateMachineArn }))).rejects.toMatchObject({
    name: 'KmsInvalidStateException',
    kmsKeyState: 'DISABLED',
  });
});

it('a running execution fails when the role has lost the key and the data key is used up', async () => {
  const executionArn = await begin();
  deny('machine');
  await client.send(new SendTaskSuccessCommand({ taskToken: token, output: '{}' }));
  await world.host.clock.advance(REUSE);
  expect(await client.send(new DescribeExecutionCommand({ executionArn }))).toMatchObject({
    status: 'FAILED',
    error: 'States.Runtime',
    cause: expect.stringContaining('KmsAccessDeniedException'),
  });
});

it('asks KMS once per reuse period, whatever an execution does', async () => {
  const executionArn = await begin();
  await client.send(new SendTaskSuccessCommand({ taskToken: token, output: '{}' }));
  await world.settled();
  expect(world.keyUses).toHaveLength(1);
  await world.host.clock.advance(REUSE);
  expect(world.keyUses).toHaveLength(2);
  expect((await client.send(new DescribeExecutionCommand({ executionArn }))).status).toBe('SUCCEEDED');
});

it('reading needs the caller, through Step Functions; metadata needs nobody', async () => {
  const executionArn = await begin();
  deny('caller');
  expect(await errorOf(client.send(new DescribeExecutionCommand({ executionArn })))).toBe('KmsAccessDeniedException');
  expect(await errorOf(client.send(new GetExecutionHistoryCommand({ executionArn })))).toBe('KmsAccessDeniedException');
  expect(world.keyUses.at(-1)).toMatchObject({ actions: ['kms:Decrypt'], viaService: 'states' });
  const metadata = await client.send(new DescribeExecutionCommand({ executionArn, includedData: 'METADATA_ONLY' }));
  expect(metadata).toMatchObject({ status: 'RUNNING' });
  expect(metadata).not.toHaveProperty('input');
});

it('handing over data needs the role; stopping without a reason needs nobody', async () => {
  const executionArn = await begin();
  await world.host.clock.advance(REUSE);
  deny('machine');
  expect(await errorOf(client.send(new SendTaskSuccessCommand({ taskToken: token, output: '{}' })))).toBe(
    'KmsAccessDeniedException',
  );
  expect(await errorOf(client.send(new SendTaskFailureCommand({ taskToken: token, error: 'E' })))).toBe(
    'KmsAccessDeniedException',
  );
  expect(await errorOf(client.send(new StopExecutionCommand({ executionArn, cause: 'C' })))).toBe(
    'KmsAccessDeniedException',
  );
  expect(world.service.executions()).toMatchObject([{ status: 'RUNNING' }]);
  await client.send(new StopExecutionCommand({ executionArn }));
  expect(world.service.executions()).toMatchObject([{ status: 'ABORTED' }]);
});

it('status change events carry no data of an encrypted execution', async () => {
  const executionArn = await begin();
  await client.send(new SendTaskFailureCommand({ taskToken: token, error: 'SecretError', cause: 'SecretCause' }));
  await world.settled();
  const details = world.events.map(({ detail }) => detail);
  expect(details).toMatchObject([
    { executionArn, status: 'RUNNING', input: null, inputDetails: { included: false } },
    { executionArn, status: 'FAILED', input: null, output: null, error: null, cause: null },
  ]);
});

import { InvokeCommand, LambdaClient, ListFunctionsCommand, type InvokeCommandInput } from '@aws-sdk/client-lambda';
import type { Server } from 'node:http';
import { LambdaApi } from '../../local/services/lambda/lambda-api.ts';
import { close, REGION, serve, testHost } from '../support/edge-services.ts';
import { functionArn, Functions } from '../support/lambda-functions.ts';

/** https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html */

const host = testHost();
const functions = new Functions(host);
let server: Server;
let client: LambdaClient;

beforeAll(async () => {
  server = await serve(host, new LambdaApi(host, functions.service));
  client = new LambdaClient({
    endpoint: host.endpoint(),
    region: REGION,
    credentials: { accessKeyId: 'operator', secretAccessKey: 'secret' },
    maxAttempts: 1,
  });
  await functions.add('echo', 'exports.handler = async (event) => ({ got: event });');
  await functions.add('fails', "exports.handler = async () => { throw new TypeError('not like this'); };");
});
afterEach(() => {
  host.deny = () => false;
  host.asked.length = 0;
});
afterAll(async () => {
  client.destroy();
  await functions.close();
  await close(server);
});

const invoke = (input: Partial<InvokeCommandInput>) =>
  client.send(new InvokeCommand({ FunctionName: 'echo', Payload: '{"a":1}', ...input }));
const errorOf = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'none',
    (error: Error) => error.name,
  );

it('refuses a caller without the permission, and tells it nothing of what exists', async () => {
  host.deny = ({ action }) => action === 'lambda:InvokeFunction';
  expect(await errorOf(invoke({}))).toBe('AccessDeniedException');
  expect(await errorOf(invoke({ FunctionName: 'none' }))).toBe('AccessDeniedException');
});

it('refuses what does not exist: a function, a version, an ARN of another account', async () => {
  expect(await errorOf(invoke({ FunctionName: 'none' }))).toBe('ResourceNotFoundException');
  expect(await errorOf(invoke({ Qualifier: '7' }))).toBe('ResourceNotFoundException');
  const elsewhere = functionArn('echo').replace(/:\d{12}:/, ':999999999999:');
  expect(await errorOf(invoke({ FunctionName: elsewhere }))).toBe('ResourceNotFoundException');
});

it('refuses a body that is not JSON, and a qualifier that contradicts the name', async () => {
  expect(await errorOf(invoke({ Payload: '{' }))).toBe('InvalidRequestContentException');
  const twice = invoke({ FunctionName: `${functionArn('echo')}:1`, Qualifier: '2' });
  expect(await errorOf(twice)).toBe('InvalidParameterValueException');
});

it('implements synchronous invocations without their log, and nothing else', async () => {
  expect(await errorOf(invoke({ InvocationType: 'Event' }))).toBe('NotImplemented');
  expect(await errorOf(invoke({ LogType: 'Tail' }))).toBe('NotImplemented');
  expect(await errorOf(client.send(new ListFunctionsCommand()))).toBe('NotImplemented');
});

it.each(['echo', functionArn('echo')])('answers what the function answers (%s)', async (FunctionName) => {
  const { StatusCode, ExecutedVersion, FunctionError, Payload } = await invoke({ FunctionName });
  expect({ StatusCode, ExecutedVersion, FunctionError }).toEqual({
    StatusCode: 200,
    ExecutedVersion: '$LATEST',
    FunctionError: undefined,
  });
  expect(JSON.parse(Payload?.transformToString() ?? '')).toEqual({ got: { a: 1 } });
  expect(host.asked.at(-1)).toMatchObject({ action: 'lambda:InvokeFunction', resource: functionArn('echo') });
});

it('answers an error of the function as one of the function', async () => {
  const { StatusCode, FunctionError, Payload } = await invoke({ FunctionName: 'fails' });
  expect([StatusCode, FunctionError]).toEqual([200, 'Unhandled']);
  expect(JSON.parse(Payload?.transformToString() ?? '')).toEqual({
    errorType: 'TypeError',
    errorMessage: 'not like this',
  });
});

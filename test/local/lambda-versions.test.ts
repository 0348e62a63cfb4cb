import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Properties, ResourceContext } from '../../local/resource.ts';
import { ACCOUNT, role, testHost, type TestHost } from '../support/edge-services.ts';
import { functionArn, Functions } from '../support/lambda-functions.ts';

/** https://docs.aws.amazon.com/lambda/latest/dg/configuration-versions.html */

const directories: string[] = [];
const opened: Functions[] = [];
afterEach(async () => {
  for (const functions of opened.splice(0)) await functions.close();
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
});

function open(dataDirectory?: string): { functions: Functions; host: TestHost } {
  const host = testHost(dataDirectory === undefined ? {} : { dataDirectory });
  const functions = new Functions(host);
  opened.push(functions);
  return { functions, host };
}

const contextOf = (host: TestHost, logicalId: string, kept: boolean): ResourceContext => ({
  host,
  stackName: 'stack',
  logicalId,
  physicalName: () => `stack-${logicalId}`,
  assemblyDirectory: '',
  kept,
});

const typeOf = ({ functions }: ReturnType<typeof open>, type: string) => {
  const found = functions.service.types.find((candidate) => candidate.type === type);
  if (found === undefined) throw new Error(`no type ${type}`);
  return found;
};

const saying = (word: string): string =>
  `exports.handler = async () => ({ says: '${word}', release: process.env.RELEASE, as: process.env.AWS_LAMBDA_FUNCTION_VERSION });`;

const properties = (world: ReturnType<typeof open>, word: string): Properties => ({
  Code: { LocalPath: world.functions.bundle(`step-${word}`, saying(word)) },
  FunctionName: 'step',
  Handler: 'index.handler',
  Role: `arn:aws:iam::${ACCOUNT}:role/step-role`,
  Runtime: 'nodejs24.x',
  Environment: { Variables: { RELEASE: word } },
});

const create = (world: ReturnType<typeof open>, word: string) =>
  typeOf(world, 'AWS::Lambda::Function').create(properties(world, word), contextOf(world.host, 'Step', false));
const change = (world: ReturnType<typeof open>, word: string) =>
  typeOf(world, 'AWS::Lambda::Function').update?.(properties(world, word), contextOf(world.host, 'Step', false), {});
const publish = (world: ReturnType<typeof open>, logicalId: string, kept = true) =>
  typeOf(world, 'AWS::Lambda::Version').create({ FunctionName: 'step' }, contextOf(world.host, logicalId, kept));
const withdraw = (world: ReturnType<typeof open>, logicalId: string, kept: boolean) =>
  typeOf(world, 'AWS::Lambda::Version').remove?.({ FunctionName: 'step' }, contextOf(world.host, logicalId, kept));

async function invoke({ functions }: ReturnType<typeof open>, qualifier = ''): Promise<unknown> {
  const arn = functionArn('step') + (qualifier === '' ? '' : `:${qualifier}`);
  try {
    const outcome = await functions.service.invoke(arn, {}, role('workflow'));
    return outcome.ok ? outcome.payload : outcome.errorType;
  } catch (error) {
    return (error as Error).name;
  }
}

it('a version stays what was published, whatever its function becomes', async () => {
  const world = open();
  await create(world, 'one');
  await publish(world, 'V1');
  expect(await invoke(world, '1')).toEqual({ says: 'one', release: 'one', as: '1' });
  await change(world, 'two');
  expect(await invoke(world, '1')).toEqual({ says: 'one', release: 'one', as: '1' });
  expect(await invoke(world)).toEqual({ says: 'two', release: 'two', as: '$LATEST' });
  expect(await publish(world, 'V2')).toMatchObject({ attributes: { Version: '2' } });
  expect(await invoke(world, '2')).toEqual({ says: 'two', release: 'two', as: '2' });
});

it('a version that its template no longer has stays where its policy says so, and is gone where not', async () => {
  const world = open();
  await create(world, 'one');
  await publish(world, 'V1', true);
  await change(world, 'two');
  await publish(world, 'V2', false);
  expect(await invoke(world, '2')).toMatchObject({ says: 'two' });
  await withdraw(world, 'V1', true);
  await withdraw(world, 'V2', false);
  expect(await invoke(world, '1')).toMatchObject({ says: 'one' });
  expect(await invoke(world, '2')).toBe('ResourceNotFoundException');
  // No number is given twice, and what is created again is published anew.
  await change(world, 'one');
  expect(await publish(world, 'V1')).toMatchObject({ attributes: { Version: '3' } });
});

it('what has not changed since it was published is not published again', async () => {
  const world = open();
  await create(world, 'one');
  await publish(world, 'V1');
  expect(() => publish(world, 'V2')).toThrow('A version for this Lambda function exists ( 1 )');
});

it('a version outlives the process and the assembly that it came from', async () => {
  const data = mkdtempSync(join(tmpdir(), 'versions-'));
  directories.push(data);
  const first = open(data);
  await create(first, 'one');
  await publish(first, 'V1');
  await first.functions.close();
  opened.length = 0;
  // The next release is started over what is kept: its template has another version in the place of the first.
  const next = open(data);
  await create(next, 'two');
  expect(await publish(next, 'V2')).toMatchObject({ attributes: { Version: '2' } });
  next.functions.service.start();
  expect(await invoke(next, '1')).toEqual({ says: 'one', release: 'one', as: '1' });
  expect(await invoke(next, '2')).toMatchObject({ says: 'two' });
  await next.functions.close();
  opened.length = 0;
  const again = open(data);
  await create(again, 'two');
  expect(await publish(again, 'V2')).toMatchObject({ attributes: { Version: '2' } });
});

it('a version that was not to be kept is gone once a release without it was started', async () => {
  const data = mkdtempSync(join(tmpdir(), 'versions-'));
  directories.push(data);
  const first = open(data);
  await create(first, 'one');
  await publish(first, 'V1', false);
  await first.functions.close();
  opened.length = 0;
  const next = open(data);
  await create(next, 'two');
  await publish(next, 'V2');
  next.functions.service.start();
  expect(await invoke(next, '1')).toBe('ResourceNotFoundException');
});

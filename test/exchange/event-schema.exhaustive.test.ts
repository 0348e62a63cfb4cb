import { PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { cp, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EVENT_SCHEMA } from '../../lambdas/contracts/event-schema.ts';
import { EVENT_SCHEMA_METADATA } from '../../lambdas/contracts/names.ts';
import { examined } from '../support/examined.ts';
import { HOUR, openScene, problemOf, refusalOf, until, verifyWhole, type Scene } from '../support/exchange.ts';
import { insiderOf, type Insider } from '../support/insider.ts';
import { finishCase, release, type Amendment } from '../support/releases.ts';
import { valizaOn } from '../support/client.ts';

jest.setTimeout(300_000);

let scene: Scene;
let insider: Insider;
beforeAll(async () => {
  scene = await openScene();
  insider = insiderOf(scene);
});
afterAll(async () => {
  insider.close();
  await scene.close();
});

/** Everything of a case's partition, as it is kept. */
async function itemsOf(caseId: string): Promise<Record<string, unknown>[]> {
  const { Items = [] } = await insider.as('sweep-cases').dynamodb.send(
    new QueryCommand({
      TableName: insider.cases,
      KeyConditionExpression: 'caseId = :caseId',
      ExpressionAttributeValues: { ':caseId': { S: caseId } },
      ConsistentRead: true,
    }),
  );
  return Items.map((item) => unmarshall(item));
}

const eventsKept = async (caseId: string): Promise<unknown[]> =>
  (await itemsOf(caseId)).filter(({ sk }) => String(sk).startsWith('EV#'));

const eventsOf = async (caseId: string) => (await scene.as(scene.who.desk).readEvents({ params: { caseId } })).events;

/** A case whose attempt has failed at sealing, for want of a data key. */
async function failAtSealing(caseId: string): Promise<void> {
  const sealing = scene.roleNamed('SealingRole');
  scene.runtime.faults.plan = ({ caller, operation, moment }) =>
    caller === sealing && operation === 'GenerateDataKey' && moment === 'before' ? 'throttle' : undefined;
  await scene.assure(await scene.read(caseId));
  await until('the attempt has failed', async () => {
    await scene.runtime.settled();
    return (await eventsOf(caseId)).some(({ type }) => type === 'AttemptFailed') ? true : undefined;
  });
  scene.runtime.faults.plan = undefined;
}

test('a case of schema 1 is loaded, shown as it was written, and carried on', async () => {
  const file = join(__dirname, '..', 'fixtures', 'case-file-schema-1.json');
  const items = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>[];
  const head = items.find(({ sk }) => sk === 'HEAD') ?? {};
  const caseId = String(head['caseId']);
  const { dynamodb } = insider.as('api');
  const put = (TableName: string, item: object) =>
    dynamodb.send(new PutItemCommand({ TableName, Item: marshall(item) }));
  const { sequence, lastHash } = head;
  const tally = Object.entries(
    Object.assign({}, ...Object.values(scene.runtime.outputs)) as Record<string, string>,
  ).find(([name]) => /RefTally/.test(name))?.[1];
  await put(tally ?? '', { caseId, sequence, lastHash });
  // The head last: with it the case begins to move.
  for (const item of items.toSorted((one, other) => Number(one['sk'] === 'HEAD') - Number(other['sk'] === 'HEAD')))
    await put(insider.cases, item);
  await scene.waitFor(caseId, 'UNDER_REVIEW');
  const events = await eventsOf(caseId);
  verifyWhole(caseId, events);
  const [, failed] = events;
  expect([failed?.type, failed?.schemaVersion, Object.keys(failed?.payload ?? {}).toSorted()]).toEqual([
    'AttemptFailed',
    1,
    ['attempt', 'error', 'step'],
  ]);
  const proposed = await scene.propose(caseId);
  await scene.approve(proposed, scene.who.releasing);
  await scene.approve(proposed, scene.who.security);
  await scene.waitFor(caseId, 'AWAITING_ASSURANCE');
  await failAtSealing(caseId);
  const now = (await eventsOf(caseId)).findLast(({ type }) => type === 'AttemptFailed');
  expect([now?.schemaVersion, now?.payload]).toEqual([
    2,
    expect.objectContaining({ step: 'Seal package', version: '1' }),
  ]);
  await scene.runtime.clock.advance(HOUR);
  expect((await finishCase(scene, caseId)).at(-1)).toBe('CaseClosed');
  examined('deploys', 1);
});

/** The same application as a release to come, which writes failed attempts in the next schema. */
async function assemblyToCome(): Promise<string> {
  const directory = join(scene.folder, 'to-come');
  await cp(scene.exchange.assembly, directory, { recursive: true });
  let patched = 0;
  for (const name of await readdir(directory)) {
    const bundle = join(directory, name, 'index.js');
    const source = await readFile(bundle, 'utf8').catch(() => undefined);
    if (source === undefined) continue;
    const changed = source.replace(/\bAttemptFailed:2\b/, `AttemptFailed:${EVENT_SCHEMA + 1}`);
    if (changed !== source) patched += 1;
    await writeFile(bundle, changed);
  }
  // Each function that reads a case: the six steps, the API, and more.
  expect(patched).toBeGreaterThan(6);
  return directory;
}

test('a release that is rolled back refuses the cases of the newer schema, and loses nothing of them', async () => {
  const toCome = await assemblyToCome();
  const named: Amendment = (stack, template) => {
    release('N')(stack, template);
    if (stack.endsWith('-exchange')) (template['Metadata'] as object) = { [EVENT_SCHEMA_METADATA]: EVENT_SCHEMA + 1 };
  };
  await scene.runtime.deploy({ assembly: toCome, amend: named });
  const seen = await scene.reach('AWAITING_ASSURANCE');
  const { caseId } = seen;
  await failAtSealing(caseId);
  expect((await eventsOf(caseId)).at(-1)?.schemaVersion).toBe(EVENT_SCHEMA + 1);

  // The doctor says so before it happens.
  const doctor = await valizaOn(scene.runtime.url, 'ops', 'doctor', '--json', '--next', scene.exchange.assembly);
  const { findings } = JSON.parse(doctor.stdout) as { findings: { code: string }[] };
  expect([doctor.exit, findings.map(({ code }) => code)]).toEqual([1, ['EVENT_SCHEMA_OLDER']]);

  // Rolled back all the same: nothing is done on the case, and nothing to it.
  const kept = await eventsKept(caseId);
  await scene.runtime.deploy({ assembly: scene.exchange.assembly });
  const params = { caseId };
  const { who } = scene;
  expect(await refusalOf(scene.read(caseId))).toBe('500 CASE_PARKED');
  const recall = scene.as(who.security).recallRelease({ params, body: { reason: 'It was a mistake.' } });
  expect(await refusalOf(recall)).toBe('500 CASE_PARKED');
  // Who does not see every case is told nothing of this one.
  const withdrawal = scene.as(who.requester).withdrawRequest({ params, body: { reason: 'No longer needed.' } });
  expect((await problemOf(withdrawal)).status).toBe(404);
  await scene.runtime.clock.advance(HOUR);
  await scene.runtime.settled();
  expect(await eventsKept(caseId)).toEqual(kept);

  // The release that knows its schema goes on with it.
  await scene.runtime.deploy({ assembly: toCome, amend: named });
  await scene.runtime.clock.advance(HOUR);
  expect((await finishCase(scene, caseId)).at(-1)).toBe('CaseClosed');
  examined('deploys', 1);
});

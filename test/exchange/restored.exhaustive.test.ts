import {
  DeleteItemCommand,
  DynamoDBClient,
  PutItemCommand,
  QueryCommand,
  type AttributeValue,
} from '@aws-sdk/client-dynamodb';
import { examined } from '../support/examined.ts';
import { HOUR, MINUTE, openScene, problemOf, resourcesOf, type Scene } from '../support/exchange.ts';

jest.setTimeout(120_000);

type Item = Record<string, AttributeValue>;

let scene: Scene;
let administrator: DynamoDBClient;
let table: string;
const logged: string[] = [];

beforeAll(async () => {
  scene = await openScene({
    onLog: (line) => logged.push(line),
    amend(_stack, template) {
      // Whoever restores a table may do what no function of the application may.
      for (const [id, { Type, Properties }] of resourcesOf(template)) {
        if (Type !== 'AWS::IAM::Policy' || !id.startsWith('sweepcases')) continue;
        const document = Properties['PolicyDocument'] as { Statement: object[] }; // as every policy has one
        document.Statement.push({
          Effect: 'Allow',
          Action: ['dynamodb:DeleteItem', 'dynamodb:PutItem', 'kms:GenerateDataKey'],
          Resource: '*',
        });
      }
    },
  });
  administrator = new DynamoDBClient({
    endpoint: scene.runtime.url,
    region: scene.runtime.region,
    credentials: scene.runtime.credentialsFor(scene.roleNamed('sweepcasesRole')),
  });
  const outputs = Object.assign({}, ...Object.values(scene.runtime.outputs)) as Record<string, string>;
  table = String(Object.entries(outputs).find(([name]) => /RefCases/.test(name))?.[1]);
});
afterAll(async () => {
  administrator.destroy();
  await scene.close();
});

const fileOf = async (caseId: string): Promise<Item[]> =>
  (
    await administrator.send(
      new QueryCommand({
        TableName: table,
        KeyConditionExpression: 'caseId = :id',
        ExpressionAttributeValues: { ':id': { S: caseId } },
        ConsistentRead: true,
      }),
    )
  ).Items ?? [];

const keyOf = ({ caseId, sk }: Item): Item => ({ caseId: caseId as AttributeValue, sk: sk as AttributeValue }); // every item has both

/** Puts a case file back to what a backup says, as if the table had been restored. */
async function restore(caseId: string, backup: readonly Item[]): Promise<void> {
  for (const item of await fileOf(caseId))
    await administrator.send(new DeleteItemCommand({ TableName: table, Key: keyOf(item) }));
  for (const item of backup) await administrator.send(new PutItemCommand({ TableName: table, Item: item }));
  await scene.runtime.settled();
}

const eventsIn = (items: readonly Item[]): Item[] => items.filter(({ sk }) => sk?.S?.startsWith('EV#') === true);

const told = (caseId: string): string[] =>
  logged.filter((line) => line.includes('CASE_FILE_BEHIND') && line.includes(caseId));

describe('a case whose table came back from a backup', () => {
  test('opens no more, when the backup does not know of its recall', async () => {
    const { caseId } = await scene.reach('RELEASED');
    const backup = await fileOf(caseId);
    const opened = await scene.as(scene.who.recipient).grantAccess({ params: { caseId }, body: {} });
    expect(opened.copy).toBe(1);
    await scene.as(scene.who.security).recallRelease({ params: { caseId }, body: { reason: 'EXERCISE' } });
    await scene.waitFor(caseId, 'CLOSED');
    const whole = await fileOf(caseId);

    await restore(caseId, backup);
    expect((await scene.read(caseId)).phase).toBe('RELEASED');
    const refused = await problemOf(scene.as(scene.who.recipient).grantAccess({ params: { caseId }, body: {} }));
    expect([refused.status, refused.code]).toEqual([503, 'CASE_READ_ONLY']);
    expect(eventsIn(await fileOf(caseId))).toEqual(eventsIn(backup));

    await restore(caseId, whole);
    expect((await scene.read(caseId)).phase).toBe('CLOSED');
    examined('storage', 3);
  });

  test('can be read and not changed, and an operator is told at most once an hour', async () => {
    const { caseId } = await scene.reach('UNDER_REVIEW');
    const backup = await fileOf(caseId);
    await scene.propose(caseId);
    const whole = await fileOf(caseId);
    await restore(caseId, backup);

    const withdrawal = () =>
      scene.as(scene.who.requester).withdrawRequest({ params: { caseId }, body: { reason: 'EXERCISE' } });
    const refused = await problemOf(withdrawal());
    expect([refused.status, refused.code]).toEqual([503, 'CASE_READ_ONLY']);
    expect((await scene.read(caseId)).phase).toBe('UNDER_REVIEW');
    expect(eventsIn(await fileOf(caseId))).toEqual(eventsIn(backup));

    // Its execution waits for what the file no longer says, so it ends; the sweep begins none that could do nothing.
    const states = scene.runtime.services.states;
    const attempts = (): number => states.executions().filter(({ name }) => name.startsWith(caseId)).length;
    const before = attempts();
    for (let minutes = 0; minutes < 20; minutes += 5) await scene.runtime.clock.advance(5 * MINUTE);
    await scene.runtime.settled();
    expect(attempts() - before).toBeLessThanOrEqual(1);
    expect(told(caseId).length).toBeLessThanOrEqual(1);

    await restore(caseId, whole);
    await scene.runtime.clock.advance(HOUR);
    await scene.runtime.settled();
    expect((await withdrawal()).phase).toBe('WITHDRAWN');
  });

  test('takes no second life from a file that is gone', async () => {
    const key = 'EXERCISE-restored-0001';
    const body = JSON.stringify({
      agreementId: 'CAN-UKR-EXERCISE',
      purpose: 'tender',
      justification: 'EXERCISE',
      title: 'EXERCISE',
      description: 'EXERCISE',
      levelSought: { axis: 'protected', mark: scene.mark },
      recipients: [scene.who.recipient],
      language: 'en',
    });
    const submit = () => scene.raw(scene.who.requester, 'POST', '/v1/cases', { 'idempotency-key': key }, body);
    const first = await submit();
    expect(first.status).toBe(201);
    const { caseId } = JSON.parse(first.text) as { caseId: string };
    await scene.runtime.settled();
    await restore(caseId, []);
    const again = await submit();
    expect([again.status, (JSON.parse(again.text) as { code: string }).code]).toEqual([503, 'CASE_READ_ONLY']);
  });
});

import { PutItemCommand, QueryCommand, type AttributeValue, type QueryCommandInput } from '@aws-sdk/client-dynamodb';
import { openDynamoDb, tableProperties, type DynamoDbServer } from '../support/dynamodb-server.ts';

type Item = Record<string, AttributeValue>;

let server: DynamoDbServer;

const put = (item: Item): Promise<unknown> =>
  server.client().send(new PutItemCommand({ TableName: 'cases', Item: item }));
const event = (n: number, more: Item = {}): Item => ({
  pk: { S: 'case' },
  sk: { S: `EV#${String(n).padStart(3, '0')}` },
  ...more,
});
const query = (input: Partial<QueryCommandInput>): Promise<{ Items?: Item[] | undefined; [name: string]: unknown }> =>
  server
    .client()
    .send(
      new QueryCommand({
        TableName: 'cases',
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: { ':pk': { S: 'case' } },
        ...input,
      }),
    )
    .then((answer) => ({ ...answer }));
const byPhase = (phase: string, more: Partial<QueryCommandInput> = {}): ReturnType<typeof query> =>
  query({
    IndexName: 'byPhase',
    KeyConditionExpression: 'phase = :phase',
    ExpressionAttributeValues: { ':phase': { S: phase } },
    ...more,
  });
const keysOf = (answer: { Items?: Item[] | undefined }): (string | undefined)[] =>
  (answer.Items ?? []).map((item) => item['sk']?.S);

beforeAll(async () => {
  server = await openDynamoDb();
  await server.create(
    tableProperties('cases', {
      AttributeDefinitions: [
        ...['pk', 'sk', 'phase'].map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
        { AttributeName: 'due', AttributeType: 'N' },
      ],
      GlobalSecondaryIndexes: [
        {
          IndexName: 'byPhase',
          KeySchema: [
            { AttributeName: 'phase', KeyType: 'HASH' },
            { AttributeName: 'due', KeyType: 'RANGE' },
          ],
          Projection: { ProjectionType: 'INCLUDE', NonKeyAttributes: ['owner'] },
        },
      ],
    }),
  );
  for (let n = 1; n <= 9; n += 1) await put(event(n, { n: { N: String(n) }, m: { M: { n: { N: String(n % 2) } } } }));
});
afterEach(() => {
  server.host.faults.indexLag = 0;
  server.deny = () => false;
});
afterAll(() => server.close());

describe('Query refuses', () => {
  it.each<[string, Partial<QueryCommandInput>, string]>([
    ['an unknown index', { IndexName: 'nothing' }, 'does not have the specified index'],
    ['a condition without the partition key', { KeyConditionExpression: 'sk = :pk' }, 'missed key schema element: pk'],
    ['a range of partition keys', { KeyConditionExpression: 'pk > :pk' }, 'Query key condition not supported'],
    ['a filter on a key', { FilterExpression: 'sk = :pk' }, 'can only contain non-primary key attributes'],
    ['a start key without sort key', { ExclusiveStartKey: { pk: { S: 'case' } } }, 'starting key is invalid'],
    [
      'a start key of another partition',
      { ExclusiveStartKey: { ...event(1), pk: { S: 'x' } } },
      'outside query boundaries',
    ],
    ['a projection with another Select', { ProjectionExpression: 'n', Select: 'COUNT' }, 'choosing to get COUNT'],
    [
      'an unindexable operator',
      { KeyConditionExpression: 'pk = :pk AND contains(sk, :pk)' },
      'Invalid operator used in KeyConditionExpression',
    ],
    [
      'a partition key of another type',
      { ExpressionAttributeValues: { ':pk': { N: '1' } } },
      'Condition parameter type does not match schema type',
    ],
  ])('%s', async (_, input, message) => {
    await expect(query(input)).rejects.toMatchObject({
      name: 'ValidationException',
      message: expect.stringContaining(message),
    });
  });

  it.each<[string, Partial<QueryCommandInput>, string]>([
    ['a consistent read', { ConsistentRead: true }, 'Consistent reads are not supported'],
    ['all attributes', { Select: 'ALL_ATTRIBUTES' }, 'its projection type is not ALL'],
    ['what the index does not hold', { ProjectionExpression: 'n' }, 'does not project [n]'],
  ])('of an index %s', async (_, input, message) => {
    await expect(byPhase('open', input)).rejects.toMatchObject({ message: expect.stringContaining(message) });
  });

  it('legacy conditions, and who may query the table but not the index', async () => {
    await expect(query({ KeyConditions: {} })).rejects.toMatchObject({ name: 'NotImplemented' });
    server.deny = ({ resource }) => resource.endsWith(':table/cases/index/byPhase');
    await expect(byPhase('open')).rejects.toMatchObject({ name: 'AccessDeniedException' });
    expect(server.asked.at(-1)?.context).toMatchObject({
      'dynamodb:LeadingKeys': ['open'],
      'dynamodb:Attributes': ['phase'],
    });
    await expect(query({})).resolves.toMatchObject({ Count: 9 });
  });
});

describe('Query', () => {
  const range = (condition: string, values: Item): ReturnType<typeof query> =>
    query({
      KeyConditionExpression: `pk = :pk AND ${condition}`,
      ExpressionAttributeValues: { ':pk': { S: 'case' }, ...values },
    });

  it.each<[string, Item, string[]]>([
    ['sk = :a', { ':a': { S: 'EV#002' } }, ['EV#002']],
    ['sk < :a', { ':a': { S: 'EV#003' } }, ['EV#001', 'EV#002']],
    ['sk <= :a', { ':a': { S: 'EV#002' } }, ['EV#001', 'EV#002']],
    ['sk > :a', { ':a': { S: 'EV#007' } }, ['EV#008', 'EV#009']],
    ['sk >= :a', { ':a': { S: 'EV#008' } }, ['EV#008', 'EV#009']],
    [':a < sk', { ':a': { S: 'EV#008' } }, ['EV#009']],
    ['sk BETWEEN :a AND :b', { ':a': { S: 'EV#003' }, ':b': { S: 'EV#004' } }, ['EV#003', 'EV#004']],
    ['begins_with(sk, :a)', { ':a': { S: 'EV#00' } }, [1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => `EV#00${n}`)],
    ['begins_with(sk, :a)', { ':a': { S: 'X' } }, []],
  ])('with %s', async (condition, values, expected) => {
    expect(keysOf(await range(condition, values))).toEqual(expected);
  });

  it.each([true, false])('pages to the end (forward: %s)', async (forward) => {
    const seen: (string | undefined)[] = [];
    let start: Item | undefined;
    do {
      const page = await query({ Limit: 4, ExclusiveStartKey: start, ScanIndexForward: forward });
      seen.push(...keysOf(page));
      start = page['LastEvaluatedKey'] as Item | undefined;
    } while (start !== undefined);
    const all = Array.from({ length: 9 }, (_, index) => `EV#00${index + 1}`);
    expect(seen).toEqual(forward ? all : all.reverse());
  });

  it('filters after the limit, compares maps by content, and projects', async () => {
    const answer = await query({
      Limit: 4,
      FilterExpression: 'm = :m',
      ProjectionExpression: 'n',
      ExpressionAttributeValues: { ':pk': { S: 'case' }, ':m': { M: { n: { N: '1' } } } },
    });
    expect(answer).toMatchObject({ Count: 2, ScannedCount: 4, Items: [{ n: { N: '1' } }, { n: { N: '3' } }] });
    const counted = await query({ Select: 'COUNT' });
    expect(counted).toMatchObject({ Count: 9 });
    expect(counted.Items).toBeUndefined();
  });

  it('ends a page after 1 MB', async () => {
    for (let n = 1; n <= 4; n += 1)
      await put({ pk: { S: 'large' }, sk: { S: String(n) }, blob: { S: 'ї'.repeat(190_000) } });
    const answer = await query({ ExpressionAttributeValues: { ':pk': { S: 'large' } } });
    expect(keysOf(answer)).toEqual(['1', '2', '3']);
    expect(answer).toMatchObject({ LastEvaluatedKey: { pk: { S: 'large' }, sk: { S: '3' } } });
  });
});

describe('an index', () => {
  const item = (sk: string, due: string, more: Item = {}): Item => ({
    pk: { S: 'indexed' },
    sk: { S: sk },
    due: { N: due },
    ...more,
  });

  it('is sparse, holds what it projects, orders by number, and follows its items', async () => {
    await put(item('a', '10', { phase: { S: 'held' }, owner: { S: 'me' }, secret: { S: 'x' } }));
    await put(item('b', '-2.5', { phase: { S: 'held' } }));
    await put(item('c', '9'));
    const answer = await byPhase('held');
    expect(answer.Items).toEqual([
      item('b', '-2.5', { phase: { S: 'held' } }),
      item('a', '10', { phase: { S: 'held' }, owner: { S: 'me' } }),
    ]);
    await put(item('a', '11', { phase: { S: 'closed' } }));
    await put(item('b', '0'));
    expect(keysOf(await byPhase('held'))).toEqual([]);
    expect(keysOf(await byPhase('closed'))).toEqual(['a']);
  });

  it('keeps apart items with the same index key, and pages through them', async () => {
    const names = Array.from({ length: 7 }, (_, n) => `same${n}`);
    for (const sk of names) await put(item(sk, '1', { phase: { S: 'same' } }));
    const first = await byPhase('same', { Limit: 3 });
    const start = first['LastEvaluatedKey'] as Item;
    expect(Object.keys(start).sort()).toEqual(['due', 'phase', 'pk', 'sk']);
    const rest = await byPhase('same', { ExclusiveStartKey: start });
    expect([...keysOf(first), ...keysOf(rest)]).toEqual(names);
  });

  it('that lags shows what it held before, until the lag has passed', async () => {
    await put(item('lag1', '1', { phase: { S: 'lag' } }));
    server.host.faults.indexLag = 60_000;
    await put(item('lag1', '3', { phase: { S: 'lag' }, owner: { S: 'new' } }));
    await put(item('lag1', '4', { phase: { S: 'elsewhere' } }));
    await put(item('lag2', '2', { phase: { S: 'lag' } }));
    expect((await byPhase('lag')).Items).toEqual([item('lag1', '1', { phase: { S: 'lag' } })]);
    expect(keysOf(await byPhase('elsewhere'))).toEqual([]);
    expect(keysOf(await byPhase('lag', { ScanIndexForward: false, Limit: 1 }))).toEqual(['lag1']);
    await server.host.clock.advance(60_001);
    expect(keysOf(await byPhase('lag'))).toEqual(['lag2']);
    expect(keysOf(await byPhase('elsewhere'))).toEqual(['lag1']);
  });

  it('bills what is read by the size of its entries', async () => {
    server.host.meter.reset();
    const answer = await byPhase('same', { ReturnConsumedCapacity: 'INDEXES' });
    expect(answer['ConsumedCapacity']).toEqual({
      TableName: 'cases',
      CapacityUnits: 0.5,
      Table: { CapacityUnits: 0 },
      GlobalSecondaryIndexes: { byPhase: { CapacityUnits: 0.5 } },
    });
    expect(server.host.meter.read()).toEqual({ dynamodb: { rru: 0.5 } });
  });
});

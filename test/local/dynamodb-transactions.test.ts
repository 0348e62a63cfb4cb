import {
  GetItemCommand,
  PutItemCommand,
  TransactGetItemsCommand,
  TransactionCanceledException,
  TransactWriteItemsCommand,
  type AttributeValue,
  type DynamoDBClient,
  type TransactWriteItem,
} from '@aws-sdk/client-dynamodb';
import { openDynamoDb, tableProperties, type DynamoDbServer } from '../support/dynamodb-server.ts';

type Item = Record<string, AttributeValue>;

let server: DynamoDbServer;
let client: DynamoDBClient;

const key = (pk: string): Item => ({ pk: { S: pk }, sk: { S: 'HEAD' } });
const put = (pk: string, more: Item = {}, condition?: Partial<TransactWriteItem['Put']>): TransactWriteItem => ({
  Put: { TableName: 'cases', Item: { ...key(pk), ...more }, ...condition },
});
const set = (pk: string, n: string): TransactWriteItem => ({
  Update: {
    TableName: 'people',
    Key: key(pk),
    UpdateExpression: 'SET n = :n',
    ExpressionAttributeValues: { ':n': { N: n } },
  },
});
const transact = (items: TransactWriteItem[] | undefined, token?: string): Promise<unknown> =>
  client.send(new TransactWriteItemsCommand({ TransactItems: items, ClientRequestToken: token }));
const get = async (pk: string, table = 'cases'): Promise<Item | undefined> =>
  (await client.send(new GetItemCommand({ TableName: table, Key: key(pk) }))).Item;
const ABSENT = { ConditionExpression: 'attribute_not_exists(pk)' };

beforeAll(async () => {
  server = await openDynamoDb();
  client = server.client();
  await server.create(tableProperties('cases'), 'Cases');
  await server.create(tableProperties('people'), 'People');
});
beforeEach(() => {
  server.asked.length = 0;
  server.host.meter.reset();
});
afterEach(() => {
  server.deny = () => false;
});
afterAll(() => server.close());

describe('TransactWriteItems refuses', () => {
  it.each<[string, TransactWriteItem[], string]>([
    ['nothing', [], 'length greater than or equal to 1'],
    [
      'more than 100 actions',
      Array.from({ length: 101 }, (_, n) => put(`many${n}`)),
      'length less than or equal to 100',
    ],
    ['an action of two kinds', [{ ...put('two'), ...set('two', '1') }], 'can only contain one of'],
    ['two actions on one item', [put('same'), put('same')], 'multiple operations on one item'],
    [
      'a check without condition',
      [{ ConditionCheck: { TableName: 'cases', Key: key('a'), ConditionExpression: undefined } }],
      'must not be null',
    ],
    [
      'an expression that does not parse',
      [put('x', {}, { ConditionExpression: 'a =' })],
      'Invalid ConditionExpression',
    ],
  ])('%s', async (_, items, message) => {
    await expect(transact(items)).rejects.toMatchObject({
      name: 'ValidationException',
      message: expect.stringContaining(message),
    });
  });

  it('an unknown table', async () => {
    const item = { Put: { TableName: 'nowhere', Item: key('a') } };
    await expect(transact([put('known'), item])).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    expect(await get('known')).toBeUndefined();
  });

  it('parameters that it does not know', async () => {
    const legacy = { Put: { TableName: 'cases', Item: key('a'), Expected: {} } };
    await expect(server.call('TransactWriteItems', { TransactItems: [legacy] })).resolves.toMatchObject({
      __type: 'NotImplemented',
      message: expect.stringContaining('Expected of dynamodb:TransactWriteItems.Put'),
    });
  });

  it('who lacks the permission of one element', async () => {
    server.deny = ({ action }) => action === 'dynamodb:ConditionCheckItem';
    const check = { ConditionCheck: { TableName: 'people', Key: key('c'), ...ABSENT } };
    await expect(transact([put('denied'), check])).rejects.toMatchObject({ name: 'AccessDeniedException' });
    expect(await get('denied')).toBeUndefined();
  });

  it('more than 4 MB', async () => {
    const items = Array.from({ length: 11 }, (_, n) => put(`mb${n}`, { blob: { S: 'x'.repeat(390_000) } }));
    await expect(transact(items)).rejects.toMatchObject({ message: expect.stringContaining('4MB') });
    expect(await get('mb0')).toBeUndefined();
  });
});

describe('TransactWriteItems', () => {
  it('changes nothing when one condition fails, and says for each action why', async () => {
    await client.send(new PutItemCommand({ TableName: 'cases', Item: { ...key('held'), n: { N: '7' } } }));
    const canceled = await transact([
      put('new'),
      put('held', {}, { ...ABSENT, ReturnValuesOnConditionCheckFailure: 'ALL_OLD' }),
      put('other', {}, { ConditionExpression: 'attribute_exists(pk)' }),
      set('also-new', '1'),
    ]).catch((error: unknown) => error);
    expect(canceled).toBeInstanceOf(TransactionCanceledException);
    expect(canceled).toMatchObject({
      message:
        'Transaction cancelled, please refer cancellation reasons for specific reasons [None, ConditionalCheckFailed, ConditionalCheckFailed, None]',
      CancellationReasons: [
        { Code: 'None' },
        {
          Code: 'ConditionalCheckFailed',
          Message: 'The conditional request failed',
          Item: { ...key('held'), n: { N: '7' } },
        },
        { Code: 'ConditionalCheckFailed' },
        { Code: 'None' },
      ],
    });
    expect(await get('new')).toBeUndefined();
    expect(await get('also-new', 'people')).toBeUndefined();
  });

  it('reports what an action does to its item as ValidationError', async () => {
    await transact([put('typed', { n: { S: 'text' } })]);
    const add = {
      Update: {
        TableName: 'cases',
        Key: key('typed'),
        UpdateExpression: 'ADD n :one',
        ExpressionAttributeValues: { ':one': { N: '1' } },
      },
    };
    const wrongKey = { Delete: { TableName: 'cases', Key: { pk: { S: 'typed' } } } };
    await expect(transact([put('untouched'), add, wrongKey])).rejects.toMatchObject({
      CancellationReasons: [
        { Code: 'None' },
        { Code: 'ValidationError', Message: 'An operand in the update expression has an incorrect data type' },
        { Code: 'ValidationError', Message: 'The provided key element does not match the schema' },
      ],
    });
    expect(await get('untouched')).toBeUndefined();
  });

  it('writes across tables at once, each element authorized for itself', async () => {
    await transact([put('gone')]);
    server.asked.length = 0;
    await transact([
      put('t1', { a: { S: 'x' } }, ABSENT),
      set('t2', '5'),
      { Delete: { TableName: 'cases', Key: key('gone') } },
      { ConditionCheck: { TableName: 'people', Key: key('t3'), ...ABSENT } },
    ]);
    expect(await get('t1')).toBeDefined();
    expect(await get('t2', 'people')).toMatchObject({ n: { N: '5' } });
    expect(await get('gone')).toBeUndefined();
    const writes = server.asked.filter(({ action }) => action !== 'dynamodb:GetItem');
    expect(writes.map(({ action, resource }) => [action, resource.split('/')[1]])).toEqual([
      ['dynamodb:PutItem', 'cases'],
      ['dynamodb:UpdateItem', 'people'],
      ['dynamodb:DeleteItem', 'cases'],
      ['dynamodb:ConditionCheckItem', 'people'],
    ]);
    expect(writes[0]?.context).toMatchObject({
      'dynamodb:EnclosingOperation': 'TransactWriteItems',
      'dynamodb:LeadingKeys': ['t1'],
      'dynamodb:Attributes': ['pk', 'sk', 'a'],
    });
  });

  it('bills each item twice', async () => {
    const answer = await client.send(
      new TransactWriteItemsCommand({ TransactItems: [put('w1'), set('w2', '1')], ReturnConsumedCapacity: 'TOTAL' }),
    );
    expect(answer.ConsumedCapacity).toEqual([
      { TableName: 'cases', CapacityUnits: 2, WriteCapacityUnits: 2 },
      { TableName: 'people', CapacityUnits: 2, WriteCapacityUnits: 2 },
    ]);
    expect(server.host.meter.read()).toEqual({ dynamodb: { wru: 4 } });
  });
});

describe('a client request token', () => {
  it('is refused for another request within ten minutes, and forgotten after them', async () => {
    await transact([set('token', '1')], 'token-a');
    await expect(transact([set('token', '2')], 'token-a')).rejects.toMatchObject({
      name: 'IdempotentParameterMismatchException',
    });
    await server.host.clock.advance(10 * 60 * 1000);
    await transact([set('token', '2')], 'token-a');
    expect(await get('token', 'people')).toMatchObject({ n: { N: '2' } });
  });

  it('makes a repeated request do nothing', async () => {
    const add = {
      Update: {
        TableName: 'people',
        Key: key('counter'),
        UpdateExpression: 'ADD n :one',
        ExpressionAttributeValues: { ':one': { N: '1' } },
      },
    };
    for (let attempt = 0; attempt < 3; attempt += 1) await transact([add], 'token-b');
    expect(await get('counter', 'people')).toMatchObject({ n: { N: '1' } });
  });

  it('is not spent by a transaction that was cancelled', async () => {
    const item = put('later', {}, { ConditionExpression: 'attribute_exists(pk)' });
    await expect(transact([item], 'token-c')).rejects.toMatchObject({ name: 'TransactionCanceledException' });
    await transact([put('later')]);
    await transact([item], 'token-c');
  });

  it('under way is not started again', async () => {
    const request = { TransactItems: [put('twice')], ClientRequestToken: 'token-d' };
    const answers = await Promise.all([
      server.call('TransactWriteItems', request),
      server.call('TransactWriteItems', request),
    ]);
    expect(answers).toEqual([{}, expect.objectContaining({ __type: 'TransactionInProgressException' })]);
  });

  it('longer than 36 characters is refused', async () => {
    await expect(transact([put('long')], 'x'.repeat(37))).rejects.toMatchObject({ name: 'ValidationException' });
  });
});

describe('transactions at the same time', () => {
  it('on one item: one commits, the others conflict or find their condition broken', async () => {
    await transact([put('race', { n: { N: '0' } })]);
    const claim = (n: number): Promise<unknown> =>
      transact([
        put(
          'race',
          { n: { N: String(n) } },
          { ConditionExpression: 'n = :zero', ExpressionAttributeValues: { ':zero': { N: '0' } } },
        ),
        put(`race-event-${n}`),
      ]);
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, (_, n) => claim(n + 1)));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const reasons = outcomes.flatMap((one) =>
      one.status === 'rejected' ? [(one.reason as TransactionCanceledException).CancellationReasons?.[0]?.Code] : [],
    );
    expect(reasons.every((code) => code === 'TransactionConflict' || code === 'ConditionalCheckFailed')).toBe(true);
    const winner = outcomes.findIndex(({ status }) => status === 'fulfilled') + 1;
    expect(await get('race')).toMatchObject({ n: { N: String(winner) } });
  });

  it('conflict while one is under way, for writes and transactional reads alike', async () => {
    const [first, write, transaction, read] = await Promise.all([
      server.call('TransactWriteItems', { TransactItems: [put('busy')] }),
      server.call('PutItem', { TableName: 'cases', Item: { ...key('busy'), late: { S: 'x' } } }),
      server.call('TransactWriteItems', { TransactItems: [put('idle'), put('busy')] }),
      server.call('TransactGetItems', { TransactItems: [{ Get: { TableName: 'cases', Key: key('busy') } }] }),
    ]);
    expect(first).toEqual({});
    expect(write).toMatchObject({ __type: 'TransactionConflictException' });
    expect(transaction).toMatchObject({ CancellationReasons: [{ Code: 'None' }, { Code: 'TransactionConflict' }] });
    expect(read).toMatchObject({ CancellationReasons: [{ Code: 'TransactionConflict' }] });
    expect(await get('busy')).toEqual(key('busy'));
    expect(await get('idle')).toBeUndefined();
  });
});

describe('TransactGetItems', () => {
  const read = (keys: Item[], more: object = {}): Promise<unknown> =>
    client.send(
      new TransactGetItemsCommand({
        TransactItems: keys.map((Key) => ({ Get: { TableName: 'cases', Key } })),
        ...more,
      }),
    );

  it('refuses nothing, bad keys, and who may not', async () => {
    await expect(read([])).rejects.toMatchObject({ name: 'ValidationException' });
    await expect(read([key('a'), { pk: { S: 'a' } }])).rejects.toMatchObject({
      CancellationReasons: [{ Code: 'None' }, { Code: 'ValidationError' }],
    });
    server.deny = ({ action, context }) =>
      action === 'dynamodb:GetItem' && context?.['dynamodb:EnclosingOperation'] === 'TransactGetItems';
    await expect(read([key('a')])).rejects.toMatchObject({ name: 'AccessDeniedException' });
  });

  it('answers in order, empty for what is missing, two units each', async () => {
    await transact([put('g1', { n: { N: '1' } }), put('g2', { n: { N: '2' } })]);
    server.host.meter.reset();
    await expect(read([key('g2'), key('none'), key('g1')], { ReturnConsumedCapacity: 'TOTAL' })).resolves.toMatchObject(
      {
        Responses: [{ Item: { n: { N: '2' } } }, {}, { Item: { n: { N: '1' } } }],
        ConsumedCapacity: [{ TableName: 'cases', CapacityUnits: 6, ReadCapacityUnits: 6 }],
      },
    );
    expect(server.host.meter.read()).toEqual({ dynamodb: { rru: 6 } });
  });
});

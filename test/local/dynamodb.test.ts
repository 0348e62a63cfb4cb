import {
  BatchGetItemCommand,
  ConditionalCheckFailedException,
  DeleteItemCommand,
  DescribeTableCommand,
  GetItemCommand,
  ListTablesCommand,
  PutItemCommand,
  TransactWriteItemsCommand,
  ScanCommand,
  UpdateItemCommand,
  type AttributeValue,
  type DynamoDBClient,
} from '@aws-sdk/client-dynamodb';
import { crc32 } from 'node:zlib';
import { openDynamoDb, tableProperties, type DynamoDbServer } from '../support/dynamodb-server.ts';

const TABLE = 'cases';
let server: DynamoDbServer;
let client: DynamoDBClient;

const key = (pk: string, sk = 'HEAD'): Record<string, AttributeValue> => ({ pk: { S: pk }, sk: { S: sk } });
const put = (item: Record<string, AttributeValue>): Promise<unknown> =>
  client.send(new PutItemCommand({ TableName: TABLE, Item: item }));
const get = async (pk: string): Promise<Record<string, AttributeValue> | undefined> =>
  (await client.send(new GetItemCommand({ TableName: TABLE, Key: key(pk), ConsistentRead: true }))).Item;
const update = (pk: string, expression: string, more: object = {}): Promise<Record<string, unknown>> =>
  client
    .send(new UpdateItemCommand({ TableName: TABLE, Key: key(pk), UpdateExpression: expression, ...more }))
    .then((answer) => ({ ...answer }));

beforeAll(async () => {
  server = await openDynamoDb();
  client = server.client();
  await server.create(
    tableProperties(TABLE, {
      AttributeDefinitions: ['pk', 'sk', 'due'].map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
      GlobalSecondaryIndexes: [
        {
          IndexName: 'byDue',
          KeySchema: [{ AttributeName: 'due', KeyType: 'HASH' }],
          Projection: { ProjectionType: 'KEYS_ONLY' },
        },
      ],
    }),
  );
});
beforeEach(() => {
  server.asked.length = 0;
  server.host.meter.reset();
});
afterEach(() => {
  server.deny = () => false;
});
afterAll(() => server.close());

describe('what is not implemented', () => {
  it.each([
    ['ListTables', new ListTablesCommand({})],
    ['Scan', new ScanCommand({ TableName: TABLE })],
  ])('names the operation %s', async (name, command) => {
    await expect(client.send(command as ScanCommand)).rejects.toMatchObject({
      name: 'NotImplemented',
      $metadata: { httpStatusCode: 501 },
      message: expect.stringContaining(name),
    });
  });

  it.each([
    ['Expected of dynamodb:PutItem', new PutItemCommand({ TableName: TABLE, Item: key('legacy'), Expected: {} })],
    [
      'AttributesToGet of dynamodb:GetItem',
      new GetItemCommand({ TableName: TABLE, Key: key('x'), AttributesToGet: ['pk'] }),
    ],
    [
      'AttributeUpdates of dynamodb:UpdateItem',
      new UpdateItemCommand({ TableName: TABLE, Key: key('x'), AttributeUpdates: {} }),
    ],
    [
      'ConditionalOperator of dynamodb:DeleteItem',
      new DeleteItemCommand({ TableName: TABLE, Key: key('x'), ConditionalOperator: 'OR' }),
    ],
  ])('names the legacy parameter %s', async (text, command) => {
    await expect(client.send(command as GetItemCommand)).rejects.toMatchObject({
      name: 'NotImplemented',
      message: expect.stringContaining(text),
    });
    expect(await get('legacy')).toBeUndefined();
  });

  it('names a table ARN in place of a name', async () => {
    const arn = 'arn:aws:dynamodb:ca-central-1:111122223333:table/cases';
    await expect(server.call('GetItem', { TableName: arn, Key: key('a') })).resolves.toMatchObject({
      __type: 'NotImplemented',
    });
    const batch = { RequestItems: { [arn]: { Keys: [key('a')] } } };
    await expect(server.call('BatchGetItem', batch)).resolves.toMatchObject({ __type: 'NotImplemented' });
  });

  it('answers 501 to another API version', async () => {
    const answer = await server.post('DynamoDB_20111205.GetItem', '{}');
    expect(answer.status).toBe(501);
  });
});

describe('the wire', () => {
  it('answers a checksum of the body, also for errors', async () => {
    const answer = await server.post('DynamoDB_20120810.GetItem', '{"TableName":"nowhere","Key":{"pk":{"S":"a"}}}');
    const body = await answer.text();
    expect(answer.status).toBe(400);
    expect(answer.headers.get('x-amz-crc32')).toBe(String(crc32(body)));
    expect(JSON.parse(body)).toMatchObject({ __type: 'ResourceNotFoundException' });
  });

  it('answers SerializationException to what is not JSON, or not an object', async () => {
    for (const body of ['{', '[]', '']) {
      const answer = await server.post('DynamoDB_20120810.GetItem', body);
      expect(await answer.json()).toMatchObject({ __type: 'SerializationException' });
    }
  });
});

describe('PutItem', () => {
  it.each<[string, Record<string, AttributeValue>, string]>([
    ['without sort key', { pk: { S: 'a' } }, 'Missing the key sk'],
    ['with a key of another type', { pk: { S: 'a' }, sk: { N: '1' } }, 'Type mismatch for key sk'],
    ['with an empty key', key(''), 'cannot contain an empty string value'],
    ['with an empty index key', { ...key('a'), due: { S: '' } }, 'IndexName: byDue, IndexKey: due'],
    ['with an index key of another type', { ...key('a'), due: { N: '1' } }, 'Type mismatch for Index Key due'],
    ['larger than 400 KB in UTF-8', { ...key('a'), text: { S: 'ї'.repeat(205_000) } }, 'Item size has exceeded'],
    ['with a number too precise', { ...key('a'), n: { N: `1.${'1'.repeat(40)}` } }, 'more than 38 significant digits'],
    ['with an empty set', { ...key('a'), s: { SS: [] } }, 'may not be empty'],
  ])('refuses an item %s', async (_, item, message) => {
    await expect(put(item)).rejects.toMatchObject({
      name: 'ValidationException',
      message: expect.stringContaining(message),
    });
    expect(await get('a')).toBeUndefined();
  });

  it('refuses nesting deeper than 32 levels', async () => {
    let deep: AttributeValue = { S: 'x' };
    for (let level = 0; level < 33; level += 1) deep = { L: [deep] };
    await expect(put({ ...key('deep'), deep })).rejects.toMatchObject({ name: 'ValidationException' });
  });

  it('refuses an unknown table', async () => {
    const command = new PutItemCommand({ TableName: 'nowhere', Item: key('a') });
    await expect(client.send(command)).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });

  it('refuses who may not, without telling whether the table exists', async () => {
    server.deny = () => true;
    const command = new PutItemCommand({ TableName: 'nowhere', Item: key('a') });
    await expect(client.send(command)).rejects.toMatchObject({ name: 'AccessDeniedException' });
  });

  it('keeps the old item when the condition fails, and returns it only if asked', async () => {
    await put({ ...key('cond'), version: { N: '1' } });
    const command = (more: object): PutItemCommand =>
      new PutItemCommand({
        TableName: TABLE,
        Item: key('cond'),
        ConditionExpression: 'attribute_not_exists(pk)',
        ...more,
      });
    const plain = await client.send(command({})).catch((error: unknown) => error);
    expect(plain).toBeInstanceOf(ConditionalCheckFailedException);
    expect(plain).toMatchObject({ Item: undefined });
    await expect(client.send(command({ ReturnValuesOnConditionCheckFailure: 'ALL_OLD' }))).rejects.toMatchObject({
      name: 'ConditionalCheckFailedException',
      Item: { ...key('cond'), version: { N: '1' } },
    });
    expect(await get('cond')).toMatchObject({ version: { N: '1' } });
  });

  it('stores every type, and gives back the old item', async () => {
    const item: Record<string, AttributeValue> = {
      ...key('types'),
      n: { N: '-12.5' },
      b: { B: new Uint8Array([0, 255]) },
      yes: { BOOL: true },
      nothing: { NULL: true },
      list: { L: [{ S: '' }, { M: { inner: { NS: ['1', '2'] } } }] },
    };
    await put(item);
    expect(await get('types')).toEqual(item);
    const again = new PutItemCommand({ TableName: TABLE, Item: key('types'), ReturnValues: 'ALL_OLD' });
    expect((await client.send(again)).Attributes).toEqual(item);
    expect(await get('types')).toEqual(key('types'));
  });

  it('is authorized on the table with the keys and attributes it touches', async () => {
    await client.send(
      new PutItemCommand({
        TableName: TABLE,
        Item: { ...key('who'), a: { S: 'x' } },
        ConditionExpression: 'attribute_not_exists(b)',
        ReturnValues: 'NONE',
      }),
    );
    expect(server.asked).toEqual([
      expect.objectContaining({
        action: 'dynamodb:PutItem',
        resource: 'arn:aws:dynamodb:ca-central-1:111122223333:table/cases',
        context: expect.objectContaining({
          'dynamodb:LeadingKeys': ['who'],
          'dynamodb:Attributes': ['pk', 'sk', 'a', 'b'],
          'dynamodb:ReturnValues': 'NONE',
        }),
      }),
    ]);
  });
});

describe('UpdateItem', () => {
  it.each([
    ['a key attribute', 'SET sk = :v', 'part of the key'],
    ['a path that is not there', 'SET a.b = :v', 'document path provided in the update expression is invalid'],
    ['what refers to a missing attribute', 'SET a = absent', 'refers to an attribute that does not exist'],
    ['an addition to a string', 'SET a = note + :v', 'incorrect data type'],
    ['an index key of another type', 'SET due = :v', 'Type mismatch for Index Key due'],
    ['an overlap', 'SET a = :v REMOVE a', 'overlap'],
  ])('refuses %s', async (_, expression, message) => {
    await put({ ...key('upd'), note: { S: 'x' } });
    const values = expression.includes(':v') ? { ExpressionAttributeValues: { ':v': { N: '1' } } } : {};
    await expect(update('upd', expression, values)).rejects.toMatchObject({
      name: 'ValidationException',
      message: expect.stringContaining(message),
    });
    expect(await get('upd')).toEqual({ ...key('upd'), note: { S: 'x' } });
  });

  it('refuses to grow an item beyond 400 KB', async () => {
    await put({ ...key('grow'), text: { S: 'x'.repeat(300_000) } });
    const values = { ExpressionAttributeValues: { ':v': { S: 'x'.repeat(150_000) } } };
    await expect(update('grow', 'SET more = :v', values)).rejects.toMatchObject({
      message: 'Item size to update has exceeded the maximum allowed size',
    });
  });

  it('leaves the item when its condition fails, and returns it if asked', async () => {
    await put({ ...key('cas'), version: { N: '2' } });
    const more = {
      ConditionExpression: 'version = :expected',
      ExpressionAttributeValues: { ':expected': { N: '1' }, ':next': { N: '2' } },
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    };
    await expect(update('cas', 'SET version = :next', more)).rejects.toMatchObject({
      name: 'ConditionalCheckFailedException',
      Item: { version: { N: '2' } },
    });
  });

  it('creates the item that is not there, and computes from the item as it was', async () => {
    const values = {
      ExpressionAttributeValues: { ':zero': { N: '0' }, ':one': { N: '1' }, ':l': { L: [{ S: 'a' }] } },
    };
    const answer = await update(
      'fresh',
      'SET n = if_not_exists(n, :zero) + :one, l = list_append(if_not_exists(l, :l), :l)',
      { ...values, ReturnValues: 'UPDATED_NEW' },
    );
    expect(answer['Attributes']).toEqual({ n: { N: '1' }, l: { L: [{ S: 'a' }, { S: 'a' }] } });
    await expect(
      update('fresh', 'SET l[0] = :one REMOVE n', {
        ExpressionAttributeValues: { ':one': { N: '1' } },
        ReturnValues: 'UPDATED_OLD',
      }),
    ).resolves.toMatchObject({
      Attributes: { n: { N: '1' }, l: { L: [{ S: 'a' }] } },
    });
  });
});

describe('DeleteItem', () => {
  it('refuses a key that does not fit', async () => {
    const command = new DeleteItemCommand({ TableName: TABLE, Key: { pk: { S: 'a' } } });
    await expect(client.send(command)).rejects.toMatchObject({
      message: 'The provided key element does not match the schema',
    });
  });

  it('deletes only if the condition holds', async () => {
    await put({ ...key('del'), done: { BOOL: false } });
    const command = (done: boolean): DeleteItemCommand =>
      new DeleteItemCommand({
        TableName: TABLE,
        Key: key('del'),
        ConditionExpression: 'done = :done',
        ExpressionAttributeValues: { ':done': { BOOL: done } },
        ReturnValues: 'ALL_OLD',
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      });
    await expect(client.send(command(true))).rejects.toMatchObject({ Item: { done: { BOOL: false } } });
    expect((await client.send(command(false))).Attributes).toMatchObject({ done: { BOOL: false } });
    expect(await get('del')).toBeUndefined();
    await client.send(new DeleteItemCommand({ TableName: TABLE, Key: key('del') }));
  });
});

describe('GetItem', () => {
  it('refuses a nested look into a key, and unused names', async () => {
    const nested = new GetItemCommand({ TableName: TABLE, Key: key('a'), ProjectionExpression: 'pk.a' });
    await expect(client.send(nested)).rejects.toMatchObject({ name: 'ValidationException' });
    const unused = new GetItemCommand({
      TableName: TABLE,
      Key: key('a'),
      ProjectionExpression: 'pk',
      ExpressionAttributeNames: { '#unused': 'x' },
    });
    await expect(client.send(unused)).rejects.toMatchObject({
      message: expect.stringContaining('unused in expressions'),
    });
  });

  it('projects, and says what it consumed', async () => {
    await put({ ...key('proj'), m: { M: { a: { S: '1' }, b: { S: '2' } } }, big: { S: 'x'.repeat(5000) } });
    const command = new GetItemCommand({
      TableName: TABLE,
      Key: key('proj'),
      ProjectionExpression: 'm.a',
      ReturnConsumedCapacity: 'TOTAL',
    });
    const answer = await client.send(command);
    expect(answer.Item).toEqual({ m: { M: { a: { S: '1' } } } });
    expect(answer.ConsumedCapacity).toEqual({ TableName: TABLE, CapacityUnits: 1 });
  });
});

describe('BatchGetItem', () => {
  const batch = (keys: Record<string, AttributeValue>[]): BatchGetItemCommand =>
    new BatchGetItemCommand({ RequestItems: { [TABLE]: { Keys: keys } } });

  it('refuses duplicates, more than 100 keys and legacy parameters', async () => {
    await expect(client.send(batch([key('a'), key('a')]))).rejects.toMatchObject({
      message: 'Provided list of item keys contains duplicates',
    });
    const many = Array.from({ length: 101 }, (_, index) => key(`k${index}`));
    await expect(client.send(batch(many))).rejects.toMatchObject({ name: 'ValidationException' });
    const legacy = { RequestItems: { [TABLE]: { Keys: [key('a')], AttributesToGet: ['pk'] } } };
    await expect(client.send(new BatchGetItemCommand(legacy))).rejects.toMatchObject({ name: 'NotImplemented' });
  });

  it('asks for its own permission and finds what is there', async () => {
    await put(key('b1'));
    await put(key('b2'));
    server.asked.length = 0;
    const answer = await client.send(batch([key('b1'), key('b2'), key('missing')]));
    expect(new Set(answer.Responses?.[TABLE]?.map((item) => item['pk']?.S))).toEqual(new Set(['b1', 'b2']));
    expect(server.asked.map(({ action, context }) => [action, context?.['dynamodb:LeadingKeys']])).toEqual([
      ['dynamodb:BatchGetItem', ['b1', 'b2', 'missing']],
    ]);
  });

  it('leaves what exceeds 16 MB unprocessed', async () => {
    const keys = Array.from({ length: 45 }, (_, index) => key('large', `S${index}`));
    for (const one of keys) await put({ ...one, text: { S: 'x'.repeat(390_000) } });
    const answer = await client.send(batch(keys));
    const found = answer.Responses?.[TABLE]?.length ?? 0;
    expect(found).toBe(43);
    expect(answer.UnprocessedKeys?.[TABLE]?.Keys).toHaveLength(45 - found);
  });
});

describe('DescribeTable', () => {
  it('refuses an unknown table', async () => {
    await expect(client.send(new DescribeTableCommand({ TableName: 'nowhere' }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    });
  });

  it('describes the table', async () => {
    const { Table: table } = await client.send(new DescribeTableCommand({ TableName: TABLE }));
    expect(table).toMatchObject({
      TableStatus: 'ACTIVE',
      TableArn: 'arn:aws:dynamodb:ca-central-1:111122223333:table/cases',
      BillingModeSummary: { BillingMode: 'PAY_PER_REQUEST' },
      GlobalSecondaryIndexes: [{ IndexName: 'byDue', IndexStatus: 'ACTIVE' }],
    });
  });
});

describe('units', () => {
  it('counts a write by the kilobyte of the larger image, and index entries beside it', async () => {
    const command = (item: Record<string, AttributeValue>): PutItemCommand =>
      new PutItemCommand({ TableName: TABLE, Item: item, ReturnConsumedCapacity: 'INDEXES' });
    const text = { S: 'x'.repeat(2000) };
    const first = await client.send(command({ ...key('bill'), text, due: { S: 'monday' } }));
    expect(first.ConsumedCapacity).toEqual({
      TableName: TABLE,
      CapacityUnits: 3,
      Table: { CapacityUnits: 2 },
      GlobalSecondaryIndexes: { byDue: { CapacityUnits: 1 } },
    });
    // Nothing that the index holds changes.
    const second = await client.send(command({ ...key('bill'), due: { S: 'monday' } }));
    expect(second.ConsumedCapacity).toMatchObject({ CapacityUnits: 2 });
    // Another index key is a deletion and a put.
    const third = await client.send(command({ ...key('bill'), due: { S: 'tuesday' } }));
    expect(third.ConsumedCapacity).toMatchObject({ CapacityUnits: 3 });
    await get('bill');
    expect(server.host.meter.read()).toEqual({ dynamodb: { rru: 1, wru: 8 } });
    // A transaction writes its items twice, and the index follows once.
    const put = { Put: { TableName: TABLE, Item: { ...key('both'), due: { S: 'monday' } } } };
    const both = await client.send(
      new TransactWriteItemsCommand({ TransactItems: [put], ReturnConsumedCapacity: 'INDEXES' }),
    );
    expect(both.ConsumedCapacity).toMatchObject([
      { CapacityUnits: 3, Table: { CapacityUnits: 2 }, GlobalSecondaryIndexes: { byDue: { CapacityUnits: 1 } } },
    ]);
  });
});

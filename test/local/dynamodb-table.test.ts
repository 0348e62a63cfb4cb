import {
  DeleteItemCommand,
  GetItemCommand,
  PutItemCommand,
  UpdateItemCommand,
  type AttributeValue,
} from '@aws-sdk/client-dynamodb';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Properties } from '../../local/resource.ts';
import type { StreamRecord, TableStream } from '../../local/ports.ts';
import { openDynamoDb, REGION, tableProperties, type DynamoDbServer } from '../support/dynamodb-server.ts';

type Item = Record<string, AttributeValue>;

const HOUR = 60 * 60 * 1000;
const KEY_ARN = `arn:aws:kms:${REGION}:111122223333:key/vault`;
const INDEX = {
  IndexName: 'bySk',
  KeySchema: [{ AttributeName: 'sk', KeyType: 'HASH' }],
  Projection: { ProjectionType: 'KEYS_ONLY' },
};
const opened: DynamoDbServer[] = [];
const directories: string[] = [];

const open = async (directory?: string): Promise<DynamoDbServer> => {
  const server = await openDynamoDb(directory);
  opened.push(server);
  return server;
};
const directory = (): string => {
  const made = mkdtempSync(join(tmpdir(), 'dynamodb-'));
  directories.push(made);
  return made;
};
const key = (pk: string): Item => ({ pk: { S: pk }, sk: { S: 'HEAD' } });
const put = (server: DynamoDbServer, item: Item): Promise<unknown> =>
  server.client().send(new PutItemCommand({ TableName: 'cases', Item: item }));
const get = async (server: DynamoDbServer, pk: string): Promise<Item | undefined> =>
  (await server.client().send(new GetItemCommand({ TableName: 'cases', Key: key(pk) }))).Item;
const streamed = (viewType = 'NEW_AND_OLD_IMAGES', more: Properties = {}): Properties =>
  tableProperties('cases', { StreamSpecification: { StreamViewType: viewType }, ...more });
const streamOf = async (server: DynamoDbServer, properties = streamed()): Promise<TableStream> => {
  const { attributes } = await server.create(properties);
  const stream = server.service.stream(attributes['StreamArn'] ?? '');
  if (stream === undefined) throw new Error('The table has no stream.');
  return stream;
};
const names = (records: readonly StreamRecord[]): string[] => records.map(({ eventName }) => eventName);

afterEach(async () => {
  await Promise.all(opened.splice(0).map((server) => server.close()));
  for (const made of directories.splice(0)) rmSync(made, { recursive: true });
});

describe('a table that cannot be created', () => {
  const replica = (more: Properties): Properties => ({ Replicas: [{ Region: REGION, ...more }] });

  it.each<[string, Properties, string]>([
    ['a second replica', { Replicas: [{ Region: REGION }, { Region: 'eu-west-1' }] }, 'exactly one replica'],
    ['a replica elsewhere', { Replicas: [{ Region: 'eu-west-1' }] }, 'the local runtime is the region'],
    ['a resource policy', replica({ ResourcePolicy: {} }), 'ResourcePolicy'],
    ['a Kinesis stream', replica({ KinesisStreamSpecification: {} }), 'KinesisStreamSpecification'],
    ['local secondary indexes', { LocalSecondaryIndexes: [] }, 'LocalSecondaryIndexes'],
    ['provisioned capacity', { BillingMode: 'PROVISIONED' }, 'BillingMode'],
    ['a stream of another kind', { StreamSpecification: { StreamViewType: 'ALL' } }, 'StreamViewType'],
    ['a TTL without attribute', { TimeToLiveSpecification: { Enabled: true } }, 'without an AttributeName'],
    ['a key without encryption', replica({ SSESpecification: { KMSMasterKeyId: KEY_ARN } }), 'SSESpecification'],
    ['a name too short', { TableName: 'ab' }, 'at least 3 characters'],
    [
      'an undefined key',
      { KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }] },
      'not defined in AttributeDefinitions',
    ],
    [
      'an unused attribute',
      {
        AttributeDefinitions: ['pk', 'sk', 'x'].map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
        GlobalSecondaryIndexes: [INDEX],
      },
      'part of no key: x',
    ],
  ])('with %s', async (_, changes, message) => {
    const server = await open();
    await expect(server.create(tableProperties('cases', changes))).rejects.toThrow(message);
    await expect(get(server, 'a')).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });

  it('because of its name being taken', async () => {
    const server = await open();
    await server.create(tableProperties('cases'));
    await expect(server.create(tableProperties('cases'), 'Second')).rejects.toThrow('Second is the second');
  });
});

describe('a table', () => {
  it('answers Ref and GetAtt, and has a name of its own if the template gives none', async () => {
    const server = await open();
    const { TableName: _, ...unnamed } = streamed();
    const created = await server.create(unnamed, 'Cases');
    expect(created).toEqual({
      ref: 'stack-Cases',
      attributes: {
        Arn: `arn:aws:dynamodb:${REGION}:111122223333:table/stack-Cases`,
        TableId: expect.stringMatching(/^[0-9a-f-]{36}$/),
        StreamArn: expect.stringMatching(/:table\/stack-Cases\/stream\/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}$/),
      },
    });
  });

  it('may have all that TableV2 gives it', async () => {
    const server = await open();
    const insights = { ContributorInsightsSpecification: { Enabled: true } };
    const properties = streamed('NEW_AND_OLD_IMAGES', {
      GlobalSecondaryIndexes: [{ ...INDEX, WriteOnDemandThroughputSettings: { MaxWriteRequestUnits: 10 } }],
      Replicas: [
        {
          ...insights,
          Region: REGION,
          DeletionProtectionEnabled: true,
          GlobalSecondaryIndexes: [
            { ...insights, IndexName: 'bySk', ReadOnDemandThroughputSettings: { MaxReadRequestUnits: 10 } },
          ],
          PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true, RecoveryPeriodInDays: 35 },
          ReadOnDemandThroughputSettings: { MaxReadRequestUnits: 100 },
          SSESpecification: { KMSMasterKeyId: KEY_ARN },
          TableClass: 'STANDARD',
          Tags: [{ Key: 'a', Value: 'b' }],
        },
      ],
      SSESpecification: { SSEEnabled: true, SSEType: 'KMS' },
      TimeToLiveSpecification: { Enabled: true, AttributeName: 'ends' },
      WriteOnDemandThroughputSettings: { MaxWriteRequestUnits: 50 },
    });
    const { attributes } = await server.create(properties);
    expect(await server.call('DescribeTable', { TableName: 'cases' })).toMatchObject({
      Table: {
        DeletionProtectionEnabled: true,
        LatestStreamArn: attributes['StreamArn'],
        SSEDescription: { Status: 'ENABLED', SSEType: 'KMS', KMSMasterKeyArn: KEY_ARN },
        StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' },
      },
    });
  });

  it('with a customer managed key is closed to who may not use the key', async () => {
    const server = await open();
    await server.create(
      tableProperties('cases', {
        SSESpecification: { SSEEnabled: true, SSEType: 'KMS' },
        Replicas: [{ Region: REGION, SSESpecification: { KMSMasterKeyId: KEY_ARN } }],
      }),
    );
    await put(server, key('a'));
    expect(server.keyUses).toEqual([
      expect.objectContaining({
        keyId: KEY_ARN,
        actions: ['kms:Decrypt'],
        viaService: 'dynamodb',
        encryptionContext: { 'aws:dynamodb:tableName': 'cases', 'aws:dynamodb:subscriberId': '111122223333' },
      }),
    ]);
    server.denyKey = () => true;
    const where = { TableName: 'cases', Key: key('a') };
    const calls: [string, object][] = [
      ['GetItem', where],
      ['PutItem', { TableName: 'cases', Item: key('a') }],
      ['UpdateItem', where],
      ['DeleteItem', where],
      [
        'Query',
        { TableName: 'cases', KeyConditionExpression: 'pk = :a', ExpressionAttributeValues: { ':a': { S: 'a' } } },
      ],
      ['BatchGetItem', { RequestItems: { cases: { Keys: [key('a')] } } }],
      ['TransactGetItems', { TransactItems: [{ Get: where }] }],
      ['TransactWriteItems', { TransactItems: [{ Delete: where }] }],
    ];
    for (const [operation, input] of calls) {
      expect(await server.call(operation, input)).toMatchObject({ __type: 'AccessDeniedException' });
    }
    server.denyKey = () => false;
    expect(await get(server, 'a')).toEqual(key('a'));
  });
});

describe('the stream', () => {
  it('records what changed, in order, and nothing for a write that changes nothing', async () => {
    const server = await open();
    const stream = await streamOf(server);
    let appended = 0;
    stream.onAppend(() => (appended += 1));
    await put(server, { ...key('a'), tags: { SS: ['x', 'y'] } });
    await put(server, { ...key('a'), tags: { SS: ['y', 'x'] } });
    await put(server, { ...key('a'), n: { N: '1' } });
    const remove = new DeleteItemCommand({ TableName: 'cases', Key: key('a') });
    await server.client().send(remove);
    await server.client().send(remove);
    const records = await stream.read(undefined, 100);
    expect(names(records)).toEqual(['INSERT', 'MODIFY', 'REMOVE']);
    expect(appended).toBe(3);
    expect(records[1]).toMatchObject({
      eventSource: 'aws:dynamodb',
      eventSourceARN: stream.arn,
      awsRegion: REGION,
      dynamodb: {
        Keys: key('a'),
        OldImage: { ...key('a'), tags: { SS: ['x', 'y'] } },
        NewImage: { ...key('a'), n: { N: '1' } },
        SequenceNumber: expect.stringMatching(/^\d{21}$/),
        StreamViewType: 'NEW_AND_OLD_IMAGES',
      },
    });
    expect(records.every((record) => record.userIdentity === undefined)).toBe(true);
    const rest = await stream.read(records[0]?.dynamodb.SequenceNumber, 1);
    expect(names(rest)).toEqual(['MODIFY']);
  });

  it.each([
    ['KEYS_ONLY', false, false],
    ['NEW_IMAGE', true, false],
    ['OLD_IMAGE', false, true],
  ])('of %s holds no other image', async (viewType, hasNew, hasOld) => {
    const server = await open();
    const stream = await streamOf(server, streamed(viewType));
    await put(server, key('a'));
    await put(server, { ...key('a'), n: { N: '1' } });
    const record = (await stream.read(undefined, 10))[1]?.dynamodb;
    expect([record?.NewImage !== undefined, record?.OldImage !== undefined]).toEqual([hasNew, hasOld]);
  });

  it('has no record of a refused write, and one for each item of a transaction', async () => {
    const server = await open();
    const stream = await streamOf(server);
    const element = (pk: string, condition: string): object => ({
      Put: { TableName: 'cases', Item: key(pk), ConditionExpression: condition },
    });
    await server.call('TransactWriteItems', {
      TransactItems: [element('a', 'attribute_not_exists(pk)'), element('b', 'attribute_exists(pk)')],
    });
    expect(await stream.read(undefined, 10)).toEqual([]);
    await server.call('TransactWriteItems', {
      TransactItems: ['a', 'b'].map((pk) => element(pk, 'attribute_not_exists(pk)')),
    });
    expect((await stream.read(undefined, 10)).map(({ dynamodb }) => dynamodb.Keys['pk'])).toEqual([
      { S: 'a' },
      { S: 'b' },
    ]);
  });

  it('forgets records after 24 hours', async () => {
    const server = await open();
    const stream = await streamOf(server);
    await put(server, key('old'));
    await server.host.clock.advance(23 * HOUR);
    await put(server, key('young'));
    expect(await stream.read(undefined, 10)).toHaveLength(2);
    await server.host.clock.advance(HOUR + 1000);
    expect((await stream.read(undefined, 10)).map(({ dynamodb }) => dynamodb.Keys['pk'])).toEqual([{ S: 'young' }]);
  });
});

describe('time to live', () => {
  const ttl = streamed('NEW_AND_OLD_IMAGES', { TimeToLiveSpecification: { Enabled: true, AttributeName: 'ends' } });
  const ending = (server: DynamoDbServer, pk: string, inHours: number): Item => ({
    ...key(pk),
    ends: { N: String(Math.floor((server.host.clock.now() + inHours * HOUR) / 1000)) },
  });

  it('deletes some time after the end, and says so in the stream', async () => {
    const server = await open();
    const stream = await streamOf(server, ttl);
    await put(server, ending(server, 'short', 0.1));
    await put(server, ending(server, 'long', 5));
    await put(server, { ...key('text'), ends: { S: '1' } });
    await put(server, { ...key('ancient'), ends: { N: '1' } });
    await server.host.clock.advance(0.5 * HOUR);
    expect(await get(server, 'short')).toBeDefined();
    await server.host.clock.advance(HOUR);
    expect(await get(server, 'short')).toBeUndefined();
    for (const pk of ['long', 'text', 'ancient']) expect(await get(server, pk)).toBeDefined();
    expect((await stream.read(undefined, 10)).at(-1)).toMatchObject({
      eventName: 'REMOVE',
      dynamodb: { Keys: key('short') },
      userIdentity: { type: 'Service', principalId: 'dynamodb.amazonaws.com' },
    });
  });

  it('spares an item that was prolonged', async () => {
    const server = await open();
    await server.create(ttl);
    await put(server, ending(server, 'kept', 0.1));
    const prolong = new UpdateItemCommand({
      TableName: 'cases',
      Key: key('kept'),
      UpdateExpression: 'REMOVE ends',
    });
    await server.client().send(prolong);
    await server.host.clock.advance(48 * HOUR);
    expect(await get(server, 'kept')).toEqual(key('kept'));
  });
});

describe('with a data directory', () => {
  it.each<[string, Properties, string]>([
    [
      'key schema',
      {
        AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
        KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
      },
      'key schema',
    ],
    [
      'an index more',
      {
        GlobalSecondaryIndexes: [INDEX],
      },
      'global secondary indexes',
    ],
    ['another stream', { StreamSpecification: { StreamViewType: 'NEW_IMAGE' } }, 'stream view type'],
  ])('refuses to start on a table that differs: %s', async (_, changes, part) => {
    const at = directory();
    const first = await open(at);
    await first.create(streamed());
    await first.close();
    opened.length = 0;
    const second = await open(at);
    await expect(second.create({ ...streamed(), ...changes })).rejects.toThrow(
      `differs from the template in its ${part}`,
    );
  });

  it('refuses a directory that another process holds', async () => {
    const at = directory();
    await (await open(at)).create(tableProperties('cases'));
    const second = await open(at);
    await expect(second.create(tableProperties('cases'))).rejects.toThrow();
  });

  it('keeps items, stream and identities between starts', async () => {
    const at = directory();
    const first = await open(at);
    const created = await first.create(streamed());
    await put(first, { ...key('kept'), text: { S: 'Україна' } });
    await first.close();
    opened.length = 0;
    const second = await open(at);
    expect(await second.create(streamed())).toEqual(created);
    expect(await get(second, 'kept')).toEqual({ ...key('kept'), text: { S: 'Україна' } });
    await put(second, key('more'));
    const stream = second.service.stream(created.attributes['StreamArn'] ?? '');
    const numbers = (await stream?.read(undefined, 10))?.map(({ dynamodb }) => Number(dynamodb.SequenceNumber));
    expect(numbers).toEqual([1, 2]);
  });

  it('survives kill -9: what was answered is there, a transaction and its records whole or not at all', async () => {
    const at = directory();
    const answered = await killAfter(30, at);
    const server = await open(at);
    const stream = await streamOf(server);
    const [left, right] = await Promise.all([get(server, 'left'), get(server, 'right')]);
    expect(left?.['n']).toEqual(right?.['n']);
    const n = Number(left?.['n']?.N);
    expect(n).toBeGreaterThanOrEqual(answered);
    const records = await stream.read(undefined, 10_000);
    expect(records).toHaveLength(2 * n);
    expect(records.at(-1)?.dynamodb.NewImage).toEqual(right);
  });
});

/** Runs a process that commits transactions and prints the number of each that was answered, and kills it in the middle. */
async function killAfter(count: number, at: string): Promise<number> {
  const script = `
    const { openDynamoDb, tableProperties } = await import('./test/support/dynamodb-server.ts');
    const server = await openDynamoDb(process.argv[1]);
    await server.create(tableProperties('cases', { StreamSpecification: { StreamViewType: 'NEW_AND_OLD_IMAGES' } }));
    const put = (pk, n) => ({ Put: { TableName: 'cases', Item: { pk: { S: pk }, sk: { S: 'HEAD' }, n: { N: String(n) } } } });
    for (let n = 1; ; n += 1) {
      await server.call('TransactWriteItems', { TransactItems: [put('left', n), put('right', n)] });
      process.stdout.write(n + '\\n');
    }`;
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script, at], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise((resolve) => child.on('close', resolve));
  let answered = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    answered = Number(line);
    if (answered === count) child.kill('SIGKILL');
  }
  await ended;
  return answered;
}

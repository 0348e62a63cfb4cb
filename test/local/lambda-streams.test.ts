import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Properties } from '../../local/resource.ts';
import { create, testHost, type TestHost } from '../support/edge-services.ts';
import { Functions, functionArn, sequence } from '../support/lambda-functions.ts';
import type { WireJson } from '../support/wire-json.ts';

const NOON = Date.parse('2027-03-01T12:00:00Z');
const QUEUE = 'arn:aws:sqs:ca-central-1:111122223333:discarded';

/** Logs the numbers of its batch, then fails or answers as the records say. */
const CONSUMER = `exports.handler = async ({ Records }) => {
  const images = Records.map((record) => record.dynamodb.NewImage);
  console.log(images.map((image) => image.n).join(' '));
  if (images.some((image) => image.poison)) throw new Error('poisoned');
  const answer = images.find((image) => image.answer);
  if (answer) return answer.answer;
  const failed = Records.find((record) => record.dynamodb.NewImage.partial);
  return { batchItemFailures: failed ? [{ itemIdentifier: failed.dynamodb.SequenceNumber }] : [] };
};`;

let host: TestHost;
let functions: Functions;
const directory = mkdtempSync(join(tmpdir(), 'streams-'));

async function consumer(properties: Properties = {}, dataDirectory?: string): Promise<void> {
  host = testHost({ now: NOON, ...(dataDirectory && { dataDirectory }) });
  functions = new Functions(host);
  await functions.add('consumer', CONSUMER);
  await map(properties);
  functions.service.start();
}

const map = (properties: Properties, logicalId = 'Mapping'): Promise<unknown> =>
  create(host, functions.service.types, 'AWS::Lambda::EventSourceMapping', logicalId, {
    EventSourceArn: functions.stream.arn,
    FunctionName: 'consumer',
    StartingPosition: 'TRIM_HORIZON',
    ...properties,
  });

const append = async (...images: Record<string, unknown>[]): Promise<void> => {
  functions.stream.append(host.clock.now(), ...images);
  await host.activity.settled();
};

/** The batches that the function was given. */
const batches = (): string[] =>
  functions.service.logs().flatMap((line) => (line.level === 'INFO' ? [line.message] : []));
const discarded = (): Record<string, WireJson>[] => functions.delivered.map(({ body }) => JSON.parse(body));

afterEach(() => functions.close());
afterAll(() => rmSync(directory, { recursive: true }));

describe('a mapping that cannot be', () => {
  it.each<[string, Properties, string]>([
    ['parallel batches', { ParallelizationFactor: 2 }, 'ParallelizationFactor'],
    ['a tumbling window', { TumblingWindowInSeconds: 5 }, 'TumblingWindowInSeconds'],
    ['a queue as source', { EventSourceArn: QUEUE }, 'EventSourceArn'],
    [
      'an unknown stream',
      { EventSourceArn: 'arn:aws:dynamodb:ca-central-1:111122223333:table/x/stream/y' },
      'Stream not found',
    ],
    ['an unknown function', { FunctionName: 'other' }, 'Function not found'],
    [
      'a bucket for what is discarded',
      { DestinationConfig: { OnFailure: { Destination: 'arn:aws:s3:::b' } } },
      'only SQS',
    ],
    [
      'a filter that is not implemented',
      { FilterCriteria: { Filters: [{ Pattern: '{"a":[{"suffix":"x"}]}' }] } },
      'suffix',
    ],
    ['an age between', { MaximumRecordAgeInSeconds: 30 }, 'MaximumRecordAgeInSeconds'],
  ])('refuses %s', async (_, properties, message) => {
    await expect(consumer(properties)).rejects.toThrow(message);
  });

  it.each(['GetRecords', 'GetShardIterator', 'DescribeStream', 'ListStreams'])(
    'refuses a role without %s',
    async (action) => {
      await consumer({ Enabled: false });
      host.deny = (request) => request.action === `dynamodb:${action}`;
      await expect(map({})).rejects.toThrow('Cannot access stream');
      expect(host.asked.at(-1)).toMatchObject({
        caller: { roleName: 'consumer-role' },
        resource: action === 'ListStreams' ? '*' : functions.stream.arn,
      });
    },
  );
});

describe('a mapping', () => {
  it('reads nothing before the runtime has started', async () => {
    host = testHost({ now: NOON });
    functions = new Functions(host);
    await functions.add('consumer', CONSUMER);
    await map({});
    await append({ n: 1 });
    expect(batches()).toEqual([]);
    functions.service.start();
    await host.activity.settled();
    expect(batches()).toEqual(['1']);
  });

  it('delivers in order and in batches, from the oldest record', async () => {
    await consumer({ Enabled: false });
    await append({ n: 1 }, { n: 2 }, { n: 3 });
    await map({ BatchSize: 2 });
    await host.activity.settled();
    await append({ n: 4 });
    expect(batches()).toEqual(['1 2', '3', '4']);
  });

  it('leaves out what was there before, with LATEST, and everything when it is disabled', async () => {
    await consumer({ Enabled: false });
    await append({ n: 1 });
    await map({ StartingPosition: 'LATEST' }, 'Newcomer');
    await append({ n: 2 });
    expect(batches()).toEqual(['2']);
  });

  it('continues after a restart where it was', async () => {
    await consumer({ StartingPosition: 'LATEST' }, directory);
    await append({ n: 1 }, { n: 2 });
    await functions.close();
    const { records } = functions.stream;
    host = testHost({ now: NOON, dataDirectory: directory });
    functions = new Functions(host);
    functions.stream.records.push(...records);
    functions.stream.append(host.clock.now(), { n: 3 });
    await functions.add('consumer', CONSUMER);
    await map({ StartingPosition: 'LATEST' });
    functions.service.start();
    await host.activity.settled();
    expect(batches()).toEqual(['3']);
  });

  it('waits for its window unless the batch is full', async () => {
    await consumer({ MaximumBatchingWindowInSeconds: 60, BatchSize: 3 });
    await append({ n: 1 });
    await host.clock.advance(30_000);
    await append({ n: 2 });
    expect(batches()).toEqual([]);
    await host.clock.advance(30_000);
    expect(batches()).toEqual(['1 2']);
    await append({ n: 3 }, { n: 4 }, { n: 5 });
    expect(batches()).toEqual(['1 2', '3 4 5']);
  });

  it('filters by content', async () => {
    const Pattern = JSON.stringify({
      eventName: ['INSERT'],
      dynamodb: { NewImage: { kind: { S: [{ prefix: 'ev' }] } } },
    });
    await consumer({ FilterCriteria: { Filters: [{ Pattern }] } });
    await append({ n: 1, kind: { S: 'event' } }, { n: 2, kind: { S: 'head' } }, { n: 3 });
    expect(batches()).toEqual(['1']);
  });

  it('retries with growing waits, then sends where the records stood to the queue and goes on', async () => {
    await consumer({ MaximumRetryAttempts: 2, DestinationConfig: { OnFailure: { Destination: QUEUE } } });
    await append({ n: 1, poison: true });
    await append({ n: 2 });
    expect(batches()).toEqual(['1']);
    await host.clock.advance(1000);
    expect(batches()).toEqual(['1', '1']);
    await host.clock.advance(1000);
    expect(batches()).toHaveLength(2);
    await host.clock.advance(1000);
    expect(batches()).toEqual(['1', '1', '1', '2']);
    expect(functions.delivered).toMatchObject([{ queueArn: QUEUE, caller: 'consumer-role' }]);
    expect(discarded()).toEqual([
      {
        requestContext: {
          requestId: expect.any(String),
          functionArn: functionArn('consumer'),
          condition: 'RetryAttemptsExhausted',
          approximateInvokeCount: 3,
        },
        responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' },
        version: '1.0',
        timestamp: expect.stringMatching(/^2027-03-01T12:00:\d\d\.\d{3}Z$/),
        DDBStreamBatchInfo: {
          shardId: expect.stringMatching(/^shardId-/),
          startSequenceNumber: sequence(1),
          endSequenceNumber: sequence(1),
          approximateArrivalOfFirstRecord: expect.stringMatching(/^2027-03-01T12:00:00Z$/),
          approximateArrivalOfLastRecord: expect.stringMatching(/^2027-03-01T12:00:00Z$/),
          batchSize: 1,
          streamArn: functions.stream.arn,
        },
      },
    ]);
  });

  it('without a limit holds back everything behind a failing record', async () => {
    await consumer();
    await append({ n: 1, poison: true });
    await append({ n: 2 });
    await host.clock.advance(600_000);
    expect(new Set(batches())).toEqual(new Set(['1']));
    expect(batches().length).toBeGreaterThan(8);
  });

  it('gives up records that are too old', async () => {
    await consumer({ MaximumRecordAgeInSeconds: 60, DestinationConfig: { OnFailure: { Destination: QUEUE } } });
    await append({ n: 1, poison: true });
    await host.clock.advance(120_000);
    await append({ n: 2 });
    expect(batches().at(-1)).toBe('2');
    expect(discarded()).toMatchObject([{ requestContext: { condition: 'RecordAgeExceeded' } }]);
  });

  it('halves a failing batch until the bad record stands alone', async () => {
    await consumer({
      BisectBatchOnFunctionError: true,
      MaximumRetryAttempts: 0,
      DestinationConfig: { OnFailure: { Destination: QUEUE } },
    });
    await append({ n: 1 }, { n: 2 }, { n: 3, poison: true }, { n: 4 });
    expect(batches()).toEqual(['1 2 3 4', '1 2', '3 4', '3', '4']);
    expect(discarded()).toMatchObject([
      { DDBStreamBatchInfo: { startSequenceNumber: sequence(3), endSequenceNumber: sequence(3), batchSize: 1 } },
    ]);
  });

  it('continues from the first record that was reported as failed', async () => {
    await consumer({
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      MaximumRetryAttempts: 1,
      DestinationConfig: { OnFailure: { Destination: QUEUE } },
    });
    await append({ n: 1 }, { n: 2, partial: true }, { n: 3 });
    expect(batches()).toEqual(['1 2 3']);
    await host.clock.advance(1000);
    expect(batches()).toEqual(['1 2 3', '2 3']);
    expect(discarded()).toMatchObject([{ DDBStreamBatchInfo: { startSequenceNumber: sequence(2), batchSize: 2 } }]);
    expect(discarded()[0]?.['responseContext']).toEqual({ statusCode: 200, executedVersion: '$LATEST' });
  });

  it('reports and bisects down to the bad record', async () => {
    await consumer({
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      BisectBatchOnFunctionError: true,
      MaximumRetryAttempts: 0,
      DestinationConfig: { OnFailure: { Destination: QUEUE } },
    });
    await append({ n: 1 }, { n: 2, partial: true }, { n: 3 });
    expect(batches()).toEqual(['1 2 3', '2 3', '2', '3']);
    expect(discarded()).toMatchObject([{ DDBStreamBatchInfo: { startSequenceNumber: sequence(2), batchSize: 1 } }]);
  });

  it.each([
    { batchItemFailures: [{ itemIdentifier: '' }] },
    { batchItemFailures: [{ itemIdentifier: null }] },
    { batchItemFailures: [{ id: '1' }] },
    { batchItemFailures: [{ itemIdentifier: 'not-in-this-batch' }] },
    { batchItemFailures: 'all' },
    'done',
  ])('takes %j for a failure of the whole batch', async (answer) => {
    await consumer({ FunctionResponseTypes: ['ReportBatchItemFailures'] });
    await append({ n: 1, answer }, { n: 2 });
    await host.clock.advance(1000);
    expect(batches()).toEqual(['1 2', '1 2']);
  });

  it.each([{ batchItemFailures: [] }, { batchItemFailures: null }, {}])('takes %j for a success', async (answer) => {
    await consumer({ FunctionResponseTypes: ['ReportBatchItemFailures'] });
    await append({ n: 1, answer });
    await host.clock.advance(60_000);
    expect(batches()).toEqual(['1']);
  });

  it('delivers twice when a fault says so', async () => {
    await consumer();
    host.faults.duplicateStreamDelivery = true;
    await append({ n: 1 });
    expect(batches()).toEqual(['1', '1']);
  });

  it('delivers in another order when a fault says so, and keeps the order of each item', async () => {
    await consumer({ Enabled: false });
    host.faults.reorderStreamDelivery = true;
    await append({ pk: 'a', n: 1 }, { pk: 'b', n: 2 }, { pk: 'a', n: 3 }, { pk: 'c', n: 4 });
    await map({});
    await host.activity.settled();
    expect(batches()).toEqual(['4 2 1 3']);
  });

  it('forgets nothing that was delivered later than what was written after it', async () => {
    const kept = mkdtempSync(join(directory, 'reordered-'));
    await consumer({ Enabled: false }, kept);
    host.faults.reorderStreamDelivery = true;
    await append({ pk: 'a', n: 1, poison: true }, { pk: 'b', n: 2 });
    await map({ BisectBatchOnFunctionError: true });
    await host.activity.settled();
    expect(batches()).toEqual(['2 1', '2', '1']);
    await functions.close();
    const { records } = functions.stream;
    host = testHost({ now: NOON, dataDirectory: kept });
    functions = new Functions(host);
    functions.stream.records.push(...records);
    await functions.add('consumer', CONSUMER);
    await map({ BisectBatchOnFunctionError: true });
    functions.service.start();
    await host.activity.settled();
    expect(batches()[0]).toBe('1 2');
  });

  it('tries again, without counting, what did not reach the function', async () => {
    await consumer({ MaximumRetryAttempts: 0, DestinationConfig: { OnFailure: { Destination: QUEUE } } });
    host.deny = (request) => request.action === 'dynamodb:GetRecords';
    await append({ n: 1 });
    await host.clock.advance(5000);
    expect(functions.service.logs().some((line) => line.message.startsWith('PROBLEM'))).toBe(true);
    host.deny = () => false;
    await host.clock.advance(60_000);
    expect(batches()).toEqual(['1']);
    expect(functions.delivered).toEqual([]);
  });
});

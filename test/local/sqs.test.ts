import { mkdtempSync, rmSync } from 'node:fs';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AccessDenied } from '../../local/iam/policy.ts';
import type { KeyUse } from '../../local/ports.ts';
import { SqsService } from '../../local/services/sqs/sqs-service.ts';
import { close, create, role, serve, serviceCaller, testHost } from '../support/edge-services.ts';
import type { WireJson } from '../support/wire-json.ts';

const ARN = 'arn:aws:sqs:ca-central-1:111122223333:dead-letters';
const events = serviceCaller('events.amazonaws.com', 'arn:aws:events:ca-central-1:111122223333:rule/stack-rule');
const NOON = Date.parse('2027-03-01T12:00:00Z');

type KeyUseRequest = Parameters<KeyUse['assertUsable']>[0];

describe('a queue', () => {
  const directory = mkdtempSync(join(tmpdir(), 'sqs-'));
  const host = testHost({ now: NOON, dataDirectory: directory });
  const used: KeyUseRequest[] = [];
  const keys: KeyUse = { assertUsable: (use) => void used.push(use) };
  const sqs = new SqsService(host, keys);
  let server: Server;
  let queueUrl: string;

  const call = async (operation: string, body: object): Promise<{ status: number; body: Record<string, WireJson> }> => {
    const response = await fetch(host.endpoint(), {
      method: 'POST',
      headers: {
        'x-amz-target': `AmazonSQS.${operation}`,
        'content-type': 'application/x-amz-json-1.0',
        authorization: 'AWS4-HMAC-SHA256 Credential=operator/20270301/ca-central-1/sqs/aws4_request',
      },
      body: JSON.stringify(body),
    });
    // The shape under test is the JSON of the protocol.
    return { status: response.status, body: (await response.json()) as Record<string, WireJson> };
  };

  beforeAll(async () => {
    server = await serve(host, sqs);
    const queue = await create(host, sqs.types, 'AWS::SQS::Queue', 'DeadLetters', {
      QueueName: 'dead-letters',
      KmsMasterKeyId: 'key-1',
      VisibilityTimeout: 60,
      MessageRetentionPeriod: '86400',
    });
    queueUrl = queue.ref;
    expect(queue.attributes['Arn']).toBe(ARN);
  });
  afterAll(async () => {
    await close(server);
    rmSync(directory, { recursive: true });
  });
  beforeEach(() => {
    host.deny = () => false;
    host.asked.length = 0;
    used.length = 0;
  });

  it('refuses what it does not implement', async () => {
    await expect(create(host, sqs.types, 'AWS::SQS::Queue', 'Fifo', { FifoQueue: true })).rejects.toThrow('FifoQueue');
    await expect(create(host, sqs.types, 'AWS::SQS::Queue', 'Redrive', { RedrivePolicy: {} })).rejects.toThrow(
      'RedrivePolicy',
    );
    expect(await call('SendMessage', { QueueUrl: queueUrl })).toMatchObject({
      status: 501,
      body: { __type: 'NotImplemented' },
    });
    expect(await call('ReceiveMessage', { QueueUrl: queueUrl, WaitTimeSeconds: 20 })).toMatchObject({ status: 501 });
    expect(await call('GetQueueAttributes', { QueueUrl: queueUrl, AttributeNames: ['RedrivePolicy'] })).toMatchObject({
      status: 501,
    });
  });

  it('does not know other queues', async () => {
    expect(() => sqs.deliver(`${ARN}-2`, 'x', events)).toThrow('does not exist');
    for (const operation of ['ReceiveMessage', 'GetQueueAttributes'])
      expect(await call(operation, { QueueUrl: `${queueUrl}-2` })).toMatchObject({
        status: 400,
        body: { __type: 'QueueDoesNotExist' },
      });
    expect(await call('DeleteMessage', { QueueUrl: `${queueUrl}-2`, ReceiptHandle: 'x' })).toMatchObject({
      body: { __type: 'QueueDoesNotExist' },
    });
  });

  it('asks IAM for each operation', async () => {
    host.deny = () => true;
    expect(() => sqs.deliver(ARN, 'x', events)).toThrow(AccessDenied);
    for (const operation of ['ReceiveMessage', 'GetQueueAttributes'])
      expect(await call(operation, { QueueUrl: queueUrl })).toMatchObject({
        body: { __type: 'AccessDeniedException' },
      });
    await call('DeleteMessage', { QueueUrl: queueUrl, ReceiptHandle: 'x' });
    expect(host.asked.map(({ action, resource, mode }) => [action, resource, mode])).toEqual([
      ['sqs:SendMessage', ARN, 'required'],
      ['sqs:ReceiveMessage', ARN, undefined],
      ['sqs:GetQueueAttributes', ARN, undefined],
      ['sqs:DeleteMessage', ARN, undefined],
    ]);
    expect(sqs.messages(ARN)).toEqual([]);
  });

  it('gives the queue policy and the source of a delivering service to the evaluator', async () => {
    const PolicyDocument = { Version: '2012-10-17', Statement: [] };
    await create(host, sqs.types, 'AWS::SQS::QueuePolicy', 'Policy', { Queues: [queueUrl], PolicyDocument });
    sqs.deliver(ARN, 'from a rule', events);
    expect(host.asked[0]).toMatchObject({
      resourcePolicy: PolicyDocument,
      context: { 'aws:SourceArn': events.sourceArn, 'aws:SourceAccount': '111122223333' },
    });
    expect(used).toEqual([
      {
        caller: events,
        keyId: 'key-1',
        actions: ['kms:GenerateDataKey', 'kms:Decrypt'],
        viaService: 'sqs',
        encryptionContext: { 'aws:sqs:arn': ARN },
      },
    ]);
  });

  it('refuses a message that is too long', () => {
    expect(() => sqs.deliver(ARN, 'x'.repeat(1_048_577), events)).toThrow('must be shorter than 1048576 bytes');
  });

  it('hides what was received until the visibility timeout, and forgets what is deleted', async () => {
    const request = { QueueUrl: queueUrl, MessageSystemAttributeNames: ['ApproximateReceiveCount'] };
    const first = await call('ReceiveMessage', request);
    expect(first.body['Messages']).toMatchObject([
      { Body: 'from a rule', Attributes: { ApproximateReceiveCount: '1' } },
    ]);
    expect(used[0]).toMatchObject({ actions: ['kms:Decrypt'], caller: { roleName: 'operator' } });
    expect((await call('ReceiveMessage', request)).body).toEqual({});

    await host.clock.advance(60_000);
    const second = await call('ReceiveMessage', request);
    expect(second.body['Messages']).toMatchObject([{ Attributes: { ApproximateReceiveCount: '2' } }]);
    const handle = (answer: typeof first): string => answer.body['Messages'][0].ReceiptHandle;
    expect(await call('DeleteMessage', { QueueUrl: queueUrl, ReceiptHandle: 'garbage' })).toMatchObject({
      body: { __type: 'ReceiptHandleIsInvalid' },
    });
    await call('DeleteMessage', { QueueUrl: queueUrl, ReceiptHandle: handle(first) });
    expect(sqs.messages(ARN)).toHaveLength(1);
    await call('DeleteMessage', { QueueUrl: queueUrl, ReceiptHandle: handle(second) });
    expect(sqs.messages(ARN)).toEqual([]);
    expect(await call('DeleteMessage', { QueueUrl: queueUrl, ReceiptHandle: handle(second) })).toMatchObject({
      status: 200,
    });
  });

  it('tells its attributes, keeps messages over a restart and forgets them after the retention period', async () => {
    sqs.deliver(ARN, 'kept', role('worker'));
    const again = new SqsService(host, keys);
    await create(host, again.types, 'AWS::SQS::Queue', 'DeadLetters', { QueueName: 'dead-letters' });
    expect(again.messages(ARN)).toMatchObject([{ body: 'kept', sender: role('worker').arn }]);

    const attributes = async (): Promise<unknown> =>
      (await call('GetQueueAttributes', { QueueUrl: queueUrl, AttributeNames: ['All'] })).body['Attributes'];
    expect(await attributes()).toMatchObject({
      QueueArn: ARN,
      ApproximateNumberOfMessages: '1',
      KmsMasterKeyId: 'key-1',
    });
    await host.clock.advance(86_400_000);
    expect(await attributes()).toMatchObject({ ApproximateNumberOfMessages: '0', MessageRetentionPeriod: '86400' });
  });
});

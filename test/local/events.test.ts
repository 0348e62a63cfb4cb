import { mkdtempSync, rmSync } from 'node:fs';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EventBridgeClient, PutEventsCommand, type PutEventsRequestEntry } from '@aws-sdk/client-eventbridge';
import { AccessDenied } from '../../local/iam/policy.ts';
import type { InvocationOutcome } from '../../local/ports.ts';
import type { Properties } from '../../local/resource.ts';
import { ServiceError } from '../../local/service.ts';
import { EventsService } from '../../local/services/events/events-service.ts';
import { close, create, serve, serviceCaller, testHost, type TestHost } from '../support/edge-services.ts';
import type { WireJson } from '../support/wire-json.ts';

const NOON = Date.parse('2027-03-01T12:00:00Z');
const FUNCTION = 'arn:aws:lambda:ca-central-1:111122223333:function:consumer';
const QUEUE = 'arn:aws:sqs:ca-central-1:111122223333:letters';
const RULE = 'arn:aws:events:ca-central-1:111122223333:rule/rule';

/** An event service whose targets do what the test says. */
class Setup {
  readonly invoked: { arn: string; payload: WireJson; caller: unknown }[] = [];
  readonly delivered: { queueArn: string; body: WireJson; caller: unknown }[] = [];
  readonly keyUses: WireJson[] = [];
  outcome: () => InvocationOutcome = () => ({ ok: true, payload: null });
  queueFails = false;
  keyFails = false;
  readonly events: EventsService;
  readonly host: TestHost;

  constructor(dataDirectory?: string) {
    this.host = testHost({ now: NOON, ...(dataDirectory && { dataDirectory }) });
    this.events = new EventsService(this.host, {
      functions: {
        invoke: (arn, payload, caller) => {
          this.invoked.push({ arn, payload, caller });
          return Promise.resolve().then(this.outcome);
        },
      },
      queue: {
        deliver: (queueArn, body, caller) => {
          if (this.queueFails) throw new Error('refused');
          this.delivered.push({ queueArn, body: JSON.parse(body), caller });
        },
      },
      keys: {
        assertUsable: (use) => {
          this.keyUses.push(use);
          if (this.keyFails) throw new Error('no such key');
        },
      },
    });
  }

  rule(properties: Properties, target: Properties = {}): Promise<{ readonly ref: string }> {
    return create(this.host, this.events.types, 'AWS::Events::Rule', 'Rule', {
      Name: 'rule',
      Targets: [{ Id: 'Target0', Arn: FUNCTION, ...target }],
      ...properties,
    });
  }

  async publish(detail: Record<string, unknown> = {}): Promise<void> {
    this.events.publish({ source: 'aws.states', detailType: 'Changed', resources: ['arn'], detail });
    await this.host.activity.settled();
  }
}

describe('PutEvents', () => {
  const setup = new Setup();
  const { host, events } = setup;
  let server: Server;
  let client: EventBridgeClient;
  const good: PutEventsRequestEntry = { Source: 'app', DetailType: 'Opened', Detail: '{"a":1}', EventBusName: 'main' };
  const put = (...Entries: PutEventsRequestEntry[]) => client.send(new PutEventsCommand({ Entries }));

  beforeAll(async () => {
    server = await serve(host, events);
    client = new EventBridgeClient({
      endpoint: host.endpoint(),
      region: host.region,
      credentials: { accessKeyId: 'publisher', secretAccessKey: 'x' },
      maxAttempts: 1,
    });
    const bus = await create(host, events.types, 'AWS::Events::EventBus', 'Bus', {
      Name: 'main',
      KmsKeyIdentifier: 'bus-key',
      DeadLetterConfig: { Arn: QUEUE },
    });
    expect(bus).toEqual({
      ref: 'main',
      attributes: { Arn: 'arn:aws:events:ca-central-1:111122223333:event-bus/main', Name: 'main' },
    });
    const rule = await setup.rule({ EventBusName: 'main', EventPattern: { source: ['app'] } });
    expect(rule.ref).toBe('main|rule');
  });
  afterAll(async () => {
    client.destroy();
    await close(server);
  });
  beforeEach(() => {
    host.deny = () => false;
    host.asked.length = 0;
    setup.invoked.length = 0;
    setup.keyFails = false;
  });

  it('refuses what it does not implement', async () => {
    await expect(client.send(new PutEventsCommand({ Entries: [good], EndpointId: undefined }))).resolves.toBeDefined();
    await expect(put({ ...good, TraceHeader: 'Root=1' })).rejects.toMatchObject({ name: 'NotImplemented' });
    const answer = await fetch(host.endpoint(), { method: 'POST', headers: { 'x-amz-target': 'AWSEvents.PutRule' } });
    expect([answer.status, await answer.json()]).toMatchObject([
      501,
      { message: expect.stringContaining('events:PutRule') },
    ]);
  });

  it('needs events:PutEvents on the bus, for source and detail type', async () => {
    host.deny = () => true;
    await expect(put(good)).rejects.toMatchObject({ name: 'AccessDeniedException' });
    expect(host.asked).toMatchObject([
      {
        caller: { roleName: 'publisher' },
        action: 'events:PutEvents',
        resource: 'arn:aws:events:ca-central-1:111122223333:event-bus/main',
        context: { 'events:source': 'app', 'events:detail-type': 'Opened' },
      },
    ]);
    expect(setup.invoked).toEqual([]);
  });

  it('refuses more than ten entries, none, and more than 256 KB', async () => {
    const many = Array.from({ length: 11 }, () => good);
    for (const entries of [many, [], [{ ...good, Detail: JSON.stringify({ a: 'x'.repeat(262_144) }) }]])
      await expect(put(...entries)).rejects.toMatchObject({ name: 'ValidationException' });
  });

  it('tells of each entry whether it was accepted', async () => {
    const answer = await put(
      { ...good, Source: undefined },
      { ...good, DetailType: '' },
      { ...good, Detail: undefined },
      { ...good, Detail: '{' },
      { ...good, Detail: '[]' },
      { ...good, Source: 'aws.states' },
      { ...good, EventBusName: 'other' },
      good,
    );
    expect(answer.FailedEntryCount).toBe(7);
    expect(answer.Entries?.map(({ ErrorCode }) => ErrorCode)).toEqual([
      'InvalidArgument',
      'InvalidArgument',
      'InvalidArgument',
      'MalformedDetail',
      'MalformedDetail',
      'NotAuthorizedForSourceException',
      'ResourceNotFoundException',
      undefined,
    ]);
    await host.activity.settled();
    expect(setup.invoked).toHaveLength(1);
  });

  it('delivers to matching rules of that bus, as the rule', async () => {
    await put(good, { ...good, Source: 'other' }, { ...good, EventBusName: 'default' });
    await host.activity.settled();
    expect(setup.invoked).toEqual([
      {
        arn: FUNCTION,
        caller: serviceCaller('events.amazonaws.com', 'arn:aws:events:ca-central-1:111122223333:rule/main/rule'),
        payload: {
          version: '0',
          id: expect.stringMatching(/^[0-9a-f-]{36}$/),
          'detail-type': 'Opened',
          source: 'app',
          account: '111122223333',
          time: expect.stringMatching(/^2027-03-01T12:0\d:\d\dZ$/),
          region: 'ca-central-1',
          resources: [],
          detail: { a: 1 },
        },
      },
    ]);
    expect(
      events
        .recorded()
        .slice(-3)
        .map(({ source }) => source),
    ).toEqual(['app', 'other', 'app']);
  });

  it('sends what the key of the bus refuses to the dead-letter queue of the bus', async () => {
    setup.keyFails = true;
    expect((await put(good)).FailedEntryCount).toBe(0);
    await host.activity.settled();
    expect(setup.invoked).toEqual([]);
    expect(setup.delivered).toMatchObject([{ queueArn: QUEUE, body: { source: 'app' } }]);
    const arn = 'arn:aws:events:ca-central-1:111122223333:event-bus/main';
    expect(setup.keyUses.at(-1)).toMatchObject({
      caller: { principal: 'events.amazonaws.com', sourceArn: arn },
      keyId: 'bus-key',
      encryptionContext: { 'aws:events:event-bus:arn': arn },
    });
    expect(events.problems().at(-1)).toContain('could not be encrypted');
  });
});

describe('a rule that cannot be', () => {
  it.each<[string, Properties, Properties, string]>([
    ['neither pattern nor schedule', {}, {}, 'must be specified'],
    ['a cron schedule', { ScheduleExpression: 'cron(0 12 * * ? *)' }, {}, 'cron'],
    ['a wrong plural', { ScheduleExpression: 'rate(1 minutes)' }, {}, 'not valid'],
    ['a rate of zero', { ScheduleExpression: 'rate(0 minutes)' }, {}, 'not valid'],
    [
      'a schedule on another bus',
      { ScheduleExpression: 'rate(1 hour)', EventBusName: 'main' },
      {},
      'default event bus',
    ],
    ['an unknown bus', { EventPattern: { source: ['a'] }, EventBusName: 'other' }, {}, 'the bus other'],
    ['an input transformer', { EventPattern: { source: ['a'] } }, { InputTransformer: {} }, 'InputTransformer'],
    ['a path', { EventPattern: { source: ['a'] } }, { InputPath: '$' }, 'InputPath'],
    ['a role', { EventPattern: { source: ['a'] } }, { RoleArn: 'r' }, 'RoleArn'],
    [
      'a state machine as target',
      { EventPattern: { source: ['a'] } },
      { Arn: 'arn:aws:states:x:1:stateMachine:y' },
      'only Lambda',
    ],
    ['an operator that is not implemented', { EventPattern: { source: [{ wildcard: '*' }] } }, {}, 'wildcard'],
  ])('refuses %s', async (_, properties, target, message) => {
    await expect(new Setup().rule(properties, target)).rejects.toThrow(message);
  });
});

describe('a delivery', () => {
  const EventPattern = { source: ['aws.states'] };
  const failing = (): InvocationOutcome => ({ ok: false, errorType: 'Conflict', errorMessage: 'late' });
  const throwing = (error: Error) => (): InvocationOutcome => {
    throw error;
  };

  it('does nothing for a disabled rule or another pattern', async () => {
    const setup = new Setup();
    await setup.rule({ EventPattern, State: 'DISABLED' });
    await setup.rule({ Name: 'other', EventPattern: { source: ['aws.s3'] } });
    await setup.publish();
    expect(setup.invoked).toEqual([]);
    expect(setup.events.recorded()).toMatchObject([
      { source: 'aws.states', 'detail-type': 'Changed', resources: ['arn'] },
    ]);
  });

  it('after an error of the function runs it twice more, and then drops the event as Lambda does', async () => {
    const setup = new Setup();
    setup.outcome = failing;
    await setup.rule({ EventPattern }, { DeadLetterConfig: { Arn: QUEUE } });
    await setup.publish();
    expect(setup.invoked).toHaveLength(1);
    await setup.host.clock.advance(60_000);
    expect(setup.invoked).toHaveLength(2);
    await setup.host.clock.advance(90_000);
    expect(setup.invoked).toHaveLength(2);
    await setup.host.clock.advance(30_000);
    expect(setup.invoked).toHaveLength(3);
    await setup.host.clock.advance(86_400_000);
    expect(setup.invoked).toHaveLength(3);
    expect(setup.delivered).toEqual([]);
    expect(setup.events.problems().at(-1)).toContain('was dropped: Conflict: late');
  });

  it('stops once the function succeeds', async () => {
    const setup = new Setup();
    setup.outcome = failing;
    await setup.rule({ EventPattern });
    await setup.publish();
    setup.outcome = () => ({ ok: true, payload: 1 });
    await setup.host.clock.advance(86_400_000);
    expect(setup.invoked).toHaveLength(2);
  });

  it('goes to the dead-letter queue at once when the rule may not invoke the function', async () => {
    const setup = new Setup();
    const request = {
      caller: serviceCaller('events.amazonaws.com', RULE),
      action: 'lambda:InvokeFunction',
      resource: FUNCTION,
    };
    setup.outcome = throwing(new AccessDenied(request, 'no permission'));
    await setup.rule({ EventPattern }, { DeadLetterConfig: { Arn: QUEUE } });
    await setup.publish({ a: 1 });
    expect(setup.invoked).toHaveLength(1);
    expect(setup.delivered).toMatchObject([
      { queueArn: QUEUE, body: { detail: { a: 1 } }, caller: { sourceArn: RULE } },
    ]);
  });

  it('is retried as the retry policy says while Lambda cannot be reached', async () => {
    const setup = new Setup();
    setup.outcome = throwing(new ServiceError('ServiceException', 'down', 500));
    await setup.rule(
      { EventPattern },
      { DeadLetterConfig: { Arn: QUEUE }, RetryPolicy: { MaximumRetryAttempts: 2, MaximumEventAgeInSeconds: 3600 } },
    );
    await setup.publish();
    await setup.host.clock.advance(3600_000);
    expect(setup.invoked).toHaveLength(3);
    expect(setup.delivered).toHaveLength(1);
  });

  it('ends with the age of the event, too', async () => {
    const setup = new Setup();
    setup.outcome = throwing(new ServiceError('ServiceException', 'down', 500));
    await setup.rule(
      { EventPattern },
      { DeadLetterConfig: { Arn: QUEUE }, RetryPolicy: { MaximumEventAgeInSeconds: 60 } },
    );
    await setup.publish();
    await setup.host.clock.advance(86_400_000);
    // At 0, 1, 3, 7, 15 and 31 seconds; the next would come after a minute.
    expect(setup.invoked).toHaveLength(6);
    expect(setup.delivered).toHaveLength(1);
  });

  it('waits up to six hours for a function whose concurrency is used up', async () => {
    const setup = new Setup();
    setup.outcome = throwing(
      new ServiceError('TooManyRequestsException', 'Rate Exceeded.', 429, {
        Reason: 'ReservedFunctionConcurrentInvocationLimitExceeded',
      }),
    );
    await setup.rule({ EventPattern }, { DeadLetterConfig: { Arn: QUEUE }, RetryPolicy: { MaximumRetryAttempts: 0 } });
    await setup.publish();
    await setup.host.clock.advance(3 * 3600_000);
    const after = setup.invoked.length;
    expect(after).toBeGreaterThan(30);
    setup.outcome = () => ({ ok: true, payload: null });
    await setup.host.clock.advance(3 * 3600_000);
    expect(setup.invoked).toHaveLength(after + 1);
    expect(setup.delivered).toEqual([]);
  });

  it('to a queue is sent as the rule, and lost without a dead-letter queue when that refuses', async () => {
    const setup = new Setup();
    await setup.rule({ EventPattern }, { Arn: QUEUE });
    await setup.publish();
    expect(setup.delivered).toMatchObject([
      { queueArn: QUEUE, caller: { principal: 'events.amazonaws.com', sourceArn: RULE } },
    ]);
    setup.queueFails = true;
    await setup.publish();
    expect(setup.events.problems().at(-1)).toContain('was dropped');
  });

  it('may send a constant', async () => {
    const setup = new Setup();
    await setup.rule({ EventPattern }, { Input: '{"sweep":true}' });
    await setup.publish();
    expect(setup.invoked).toMatchObject([{ payload: { sweep: true } }]);
  });

  it('survives a restart', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'events-'));
    const first = new Setup(directory);
    first.outcome = failing;
    await first.rule({ EventPattern });
    await first.publish({ n: 7 });

    const second = new Setup(directory);
    await second.rule({ EventPattern });
    await second.host.activity.settled();
    expect(second.invoked).toEqual([]);
    second.events.start();
    await second.host.activity.settled();
    expect(second.invoked).toMatchObject([{ payload: { detail: { n: 7 } } }]);
    const third = new Setup(directory);
    await third.rule({ EventPattern });
    third.events.start();
    await third.host.activity.settled();
    expect(third.invoked).toEqual([]);
    rmSync(directory, { recursive: true });
  });
});

describe('a schedule', () => {
  it('sends the documented event at its rate, and once for a long advance', async () => {
    const setup = new Setup();
    await setup.rule({ ScheduleExpression: 'rate(5 minutes)' });
    await setup.host.clock.advance(240_000);
    expect(setup.invoked).toEqual([]);
    await setup.host.clock.advance(60_000);
    expect(setup.invoked).toMatchObject([
      {
        payload: {
          version: '0',
          source: 'aws.events',
          'detail-type': 'Scheduled Event',
          account: '111122223333',
          region: 'ca-central-1',
          time: expect.stringMatching(/^2027-03-01T12:05:\d\dZ$/),
          resources: [RULE],
          detail: {},
        },
        caller: { sourceArn: RULE },
      },
    ]);
    await setup.host.clock.advance(86_400_000);
    expect(setup.invoked).toHaveLength(2);
    setup.host.clock.stop();
  });

  it('does nothing while disabled', async () => {
    const setup = new Setup();
    await setup.rule({ ScheduleExpression: 'rate(1 day)', State: 'DISABLED' });
    await setup.host.clock.advance(2 * 86_400_000);
    expect(setup.invoked).toEqual([]);
  });
});

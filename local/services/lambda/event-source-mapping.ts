import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { RoleCaller } from '../../iam/policy.ts';
import type { InvocationOutcome, QueueSink, RoleCallerFor, TableStream } from '../../ports.ts';
import type { ResourceType } from '../../resource.ts';
import { type Host, ServiceError } from '../../service.ts';
import { DurableJson } from '../durable-json.ts';
import { compilePattern } from '../events/event-pattern.ts';
import { booleanProperty, numberProperty, resourceType, tagsProperty } from '../template-properties.ts';
import type { FunctionRegistry, FunctionTarget } from './function-registry.ts';
import { StreamPoller } from './stream-poller.ts';

const integer = (lowest: number, highest: number) => numberProperty.pipe(z.number().int().min(lowest).max(highest));

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-eventsourcemapping.html */
const mappingProperties = z.strictObject({
  EventSourceArn: z.string().regex(/^arn:aws:dynamodb:[^:]+:\d+:table\/[^/]+\/stream\/.+$/, 'only DynamoDB streams'),
  FunctionName: z.string(),
  StartingPosition: z.enum(['TRIM_HORIZON', 'LATEST']),
  BatchSize: integer(1, 10_000).default(100),
  MaximumBatchingWindowInSeconds: integer(0, 300).default(0),
  BisectBatchOnFunctionError: booleanProperty.default(false),
  MaximumRetryAttempts: integer(-1, 10_000).default(-1),
  MaximumRecordAgeInSeconds: integer(-1, 604_800)
    .refine((age) => age === -1 || age >= 60, '-1, or 60 and more')
    .default(-1),
  FunctionResponseTypes: z.array(z.literal('ReportBatchItemFailures')).max(1).default([]),
  FilterCriteria: z.strictObject({ Filters: z.array(z.strictObject({ Pattern: z.string() })).max(5) }).optional(),
  DestinationConfig: z
    .strictObject({
      OnFailure: z.strictObject({ Destination: z.string().regex(/^arn:aws:sqs:/, 'only SQS queues') }).optional(),
    })
    .optional(),
  ParallelizationFactor: numberProperty.pipe(z.literal(1)).optional(),
  Enabled: booleanProperty.default(true),
  Tags: tagsProperty,
});

type MappingProperties = z.output<typeof mappingProperties>;

export interface MappingDependencies {
  readonly registry: FunctionRegistry;
  readonly roleCaller: RoleCallerFor;
  readonly stream: (arn: string) => TableStream | undefined;
  readonly queue: QueueSink;
  readonly run: (target: FunctionTarget, payload: unknown) => Promise<InvocationOutcome>;
  /** Takes a poller that is to be started. */
  readonly add: (poller: StreamPoller) => void;
  readonly report: (functionName: string, message: string) => void;
}

/** Position per mapping: the last sequence number that is done with; null: from the oldest record. */
type Positions = Record<string, string | null>;

export function eventSourceMappingType(host: Host, deps: MappingDependencies): ResourceType {
  const positions = new DurableJson<Positions>(host.dataDirectory, 'lambda-event-sources.json', {});
  return resourceType('AWS::Lambda::EventSourceMapping', mappingProperties, async (properties, context) => {
    const target = deps.registry.find(properties.FunctionName);
    const stream = deps.stream(properties.EventSourceArn);
    if (stream === undefined)
      throw new ServiceError('InvalidParameterValueException', `Stream not found: ${properties.EventSourceArn}`);
    const { name, roleArn } = target.function.configuration;
    const caller = (): RoleCaller => deps.roleCaller(roleArn, 'lambda.amazonaws.com', name);
    assertReadable(host, stream, caller());

    const key = `${context.stackName}/${context.logicalId}/${stream.arn}`;
    if (!(key in positions.value)) {
      positions.value[key] = properties.StartingPosition === 'LATEST' ? await latest(stream) : null;
      positions.save();
    }
    const poller = new StreamPoller(host, mappingOf(properties, target), {
      stream,
      position: {
        read: () => positions.value[key] ?? undefined,
        write: (sequenceNumber) => {
          positions.value[key] = sequenceNumber;
          positions.save();
        },
      },
      caller,
      run: (payload) => deps.run(target, payload),
      deliver: (queueArn, body, role) => deps.queue.deliver(queueArn, body, role),
      report: (message) => deps.report(name, message),
    });
    if (properties.Enabled) deps.add(poller);
    return created(host, key);
  });
}

function created(host: Host, key: string): { ref: string; attributes: Record<string, string> } {
  const digest = createHash('sha256').update(key).digest('hex');
  const id = [
    digest.slice(0, 8),
    digest.slice(8, 12),
    digest.slice(12, 16),
    digest.slice(16, 20),
    digest.slice(20, 32),
  ].join('-');
  const arn = `arn:aws:lambda:${host.region}:${host.account}:event-source-mapping:${id}`;
  return { ref: id, attributes: { Id: id, EventSourceMappingArn: arn } };
}

const mappingOf = (properties: MappingProperties, target: FunctionTarget) => ({
  functionName: target.function.configuration.name,
  functionArn: target.arn,
  executedVersion: target.version,
  batchSize: properties.BatchSize,
  windowSeconds: properties.MaximumBatchingWindowInSeconds,
  bisect: properties.BisectBatchOnFunctionError,
  maximumRetries: properties.MaximumRetryAttempts,
  maximumAgeSeconds: properties.MaximumRecordAgeInSeconds,
  reportsFailures: properties.FunctionResponseTypes.length > 0,
  filters: (properties.FilterCriteria?.Filters ?? []).map(({ Pattern }) => compilePattern(JSON.parse(Pattern))),
  onFailure: properties.DestinationConfig?.OnFailure?.Destination,
});

/** The permissions that creating a mapping checks. https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html */
function assertReadable(host: Host, stream: TableStream, caller: RoleCaller): void {
  const onStream = ['dynamodb:DescribeStream', 'dynamodb:GetRecords', 'dynamodb:GetShardIterator'];
  try {
    for (const action of onStream) host.authorize({ caller, action, resource: stream.arn });
    host.authorize({ caller, action: 'dynamodb:ListStreams', resource: '*' });
  } catch (error) {
    throw new ServiceError(
      'InvalidParameterValueException',
      `Cannot access stream ${stream.arn}. Please ensure the role can perform the GetRecords, GetShardIterator, DescribeStream, and ListStreams Actions on your stream in IAM. ${String(error)}`,
    );
  }
}

/** The sequence number of the newest record; null for an empty stream, whose first record then counts as new. */
async function latest(stream: TableStream): Promise<string | null> {
  let last: string | undefined;
  for (;;) {
    const sequence: string | undefined = (await stream.read(last, 1000)).at(-1)?.dynamodb.SequenceNumber;
    if (sequence === undefined) return last ?? null;
    last = sequence;
  }
}

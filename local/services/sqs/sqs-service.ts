import * as z from 'zod';
import type { Caller, PolicyDocument } from '../../iam/policy.ts';
import type { KeyUse, QueueSink } from '../../ports.ts';
import type { Created, ResourceContext, ResourceType } from '../../resource.ts';
import {
  type Host,
  type Service,
  type ServiceRequest,
  type ServiceResponse,
  jsonError,
  jsonResponse,
  jsonTarget,
  notImplemented,
  readBody,
  ServiceError,
} from '../../service.ts';
import { DurableJson } from '../durable-json.ts';
import { booleanProperty, numberProperty, resourceType, tagsProperty } from '../template-properties.ts';
import { deleteMessageRequest, getQueueAttributesRequest, receiveMessageRequest } from './queue-requests.ts';
import { LARGEST_MESSAGE, md5, Queue, type StoredMessage, type StoredQueue } from './queue.ts';

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sqs-queue.html */
const queueProperties = z.strictObject({
  QueueName: z.string().optional(),
  KmsMasterKeyId: z.string().optional(),
  KmsDataKeyReusePeriodSeconds: numberProperty.optional(),
  MessageRetentionPeriod: numberProperty.optional(),
  VisibilityTimeout: numberProperty.optional(),
  SqsManagedSseEnabled: booleanProperty.optional(),
  Tags: tagsProperty,
});

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sqs-queuepolicy.html */
const queuePolicyProperties = z.strictObject({
  Queues: z.array(z.string()),
  // Policies are read by the evaluator, which refuses what it does not understand.
  PolicyDocument: z.custom<PolicyDocument>((value) => typeof value === 'object' && value !== null),
});

/** Codes that the older query protocol used and SDKs still show. */
const QUERY_CODES: Readonly<Record<string, string>> = {
  QueueDoesNotExist: 'AWS.SimpleQueueService.NonExistentQueue;Sender',
};

/** Queues as failure destinations and dead-letter queues: written by services, read by an operator. */
export class SqsService implements Service, QueueSink {
  readonly signingName = 'sqs';
  readonly types: ResourceType[];
  readonly #host: Host;
  readonly #keys: KeyUse;
  readonly #queues = new Map<string, Queue>();
  readonly #state: DurableJson<Record<string, StoredQueue>>;

  constructor(host: Host, keys: KeyUse) {
    this.#host = host;
    this.#keys = keys;
    this.#state = new DurableJson(host.dataDirectory, 'sqs.json', {});
    this.types = [
      resourceType('AWS::SQS::Queue', queueProperties, (properties, context) => this.#create(properties, context)),
      resourceType('AWS::SQS::QueuePolicy', queuePolicyProperties, (properties, context) => {
        for (const url of properties.Queues) this.#byUrl(url).policy = properties.PolicyDocument;
        return { ref: context.physicalName(), attributes: { Id: context.physicalName() } };
      }),
    ];
  }

  /** Sends `body`; throws AccessDenied, a KMS error, or `QueueDoesNotExist`. */
  deliver(queueArn: string, body: string, caller: Caller): void {
    const queue = this.#byArn(queueArn);
    this.#authorize(queue, 'sqs:SendMessage', caller);
    this.#useKey(queue, caller, ['kms:GenerateDataKey', 'kms:Decrypt']);
    this.#host.meter.count('sqs', 'SendMessage');
    queue.send(body, caller.kind === 'role' ? caller.arn : caller.principal, this.#host.clock.now());
  }

  /** What a queue holds, hidden messages too. */
  messages(queueArn: string): readonly Readonly<StoredMessage>[] {
    return this.#byArn(queueArn).messages(this.#host.clock.now());
  }

  operationOf(request: Pick<ServiceRequest, 'headers'>): string | undefined {
    return jsonTarget(request);
  }

  async handle(request: ServiceRequest): Promise<ServiceResponse> {
    const body: unknown = JSON.parse((await readBody(request.body)).toString('utf8') || '{}');
    switch (jsonTarget(request)) {
      case 'ReceiveMessage':
        return jsonResponse(this.#receive(read(receiveMessageRequest, body), request.caller), '1.0');
      case 'DeleteMessage': {
        const { QueueUrl, ReceiptHandle } = read(deleteMessageRequest, body);
        const queue = this.#byUrl(QueueUrl);
        this.#authorize(queue, 'sqs:DeleteMessage', request.caller);
        queue.delete(ReceiptHandle);
        return jsonResponse({}, '1.0');
      }
      case 'GetQueueAttributes':
        return jsonResponse(this.#attributes(read(getQueueAttributesRequest, body), request.caller), '1.0');
      default:
        throw notImplemented(`sqs:${jsonTarget(request) ?? 'a request without X-Amz-Target'}`);
    }
  }

  renderError(error: ServiceError): ServiceResponse {
    const response = jsonError(error, '1.0');
    const query = QUERY_CODES[error.code];
    return query === undefined
      ? response
      : { ...response, headers: { ...response.headers, 'x-amzn-query-error': query } };
  }

  #create(properties: z.output<typeof queueProperties>, context: ResourceContext): Created {
    const name = properties.QueueName ?? context.physicalName(80);
    const arn = `arn:aws:sqs:${this.#host.region}:${this.#host.account}:${name}`;
    const stored = (this.#state.value[name] ??= { createdAt: this.#host.clock.now(), messages: [] });
    const settings = {
      name,
      arn,
      kmsKeyId: properties.KmsMasterKeyId,
      kmsDataKeyReusePeriodSeconds: properties.KmsDataKeyReusePeriodSeconds,
      managedSse: properties.SqsManagedSseEnabled ?? properties.KmsMasterKeyId === undefined,
      retentionSeconds: properties.MessageRetentionPeriod ?? 345_600,
      visibilityTimeoutSeconds: properties.VisibilityTimeout ?? 30,
    };
    this.#state.save();
    this.#queues.set(name, new Queue(settings, stored, () => this.#state.save()));
    const url = `${this.#host.endpoint()}/${this.#host.account}/${name}`;
    return { ref: url, attributes: { Arn: arn, QueueName: name, QueueUrl: url } };
  }

  /** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html */
  #receive(request: z.output<typeof receiveMessageRequest>, caller: Caller): unknown {
    const queue = this.#byUrl(request.QueueUrl);
    this.#authorize(queue, 'sqs:ReceiveMessage', caller);
    this.#useKey(queue, caller, ['kms:Decrypt']);
    const wanted = [...(request.AttributeNames ?? []), ...(request.MessageSystemAttributeNames ?? [])];
    const visibility = request.VisibilityTimeout ?? queue.settings.visibilityTimeoutSeconds;
    const received = queue.receive(request.MaxNumberOfMessages, visibility, this.#host.clock.now());
    if (received.length === 0) return {};
    return {
      Messages: received.map(({ message, receiptHandle }) => ({
        MessageId: message.id,
        ReceiptHandle: receiptHandle,
        MD5OfBody: md5(message.body),
        Body: message.body,
        ...(wanted.length > 0 && { Attributes: chosen(systemAttributes(message), wanted, 'message') }),
      })),
    };
  }

  /** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html */
  #attributes(request: z.output<typeof getQueueAttributesRequest>, caller: Caller): unknown {
    const queue = this.#byUrl(request.QueueUrl);
    this.#authorize(queue, 'sqs:GetQueueAttributes', caller);
    const now = this.#host.clock.now();
    const messages = queue.messages(now);
    const hidden = messages.filter((message) => message.visibleAt > now).length;
    const { settings, policy } = queue;
    const created = String(Math.floor(queue.createdAt / 1000));
    const all: Record<string, string | undefined> = {
      QueueArn: settings.arn,
      ApproximateNumberOfMessages: String(messages.length - hidden),
      ApproximateNumberOfMessagesNotVisible: String(hidden),
      ApproximateNumberOfMessagesDelayed: '0',
      CreatedTimestamp: created,
      LastModifiedTimestamp: created,
      VisibilityTimeout: String(settings.visibilityTimeoutSeconds),
      MessageRetentionPeriod: String(settings.retentionSeconds),
      MaximumMessageSize: String(LARGEST_MESSAGE),
      DelaySeconds: '0',
      ReceiveMessageWaitTimeSeconds: '0',
      SqsManagedSseEnabled: String(settings.managedSse),
      KmsMasterKeyId: settings.kmsKeyId,
      KmsDataKeyReusePeriodSeconds: settings.kmsKeyId && String(settings.kmsDataKeyReusePeriodSeconds ?? 300),
      Policy: policy && JSON.stringify(policy),
    };
    return { Attributes: chosen(all, request.AttributeNames ?? [], 'queue') };
  }

  #authorize(queue: Queue, action: string, caller: Caller): void {
    this.#host.authorize({
      caller,
      action,
      resource: queue.settings.arn,
      ...(queue.policy && { resourcePolicy: queue.policy }),
      ...(caller.kind === 'service' && {
        mode: 'required' as const,
        context: { 'aws:SourceArn': caller.sourceArn, 'aws:SourceAccount': caller.account },
      }),
    });
  }

  /** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html */
  #useKey(queue: Queue, caller: Caller, actions: readonly ('kms:Decrypt' | 'kms:GenerateDataKey')[]): void {
    const keyId = queue.settings.kmsKeyId;
    if (keyId === undefined) return;
    const encryptionContext = { 'aws:sqs:arn': queue.settings.arn };
    this.#keys.assertUsable({ caller, keyId, actions, viaService: 'sqs', encryptionContext });
  }

  #byArn(arn: string): Queue {
    const queue = [...this.#queues.values()].find((candidate) => candidate.settings.arn === arn);
    return queue ?? noSuchQueue();
  }

  #byUrl(url: string): Queue {
    const [account, name, ...rest] = new URL(url, this.#host.endpoint()).pathname.split('/').slice(1);
    if (account !== this.#host.account || name === undefined || rest.length > 0) return noSuchQueue();
    return this.#queues.get(name) ?? noSuchQueue();
  }
}

function noSuchQueue(): never {
  throw new ServiceError('QueueDoesNotExist', 'The specified queue does not exist.');
}

function read<T extends z.ZodType>(schema: T, body: unknown): z.output<T> {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw notImplemented(`this SQS request (${issue?.path.join('.') || 'body'}: ${issue?.message})`);
}

const systemAttributes = (message: StoredMessage): Record<string, string | undefined> => ({
  SenderId: message.sender,
  SentTimestamp: String(message.sentAt),
  ApproximateReceiveCount: String(message.received),
  ApproximateFirstReceiveTimestamp: String(message.firstReceivedAt),
});

function chosen(
  all: Readonly<Record<string, string | undefined>>,
  wanted: readonly string[],
  of: string,
): Record<string, string | undefined> {
  const unknown = wanted.find((name) => name !== 'All' && !(name in all));
  if (unknown !== undefined) throw notImplemented(`the ${of} attribute ${unknown}`);
  const names = wanted.includes('All') ? Object.keys(all) : wanted;
  return Object.fromEntries(names.map((name) => [name, all[name]]));
}

import * as z from 'zod';
import type { Caller, ServiceCaller } from '../../iam/policy.ts';
import type { EventSink, FunctionInvoker, KeyUse, QueueSink } from '../../ports.ts';
import type { ResourceType } from '../../resource.ts';
import {
  type Host,
  jsonError,
  jsonResponse,
  jsonTarget,
  notImplemented,
  readBody,
  type Service,
  type ServiceError,
  type ServiceRequest,
  type ServiceResponse,
} from '../../service.ts';
import { inertProperty, resourceType, tagsProperty } from '../template-properties.ts';
import { Deliveries } from './delivery.ts';
import { type BusEvent, busEvent, type EventBus } from './event-bus.ts';
import { type EntryRefusal, type PutEventsEntry, readEntry, type ReadEntry, readPutEvents } from './put-events.ts';
import { type Rule, ruleOf, ruleProperties } from './rule.ts';

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-events-eventbus.html */
const busProperties = z.strictObject({
  Name: z.string().regex(/^(?!default$)[\w.-]{1,256}$/),
  KmsKeyIdentifier: z.string().optional(),
  DeadLetterConfig: z.strictObject({ Arn: z.string().optional() }).optional(),
  Description: inertProperty,
  Tags: tagsProperty,
});

const KEPT = 10_000;

/** Event buses with their rules and schedules. */
export class EventsService implements Service {
  readonly signingName = 'events';
  readonly types: ResourceType[];
  readonly #host: Host;
  readonly #keys: KeyUse;
  readonly #queue: QueueSink;
  readonly #deliveries: Deliveries;
  readonly #buses = new Map<string, EventBus>();
  readonly #rules: Rule[] = [];
  #recorded: BusEvent[] = [];
  #problems: string[] = [];
  #started = false;

  constructor(
    host: Host,
    deps: { readonly functions: FunctionInvoker; readonly queue: QueueSink; readonly keys: KeyUse },
  ) {
    this.#host = host;
    this.#keys = deps.keys;
    this.#queue = deps.queue;
    this.#deliveries = new Deliveries(host, deps, (problem) => this.#report(problem));
    this.#addBus({ name: 'default', kmsKeyId: undefined, deadLetterArn: undefined });
    this.types = [
      resourceType('AWS::Events::EventBus', busProperties, ({ Name, KmsKeyIdentifier, DeadLetterConfig }) => {
        const bus = this.#addBus({ name: Name, kmsKeyId: KmsKeyIdentifier, deadLetterArn: DeadLetterConfig?.Arn });
        return { ref: Name, attributes: { Arn: bus.arn, Name } };
      }),
      resourceType('AWS::Events::Rule', ruleProperties, (properties, context) => {
        const rule = ruleOf(properties, properties.Name ?? context.physicalName(64), host);
        this.#addRule(rule);
        const ref = rule.busName === 'default' ? rule.name : `${rule.busName}|${rule.name}`;
        return { ref, attributes: { Arn: rule.arn } };
      }),
    ];
  }

  /** Puts an event of an AWS service on the default bus. */
  readonly publish: EventSink = ({ source, detailType, resources, detail }) => {
    const event = busEvent(
      { source, 'detail-type': detailType, resources, detail },
      this.#host,
      this.#host.clock.now(),
    );
    this.#accept(event, 'default');
  };

  /**
   * Continues the deliveries that an earlier start left undone. To be called once the whole template exists: a rule's permission to
   * invoke its target is created after the rule.
   */
  start(): void {
    this.#started = true;
    for (const rule of this.#rules) this.#deliveries.resume(rule);
  }

  /** The most recent events of all buses, oldest first; scheduled events are not among them. */
  recorded(): readonly BusEvent[] {
    return this.#recorded;
  }

  /** What could not be delivered or encrypted, and why; most recent last. */
  problems(): readonly string[] {
    return this.#problems;
  }

  operationOf(request: Pick<ServiceRequest, 'headers'>): string | undefined {
    return jsonTarget(request);
  }

  async handle(request: ServiceRequest): Promise<ServiceResponse> {
    const operation = jsonTarget(request);
    if (operation !== 'PutEvents') throw notImplemented(`events:${operation ?? 'a request without X-Amz-Target'}`);
    const body: unknown = JSON.parse((await readBody(request.body)).toString('utf8') || '{}');
    return jsonResponse(this.#putEvents(readPutEvents(body), request.caller), '1.1');
  }

  renderError(error: ServiceError): ServiceResponse {
    return jsonError(error, '1.1');
  }

  /** https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html */
  #putEvents(entries: readonly PutEventsEntry[], caller: Caller): unknown {
    for (const entry of entries) this.#authorize(entry, caller);
    const results = entries.map((entry): EntryRefusal | { readonly EventId: string } => {
      const read = readEntry(entry);
      if ('ErrorCode' in read) return read;
      const bus = this.#buses.get(busNameOf(entry));
      if (bus === undefined)
        return {
          ErrorCode: 'ResourceNotFoundException',
          ErrorMessage: `Event bus ${busNameOf(entry)} does not exist.`,
        };
      return { EventId: this.#put(entry, read, bus) };
    });
    return { FailedEntryCount: results.filter((result) => 'ErrorCode' in result).length, Entries: results };
  }

  /** https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-conditions.html */
  #authorize(entry: PutEventsEntry, caller: Caller): void {
    this.#host.authorize({
      caller,
      action: 'events:PutEvents',
      resource: this.#busArn(busNameOf(entry)),
      context: {
        'events:source': entry.Source,
        'events:detail-type': entry.DetailType,
        'events:eventBusInvocation': 'false',
      },
    });
  }

  #put(entry: PutEventsEntry, { source, detailType, detail }: ReadEntry, bus: EventBus): string {
    const content = { source, 'detail-type': detailType, resources: entry.Resources ?? [], detail };
    const time = entry.Time === undefined ? this.#host.clock.now() : entry.Time * 1000;
    const event = busEvent(content, this.#host, time);
    if (this.#encrypts(bus, event)) this.#accept(event, bus.name);
    return event.id;
  }

  /**
   * Whether EventBridge may use the bus's key. If not, the sender is not told: the event goes to the dead-letter queue of the bus.
   * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-encryption-event-bus-cmkey.html
   */
  #encrypts(bus: EventBus, event: BusEvent): boolean {
    if (bus.kmsKeyId === undefined) return true;
    const caller: ServiceCaller = {
      kind: 'service',
      account: this.#host.account,
      principal: 'events.amazonaws.com',
      sourceArn: bus.arn,
    };
    try {
      this.#keys.assertUsable({
        caller,
        keyId: bus.kmsKeyId,
        actions: ['kms:GenerateDataKey', 'kms:Decrypt'],
        viaService: 'events',
        encryptionContext: { 'aws:events:event-bus:arn': bus.arn },
      });
      return true;
    } catch (error) {
      this.#report(`Event ${event.id} could not be encrypted on bus ${bus.name}: ${String(error)}`);
    }
    try {
      if (bus.deadLetterArn !== undefined) this.#queue.deliver(bus.deadLetterArn, JSON.stringify(event), caller);
    } catch (error) {
      this.#report(`The dead-letter queue of bus ${bus.name} refused an event: ${String(error)}`);
    }
    return false;
  }

  #accept(event: BusEvent, busName: string): void {
    this.#recorded.push(event);
    if (this.#recorded.length > KEPT) this.#recorded = this.#recorded.slice(-KEPT / 2);
    const concerned = this.#rules.filter((rule) => rule.enabled && rule.busName === busName && rule.matches(event));
    this.#deliveries.begin(concerned, event);
  }

  #addBus(bus: Omit<EventBus, 'arn'>): EventBus {
    const added = { ...bus, arn: this.#busArn(bus.name) };
    this.#buses.set(bus.name, added);
    return added;
  }

  #addRule(rule: Rule): void {
    if (!this.#buses.has(rule.busName))
      throw notImplemented(`a rule on the bus ${rule.busName}, which is not in the template`);
    this.#rules.push(rule);
    if (this.#started) this.#deliveries.resume(rule);
    if (rule.period === undefined || !rule.enabled) return;
    // https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-run-lambda-schedule.html
    const content = { source: 'aws.events', 'detail-type': 'Scheduled Event', resources: [rule.arn], detail: {} };
    this.#host.clock.every(rule.period, () =>
      this.#deliveries.begin([rule], busEvent(content, this.#host, this.#host.clock.now())),
    );
  }

  #busArn(name: string): string {
    return `arn:aws:events:${this.#host.region}:${this.#host.account}:event-bus/${name}`;
  }

  #report(problem: string): void {
    this.#problems = [...this.#problems.slice(1 - KEPT), problem];
  }
}

/** Entries name a bus by name or ARN. */
const busNameOf = (entry: PutEventsEntry): string =>
  entry.EventBusName?.replace(/^arn:aws:events:[^:]+:\d+:event-bus\//, '') ?? 'default';

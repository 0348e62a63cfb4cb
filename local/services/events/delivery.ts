import { randomUUID } from 'node:crypto';
import type { ServiceCaller } from '../../iam/policy.ts';
import type { FunctionInvoker, QueueSink } from '../../ports.ts';
import { type Host, ServiceError } from '../../service.ts';
import { DurableJson } from '../durable-json.ts';
import type { Rule, RuleTarget } from './rule.ts';

/** What is still to be delivered to one target. Times in milliseconds since the epoch, virtual. */
interface PendingDelivery {
  readonly id: string;
  readonly ruleArn: string;
  readonly targetId: string;
  /** JSON text. */
  readonly input: string;
  readonly since: number;
  /** Attempts of EventBridge, of Lambda after a function error, and of Lambda while the function was throttled. */
  readonly attempts: Readonly<Record<FailureKind, number>>;
}

/** `delivery`: the target could not be reached; `function`: it ran and failed; `throttled`: it could not run. */
type FailureKind = 'delivery' | 'function' | 'throttled';

type Result = { readonly kind: 'done' } | { readonly kind: FailureKind | 'refused'; readonly because: string };

const SECOND = 1000;

/**
 * Lambda runs an event that failed two more times, after one and then two minutes.
 * https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
 */
const FUNCTION_RETRIES = [60 * SECOND, 120 * SECOND];
const THROTTLED_FOR = 6 * 3600 * SECOND;
const LONGEST_WAIT = 300 * SECOND;

/**
 * Delivers events to the targets of rules, at least once: what is pending survives a restart. EventBridge invokes functions
 * asynchronously, so an error of the function is retried by Lambda and then dropped; the dead-letter queue of the rule receives only
 * what could not be handed over. https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
 */
export class Deliveries {
  readonly #host: Host;
  readonly #functions: FunctionInvoker;
  readonly #queue: QueueSink;
  readonly #report: (problem: string) => void;
  readonly #pending: DurableJson<PendingDelivery[]>;

  constructor(
    host: Host,
    deps: { readonly functions: FunctionInvoker; readonly queue: QueueSink },
    report: (problem: string) => void,
  ) {
    this.#host = host;
    this.#functions = deps.functions;
    this.#queue = deps.queue;
    this.#report = report;
    this.#pending = new DurableJson(host.dataDirectory, 'events-pending.json', []);
  }

  /** Begins the delivery of an event to every target of each rule. */
  begin(rules: readonly Rule[], event: unknown): void {
    const started = rules.flatMap((rule) =>
      rule.targets.map((target) => ({ rule, target, delivery: this.#pendingFor(rule, target, event) })),
    );
    if (started.length === 0) return;
    this.#pending.value.push(...started.map(({ delivery }) => delivery));
    this.#pending.save();
    for (const { rule, target, delivery } of started) this.#attempt(rule, target, delivery);
  }

  /** Continues what an earlier start left undone for this rule. */
  resume(rule: Rule): void {
    for (const delivery of this.#pending.value.filter(({ ruleArn }) => ruleArn === rule.arn)) {
      const target = rule.targets.find(({ id }) => id === delivery.targetId);
      if (target === undefined) this.#finish(delivery);
      else this.#attempt(rule, target, delivery);
    }
  }

  #pendingFor(rule: Rule, target: RuleTarget, event: unknown): PendingDelivery {
    return {
      id: randomUUID(),
      ruleArn: rule.arn,
      targetId: target.id,
      input: target.input ?? JSON.stringify(event),
      since: this.#host.clock.now(),
      attempts: { delivery: 0, function: 0, throttled: 0 },
    };
  }

  #attempt(rule: Rule, target: RuleTarget, delivery: PendingDelivery): void {
    void this.#host.activity.track(
      this.#call(rule, target, delivery).then((result) => this.#conclude(rule, target, delivery, result)),
    );
  }

  async #call(rule: Rule, target: RuleTarget, delivery: PendingDelivery): Promise<Result> {
    const caller = callerOf(this.#host, rule);
    try {
      if (target.arn.startsWith('arn:aws:sqs:')) {
        this.#queue.deliver(target.arn, delivery.input, caller);
        return { kind: 'done' };
      }
      const outcome = await this.#functions.invoke(target.arn, JSON.parse(delivery.input), caller);
      if (outcome.ok) return { kind: 'done' };
      return { kind: 'function', because: `${outcome.errorType}: ${outcome.errorMessage}` };
    } catch (error) {
      return { kind: kindOf(error), because: String(error) };
    }
  }

  #conclude(rule: Rule, target: RuleTarget, delivery: PendingDelivery, result: Result): void {
    if (result.kind === 'done') return this.#finish(delivery);
    const wait = result.kind === 'refused' ? undefined : this.#waitAfter(result.kind, target, delivery);
    if (wait !== undefined && result.kind !== 'refused') {
      const attempts = { ...delivery.attempts, [result.kind]: delivery.attempts[result.kind] + 1 };
      const again = { ...delivery, attempts };
      this.#pending.value = this.#pending.value.map((each) => (each.id === delivery.id ? again : each));
      this.#pending.save();
      this.#host.clock.at(this.#host.clock.now() + wait, () => this.#attempt(rule, target, again));
      return;
    }
    const ours = result.kind === 'refused' || result.kind === 'delivery';
    const deadLetterArn = ours ? target.deadLetterArn : undefined;
    const fate = deadLetterArn === undefined ? 'was dropped' : 'went to the dead-letter queue';
    this.#report(`An event for target ${target.id} of ${rule.name} ${fate}: ${result.because}`);
    if (deadLetterArn !== undefined) this.#bury(rule, deadLetterArn, delivery);
    this.#finish(delivery);
  }

  /** Milliseconds until the next attempt; undefined when there is none. */
  #waitAfter(kind: FailureKind, target: RuleTarget, { attempts, since }: PendingDelivery): number | undefined {
    const made = attempts[kind];
    const wait = Math.min(SECOND * 2 ** made, LONGEST_WAIT);
    const age = this.#host.clock.now() - since;
    switch (kind) {
      case 'function':
        return FUNCTION_RETRIES[made];
      case 'throttled':
        return age + wait <= THROTTLED_FOR ? wait : undefined;
      case 'delivery':
        return made < target.maximumRetries && age + wait <= target.maximumAgeSeconds * SECOND ? wait : undefined;
    }
  }

  #bury(rule: Rule, deadLetterArn: string, delivery: PendingDelivery): void {
    try {
      this.#queue.deliver(deadLetterArn, delivery.input, callerOf(this.#host, rule));
    } catch (error) {
      this.#report(`The dead-letter queue of ${rule.name} refused an event: ${String(error)}`);
    }
  }

  #finish(delivery: PendingDelivery): void {
    this.#pending.value = this.#pending.value.filter(({ id }) => id !== delivery.id);
    this.#pending.save();
  }
}

const callerOf = (host: Host, rule: Rule): ServiceCaller => ({
  kind: 'service',
  account: host.account,
  principal: 'events.amazonaws.com',
  sourceArn: rule.arn,
});

/** Missing permissions and targets that are gone are not retried. */
function kindOf(error: unknown): FailureKind | 'refused' {
  if (!(error instanceof ServiceError)) return 'refused';
  if (['ResourceNotFoundException', 'QueueDoesNotExist', 'RequestTooLargeException'].includes(error.code))
    return 'refused';
  const reserved = error.members['Reason'] === 'ReservedFunctionConcurrentInvocationLimitExceeded';
  return reserved || error.code.startsWith('KMS') ? 'throttled' : 'delivery';
}

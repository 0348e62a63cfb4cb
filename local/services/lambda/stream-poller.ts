import type { RoleCaller } from '../../iam/policy.ts';
import type { InvocationOutcome, StreamRecord, TableStream } from '../../ports.ts';
import type { Host } from '../../service.ts';
import type { EventMatcher } from '../events/event-pattern.ts';
import { readBatchAnswer } from './batch-answer.ts';
import { discardedBatch, writtenAt } from './discarded-batch.ts';

/** https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-params.html */
export interface StreamMapping {
  readonly functionName: string;
  readonly functionArn: string;
  readonly executedVersion: string;
  readonly batchSize: number;
  readonly windowSeconds: number;
  readonly bisect: boolean;
  /** -1: until the record expires. */
  readonly maximumRetries: number;
  /** -1: until the stream forgets the record. */
  readonly maximumAgeSeconds: number;
  readonly reportsFailures: boolean;
  /** A record is delivered when one of them matches; none: every record. */
  readonly filters: readonly EventMatcher[];
  readonly onFailure: string | undefined;
}

export interface PollerDependencies {
  readonly stream: TableStream;
  /** Where the last record that is done with is remembered; undefined: from the oldest record. */
  readonly position: { read(): string | undefined; write(sequenceNumber: string): void };
  /** The function's execution role, as which the poller reads and reports. */
  readonly caller: () => RoleCaller;
  readonly run: (payload: unknown) => Promise<InvocationOutcome>;
  readonly deliver: (queueArn: string, body: string, caller: RoleCaller) => void;
  readonly report: (message: string) => void;
}

/** Records that are tried together. */
interface Batch {
  readonly records: readonly StreamRecord[];
  /** Invocations that count against the retries. */
  readonly failures: number;
  /** All invocations. */
  readonly invocations: number;
}

/** Another order that a stream allows: what was written to an item is in its order, and the item that was written to last comes first. */
function lastItemFirst(records: readonly StreamRecord[]): readonly StreamRecord[] {
  const items = new Map<string, StreamRecord[]>();
  for (const record of records) {
    const key = JSON.stringify(record.dynamodb.Keys);
    items.set(key, [...(items.get(key) ?? []), record]);
  }
  return [...items.values()].toReversed().flat();
}

/** Milliseconds; doubled from one attempt to the next. AWS documents no figures. */
const FIRST_BACKOFF = 1000;
const LONGEST_BACKOFF = 60_000;

/**
 * Reads a table's stream in order and invokes a function with batches of its records. A batch that fails holds back what
 * follows it until it succeeds or is given up.
 */
export class StreamPoller {
  readonly #host: Host;
  readonly #mapping: StreamMapping;
  readonly #deps: PollerDependencies;
  /** What was read and is not done, in the order in which it is delivered. */
  #work: Batch[] = [];
  /** Sequence numbers of what was read last, in order, and those of them that are not done. */
  #read: readonly string[] = [];
  #undone = new Set<string>();
  #position: string | undefined;
  #awake = false;
  #again = false;
  #stopped = false;
  /** Nothing is tried before (virtual time). */
  #notBefore = 0;
  #troubles = 0;
  /** When the batch that is being gathered must be delivered. */
  #windowEnds: number | undefined;

  constructor(host: Host, mapping: StreamMapping, deps: PollerDependencies) {
    this.#host = host;
    this.#mapping = mapping;
    this.#deps = deps;
    this.#position = deps.position.read();
  }

  start(): void {
    this.#deps.stream.onAppend(() => this.#wake());
    this.#wake();
  }

  stop(): void {
    this.#stopped = true;
  }

  #wake(): void {
    this.#again = true;
    if (this.#awake || this.#stopped) return;
    this.#awake = true;
    void this.#host.activity.track(this.#drain());
  }

  async #drain(): Promise<void> {
    try {
      while (this.#again && !this.#stopped) {
        this.#again = false;
        while (!this.#stopped && (await this.#step()));
      }
    } finally {
      this.#awake = false;
    }
  }

  /** One batch. Returns whether there may be more to do at once. */
  async #step(): Promise<boolean> {
    if (this.#host.clock.now() < this.#notBefore) return false;
    try {
      if (this.#work.length === 0 && !(await this.#fetch())) return false;
      return await this.#attempt();
    } catch (error) {
      // Before the function was reached (no permission, throttled): tried again, and not counted as an attempt.
      this.#deps.report(`PROBLEM: ${String(error)}`);
      return this.#backOff(++this.#troubles);
    }
  }

  async #fetch(): Promise<boolean> {
    const { batchSize, windowSeconds } = this.#mapping;
    const { stream } = this.#deps;
    this.#host.authorize({ caller: this.#deps.caller(), action: 'dynamodb:GetRecords', resource: stream.arn });
    const records = await stream.read(this.#position, batchSize);
    if (records.length === 0) return false;
    if (windowSeconds > 0 && records.length < batchSize) {
      const now = this.#host.clock.now();
      if (this.#windowEnds === undefined) {
        this.#windowEnds = now + windowSeconds * 1000;
        this.#host.clock.at(this.#windowEnds, () => this.#wake());
      }
      if (now < this.#windowEnds) return false;
    }
    this.#windowEnds = undefined;
    this.#read = records.map(({ dynamodb }) => dynamodb.SequenceNumber);
    this.#undone = new Set(this.#read);
    const delivered = this.#host.faults.reorderStreamDelivery ? lastItemFirst(records) : records;
    this.#work = [{ records: delivered, failures: 0, invocations: 0 }];
    return true;
  }

  async #attempt(): Promise<boolean> {
    const batch = this.#withoutExpired(this.#work[0]);
    if (batch === undefined) return true;
    const { filters } = this.#mapping;
    const wanted = batch.records.filter((record) => filters.length === 0 || filters.some((matches) => matches(record)));
    if (wanted.length === 0) return this.#done(batch.records);

    let outcome = await this.#deps.run({ Records: wanted });
    if (outcome.ok && this.#host.faults.duplicateStreamDelivery) outcome = await this.#deps.run({ Records: wanted });
    this.#troubles = 0;
    const result = readBatchAnswer(outcome, wanted, this.#mapping.reportsFailures);
    const firstFailed = wanted[result.done];
    if (firstFailed === undefined) return this.#done(batch.records);
    const doneUntil = batch.records.indexOf(firstFailed);
    this.#advance(batch.records.slice(0, doneUntil));
    const rest = { ...batch, records: batch.records.slice(doneUntil), invocations: batch.invocations + 1 };
    return this.#failed(rest, doneUntil > 0, result.answered);
  }

  /**
   * Splits, retries or gives up. A split does not use up an attempt. With partial answers the batch is split where it failed,
   * and halved once nothing before that is left. https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
   */
  #failed(rest: Batch, madeProgress: boolean, answered: boolean): boolean {
    const { bisect, maximumRetries } = this.#mapping;
    if (bisect && (madeProgress || rest.records.length > 1)) {
      const middle = madeProgress ? rest.records.length : Math.ceil(rest.records.length / 2);
      const halves = [rest.records.slice(0, middle), rest.records.slice(middle)];
      const parts = halves.filter((records) => records.length > 0).map((records) => ({ ...rest, records }));
      this.#work = [...parts, ...this.#work.slice(1)];
      return true;
    }
    const failures = rest.failures + 1;
    if (maximumRetries >= 0 && failures > maximumRetries) {
      this.#discard({ ...rest, failures }, 'RetryAttemptsExhausted', !answered);
      return this.#done(rest.records);
    }
    this.#work = [{ ...rest, failures }, ...this.#work.slice(1)];
    return this.#backOff(failures);
  }

  /** Gives up the records at the head of a batch that are too old, and returns what is left of it. */
  #withoutExpired(batch: Batch | undefined): Batch | undefined {
    const age = this.#mapping.maximumAgeSeconds;
    if (batch === undefined || age < 0) return batch;
    const oldest = this.#host.clock.now() - age * 1000;
    const fresh = batch.records.findIndex((record) => writtenAt(record) >= oldest);
    if (fresh === 0) return batch;
    const expired = fresh === -1 ? batch.records : batch.records.slice(0, fresh);
    this.#discard({ ...batch, records: expired }, 'RecordAgeExceeded', batch.invocations > 0);
    if (fresh === -1) {
      this.#done(expired);
      return undefined;
    }
    this.#advance(expired);
    const left = { ...batch, records: batch.records.slice(fresh) };
    this.#work = [left, ...this.#work.slice(1)];
    return left;
  }

  #discard(batch: Batch, condition: 'RetryAttemptsExhausted' | 'RecordAgeExceeded', functionError: boolean): void {
    const { onFailure, functionArn, executedVersion } = this.#mapping;
    if (onFailure === undefined) return;
    const { records, invocations } = batch;
    const streamArn = this.#deps.stream.arn;
    const now = this.#host.clock.now();
    const body = discardedBatch({
      records,
      condition,
      invocations,
      functionError,
      functionArn,
      executedVersion,
      streamArn,
      now,
    });
    try {
      this.#deps.deliver(onFailure, body, this.#deps.caller());
    } catch (error) {
      // As on AWS, where a metric (DestinationDeliveryFailures) is all that remains.
      this.#deps.report(`The failure destination refused discarded records: ${String(error)}`);
    }
  }

  #done(records: readonly StreamRecord[]): true {
    this.#advance(records);
    this.#work = this.#work.slice(1);
    return true;
  }

  /** Moves the position past everything before which nothing is left to do. */
  #advance(records: readonly StreamRecord[]): void {
    for (const { dynamodb } of records) this.#undone.delete(dynamodb.SequenceNumber);
    const undone = this.#read.findIndex((sequenceNumber) => this.#undone.has(sequenceNumber));
    const last = this.#read[(undone === -1 ? this.#read.length : undone) - 1];
    if (last === undefined) return;
    this.#position = last;
    this.#deps.position.write(last);
  }

  #backOff(attempts: number): false {
    const wait = Math.min(FIRST_BACKOFF * 2 ** (attempts - 1), LONGEST_BACKOFF);
    this.#notBefore = this.#host.clock.now() + wait;
    this.#host.clock.at(this.#notBefore, () => this.#wake());
    return false;
  }
}

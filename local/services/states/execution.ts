import type { RoleCaller } from '../../iam/policy.ts';
import type { Host } from '../../service.ts';
import type { Timer } from '../../clock.ts';
import { History } from './history.ts';
import type { ExecutionRecord, ExecutionStatus } from './journal.ts';
import type { Target } from './machines.ts';
import type { ExecutionData } from './status-event.ts';

/** How an execution ended. */
export interface Ending {
  readonly status: Exclude<ExecutionStatus, 'RUNNING'>;
  /** JSON text; only of one that succeeded. */
  readonly output?: string;
  readonly error?: string | undefined;
  readonly cause?: string | undefined;
}

/**
 * A running or closed execution. It counts as activity of the runtime except while it waits. Once it is closed, what was still under way
 * in it never continues: its promises stay unresolved.
 */
export class Execution {
  readonly record: ExecutionRecord;
  readonly target: Target;
  readonly role: RoleCaller;
  readonly input: string;
  readonly history: History;
  #ending: Ending | undefined;
  #timers = new Set<Timer>();
  #releases: (() => void)[] = [];
  #idle: (() => void) | undefined;
  readonly #host: Host;
  readonly #report: (execution: Execution) => void;

  /** @param report called once, when the execution has ended */
  constructor(
    host: Host,
    start: Pick<Execution, 'record' | 'target' | 'role' | 'input'>,
    report: (execution: Execution) => void,
  ) {
    this.#host = host;
    this.#report = report;
    this.record = start.record;
    this.target = start.target;
    this.role = start.role;
    this.input = start.input;
    this.history = new History(() => this.now());
    this.resume();
  }

  /** Virtual time. */
  now(): number {
    return this.#host.clock.now();
  }

  get closed(): boolean {
    return this.#ending !== undefined;
  }

  get data(): ExecutionData {
    const { output, error, cause } = this.#ending ?? {};
    return { input: this.input, output, error, cause };
  }

  /** Ends the execution. A second ending has no effect. */
  close(ending: Ending): void {
    if (this.#ending !== undefined) return;
    this.#ending = ending;
    this.record.status = ending.status;
    this.record.stopDate = this.now();
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
    for (const release of this.#releases) release();
    this.#releases = [];
    this.#addEndEvent(ending);
    this.#report(this);
    this.pause();
  }

  /** Calls `fire` at `due` unless the execution is closed before, or the timer cancelled. */
  at(due: number, fire: () => void): Timer {
    const timer = this.#host.clock.at(due, () => {
      this.#timers.delete(timer);
      fire();
    });
    this.#timers.add(timer);
    return {
      cancel: () => {
        this.#timers.delete(timer);
        timer.cancel();
      },
    };
  }

  /** Calls `release` when the execution is closed. */
  onClose(release: () => void): void {
    this.#releases.push(release);
  }

  /** The execution waits: the clock may move on. */
  pause(): void {
    this.#idle?.();
    this.#idle = undefined;
  }

  /** The execution is under way (again). */
  resume(): void {
    if (this.#idle !== undefined || this.closed) return;
    void this.#host.activity.track(new Promise<void>((resolve) => (this.#idle = resolve)));
  }

  /** Waits for `work`; never returns when the execution was closed in the meantime. */
  async alive<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } finally {
      if (this.closed) await new Promise<never>(() => undefined);
    }
  }

  /** Waits until virtual time `due`. */
  sleepUntil(due: number): Promise<void> {
    return new Promise((resolve) => {
      this.at(due, () => {
        this.resume();
        resolve();
      });
      this.pause();
    });
  }

  #addEndEvent({ status, output, error, cause }: Ending): void {
    switch (status) {
      case 'SUCCEEDED':
        this.history.addEnd('ExecutionSucceeded', {
          executionSucceededEventDetails: { output, outputDetails: { truncated: false } },
        });
        break;
      case 'FAILED':
        this.history.addEnd('ExecutionFailed', { executionFailedEventDetails: { error, cause } });
        break;
      case 'TIMED_OUT':
        this.history.addEnd('ExecutionTimedOut', { executionTimedOutEventDetails: { error, cause } });
        break;
      case 'ABORTED':
        this.history.addEnd('ExecutionAborted', { executionAbortedEventDetails: { error, cause } });
        break;
    }
  }
}

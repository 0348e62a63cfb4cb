import { ServiceError } from '../../service.ts';
import type { FunctionInstance } from './function-instance.ts';

/** How many workers of one function run at once on a laptop; on AWS it would be a thousand. More invocations wait. */
const WORKERS = 10;

/** Real seconds after which an idle worker gives its memory back. */
const IDLE_SECONDS = 30;

/** The instances of one function: at most one invocation each, started when needed, ended when idle. */
export class InstancePool {
  readonly #reserved: () => number | undefined;
  readonly #start: (version: string) => FunctionInstance;
  readonly #idle = new Map<FunctionInstance, NodeJS.Timeout>();
  readonly #busy = new Set<FunctionInstance>();
  readonly #waiting: (() => void)[] = [];
  /** Busy ones that are ended once they are done: what they run is no longer what their version is. */
  readonly #retired = new WeakSet<FunctionInstance>();
  #inFlight = 0;
  #stopped = false;

  constructor(reserved: () => number | undefined, start: (version: string) => FunctionInstance) {
    this.#reserved = reserved;
    this.#start = start;
  }

  /**
   * Runs `work` on an instance of `version`.
   * Throws `TooManyRequestsException` beyond the reserved concurrency; without one, invocations wait for a worker.
   * https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
   */
  async use<T>(version: string, work: (instance: FunctionInstance) => Promise<T>): Promise<T> {
    if (this.#inFlight >= (this.#reserved() ?? Infinity))
      throw new ServiceError('TooManyRequestsException', 'Rate Exceeded.', 429, {
        Reason: 'ReservedFunctionConcurrentInvocationLimitExceeded',
      });
    this.#inFlight += 1;
    try {
      while (this.#busy.size >= WORKERS) await new Promise<void>((resolve) => this.#waiting.push(resolve));
      const instance = this.#take(version);
      try {
        return await work(instance);
      } finally {
        this.#giveBack(instance);
      }
    } finally {
      this.#inFlight -= 1;
      this.#waiting.shift()?.();
    }
  }

  /** Starts an instance ahead of the first invocation, as provisioned concurrency does; resolves when it has loaded its code. */
  async warm(version: string): Promise<void> {
    if (this.instances().length > 0) return;
    const instance = this.#start(version);
    this.#rest(instance);
    await instance.loaded();
  }

  /** No invocation that begins from now on runs on an instance of before; what is under way goes on to its end. */
  retire(version: string): void {
    for (const [instance, timer] of this.#idle) {
      if (instance.settings.version !== version) continue;
      clearTimeout(timer);
      this.#idle.delete(instance);
      instance.end();
    }
    for (const instance of this.#busy) if (instance.settings.version === version) this.#retired.add(instance);
  }

  /** Every living instance, idle or busy. */
  instances(): FunctionInstance[] {
    return [...this.#busy, ...this.#idle.keys()];
  }

  /** Ends every instance, and starts no other: what still runs elsewhere would leave a thread behind that nobody ends. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const timer of this.#idle.values()) clearTimeout(timer);
    const all = this.instances();
    this.#idle.clear();
    for (const instance of all) instance.end();
    await Promise.all(all.map((instance) => instance.gone()));
  }

  #take(version: string): FunctionInstance {
    for (const [instance, timer] of this.#idle) {
      if (!instance.ended && instance.settings.version !== version) continue;
      clearTimeout(timer);
      this.#idle.delete(instance);
      if (instance.ended) continue;
      this.#busy.add(instance);
      return instance;
    }
    if (this.#stopped) throw new ServiceError('ServiceException', 'The local runtime is stopping.', 500);
    const instance = this.#start(version);
    this.#busy.add(instance);
    return instance;
  }

  #giveBack(instance: FunctionInstance): void {
    this.#busy.delete(instance);
    if (this.#retired.has(instance)) instance.end();
    if (!instance.ended) this.#rest(instance);
  }

  /** Keeps an instance for the next invocation, for a while. */
  #rest(instance: FunctionInstance): void {
    const evict = (): void => {
      this.#idle.delete(instance);
      instance.end();
    };
    this.#idle.set(instance, setTimeout(evict, IDLE_SECONDS * 1000).unref());
  }
}

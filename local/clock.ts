/**
 * The virtual clock: one instant that everything in the runtime follows (waits, timeouts, schedules, presigned URLs,
 * policy conditions on `aws:CurrentTime`, the functions' own `Date`). It runs with real time and can be advanced.
 */
export interface Timer {
  cancel(): void;
}

interface Pending {
  readonly due: number;
  readonly order: number;
  readonly fire: () => unknown;
  readonly recurring: boolean;
}

/** `setTimeout` fires at once for anything longer than 2^31-1 ms. */
const LONGEST_SLEEP = 2 ** 31 - 1;

export class Clock {
  /** Shared with function workers: element 0 is the offset in ms that is added to real time. */
  readonly shared = new Float64Array(new SharedArrayBuffer(8));
  #pending: Pending[] = [];
  #order = 0;
  #wake: NodeJS.Timeout | undefined;
  #settled: () => Promise<void>;

  /** @param settled resolves when nothing in the runtime is under way; awaited between two timers of an advance. */
  constructor(settled: () => Promise<void>, offset = 0) {
    this.#settled = settled;
    this.shared[0] = offset;
  }

  /** Now, in milliseconds since the epoch, UTC. */
  now(): number {
    return Date.now() + this.offset;
  }

  /** How far virtual time is ahead of real time, in milliseconds. */
  get offset(): number {
    return this.shared[0] ?? 0;
  }

  /** Calls `fire` once, at `due` (ms since the epoch) or at once when that has passed. */
  at(due: number, fire: () => unknown): Timer {
    return this.#add({ due, order: this.#order++, fire, recurring: false });
  }

  /**
   * Calls `fire` each `period` ms. When time is advanced by many periods the missed calls fall together into one:
   * a schedule is a reason to look, and looking once sees the same as looking often.
   */
  every(period: number, fire: () => unknown): Timer {
    let current: Timer;
    let stopped = false;
    const arm = (): void => {
      if (stopped) return;
      current = this.#add({
        due: this.now() + period,
        order: this.#order++,
        recurring: true,
        fire: () => {
          arm();
          return fire();
        },
      });
    };
    arm();
    return {
      cancel: () => {
        stopped = true;
        current.cancel();
      },
    };
  }

  /** Moves time forward to `to`, stopping at each timer on the way and letting its work settle before going on. */
  async advanceTo(to: number): Promise<void> {
    await this.#settled();
    for (;;) {
      const next = this.#pending.find((timer) => timer.due <= to && !timer.recurring);
      const stop = Math.max(this.now(), next?.due ?? to);
      this.shared[0] = this.offset + (stop - this.now());
      this.#fireDue();
      await this.#settled();
      // Work that settled may have armed an earlier timer, so look again before concluding.
      if (next === undefined && !this.#pending.some((timer) => timer.due <= to)) return;
    }
  }

  /** Moves time forward by `ms` milliseconds. */
  advance(ms: number): Promise<void> {
    return this.advanceTo(this.now() + ms);
  }

  stop(): void {
    clearTimeout(this.#wake);
    this.#pending = [];
  }

  #add(timer: Pending): Timer {
    const index = this.#pending.findIndex((other) => other.due > timer.due);
    this.#pending.splice(index === -1 ? this.#pending.length : index, 0, timer);
    this.#sleep();
    return {
      cancel: () => {
        this.#pending = this.#pending.filter((other) => other !== timer);
      },
    };
  }

  #sleep(): void {
    clearTimeout(this.#wake);
    const first = this.#pending[0];
    if (first === undefined) return;
    const delay = Math.min(Math.max(first.due - this.now(), 0), LONGEST_SLEEP);
    this.#wake = setTimeout(() => {
      this.#fireDue();
    }, delay);
    this.#wake.unref();
  }

  #fireDue(): void {
    const now = this.now();
    const due = this.#pending.filter((timer) => timer.due <= now);
    this.#pending = this.#pending.filter((timer) => timer.due > now);
    for (const timer of due) void timer.fire();
    this.#sleep();
  }
}

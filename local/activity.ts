/** Knows whether anything is under way: invocations, deliveries, running states. The clock waits for quiet between two timers. */
export class Activity {
  #running = 0;
  #quiet: (() => void)[] = [];

  /** Counts `work` as under way until it settles, and returns it. */
  track<T>(work: Promise<T>): Promise<T> {
    this.#running += 1;
    const done = (): void => {
      this.#running -= 1;
      if (this.#running === 0) this.#announce();
    };
    work.then(done, done);
    return work;
  }

  /** Resolves once nothing is under way and nothing was begun by what just ended. */
  async settled(): Promise<void> {
    for (;;) {
      if (this.#running > 0) await new Promise<void>((resolve) => this.#quiet.push(resolve));
      await new Promise((resolve) => setImmediate(resolve));
      if (this.#running === 0) return;
    }
  }

  #announce(): void {
    const waiting = this.#quiet;
    this.#quiet = [];
    for (const resolve of waiting) resolve();
  }
}

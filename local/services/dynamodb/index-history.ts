import type { Clock } from '../../clock.ts';
import type { Faults } from '../../faults.ts';
import type { Item } from './attribute-value.ts';

interface Overwritten {
  readonly at: number;
  readonly key: string;
  /** What the index held at `key` before; undefined for nothing. */
  readonly before: Item | undefined;
}

/** What secondary indexes held a short while ago, so that queries can be answered from an index that lags ({@link Faults.indexLag}). */
export class IndexHistory {
  readonly #clock: Clock;
  readonly #faults: Faults;
  #overwritten: Overwritten[] = [];

  constructor(clock: Clock, faults: Faults) {
    this.#clock = clock;
    this.#faults = faults;
  }

  /** Remembers what is about to be overwritten, while indexes lag. */
  remember(key: string, before: Item | undefined): void {
    const now = this.#clock.now();
    this.#overwritten = this.#overwritten.filter(({ at }) => at > now - this.#faults.indexLag);
    if (this.#faults.indexLag > 0) this.#overwritten.push({ at: now, key, before });
  }

  /** Entries under `prefix` that differ from what a lagging index shows, with what it shows; empty when indexes do not lag. */
  shown(prefix: string): ReadonlyMap<string, Item | undefined> {
    const since = this.#clock.now() - this.#faults.indexLag;
    // Newest first, so that of several changes the oldest one's image stays.
    const recent = this.#overwritten.filter(({ at, key }) => at > since && key.startsWith(prefix)).reverse();
    return new Map(recent.map(({ key, before }) => [key, before]));
  }
}

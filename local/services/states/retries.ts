import type { Retrier } from './definition.ts';
import type { StateError } from './state-error.ts';

/**
 * Counts the retries of one visit of a state. A retrier's parameters apply across all of its retries in that visit.
 * https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html#error-handling-retrying-after-an-error
 */
export class Retries {
  readonly #retriers: readonly Retrier[];
  #used = new Map<Retrier, number>();
  /** Retries so far, by any retrier. */
  count = 0;

  constructor(retriers: readonly Retrier[]) {
    this.#retriers = retriers;
  }

  /** Milliseconds to wait before the next attempt; undefined when the error is not retried (any more). */
  next(error: StateError): number | undefined {
    const retrier = this.#retriers.find((candidate) => error.matches(candidate.ErrorEquals));
    if (retrier === undefined) return undefined;
    const used = this.#used.get(retrier) ?? 0;
    if (used >= retrier.MaxAttempts) return undefined;
    this.#used.set(retrier, used + 1);
    this.count += 1;
    const delay = Math.min(retrier.IntervalSeconds * retrier.BackoffRate ** used, retrier.MaxDelaySeconds ?? Infinity);
    return (retrier.JitterStrategy === 'FULL' ? Math.random() * delay : delay) * 1000;
  }
}

/** Requests per second, and how many at once. */
export interface Limit {
  readonly rate: number;
  readonly burst: number;
}

/** Per account and region. https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-request-throttling.html */
export const ACCOUNT_LIMIT: Limit = { rate: 10_000, burst: 5_000 };

/** A token bucket in virtual time: `burst` tokens at most, refilled at `rate` per second, one per request. */
export class Throttle {
  readonly #limit: Limit;
  #tokens: number;
  #last: number;

  constructor(limit: Limit, now: number) {
    this.#limit = limit;
    this.#tokens = limit.burst;
    this.#last = now;
  }

  /** Takes a token; false when there is none. */
  admit(now: number): boolean {
    const refilled = this.#tokens + (Math.max(0, now - this.#last) / 1000) * this.#limit.rate;
    this.#last = now;
    this.#tokens = Math.min(this.#limit.burst, refilled);
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}

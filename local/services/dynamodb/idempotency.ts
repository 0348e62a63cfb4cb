import { createHash } from 'node:crypto';
import type { Clock } from '../../clock.ts';
import { ServiceError } from '../../service.ts';
import { endOf, TOKENS_PREFIX } from './keys.ts';
import type { Store, View } from './store.ts';

interface Completed {
  /** Of the request's parameters. */
  readonly digest: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** A token is good for 10 minutes after its request completed. https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html */
const VALIDITY = 10 * 60 * 1000;

const digestOf = (value: unknown): string => createHash('sha256').update(JSON.stringify(value)).digest('hex');

/** Client request tokens: remembered in the transaction that they belong to. */
export class Idempotency {
  readonly #clock: Clock;
  readonly #store: Store;
  readonly #underWay = new Set<string>();

  constructor(clock: Clock, store: Store) {
    this.#clock = clock;
    this.#store = store;
  }

  /**
   * Runs `work`, or `repeat` when the same request has already succeeded under this token.
   * @throws IdempotentParameterMismatchException, TransactionInProgressException
   */
  async once<T>(
    token: string | undefined,
    request: unknown,
    work: (remember: (view: View) => void) => Promise<T>,
    repeat: () => Promise<T>,
  ): Promise<T> {
    if (token === undefined) return work(() => undefined);
    const key = TOKENS_PREFIX + digestOf(token);
    const digest = digestOf(request);
    if (this.#underWay.has(key)) {
      throw new ServiceError(
        'TransactionInProgressException',
        'The transaction with the given request token is already in progress.',
      );
    }
    const completed = this.#store.get<Completed>(key);
    if (completed !== undefined && completed.at > this.#clock.now() - VALIDITY) {
      if (completed.digest === digest) return repeat();
      throw new ServiceError(
        'IdempotentParameterMismatchException',
        'DynamoDB rejected the request because you retried a request with a different payload but with an idempotent token that was already used.',
      );
    }
    this.#underWay.add(key);
    try {
      return await work((view) => {
        view.put(key, { digest, at: this.#clock.now() } satisfies Completed);
      });
    } finally {
      this.#underWay.delete(key);
    }
  }

  /** Forgets tokens that are no longer valid. */
  async trim(): Promise<void> {
    const old: string[] = [];
    for await (const [key, completed] of this.#store.scan<Completed>({ gt: TOKENS_PREFIX, lt: endOf(TOKENS_PREFIX) })) {
      if (completed.at <= this.#clock.now() - VALIDITY) old.push(key);
    }
    if (old.length > 0)
      await this.#store.write((view) => {
        for (const key of old) view.delete(key);
      });
  }
}

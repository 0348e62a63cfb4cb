/**
 * Items that are being written. AWS rejects what meets a transaction under way on the same item instead of letting it wait.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html#transaction-conflict-handling
 */
export class Conflicts {
  readonly #transactions = new Set<string>();
  readonly #writes = new Map<string, number>();

  /** A transaction under way writes or checks this item. */
  inTransaction(item: string): boolean {
    return this.#transactions.has(item);
  }

  /** Anything under way writes this item. */
  beingWritten(item: string): boolean {
    return this.#transactions.has(item) || this.#writes.has(item);
  }

  /** Holds items for a transaction until `work` settles. */
  async duringTransaction<T>(items: readonly string[], work: () => Promise<T>): Promise<T> {
    for (const item of items) this.#transactions.add(item);
    try {
      return await work();
    } finally {
      for (const item of items) this.#transactions.delete(item);
    }
  }

  /** Marks an item as being written until `work` settles. */
  async duringWrite<T>(item: string, work: () => Promise<T>): Promise<T> {
    this.#writes.set(item, (this.#writes.get(item) ?? 0) + 1);
    try {
      return await work();
    } finally {
      const left = (this.#writes.get(item) ?? 1) - 1;
      if (left === 0) this.#writes.delete(item);
      else this.#writes.set(item, left);
    }
  }
}

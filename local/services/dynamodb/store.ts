import { create } from 'dynalite/db/index.js';
import { DataDirectoryProblem, deepest, writeFailed } from '../../durable-file.ts';

/** Keys between bounds, in order. */
export interface Range {
  readonly gt?: string;
  readonly gte?: string;
  readonly lt?: string;
  readonly lte?: string;
  readonly reverse?: boolean;
  readonly limit?: number;
}

/** What a piece of work sees and leaves: the store with the changes of everything that goes before it. */
export interface View {
  get<T>(key: string): T | undefined;
  put(key: string, value: unknown): void;
  delete(key: string): void;
  /** Calls back once the changes are durable, before the work is answered. */
  onCommit(notify: () => void): void;
}

/** The methods of the database that dynalite opens, without its wrappers, which drop `sync`. */
interface Level {
  open(): Promise<void>;
  getSync(key: string): unknown;
  batch(operations: readonly Operation[], options: { readonly sync: boolean }): Promise<void>;
  iterator(range: Range): AsyncIterable<[string, unknown]>;
}

type Operation =
  | { readonly type: 'put'; readonly key: string; readonly value: unknown }
  | { readonly type: 'del'; readonly key: string };

interface Waiting {
  run(changes: Map<string, unknown>): () => void;
  fail(error: unknown): void;
}

/**
 * LevelDB, or its in-memory twin. Everything that changes it goes through {@link Store.write}, one after the other; what is waiting together
 * is committed together in one atomic, synced batch, so that a crash leaves all of a piece of work or nothing.
 */
export class Store {
  readonly #level: Level;
  readonly #close: () => Promise<void>;
  readonly #opened: Promise<void>;
  #waiting: Waiting[] = [];
  #draining: Promise<void> | undefined;

  readonly #directory: string | undefined;

  constructor(directory: string | undefined) {
    this.#directory = directory;
    const { db } = create(directory === undefined ? {} : { path: directory });
    // dynalite overrides methods on the instance; those of its class take options and answer synchronously where asked to.
    const bare = Object.getPrototypeOf(db) as Level;
    this.#level = {
      open: () => bare.open.call(db),
      getSync: (key) => bare.getSync.call(db, key),
      batch: (operations, options) => bare.batch.call(db, operations, options),
      iterator: (range) => bare.iterator.call(db, range),
    };
    this.#close = () => db.close();
    this.#opened = this.#level.open().catch((cause: unknown) => {
      throw directory === undefined ? cause : unreadable(directory, cause);
    });
    // Whoever awaits `opened` hears of the failure.
    this.#opened.catch(() => undefined);
  }

  /** Settles when the store can be used; rejects when the directory cannot be opened (another process holds it). */
  opened(): Promise<void> {
    return this.#opened;
  }

  /** The committed value. */
  get<T>(key: string): T | undefined {
    // Each prefix of keys holds one type of value, which its only reader names.
    return this.#level.getSync(key) as T | undefined;
  }

  /** Committed entries as they stand now, whatever is written while they are read. */
  scan<T>(range: Range): AsyncIterable<[string, T]> {
    return this.#level.iterator(range) as AsyncIterable<[string, T]>;
  }

  /** Runs `work` after everything that was written before, and answers once its changes are durable. If it throws, it changed nothing. */
  write<T>(work: (view: View) => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ run: (changes) => this.#run(work, changes, resolve, reject), fail: reject });
      this.#draining ??= this.#drain();
    });
  }

  async close(): Promise<void> {
    await this.#draining;
    await this.#close();
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      const group = this.#waiting.splice(0);
      try {
        await this.#opened;
        const changes = new Map<string, unknown>();
        const answers = group.map((work) => work.run(changes));
        if (changes.size > 0) await this.#level.batch(operations(changes), { sync: true });
        for (const answer of answers) answer();
      } catch (cause) {
        // No work fails here: each answers its own error. What fails is the store, and it is not to be written to again.
        const error = this.#directory === undefined ? cause : writeFailed(this.#directory, cause);
        for (const work of group) work.fail(error);
      }
    }
    this.#draining = undefined;
  }

  /** Runs work over `changes`, to which it adds its own; what is returned answers the caller. */
  #run<T>(
    work: (view: View) => T,
    changes: Map<string, unknown>,
    resolve: (value: T) => void,
    reject: (error: unknown) => void,
  ): () => void {
    const own = new Map<string, unknown>();
    const notices: (() => void)[] = [];
    try {
      const value = work({
        // See `get` about the cast.
        get: <V>(key: string) =>
          (own.has(key) ? own.get(key) : changes.has(key) ? changes.get(key) : this.get(key)) as V | undefined,
        put: (key, stored) => void own.set(key, stored),
        delete: (key) => void own.set(key, undefined),
        onCommit: (notify) => void notices.push(notify),
      });
      for (const [key, stored] of own) changes.set(key, stored);
      return () => {
        // In microtasks of their own, before the caller goes on: a listener that throws must not fail what is committed.
        for (const notify of notices) queueMicrotask(notify);
        resolve(value);
      };
    } catch (error) {
      return () => {
        reject(error);
      };
    }
  }
}

const unreadable = (directory: string, cause: unknown): DataDirectoryProblem =>
  new DataDirectoryProblem(
    `${directory} cannot be read (${deepest(cause)}). ` +
      'Nothing was changed: put the directory back from a copy, or name another one.',
    { cause },
  );

/** `undefined` stands for a deleted key. */
const operations = (changes: ReadonlyMap<string, unknown>): Operation[] =>
  [...changes].map(([key, value]) => (value === undefined ? { type: 'del', key } : { type: 'put', key, value }));

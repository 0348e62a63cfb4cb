import { createHash } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { DataFiles } from './data-files.ts';
import { readRecords, writeRecord } from './record-files.ts';
import type { ObjectRecord } from './records.ts';

/** Says whether an object was deleted since the watch began. */
export interface DeletionWatch {
  deleted: boolean;
  end(): void;
}

/** Keys are ordered by their UTF-8 bytes. https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html */
export const compareKeys = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

/**
 * The objects of a bucket. A change is one synchronous step (one rename), so it is seen by every later request or by none, and a
 * check made in the same step holds.
 */
export class ObjectStore {
  readonly #directory: string;
  readonly #files: DataFiles;
  readonly #records = new Map<string, ObjectRecord>();
  readonly #watches = new Map<string, Set<DeletionWatch>>();

  constructor(directory: string, files: DataFiles) {
    this.#directory = directory;
    this.#files = files;
    mkdirSync(directory, { recursive: true });
    for (const record of readRecords<ObjectRecord>(directory)) {
      this.#records.set(record.key, record);
      files.check(record.segments);
      files.retain(record.segments);
    }
  }

  get(key: string): ObjectRecord | undefined {
    return this.#records.get(key);
  }

  /** All of them, in order of their keys. */
  list(): ObjectRecord[] {
    return [...this.#records.values()].sort((a, b) => compareKeys(a.key, b.key));
  }

  /** Makes the object visible in place of any earlier one. */
  put(record: ObjectRecord): void {
    writeRecord(this.#file(record.key), record, this.#files.durable);
    const before = this.#records.get(record.key);
    this.#records.set(record.key, record);
    this.#files.retain(record.segments);
    if (before !== undefined) this.#files.release(before.segments);
  }

  delete(key: string): void {
    const record = this.#records.get(key);
    if (record === undefined) return;
    rmSync(this.#file(key));
    this.#records.delete(key);
    this.#files.release(record.segments);
    for (const watch of this.#watches.get(key) ?? []) watch.deleted = true;
  }

  /** Notices deletions of `key` until the watch ends. */
  watch(key: string): DeletionWatch {
    const watches = this.#watches.get(key) ?? new Set();
    this.#watches.set(key, watches);
    const watch = {
      deleted: false,
      end: () => {
        watches.delete(watch);
        if (watches.size === 0 && this.#watches.get(key) === watches) this.#watches.delete(key);
      },
    };
    watches.add(watch);
    return watch;
  }

  /** A key is any text of up to 1,024 bytes, `..` and slashes included: only its digest becomes a file name. */
  #file(key: string): string {
    return join(this.#directory, `${createHash('sha256').update(key).digest('hex')}.json`);
  }
}

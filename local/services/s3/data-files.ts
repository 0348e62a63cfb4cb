import { randomUUID } from 'node:crypto';
import { createReadStream, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { checkSize } from '../../durable-file.ts';
import type { Segment } from './records.ts';

const BUFFER = 128 * 1024;

/**
 * The bytes of a bucket's objects and parts, in files with random names that say nothing of the key. A file lives as long as a
 * record or a reader refers to it, so a download goes on undisturbed when its object is replaced or deleted.
 */
export class DataFiles {
  /** Whether writes are flushed to the disk before they count. */
  readonly durable: boolean;
  readonly #directory: string;
  readonly #references = new Map<string, number>();

  constructor(directory: string, durable: boolean) {
    this.#directory = directory;
    this.durable = durable;
    mkdirSync(directory, { recursive: true });
  }

  /** A name for a file that is not there yet. */
  reserve(): string {
    return randomUUID();
  }

  path(file: string): string {
    return join(this.#directory, file);
  }

  /** Removes a file to which no record came to refer: an upload that was cut off or refused. */
  drop(file: string): void {
    rmSync(this.path(file), { force: true });
  }

  /** Checks that the bytes of a record that was read are there. @throws DataDirectoryProblem */
  check(segments: readonly Segment[]): void {
    for (const { file, size } of segments) checkSize(this.path(file), size);
  }

  retain(segments: readonly Segment[]): void {
    for (const { file } of segments) this.#references.set(file, (this.#references.get(file) ?? 0) + 1);
  }

  /** Undoes one {@link retain}; removes what nothing refers to any more. */
  release(segments: readonly Segment[]): void {
    for (const { file } of segments) {
      const left = (this.#references.get(file) ?? 1) - 1;
      if (left > 0) this.#references.set(file, left);
      else {
        this.#references.delete(file);
        this.drop(file);
      }
    }
  }

  /** Removes files without a record, which a crash left behind. Call once all records are loaded. */
  sweep(): void {
    for (const file of readdirSync(this.#directory)) if (!this.#references.has(file)) this.drop(file);
  }

  /** The bytes from `start` to `end`, both included, of the segments put together. Holds the files until it is closed. */
  read(segments: readonly Segment[], start: number, end: number): Readable {
    this.retain(segments);
    const stream = Readable.from(this.#bytes(segments, start, end), { objectMode: false, highWaterMark: BUFFER });
    stream.once('close', () => {
      this.release(segments);
    });
    return stream;
  }

  async *#bytes(segments: readonly Segment[], start: number, end: number): AsyncGenerator<Buffer> {
    let offset = 0;
    for (const { file, size } of segments) {
      const from = Math.max(start - offset, 0);
      const to = Math.min(end - offset, size - 1);
      offset += size;
      if (from <= to) yield* createReadStream(this.path(file), { start: from, end: to, highWaterMark: BUFFER });
    }
  }
}

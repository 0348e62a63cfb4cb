import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * A small state of one service that survives `kill -9`: written whole to a temporary file, flushed, then renamed over the old
 * one, so that a reader finds either the state before or the state after. Without a data directory it is only remembered.
 */
export class DurableJson<T> {
  value: T;
  readonly #file: string | undefined;

  /** @param name file name inside the data directory, for example `sqs.json` */
  constructor(dataDirectory: string | undefined, name: string, initial: T) {
    this.#file = dataDirectory === undefined ? undefined : join(dataDirectory, name);
    this.value = read<T>(this.#file) ?? initial;
  }

  /** Call after each change of `value`, before anybody is told that it happened. */
  save(): void {
    if (this.#file === undefined) return;
    mkdirSync(dirname(this.#file), { recursive: true });
    const temporary = `${this.#file}.new`;
    const handle = openSync(temporary, 'w', 0o600);
    try {
      writeSync(handle, JSON.stringify(this.value));
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    renameSync(temporary, this.#file);
  }
}

function read<T>(file: string | undefined): T | undefined {
  if (file === undefined || !existsSync(file)) return undefined;
  // Only this class writes the file, from a value of type T.
  return JSON.parse(readFileSync(file, 'utf8')) as T;
}

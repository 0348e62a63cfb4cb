import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readJson, replaceFile } from '../durable-file.ts';

/**
 * A small state of one service that survives `kill -9`: written whole, so that a reader finds either the state before or the state
 * after. Without a data directory it is only remembered.
 */
export class DurableJson<T> {
  value: T;
  readonly #file: string | undefined;

  /** @param name file name inside the data directory, for example `sqs.json` */
  constructor(dataDirectory: string | undefined, name: string, initial: T) {
    this.#file = dataDirectory === undefined ? undefined : join(dataDirectory, name);
    this.value = (this.#file === undefined ? undefined : readJson<T>(this.#file)) ?? initial;
  }

  /** Call after each change of `value`, before anybody is told that it happened. @throws DataDirectoryProblem */
  save(): void {
    if (this.#file === undefined) return;
    mkdirSync(dirname(this.#file), { recursive: true });
    replaceFile(this.#file, JSON.stringify(this.value));
  }
}

/** One line that a function wrote. `time` in milliseconds since the epoch, by the function's own (virtual) clock. */
export interface LogLine {
  readonly functionName: string;
  /** The invocation under way, or undefined while the code was being loaded. */
  readonly requestId: string | undefined;
  readonly level: string;
  /** What was logged, as text; of an object its JSON. */
  readonly message: string;
  /** The record as it stands in the log group: with JSON logging, an object with `timestamp`, `level`, `requestId` and `message`. */
  readonly line: string;
  readonly time: number;
}

const KEPT = 10_000;

/** Where the lines of all functions go: to listeners, and into a bounded memory for inspection. Nothing is printed. */
export class FunctionLog {
  #lines: LogLine[] = [];
  readonly #listeners = new Set<(line: LogLine) => void>();

  write(line: LogLine): void {
    this.#lines.push(line);
    if (this.#lines.length > KEPT) this.#lines = this.#lines.slice(-KEPT / 2);
    for (const listener of this.#listeners) listener(line);
  }

  /** Returns a function that ends the subscription. */
  onLog(listener: (line: LogLine) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The most recent lines, oldest first. */
  lines(): readonly LogLine[] {
    return this.#lines;
  }
}

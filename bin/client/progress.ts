import cliProgress from 'cli-progress';
import { size } from './layout.ts';
import type { Surroundings } from './surroundings.ts';

/** How far something long has come, in bytes. */
export interface Progress {
  /** Begins, or begins again. */
  start(total: number): void;
  readonly add: (bytes: number) => void;
  stop(): void;
}

/** For pipes, files and JSON: says nothing. */
export const silent: Progress = { start: () => undefined, add: () => undefined, stop: () => undefined };

/** A bar on stderr where that is a terminal. */
export function progressOn({ stderr }: Surroundings, json: boolean): Progress {
  if (json || stderr.isTTY !== true) return silent;
  const bar = new cliProgress.SingleBar({
    stream: stderr,
    format: '{bar} {percentage} % of {total}',
    formatValue: (value, _options, type) => (type === 'total' ? size(value / 2) : String(value)),
    barsize: 30,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    clearOnComplete: true,
    hideCursor: true,
  });
  return {
    start: (total) => bar.start(total, 0),
    add: (bytes) => bar.increment(bytes),
    stop: () => bar.stop(),
  };
}

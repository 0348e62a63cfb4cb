import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LineLog, parseJson, replaceFile } from '../../durable-file.ts';

export type ExecutionStatus = 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'ABORTED';

/** What is known of an execution without its data. */
export interface ExecutionRecord {
  readonly arn: string;
  readonly name: string;
  readonly machineArn: string;
  readonly versionArn: string | undefined;
  readonly aliasArn: string | undefined;
  /** SHA-256 of the input, in hex: tells a repeated start from a different one. */
  readonly inputHash: string;
  readonly startDate: number;
  status: ExecutionStatus;
  stopDate: number | undefined;
}

type Line =
  | { readonly secret: string }
  | { readonly start: ExecutionRecord }
  | { readonly end: { readonly arn: string; readonly status: ExecutionStatus; readonly stopDate: number } };

/** Written before each start is answered and after each end; read once when the runtime starts. */
export interface Journal {
  /** Authenticates task tokens across starts. */
  readonly secret: Buffer;
  /** Executions of earlier starts; those that were running when the process died are still `RUNNING`. */
  readonly earlier: ReadonlyMap<string, ExecutionRecord>;
  started(record: ExecutionRecord): void;
  ended(arn: string, status: ExecutionStatus, stopDate: number): void;
  close(): void;
}

/** For a runtime that forgets. */
export const forgetfulJournal = (): Journal => ({
  secret: randomBytes(32),
  earlier: new Map(),
  started: () => undefined,
  ended: () => undefined,
  close: () => undefined,
});

/**
 * Opens `states/executions.jsonl` in the data directory. What ended before `forgetBefore` is dropped: its name may be used again.
 * A last line that was cut short by a crash is ignored: it was not answered yet.
 */
export function openJournal(dataDirectory: string, forgetBefore: number): Journal {
  const directory = join(dataDirectory, 'states');
  mkdirSync(directory, { recursive: true });
  const path = join(directory, 'executions.jsonl');
  const { secret, earlier } = replay(existsSync(path) ? readFileSync(path, 'utf8') : '', path);
  for (const [arn, record] of earlier) {
    if (record.stopDate !== undefined && record.stopDate < forgetBefore) earlier.delete(arn);
  }
  const kept: Line[] = [{ secret: secret.toString('hex') }, ...[...earlier.values()].map((start) => ({ start }))];
  replaceFile(path, kept.map((line) => `${JSON.stringify(line)}\n`).join(''));
  const log = new LineLog(path);
  let closed = false;
  const append = (line: Line): void => {
    // What still ends after the runtime was stopped is found running, and aborted, at the next start.
    if (closed) return;
    log.append(JSON.stringify(line));
  };
  return {
    secret,
    earlier,
    started: (start) => append({ start }),
    ended: (arn, status, stopDate) => append({ end: { arn, status, stopDate } }),
    close: () => {
      closed = true;
      log.close();
    },
  };
}

function replay(text: string, path: string): { secret: Buffer; earlier: Map<string, ExecutionRecord> } {
  const earlier = new Map<string, ExecutionRecord>();
  let secret = randomBytes(32);
  for (const written of text.split('\n').slice(0, -1)) {
    const line = parseJson<Line>(written, path);
    if ('secret' in line) secret = Buffer.from(line.secret, 'hex');
    else if ('start' in line) earlier.set(line.start.arn, line.start);
    else {
      const record = earlier.get(line.end.arn);
      if (record !== undefined) Object.assign(record, { status: line.end.status, stopDate: line.end.stopDate });
    }
  }
  return { secret, earlier };
}

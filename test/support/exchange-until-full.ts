import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { openScene } from './exchange.ts';

/** What was answered before the data directory could not be written any more. */
export interface AnsweredUntilFull {
  readonly answered: readonly string[];
  /** What the runtime said of the directory. */
  readonly said: string;
}

/** Runs an exchange in a folder and submits requests until it stops answering; the caller has limited what may be written. */
async function runUntilFull(folder: string): Promise<void> {
  const answered: string[] = [];
  const tell = (said: string): never => {
    writeSync(1, JSON.stringify({ answered, said } satisfies AnsweredUntilFull));
    return process.exit(0);
  };
  const scene = await openScene({
    folder,
    dataDirectory: join(folder, 'data'),
    onStorageFailure: ({ message }) => tell(message),
  });
  for (let requests = 0; requests < 500; requests += 1) {
    const { caseId } = await scene.reach('UNDER_REVIEW');
    answered.push(caseId);
  }
  tell('It was never full.');
}

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error('Name the folder in which the exchange is to run.');
// The exchange ends under its caller: what it was asked meanwhile is never answered.
await runUntilFull(folder).catch(() => new Promise((resolve) => setTimeout(resolve, 10_000)));

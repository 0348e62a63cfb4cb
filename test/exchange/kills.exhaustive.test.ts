import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../../bin/local/assembly.ts';
import { examined } from '../support/examined.ts';

jest.setTimeout(900_000);

/** Calls of a life, of some two hundred, at which the power goes. */
const CALLS = [7, 30, 53, 76, 99, 122, 135, 148, 161, 174];

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'valiza-kills-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Ended {
  readonly signal: string | null;
  readonly out: string;
  readonly err: string;
}

/** Runs an exchange in a process of its own. */
async function run(nth: number): Promise<Ended> {
  const script = join('test', 'support', 'lives-until-killed.ts');
  const child = spawn(process.execPath, ['--import', 'tsx', script, folder, String(nth)], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const told = { out: '', err: '' };
  child.stdout.on('data', (chunk: Buffer) => (told.out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (told.err += chunk.toString()));
  const signal = await new Promise<string | null>((resolve) => child.on('close', (_code, by) => resolve(by)));
  return { signal, ...told };
}

test('an exchange whose power goes between any two calls loses no case and does nothing twice', async () => {
  for (const nth of CALLS) {
    const { signal, err } = await run(nth);
    expect([nth, signal, signal === null ? err : '']).toEqual([nth, 'SIGKILL', '']);
  }
  const { out, err } = await run(0);
  expect([err, JSON.parse(out || '{}')]).toEqual([err, { lives: CALLS.length, cases: CALLS.length, found: [] }]);
  examined('kills', CALLS.length);
});

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFile, chmod, cp, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assemblyFor, ROOT } from '../../bin/local/assembly.ts';
import { startExchange } from '../../bin/local/exchange.ts';
import type { AnsweredUntilFull } from '../support/exchange-until-full.ts';
import { examined } from '../support/examined.ts';
import { openScene, verifyWhole, type Scene } from '../support/exchange.ts';

jest.setTimeout(240_000);

let folder: string;
beforeAll(async () => {
  // Synthesised once, before a process of another user needs it.
  await assemblyFor('can-local');
  folder = await mkdtemp(join(tmpdir(), 'valiza-storage-'));
  await chmod(folder, 0o755);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Told {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

async function run(command: string, args: readonly string[], uid?: number): Promise<Told> {
  const child = spawn(command, args, {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(uid === undefined ? {} : { uid }),
  });
  const told = { out: '', err: '' };
  child.stdout.on('data', (chunk: Buffer) => (told.out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (told.err += chunk.toString()));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  return { code, ...told };
}

/** Every case of a scene, with its whole file. */
async function casesOf(scene: Scene): Promise<Map<string, number>> {
  const { cases } = await scene.as(scene.who.requester).listCases({ query: { limit: '50' } });
  const found = new Map<string, number>();
  for (const { caseId } of cases) {
    const { events } = await scene.as(scene.who.desk).readEvents({ params: { caseId } });
    verifyWhole(caseId, events);
    found.set(caseId, events.length);
  }
  return found;
}

const again = (from: string, data: string): Promise<Scene> =>
  openScene({ folder: from, dataDirectory: data, people: false });

describe('a disk that is full', () => {
  test('ends the exchange with what to do, and keeps everything that was answered', async () => {
    const own = await mkdtemp(join(folder, 'full-'));
    const script = `ulimit -f 3000; exec "${process.execPath}" --import tsx test/support/exchange-until-full.ts "${own}"`;
    const { code, out, err } = await run('sh', ['-c', script]);
    if (code !== 0) throw new Error(err);
    const { answered, said } = JSON.parse(out) as AnsweredUntilFull; // what the script writes
    expect(said).toMatch(/cannot be written \(.+\): .+, and start again\. Everything that was answered is kept\.$/);
    expect(answered.length).toBeGreaterThan(5);
    examined('storage', answered.length);

    const scene = await again(own, join(own, 'data'));
    try {
      for (const caseId of answered) {
        const { events } = await scene.as(scene.who.desk).readEvents({ params: { caseId } });
        verifyWhole(caseId, events);
      }
      const last = answered.at(-1) ?? '';
      await scene.propose(last);
      expect((await scene.read(last)).phase).toBe('UNDER_REVIEW');
    } finally {
      await scene.close();
    }
  });
});

describe('a directory that may not be written to', () => {
  test('is refused by name, and stays as it was', async () => {
    const own = await mkdtemp(join(folder, 'readonly-'));
    await chmod(own, 0o555);
    // The administrator may write everywhere, so somebody else tries, who needs an assembly that they may read.
    const uid = process.getuid?.() === 0 ? 65534 : undefined;
    const assembly = join(folder, 'assembly');
    await cp(await assemblyFor('can-local'), assembly, { recursive: true });
    await chmod(assembly, 0o755);
    const script = `import('./local/runtime.ts').then(({ startRuntime }) => startRuntime(${JSON.stringify({ assembly, dataDirectory: own })})).catch((error) => { console.error(String(error)); process.exit(1); })`;
    const { code, err } = await run(process.execPath, ['--import', 'tsx', '-e', script], uid);
    expect(err).toContain(`DataDirectoryProblem: ${own} cannot be used for data`);
    expect(err).toContain('choose a directory that you may write to');
    expect(code).toBe(1);
    expect(await readdir(own)).toEqual([]);
  });
});

describe('a directory of which something is damaged', () => {
  let whole: string;
  let own: string;
  let before: Map<string, number>;

  beforeAll(async () => {
    own = await mkdtemp(join(folder, 'damaged-'));
    whole = join(own, 'data');
    const scene = await openScene({ folder: own, dataDirectory: whole });
    await scene.reach('RELEASED');
    await scene.reach('UNDER_REVIEW');
    const { caseId } = await scene.reach('UNDER_REVIEW');
    await scene.deposit(caseId, Buffer.from('EXERCISE deposit'));
    await scene.runtime.settled();
    before = await casesOf(scene);
    await scene.close();
  });

  const copy = async (): Promise<string> => {
    const data = await mkdtemp(join(own, 'copy-'));
    await cp(whole, data, { recursive: true });
    return data;
  };

  const filesOf = async (directory: string): Promise<string[]> =>
    (await readdir(directory, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile() && entry.name !== 'LOCK' && entry.name !== 'LOG')
      .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
      .sort();

  test('what a crash cut short was never answered, and is ignored', async () => {
    const data = await copy();
    const names = await filesOf(data);
    for (const name of names) {
      // A draft that was not renamed, a line or a batch of which only the beginning was written.
      if (name.endsWith('.json')) await writeFile(join(data, `${name}.new`), '{"half":');
      if (name.endsWith('.jsonl')) await appendFile(join(data, name), '{"start":{"arn":"arn:');
      if (name.endsWith('.log')) await appendFile(join(data, name), Buffer.alloc(9, 0x41));
    }
    const scene = await again(own, data);
    try {
      expect(await casesOf(scene)).toEqual(before);
    } finally {
      await scene.close();
    }
  });

  test('a file that is not what was written is named, and nothing is made in its place', async () => {
    const names = (await filesOf(whole)).filter((name) => /\.jsonl?$/.test(name) || name.startsWith(join('s3', '')));
    expect(names.length).toBeGreaterThan(8);
    const data = await copy();
    for (const name of names) {
      const file = join(data, name);
      const content = await readFile(file);
      // The last line of a log may be cut short by a crash; one before it may not. Of what is empty nothing can be cut.
      const shorter = content.length === 0 ? 'x' : content.subarray(0, content.length - 1);
      const cut = name.endsWith('.jsonl') ? '{"start":{"ar\n{}\n' : shorter;
      await writeFile(file, cut);
      const problem = await startExchange({ environment: 'can-local', dataDirectory: data }).then(
        async (exchange) => {
          await exchange.stop();
          return 'It started.';
        },
        (error: unknown) => String(error),
      );
      expect([name, problem]).toEqual([name, expect.stringContaining(file)]);
      expect(problem).toMatch(/^DataDirectoryProblem: .*put the directory back from a copy/);
      await writeFile(file, content);
    }
    const scene = await again(own, data);
    try {
      expect(await casesOf(scene)).toEqual(before);
    } finally {
      await scene.close();
    }
    examined('storage', names.length);
  });

  test('tables that lost their end hold whole cases, or are refused', async () => {
    const log = (await filesOf(whole)).find((name) => name.startsWith('dynamodb') && name.endsWith('.log')) ?? '';
    const { length } = await readFile(join(whole, log));
    for (const kept of [length - 1, Math.floor(length * 0.9), Math.floor(length * 0.6)]) {
      const data = await copy();
      await truncate(join(data, log), kept);
      const outcome = await again(own, data).then(
        async (scene) => {
          const found = await casesOf(scene);
          await scene.close();
          return found.size <= before.size ? 'whole' : 'more than there were';
        },
        (error: unknown) => (String(error).includes('DataDirectoryProblem') ? 'refused' : String(error)),
      );
      expect([kept, outcome]).toEqual([kept, expect.stringMatching(/^(whole|refused)$/)]);
      examined('storage', 1);
    }
  });

  test('one of another version of the runtime is left alone', async () => {
    const data = await copy();
    const marker = join(data, 'local-runtime.json');
    const written = JSON.parse(await readFile(marker, 'utf8')) as { format: number };
    await writeFile(marker, JSON.stringify({ ...written, format: written.format - 1 }));
    const digest = async (): Promise<string> => {
      const hash = createHash('sha256');
      for (const name of await filesOf(data)) hash.update(name).update(await readFile(join(data, name)));
      return hash.digest('hex');
    };
    const untouched = await digest();
    await expect(startExchange({ environment: 'can-local', dataDirectory: data })).rejects.toThrow(
      /was written by another version of the runtime/,
    );
    expect(await digest()).toBe(untouched);
  });
});

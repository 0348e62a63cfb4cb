import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, readdir, rename, rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

export const ROOT = join(import.meta.dirname ?? __dirname, '..', '..');

/** Everything an assembly is made from. */
const SOURCES = ['lambdas', 'infra', 'agreements', 'examples/exercise', 'bin/app.ts', 'cdk.json', 'package-lock.json'];

async function addFiles(hash: ReturnType<typeof createHash>, path: string): Promise<void> {
  const full = join(ROOT, path);
  const entries = await readdir(full, { withFileTypes: true }).catch(() => undefined);
  if (entries === undefined) {
    hash
      .update(path)
      .update('\0')
      .update(await readFile(full))
      .update('\0');
    return;
  }
  for (const { name } of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) await addFiles(hash, join(path, name));
}

async function contentDigest(environment: string): Promise<string> {
  const hash = createHash('sha256').update(environment);
  for (const source of SOURCES) await addFiles(hash, source);
  return hash.digest('hex').slice(0, 16);
}

/** Synthesises as `cdk synth` does, in a process of its own: the construct library stays out of the runtime's memory. */
async function synthesise(environment: string, out: string): Promise<void> {
  const { context } = JSON.parse(await readFile(join(ROOT, 'cdk.json'), 'utf8')) as { context: object };
  const child = spawn(process.execPath, ['--import', 'tsx', join('bin', 'app.ts')], {
    cwd: ROOT,
    // The two variables by which the CDK tells an app where to write and with what context.
    env: {
      ...process.env,
      CDK_OUTDIR: out,
      CDK_CONTEXT_JSON: JSON.stringify({ ...context, env: environment, nag: false }),
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  if (code !== 0) throw new Error(`The application could not be synthesised for ${environment}:\n${errors.trim()}`);
}

/**
 * The synthesised assembly of an environment, made when what it is made from has changed and kept by the digest of that.
 * @param onSynthesis told when it has to be made, which takes a while
 * @returns its directory
 */
export async function assemblyFor(environment: string, onSynthesis?: () => void): Promise<string> {
  const kept = join(ROOT, '.valiza', 'assemblies');
  const directory = join(kept, `${environment}-${await contentDigest(environment)}`);
  if (existsSync(join(directory, 'manifest.json'))) return directory;
  onSynthesis?.();
  await mkdir(kept, { recursive: true });
  const draft = await mkdtemp(join(kept, '.draft-'));
  try {
    await synthesise(environment, draft);
    // Of two that synthesise at once one is kept; the other finds it there.
    await rename(draft, directory).catch(async (error: unknown) => {
      if (!existsSync(join(directory, 'manifest.json'))) throw error;
    });
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  await forgetOthers(kept, environment, directory);
  return directory;
}

/** Assemblies of what the application no longer is, but for the two latest: another checkout state may be in use. */
async function forgetOthers(kept: string, environment: string, present: string): Promise<void> {
  const others = (await readdir(kept)).filter(
    (name) => name.startsWith(`${environment}-`) && join(kept, name) !== present,
  );
  for (const name of others.slice(0, -2)) await rm(join(kept, name), { recursive: true, force: true });
}

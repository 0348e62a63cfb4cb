// Synthesises every environment as a deployment would, strictly: a warning or a finding of the rule packs fails it.
// node scripts/synth-all.mjs [environment ...]
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { register } from 'tsx/esm/api';

register();
const { ENVIRONMENTS } = await import('../infra/environments/choose.ts');
const ROOT = join(import.meta.dirname, '..');
const CDK = join(ROOT, 'node_modules', 'aws-cdk', 'bin', 'cdk');

/** Synthesises one environment into a directory of its own. @returns what it said, and whether it succeeded */
async function synthesise(name, out) {
  const args = [CDK, 'synth', '--quiet', '--strict', '**', '--context', `env=${name}`, '--output', join(out, name)];
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += chunk));
  const code = await new Promise((resolve, reject) => child.on('error', reject).on('close', resolve));
  return { succeeded: code === 0, said };
}

const chosen = process.argv.slice(2);
const names = chosen.length > 0 ? chosen : ENVIRONMENTS.map(({ name }) => name);
const waiting = [...names];
const failures = [];
const out = await mkdtemp(join(tmpdir(), 'valiza-synth-'));

/** Takes environments until none is waiting. */
async function work() {
  for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
    const start = performance.now();
    const { succeeded, said } = await synthesise(name, out);
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    console.log(`${name}: ${succeeded ? 'synthesised' : 'FAILED'} in ${seconds} s`);
    if (!succeeded) failures.push(`\n--- ${name}\n${said.trim()}`);
  }
}

try {
  // Two at a time: each is bound by one core.
  await Promise.all([work(), work()]);
} finally {
  await rm(out, { recursive: true, force: true });
}
for (const failure of failures) console.error(failure);
console.log(`Environments: ${names.length - failures.length} synthesised, ${failures.length} failed.`);
process.exitCode = failures.length === 0 && names.length > 0 ? 0 : 1;

import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { assemblyFor } from '../bin/local/assembly.ts';
import { FUNCTIONS, type FunctionName } from '../infra/functions.ts';
import { ENV } from '../lambdas/contracts/names.ts';
import { BUNDLE_KB, INIT_MS, LARGER } from '../test/infra/bundle-limits.ts';
import { bundlesIn } from '../test/support/bundles.ts';
import { atMost, median, round, type Figure, type Subject } from './figures.ts';

const PROCESSES = 9;

/** What a function finds in its environment while it loads; nothing is called. */
const environment: Readonly<Record<string, string>> = {
  PATH: process.env['PATH'] ?? '',
  AWS_REGION: 'ca-central-1',
  AWS_ACCESS_KEY_ID: 'x',
  AWS_LAMBDA_FUNCTION_VERSION: '1',
  AWS_SECRET_ACCESS_KEY: 'x',
  AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
  // A text to most functions, and an empty list to those that read one.
  ...Object.fromEntries(Object.values(ENV).map((name) => [name, '[]'])),
  [ENV.certificates]: '{}',
};

interface Start {
  /** Milliseconds in which a fresh process reads, compiles and runs a bundle up to its handler. */
  readonly wall: number;
  /** Of which on a processor: nearly the same on a quiet machine, and of more use on a busy one. */
  readonly processor: number;
}

function start(file: string): Start {
  const code = `
    const [begun, used] = [performance.now(), process.cpuUsage()];
    require(${JSON.stringify(file)});
    const [wall, { user, system }] = [performance.now() - begun, process.cpuUsage(used)];
    console.log(JSON.stringify({ wall, processor: (user + system) / 1000 }));`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['-e', code], { env: environment, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${file} does not load: ${stderr.slice(-2000)}`);
  return JSON.parse(stdout) as Start; // printed above
}

async function measure(): Promise<readonly Figure[]> {
  const directories = bundlesIn(await assemblyFor('can-local'), 'can-local');
  // Away from this repository, whose package.json would make them ES modules; an asset on AWS has none above it.
  const folder = mkdtempSync(join(tmpdir(), 'valiza-bench-'));
  const files = Object.keys(FUNCTIONS).map((name) => {
    cpSync(directories.get(name) ?? '', join(folder, name), { recursive: true });
    return join(folder, name, 'index.js');
  });
  // In turns, so that a busy moment does not fall upon one function.
  const times = files.map((): Start[] => []);
  for (let turn = 0; turn < PROCESSES; turn += 1)
    for (const [index, file] of files.entries()) times[index]?.push(start(file));
  const figures = (Object.keys(FUNCTIONS) as FunctionName[]).flatMap((name, index) => {
    const file = files[index] ?? '';
    const kb = statSync(file).size / 1024;
    const larger = LARGER[name];
    const ms = median((times[index] ?? []).map(({ wall }) => wall));
    const processor = median((times[index] ?? []).map((one) => one.processor));
    const because = larger === undefined ? {} : { note: larger.reason };
    const onProcessor = `${round(processor)} ms of processor`;
    return [
      { name: `${name}, bundle`, value: round(kb, 0), unit: 'KB', ...atMost(larger?.kb ?? BUNDLE_KB, kb), ...because },
      { name: `${name}, bundle compressed`, value: round(gzipSync(readFileSync(file)).length / 1024, 0), unit: 'KB' },
      {
        name: `${name}, init`,
        value: round(ms),
        unit: 'ms',
        ...(larger ? {} : atMost(INIT_MS, ms)),
        note: onProcessor,
      },
    ];
  });
  rmSync(folder, { recursive: true });
  return figures;
}

export const bundles: Subject = {
  name: 'bundles',
  title: `Bundles, and their start in a fresh process (median of ${PROCESSES})`,
  seconds: 20,
  measure,
};

// npm run bench [-- --json] [-- --only bundles,throughput,sealing,cost,capacity]
// Each subject is measured in a process of its own, one after the other, so that none leaves memory or warmth to the next.
import { spawn } from 'node:child_process';
import { arch, cpus, loadavg, platform, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { bundles } from './bundles.ts';
import { capacity } from './capacity.ts';
import { cost } from './cost.ts';
import type { Figure, Subject } from './figures.ts';
import { sealing } from './sealing.ts';
import { throughput } from './throughput.ts';

const SUBJECTS: readonly Subject[] = [bundles, throughput, sealing, cost, capacity];

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    only: { type: 'string' },
    /** Used by itself: measures one subject in this process and prints its figures. */
    subject: { type: 'string' },
  },
});

const machine = () => ({
  node: process.version,
  system: `${platform()} ${arch()}`,
  cores: cpus().length,
  cpu: cpus()[0]?.model ?? 'unknown',
  memoryGib: Math.round(totalmem() / 1024 ** 3),
  /** Processes that wanted a core in the minute before: far above nought, and every time below is too long. */
  loadBefore: Number((loadavg()[0] ?? 0).toFixed(1)),
});

function chosen(): readonly Subject[] {
  if (values.only === undefined) return SUBJECTS;
  return values.only.split(',').map((name) => {
    const found = SUBJECTS.find((subject) => subject.name === name);
    if (found !== undefined) return found;
    throw new Error(`There is no subject ${name}. There are: ${SUBJECTS.map((subject) => subject.name).join(', ')}.`);
  });
}

/** Measures a subject in a process of its own. */
async function apart({ name }: Subject): Promise<readonly Figure[]> {
  const args = ['--expose-gc', '--import', 'tsx', import.meta.filename, '--subject', name];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const code = await new Promise((resolve, reject) => child.on('error', reject).on('close', resolve));
  if (code !== 0) throw new Error(`${name} could not be measured.`);
  return JSON.parse(said) as Figure[]; // printed below
}

function print(subject: Subject, figures: readonly Figure[]): void {
  console.log(`\n${subject.title}\n`);
  const width = Math.max(...figures.map(({ name }) => name.length));
  for (const { name, value, unit, limit, within, note } of figures) {
    const shown = typeof value === 'number' ? value.toLocaleString('en', { maximumFractionDigits: 6 }) : value;
    const verdict = limit === undefined ? '' : `  (${limit}${within === false ? ': NOT MET' : ''})`;
    console.log(`  ${name.padEnd(width)}  ${shown} ${unit}${verdict}${note === undefined ? '' : `  ${note}`}`);
  }
}

async function all(): Promise<void> {
  const about = machine();
  const subjects = chosen();
  const say = values.json ? console.error : console.log;
  say(`${about.cpu}, ${about.cores} cores, ${about.memoryGib} GiB, Node.js ${about.node}, ${about.system}`);
  say(`About ${Math.ceil(subjects.reduce((sum, { seconds }) => sum + seconds, 0) / 60)} minutes on a quiet machine.`);
  const measured: Record<string, readonly Figure[]> = {};
  for (const subject of subjects) {
    const figures = await apart(subject);
    measured[subject.name] = figures;
    if (!values.json) print(subject, figures);
  }
  const missed = Object.values(measured)
    .flat()
    .filter(({ within }) => within === false);
  if (values.json) console.log(JSON.stringify({ machine: about, measured }, undefined, 2));
  else console.log(`\n${missed.length === 0 ? 'Every limit is met.' : `${missed.length} limits are not met.`}`);
  if (missed.length > 0) process.exitCode = 1;
}

if (values.subject === undefined) await all();
else {
  const subject = SUBJECTS.find(({ name }) => name === values.subject);
  console.log(JSON.stringify(await subject?.measure()));
  // What a runtime may have left behind must not keep the parent waiting.
  process.exit();
}

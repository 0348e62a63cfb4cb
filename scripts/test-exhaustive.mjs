// Runs the long tests and says, family by family, how much was examined and what failed.
// node scripts/test-exhaustive.mjs [--json] [--outputFile=FILE] [what jest takes, for example a test file]
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const JEST = join(ROOT, 'node_modules', 'jest', 'bin', 'jest.js');
const args = process.argv.slice(2);
const json = args.includes('--json');
const kept = args.find((arg) => arg.startsWith('--outputFile='))?.slice('--outputFile='.length);
const forJest = args.filter((arg) => arg !== '--json' && !arg.startsWith('--outputFile='));

/** Jest's own report; undefined when it wrote none. What it prints goes to standard error, so that standard output is ours. */
async function runJest(reportFile, examinedFile) {
  const child = spawn(process.execPath, [JEST, '--json', `--outputFile=${reportFile}`, ...forJest], {
    cwd: ROOT,
    env: {
      ...process.env,
      TESTS: 'exhaustive',
      EXAMINED_FILE: examinedFile,
      AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
    },
    stdio: ['ignore', process.stderr, process.stderr],
  });
  const code = await new Promise((resolve, reject) => child.on('error', reject).on('close', resolve));
  return { code, report: await readFile(reportFile, 'utf8').then(JSON.parse, () => undefined) };
}

/** Families that a test file names. */
const familiesIn = async (file) =>
  new Set([...(await readFile(file, 'utf8')).matchAll(/\bexamined\('([^']+)'/g)].map(([, family]) => family));

/** Failures of one file of tests: those of its tests, or itself when it could not be run at all. */
const failuresIn = ({ assertionResults, status }) =>
  assertionResults.filter((test) => test.status === 'failed').length ||
  (status === 'failed' && assertionResults.length === 0 ? 1 : 0);

/** How much each family examined, as the tests told. */
async function readExamined(examinedFile) {
  const text = await readFile(examinedFile, 'utf8').catch(() => '');
  return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]));
}

/** One row per family, by name; a file of several families counts its failures in each. */
async function rowsOf(report, told) {
  const rows = new Map();
  const row = (family) => rows.get(family) ?? rows.set(family, { family, examined: 0, failed: 0 }).get(family);
  const nameless = [];
  for (const result of report.testResults) {
    const families = await familiesIn(result.name);
    if (families.size === 0) nameless.push(relative(ROOT, result.name));
    for (const family of families) row(family).failed += failuresIn(result);
  }
  for (const { family, count } of told) row(family).examined += count;
  return { families: [...rows.values()].sort((one, other) => (one.family < other.family ? -1 : 1)), nameless };
}

const start = performance.now();
const folder = await mkdtemp(join(tmpdir(), 'valiza-exhaustive-'));
try {
  const examinedFile = join(folder, 'examined');
  const { code, report } = await runJest(kept ?? join(folder, 'report.json'), examinedFile);
  if (report === undefined) throw new Error(`jest wrote no report and ended with ${code}.`);
  const { families, nameless } = await rowsOf(report, await readExamined(examinedFile));
  const empty = families.filter((row) => row.examined === 0).map((row) => row.family);
  const examined = families.reduce((sum, row) => sum + row.examined, 0);
  const failed = report.testResults.reduce((sum, result) => sum + failuresIn(result), 0);
  const seconds = Math.round((performance.now() - start) / 1000);
  if (json) console.log(JSON.stringify({ families, examined, failed, seconds }));
  else {
    for (const row of families) console.log(`${row.family.padEnd(16)} examined ${row.examined}, failed ${row.failed}`);
    console.log(`${'all'.padEnd(16)} examined ${examined}, failed ${failed} (${seconds} s)`);
  }
  for (const file of nameless)
    console.error(`${file} does not say what it examines: call examined('<family>', count).`);
  for (const family of empty) console.error(`${family} examined nothing.`);
  const sound = code === 0 && failed === 0 && examined > 0 && empty.length === 0 && nameless.length === 0;
  process.exitCode = sound ? 0 : 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}

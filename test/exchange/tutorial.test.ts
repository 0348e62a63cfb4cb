import { build } from 'esbuild';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { ROOT } from '../../bin/local/assembly.ts';
import { startExchange, type LocalExchange } from '../../bin/local/exchange.ts';
import { enterPeople } from '../../examples/exercise/set-up.ts';

jest.setTimeout(120_000);

/** A block of commands of the tutorial, and the lines that it says they print. */
interface Step {
  readonly heading: string;
  readonly commands: readonly string[];
  readonly prints: readonly string[];
}

const page = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

/** Blocks of commands with the block of text that follows at once, under the heading that they stand under. */
function stepsOf(markdown: string): Step[] {
  const linesOf = (text = ''): string[] => text.split('\n').filter((line) => line !== '');
  return markdown.split(/^#+ /m).flatMap((section) => {
    const heading = section.slice(0, section.indexOf('\n'));
    const blocks = section.matchAll(/^```sh\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?/gms);
    return [...blocks].map(([, commands, prints]) => ({
      heading,
      commands: linesOf(commands),
      prints: linesOf(prints),
    }));
  });
}

/** Text as a regular expression that matches it alone. */
const escaped = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&');

const asPattern = (line: string): RegExp => new RegExp(`^${line.split('…').map(escaped).join('.*')}$`);

/** The first line that an output should have after the ones before it, and has not; undefined when it has them all. */
function missingFrom(output: string, prints: readonly string[]): string | undefined {
  const lines = output.split('\n').map((line) => line.trimEnd());
  let from = 0;
  return prints.find((wanted) => {
    const at = lines.slice(from).findIndex((line) => asPattern(wanted).test(line));
    from += at + 1;
    return at === -1;
  });
}

/** Stands on its own line before the output of each step. */
const MARK = '@@ step';

/** Runs every command in one shell, as a reader does, up to the first that fails. @returns the output of each step that was begun */
async function runInShell(steps: readonly Step[], env: Record<string, string>): Promise<string[]> {
  const script = steps.flatMap(({ commands }) => [
    `echo '${MARK}'`,
    ...commands.map((command) => `{ ${command}\n} || { echo "$? was the exit code"; exit 1; }`),
  ]);
  const shell = spawn('sh', ['-u'], { cwd: ROOT, env, stdio: ['pipe', 'pipe', 'inherit'] });
  shell.stdin.end(['exec 2>&1', ...script, ''].join('\n'));
  let output = '';
  shell.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  const code = await new Promise((resolve) => shell.on('close', resolve));
  if (code !== 0) throw new Error(`The tutorial stops here:\n${output.slice(output.lastIndexOf(MARK))}`);
  return output.split(`${MARK}\n`).slice(1);
}

/** An `npx` that runs the client of this checkout, made into one file: starting it from its source takes a second each time. */
async function writeNpx(folder: string): Promise<void> {
  await build({
    stdin: {
      contents: "import { runInTerminal } from './bin/valiza.ts'; void runInTerminal();",
      resolveDir: ROOT,
    },
    bundle: true,
    platform: 'node',
    format: 'cjs',
    outfile: join(folder, 'valiza.cjs'),
    logLevel: 'error',
    // In the one file __dirname takes its place, as in every test.
    logOverride: { 'empty-import-meta': 'silent' },
  });
  const client = `exec '${process.execPath}' '${join(folder, 'valiza.cjs')}' "$@"`;
  await writeFile(
    join(folder, 'npx'),
    `#!/bin/sh\n[ "$1" = valiza ] || { echo "npx $1?"; exit 127; }\nshift\n${client}\n`,
    {
      mode: 0o755,
    },
  );
}

const TUTORIAL = page('docs/tutorial.md');
const STEPS = stepsOf(TUTORIAL);

describe('the tutorial', () => {
  let folder: string;
  let exchange: LocalExchange;
  let outputs: readonly string[];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'valiza-tutorial-'));
    const [exercise, home, bin] = ['exercise', 'home', 'bin'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ]; // as many as there are names
    await Promise.all([mkdir(home), mkdir(bin)]);
    [exchange] = await Promise.all([
      startExchange({ environment: 'can-local', exerciseFolder: exercise }),
      writeNpx(bin),
    ]);
    // What `npm start` does, which the tutorial has its reader begin with.
    const at = new Date(exchange.runtime.clock.now()).toISOString();
    await enterPeople({ apiAs: exchange.as, keysFolder: join(exercise, 'keys'), at });
    outputs = await runInShell(STEPS, {
      PATH: [bin, dirname(process.execPath), process.env['PATH'] ?? ''].join(delimiter),
      HOME: home,
      VALIZA_EXCHANGE: exchange.runtime.url,
      VALIZA_EXERCISE: exercise,
    });
  });

  afterAll(async () => {
    await exchange?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it.each(STEPS.map((step, index) => [`${index + 1}, ${step.heading}`, index, step] as const))(
    'prints what it says in step %s',
    (_name, index, { prints }) => {
      const output = outputs[index] ?? '';
      expect({ missing: missingFrom(output, prints), output }).toEqual({ missing: undefined, output });
    },
  );

  it('takes the case through everything that it tells of, and nothing else', async () => {
    const { cases } = await exchange.as('ukr-requester-1').listCases({ query: {} });
    expect(cases).toHaveLength(1);
    const { events } = await exchange.as('can-desk-1').readEvents({ params: { caseId: cases[0]?.caseId ?? '' } });
    expect(events.map(({ type }) => type)).toEqual([
      'RequestSubmitted',
      'RequestAssessed',
      'ClarificationSought',
      'ClarificationAnswered',
      'DepositOpened',
      'DepositCompleted',
      'ProposalPut',
      'DecisionCast',
      'DecisionCast',
      'AssuranceGiven',
      'PackageSealed',
      'ReleaseOpened',
      'AccessGranted',
      'ReceiptAcknowledged',
      'ReleaseSuspended',
      'ResumptionProposed',
      'ReleaseResumed',
      'ReleaseExpired',
      'PackageDestroyed',
      'CaseClosed',
    ]);
    expect(exchange.runtime.denials()).toEqual([]);
  });

  it('leaves no case in a queue, and does not pass off an ended one as none', async () => {
    const desk = exchange.as('can-desk-1');
    expect((await desk.listCases({ query: { phase: 'RELEASED' } })).cases).toEqual([]);
    await expect(desk.listCases({ query: { phase: 'CLOSED' } })).rejects.toMatchObject({ problem: { status: 400 } });
  });

  it('says in a block of commands all that its reader is to type, but how to start', () => {
    const inText = TUTORIAL.replaceAll(/^```.*?^```\n/gms, '').match(/`(npm|npx|node) [^`]*`/g);
    expect([...new Set(inText)]).toEqual(['`npm ci --ignore-scripts`', '`npm start`']);
  });
});

describe('how the tutorial is read', () => {
  const markdown =
    '# One\n\n```sh\na\nb\n```\n\nWords.\n\n```text\nnot of a\n```\n\n## Two\n\n```sh\nc\n```\n\n```text\nc…d\n```\n';

  it('takes commands with the text right after them', () => {
    expect(stepsOf(markdown)).toEqual([
      { heading: 'One', commands: ['a', 'b'], prints: [] },
      { heading: 'Two', commands: ['c'], prints: ['c…d'] },
    ]);
  });

  it.each([
    ['another line', 'x\ny', ['z'], 'z'],
    ['part of a line', 'xy', ['x'], 'x'],
    ['lines in another order', 'x\ny', ['y', 'x'], 'x'],
    ['a line twice', 'x', ['x', 'x'], 'x'],
    ['all of them', 'x (1) \n\nabc', ['x (…)', 'a…c'], undefined],
  ])('finds %s', (_name, output, prints, missing) => {
    expect(missingFrom(output, prints)).toBe(missing);
  });
});

import { Command, CommanderError, Option } from 'commander';
import { homedir } from 'node:os';
import { addAssure } from './commands/assure.ts';
import { addClarify } from './commands/clarify.ts';
import { addDecide } from './commands/decide.ts';
import { addDeposit } from './commands/deposit.ts';
import { addDirectory } from './commands/directory.ts';
import { addEndings } from './commands/endings.ts';
import { addHistory } from './commands/history.ts';
import { addKeys } from './commands/keys.ts';
import { addList } from './commands/list.ts';
import { addOpen } from './commands/open.ts';
import { addOps } from './commands/ops.ts';
import { addPropose } from './commands/propose.ts';
import { addReceipt } from './commands/receipt.ts';
import { addReference } from './commands/reference.ts';
import { addShow } from './commands/show.ts';
import { addSubmit } from './commands/submit.ts';
import { addToken } from './commands/token.ts';
import { addWait } from './commands/wait.ts';
import { usualExchange } from './client/addresses.ts';
import { usage } from './client/errors.ts';
import { EXIT, EXIT_MEANINGS, type ExitCode } from './client/exit-codes.ts';
import { tellError } from './client/output.ts';
import { actIn, type AddCommand } from './client/session.ts';
import type { Surroundings } from './client/surroundings.ts';

const COMMANDS: readonly AddCommand[] = [
  addSubmit,
  addList,
  addShow,
  addWait,
  addClarify,
  addDeposit,
  addPropose,
  addDecide,
  addAssure,
  addOpen,
  addReceipt,
  addEndings,
  addHistory,
  addDirectory,
  addKeys,
  addOps,
  addToken,
  addReference,
];

const EPILOGUE = `
Environment:
  VALIZA_EXCHANGE  address of the exchange, unless --exchange is given
  VALIZA_TOKEN     access token of your nation's identity provider
  VALIZA_EXERCISE  folder of the exercise's keys, unless --exercise is given
  NO_COLOR         no colours

Data goes to stdout, everything else to stderr. Exit codes:
${(Object.keys(EXIT) as (keyof typeof EXIT)[]).map((key) => `  ${String(EXIT[key]).padStart(3)}  ${EXIT_MEANINGS[key]}`).join('\n')}`;

/** The program: every command with its options. It reads and writes what it is given, and ends nothing by itself. */
export function programIn(surroundings: Surroundings): Command {
  const { env, stdout, stderr } = surroundings;
  const program = new Command('valiza')
    .description('Ask another nation for information, decide what is asked of yours, and open what was released.')
    .addOption(
      new Option('--exchange <url>', 'address of the exchange').default(
        usualExchange(env),
        'VALIZA_EXCHANGE, or http://127.0.0.1:4610',
      ),
    )
    .option('--as <person>', 'act as a person of the exercise (exercise only)')
    .option('--exercise <folder>', "folder of the exercise's keys")
    .option('--json', 'answer with one JSON value on stdout; errors as JSON on stderr')
    .option('--no-input', 'never ask anything')
    .option('--yes', 'do not ask whether you are sure')
    .version('0.1.0', '--version', 'print the version')
    .helpOption('--help', 'explain a command')
    .helpCommand('help [command]', 'explain a command')
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
      outputError: () => undefined,
    })
    .showSuggestionAfterError()
    .addHelpText('after', EPILOGUE)
    .exitOverride();
  for (const add of COMMANDS) add(program, actIn(surroundings));
  return program;
}

/** Whether errors are wanted as JSON, also where the arguments cannot be read. */
const wantsJson = (argv: readonly string[]): boolean => argv.includes('--json');

/** Runs one command. @returns its exit code */
export async function run(argv: readonly string[], surroundings: Surroundings): Promise<ExitCode> {
  try {
    await programIn(surroundings).parseAsync([...argv], { from: 'user' });
    return EXIT.ok;
  } catch (error) {
    if (!(error instanceof CommanderError)) return tellError(error, surroundings, wantsJson(argv));
    if (error.exitCode === 0) return EXIT.ok;
    if (error.code === 'commander.help') return EXIT.usage;
    const message = error.message.replace(/^error: /, '');
    return tellError(usage(message, 'valiza help <command> explains it.'), surroundings, wantsJson(argv));
  }
}

/** Runs the command that the process was started with. Ctrl-C lets it clean up once, and ends it the second time. */
export async function runInTerminal(): Promise<void> {
  const interruption = new AbortController();
  process.once('SIGINT', () => interruption.abort());
  process.once('SIGTERM', () => interruption.abort());
  process.exitCode = await run(process.argv.slice(2), {
    env: process.env,
    home: homedir(),
    stdout: process.stdout,
    stderr: process.stderr,
    stdin: process.stdin,
    signal: interruption.signal,
  });
}

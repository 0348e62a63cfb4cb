import { parseArgs } from 'node:util';
import { resolve } from 'node:path';
import { codeOf } from './client/errors.ts';
import { demonstrate, type DemoResult } from './local/demo.ts';
import { banner, start } from './local/start.ts';

const USAGE = `Usage:
  npm start -- [--env can-local|ukr-local] [--port N] [--data DIR] [--assembly DIR] [--verbose]
  npm run --silent demo -- [--json] [--large] [--assembly DIR]

  --env       which nation's exchange to start (can-local)
  --port      where it listens on 127.0.0.1 (4610)
  --data      keep its state in a folder, and go on from there
  --assembly  run this synthesised assembly instead of one made from this checkout
  --verbose   print what the functions log
  --json      one JSON object on stdout, nothing else
  --large     release 64 MiB made on the spot instead of the tender`;

const LOCAL: readonly string[] = ['can-local', 'ukr-local'];

const options = {
  env: { type: 'string' },
  port: { type: 'string' },
  data: { type: 'string' },
  assembly: { type: 'string' },
  verbose: { type: 'boolean' },
  json: { type: 'boolean' },
  large: { type: 'boolean' },
  help: { type: 'boolean' },
} as const;

function summary(result: DemoResult): string {
  const calls = Object.entries(result.calls).map(
    ([service, operations]) =>
      `  ${service.padEnd(10)} ${Object.entries(operations)
        .map(([operation, count]) => `${operation} ${count}`)
        .join(', ')}`,
  );
  return [
    '',
    `Phases: ${result.phases.join(' → ')}`,
    `The decrypted document is the original: ${result.digestMatches ? 'yes' : 'NO'}. Opening after the end was refused: ${result.refusedAfterExpiry ? 'yes' : 'NO'}.`,
    `Workflow states entered: ${result.statesEntered}. From the first request to CLOSED: ${result.durationMs} ms.`,
    "The application's own AWS calls for this case:",
    ...calls,
  ].join('\n');
}

const good = (result: DemoResult): boolean =>
  result.digestMatches && result.refusedAfterExpiry && result.phases.at(-1) === 'CLOSED';

async function demo(values: { json?: boolean; large?: boolean; assembly?: string }): Promise<number> {
  const json = values.json === true;
  const result = await demonstrate({
    say: json ? () => undefined : (line) => console.log(line),
    large: values.large === true,
    ...(values.assembly === undefined ? {} : { assembly: resolve(values.assembly) }),
  });
  console.log(json ? JSON.stringify(result) : summary(result));
  return good(result) ? 0 : 1;
}

async function serve(values: {
  env?: string;
  port?: string;
  data?: string;
  assembly?: string;
  verbose?: boolean;
}): Promise<void> {
  const port = Number(values.port ?? '4610');
  if (!Number.isInteger(port) || port < 0 || port > 65535)
    throw new Error(`--port takes a number from 0 to 65535.\n\n${USAGE}`);
  const environment = values.env ?? 'can-local';
  if (!LOCAL.includes(environment))
    throw new Error(`Only ${LOCAL.join(' and ')} run on this machine, not ${environment}: choose one with --env.`);
  const startOptions = {
    environment,
    port,
    verbose: values.verbose === true,
    ...(values.data === undefined ? {} : { dataDirectory: resolve(values.data) }),
    ...(values.assembly === undefined ? {} : { assembly: resolve(values.assembly) }),
  };
  console.error(`Starting ${environment} …`);
  const exchange = await start(startOptions);
  console.log(banner(exchange, startOptions));
  let stopping = false;
  const stop = (): void => {
    if (stopping) return;
    stopping = true;
    void exchange.stop().then(() => process.exit(0));
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  const [verb] = positionals;
  if (values.help === true || (verb !== 'start' && verb !== 'demo')) {
    console.log(USAGE);
    process.exitCode = values.help === true ? 0 : 2;
  } else if (verb === 'demo') process.exitCode = await demo(values);
  else await serve(values);
}

main().catch((error: unknown) => {
  const unreadable = codeOf(error)?.startsWith('ERR_PARSE_ARGS') === true;
  const busy = error instanceof Error && codeOf(error.cause) === 'EADDRINUSE';
  console.error(error instanceof Error ? error.message : String(error));
  if (unreadable) console.error(`\n${USAGE}`);
  if (busy) console.error('Perhaps an exchange runs already: stop it with Ctrl-C, or choose another port with --port.');
  process.exitCode = unreadable ? 2 : 1;
});

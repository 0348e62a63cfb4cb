import { join } from 'node:path';
import { enterPeople } from '../../examples/exercise/set-up.ts';
import { fromEpoch } from '../../lambdas/domain/instant.ts';
import { EXERCISE_FOLDER, startExchange, type LocalExchange } from './exchange.ts';

export interface StartOptions {
  readonly environment: string;
  readonly port: number;
  readonly dataDirectory?: string;
  readonly assembly?: string;
  readonly verbose: boolean;
}

/** Starts an exchange of the exercise and enters its people; what is printed is where it is and what to try. */
export async function start(options: StartOptions): Promise<LocalExchange> {
  const { environment, port, dataDirectory, assembly, verbose } = options;
  const exchange = await startExchange({
    environment,
    port,
    ...(dataDirectory === undefined ? {} : { dataDirectory }),
    ...(assembly === undefined ? {} : { assembly }),
    ...(verbose ? { onLog: (line: string) => console.error(line) } : {}),
  });
  try {
    await enterPeople({
      apiAs: exchange.as,
      keysFolder: join(EXERCISE_FOLDER, 'keys'),
      at: fromEpoch(exchange.runtime.clock.now()),
    });
  } catch (error) {
    await exchange.stop();
    throw error;
  }
  return exchange;
}

/** What a person who has just started an exchange wants to know. */
export function banner(exchange: LocalExchange, options: StartOptions): string {
  const { url } = exchange.runtime;
  const asked = exchange.environment.startsWith('can') ? 'ukr' : 'can';
  const at = options.port === 4610 ? '' : ` --exchange ${url}`;
  return [
    '',
    `EXERCISE: the exchange ${exchange.environment} is running. Nothing of it leaves this machine.`,
    '',
    `  API      ${url}/v1   (description: ${url}/v1/openapi.json)`,
    `  Outbox   ${url}/_local/outbox`,
    `  Data     ${options.dataDirectory ?? 'forgotten when it stops (keep it with --data DIR)'}`,
    '',
    'Try, in another terminal:',
    `  npx valiza --as ${asked}-requester-1${at} submit examples/exercise/request.json`,
    `  npx valiza --as ${asked}-requester-1${at} list`,
    `  npx valiza --as ${exchange.environment.slice(0, 3)}-desk-1${at} list`,
    '',
    'examples/exercise/README.md goes on from there. Stop with Ctrl-C.',
    '',
  ].join('\n');
}

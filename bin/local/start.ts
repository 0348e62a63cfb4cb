import { join } from 'node:path';
import { enterPeople } from '../../examples/exercise/set-up.ts';
import { fromEpoch } from '../../lambdas/domain/instant.ts';
import { EXERCISE_FOLDER, startExchange, SYNTHESIS_TAKES, type LocalExchange } from './exchange.ts';

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
    onSynthesis: () => console.error(SYNTHESIS_TAKES),
    onStorageFailure: ({ message }) => {
      console.error(`The exchange has stopped: ${message}`);
      process.exit(1);
    },
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

/** The exercise's request is Ukraine's to Canada: what to give over it where Canada asks. */
const OTHER_WAY = " --recipient can-recipient-1 --level 'protected:Для службового користування' --language en";

/** What a person who has just started an exchange wants to know. */
export function banner(exchange: LocalExchange, options: StartOptions): string {
  const { url } = exchange.runtime;
  const [own, other] = exchange.environment.startsWith('can') ? ['can', 'ukr'] : ['ukr', 'can'];
  return [
    '',
    `EXERCISE: the exchange ${exchange.environment} is running. Nothing of it leaves this machine.`,
    '',
    `  API      ${url}/v1   (description: ${url}/v1/openapi.json)`,
    `  Outbox   ${url}/_local/outbox`,
    `  Data     ${options.dataDirectory ?? 'forgotten when it stops (keep it with --data DIR)'}`,
    '',
    'Try, in another terminal:',
    ...(options.port === 4610 ? [] : [`  export VALIZA_EXCHANGE=${url}`]),
    `  npx valiza --as ${other}-requester-1 submit examples/exercise/request.json${own === 'can' ? '' : OTHER_WAY}`,
    `  npx valiza --as ${other}-requester-1 list`,
    `  npx valiza --as ${own}-desk-1 list`,
    '',
    'docs/tutorial.md and examples/exercise/README.md go on from there. Stop with Ctrl-C.',
    '',
  ].join('\n');
}

import { join } from 'node:path';
import { openIssuers, type ExerciseIssuers } from '../../examples/exercise/issuer.ts';
import { nationOf } from '../../examples/exercise/nations.ts';
import { fromEpoch } from '../../lambdas/domain/instant.ts';
import { startRuntime, type Runtime, type RuntimeOptions } from '../../local/runtime.ts';
import { apiOf, type Api, type Connection } from '../client/api.ts';
import { ROOT, assemblyFor } from './assembly.ts';
import { serveKeySets } from './key-sets.ts';

/** Where the exercise keeps what is its own: issuers' keys, recipients' keys. Never committed. */
export const EXERCISE_FOLDER = join(ROOT, '.valiza', 'exercise');

/** Why nothing happens for a while. */
export const SYNTHESIS_TAKES =
  'The application is synthesised first. This takes some ten seconds, and only after a change.';

export interface LocalExchange {
  readonly environment: string;
  /** Directory of the assembly that it was started from. */
  readonly assembly: string;
  readonly runtime: Runtime;
  readonly issuers: ExerciseIssuers;
  /** How to talk to the exchange as a person of the exercise, with a fresh token for each call. */
  connectionAs(personId: string): Connection;
  /** The API as that person. */
  as(personId: string): Api;
  stop(): Promise<void>;
}

export interface ExchangeOptions extends Pick<
  RuntimeOptions,
  'port' | 'dataDirectory' | 'clientCertificate' | 'amend' | 'onLog' | 'onStorageFailure'
> {
  readonly environment: string;
  /** A synthesised assembly to run instead of one made from this checkout. */
  readonly assembly?: string;
  readonly exerciseFolder?: string;
  /** Told when the application has to be synthesised first, which takes a while. */
  readonly onSynthesis?: () => void;
}

/** Starts an exchange of the exercise on this machine: the synthesised application on the local runtime, with the exercise's issuers. */
export async function startExchange(options: ExchangeOptions): Promise<LocalExchange> {
  const { environment, assembly, exerciseFolder, onSynthesis, ...runtimeOptions } = options;
  // Before anything listens: what fails here leaves nothing that keeps the process alive.
  const application = assembly ?? (await assemblyFor(environment, onSynthesis));
  const issuers = await openIssuers(exerciseFolder ?? EXERCISE_FOLDER);
  const keySets = await serveKeySets(issuers);
  const runtime = await startRuntime({
    ...runtimeOptions,
    assembly: application,
    parameters: keySets.parameters,
  }).catch(async (error: unknown) => {
    await keySets.close();
    throw error;
  });
  const tokenOf = async (personId: string): Promise<string> => {
    const nation = nationOf(personId);
    if (nation === undefined) throw new Error(`${personId} is not a person of the exercise.`);
    return issuers.signToken({
      person: personId,
      nation,
      audience: `valiza:${environment}`,
      at: fromEpoch(runtime.clock.now()),
    });
  };
  const connectionAs = (personId: string): Connection => ({
    exchange: runtime.url,
    credential: { token: () => tokenOf(personId) },
  });
  return {
    environment,
    assembly: application,
    runtime,
    issuers,
    connectionAs,
    as: (personId) => apiOf(connectionAs(personId)),
    async stop() {
      await runtime.stop();
      await keySets.close();
    },
  };
}

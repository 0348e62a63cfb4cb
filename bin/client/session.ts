import type { Command } from 'commander';
import { apiOf, type Api, type Connection } from './api.ts';
import { safeAddress } from './addresses.ts';
import { exerciseCredential, exerciseFolder, exerciseKeyPath, givenToken } from './credentials.ts';
import { usage } from './errors.ts';
import { defaultKeyPath } from './key-files.ts';
import { outputTo, type Output } from './output.ts';
import { promptFor, type Prompt } from './prompt.ts';
import { suggestionsFor } from './suggestions.ts';
import type { Surroundings } from './surroundings.ts';

/** Options that every command has. */
export interface GlobalOptions {
  readonly exchange: string;
  readonly as?: string;
  readonly exercise?: string;
  readonly json?: boolean;
  /** False with --no-input. */
  readonly input: boolean;
  readonly yes?: boolean;
}

/** One run of one command: who runs it, against which exchange, and how it answers. */
export interface Session {
  readonly options: GlobalOptions;
  readonly surroundings: Surroundings;
  readonly out: Output;
  readonly prompt: Prompt;
  readonly signal: AbortSignal;
  readonly connection: Connection;
  readonly api: Api;
  /** The folder of the exercise's keys. */
  readonly exercise: string;
  /** Where the key pair of whoever runs this is, unless told. @throws ClientError (2) when nothing says who that is */
  keyPath(): string;
}

const noCredential = (): never => {
  throw usage(
    'Nothing says who you are.',
    "Put a token of your nation's identity provider into VALIZA_TOKEN; in the exercise, name a person with --as.",
  );
};

/** @throws ClientError (2) when the options cannot be used */
export function sessionOf(options: GlobalOptions, surroundings: Surroundings): Session {
  const { env, home, signal } = surroundings;
  const exchange = safeAddress(options.exchange, 'The exchange').origin;
  const exercise = exerciseFolder(options.exercise, env);
  const anonymous: Connection = { exchange, signal };
  const token = env['VALIZA_TOKEN'];
  const credential =
    options.as !== undefined
      ? exerciseCredential(options.as, exercise, anonymous)
      : token !== undefined && token !== ''
        ? givenToken(token)
        : { token: async () => noCredential() };
  const connection = { ...anonymous, credential };
  return {
    options,
    surroundings,
    out: outputTo(surroundings, options.json === true, suggestionsFor(options, env)),
    // What is to be read before a question is not shown with --json.
    prompt: promptFor(surroundings, { input: options.input && options.json !== true, yes: options.yes === true }),
    signal,
    connection,
    api: apiOf(connection),
    exercise,
    keyPath() {
      const { as } = options;
      if (as === undefined) throw usage('Nothing says which key is meant.', 'Give --key FILE.');
      return exerciseKeyPath(exercise, as) ?? defaultKeyPath(home, as);
    },
  };
}

/** What a command does; arguments as its usage names them, then its own options. */
export type Action<Options, Arguments extends readonly unknown[]> = (
  session: Session,
  options: Options,
  ...arguments_: Arguments
) => Promise<void>;

/** Makes an action of the kind that commander calls. */
export type Act = <Options, Arguments extends readonly unknown[]>(
  action: Action<Options, Arguments>,
) => (...given: unknown[]) => Promise<void>;

export const actIn =
  (surroundings: Surroundings): Act =>
  <Options, Arguments extends readonly unknown[]>(action: Action<Options, Arguments>) =>
  async (...given: unknown[]) => {
    // commander calls an action with its arguments, its options and the command; what they are is what the command declared.
    const command = given.at(-1) as Command;
    const options = command.opts() as Options;
    const arguments_ = given.slice(0, -2) as unknown as Arguments;
    await action(sessionOf(command.optsWithGlobals(), surroundings), options, ...arguments_);
  };

/** Adds a command to the program. */
export type AddCommand = (program: Command, act: Act) => void;

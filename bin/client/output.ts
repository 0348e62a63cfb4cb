import { styleText } from 'node:util';
import { ClientError, ProblemError } from './errors.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { jsonShown, shown } from './layout.ts';
import type { Surroundings, TextSink } from './surroundings.ts';

type Style = Parameters<typeof styleText>[0];

/** Text with colour where it goes to a terminal that wants it (https://no-color.org). */
export type Paint = (style: Style, text: string) => string;

const painterFor =
  (sink: TextSink, env: Surroundings['env']): Paint =>
  (style, text) =>
    sink.isTTY === true && (env['NO_COLOR'] ?? '') === '' ? styleText(style, text) : text;

/** What a command says, and where: data on stdout, the rest on stderr. */
export interface Output {
  readonly json: boolean;
  /** The command's answer: as one JSON value, or as the text for people. Called once. */
  answer(value: unknown, text: (paint: Paint) => string): void;
  /** A line of data for people while the command goes on. */
  progress(text: string): void;
  /** Something worth knowing that is no data. */
  note(text: string): void;
  /** What could be done next: a command of the reader's, or in words who else is to give one. */
  hint(text: string): void;
  /** Something to be read before a question. */
  show(text: (paint: Paint) => string): void;
}

/**
 * The output of one run; with `json`, stdout has one JSON value and stderr nothing but an error.
 * @param suggested writes a command of a hint as it is to be typed
 */
export function outputTo(
  { stdout, stderr, env }: Surroundings,
  json: boolean,
  suggested: (text: string) => string,
): Output {
  const forPeople = (text: string): void => {
    if (!json) stderr.write(`${text}\n`);
  };
  const paint = painterFor(stderr, env);
  return {
    json,
    answer(value, text) {
      stdout.write(json ? `${jsonShown(value)}\n` : `${text(painterFor(stdout, env))}\n`);
    },
    progress: (text) => {
      if (!json) stdout.write(`${text}\n`);
    },
    note: forPeople,
    hint: (text) => forPeople(`${paint('dim', 'next:')} ${suggested(text)}`),
    show: (text) => forPeople(text(paint)),
  };
}

interface Told {
  readonly exit: ExitCode;
  readonly code: string;
  readonly message: string;
  readonly next: string;
  readonly status?: number;
  readonly traceId?: string;
  readonly errors?: readonly { readonly pointer: string; readonly detail: string }[];
}

/** An error as it is told. What no one foresaw is told too, with what is known of it. */
export function toldOf(error: unknown, interrupted: boolean): Told {
  if (interrupted) {
    const next = 'Nothing was left behind on this machine; what the exchange had recorded by then stays recorded.';
    return { exit: EXIT.interrupted, code: 'INTERRUPTED', message: 'Interrupted.', next };
  }
  if (error instanceof ProblemError) {
    const { status, traceId, errors } = error.problem;
    const { exit, code, message, next } = error;
    return { exit, code, message, next, status, traceId, ...(errors === undefined ? {} : { errors }) };
  }
  if (error instanceof ClientError) {
    const { exit, code, message, next } = error;
    return { exit, code, message, next };
  }
  const message = error instanceof Error ? error.message : String(error);
  return {
    exit: EXIT.failed,
    code: 'FAILED',
    message,
    next: 'If this is not what you expected, report it with the command.',
  };
}

/** Tells an error on stderr and gives its exit code. */
export function tellError(error: unknown, { stderr, env, signal }: Surroundings, json: boolean): ExitCode {
  const told = toldOf(error, signal.aborted);
  if (json) {
    stderr.write(`${jsonShown({ error: told })}\n`);
    return told.exit;
  }
  const paint = painterFor(stderr, env);
  const lines = [
    `${paint('red', 'error:')} ${shown(told.message)}`,
    ...(told.errors ?? []).map(({ pointer, detail }) => `  ${shown(pointer)}: ${shown(detail)}`),
    `${paint('dim', 'next:')} ${shown(told.next)}`,
    ...(told.traceId === undefined ? [] : [paint('dim', shown(`(${told.code}, trace ${told.traceId})`))]),
  ];
  stderr.write(`${lines.join('\n')}\n`);
  return told.exit;
}

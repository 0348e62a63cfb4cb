import type { Problem } from '../../lambdas/contracts/api-answers.ts';
import { EXIT, exitForStatus, type ExitCode } from './exit-codes.ts';

/** Why a command of the client did not do what it was asked: the message says what was wrong, `next` what to do. */
export class ClientError extends Error {
  override readonly name: string = 'ClientError';
  readonly exit: ExitCode;
  /** Stable, free of language. */
  readonly code: string;
  readonly next: string;

  constructor(exit: ExitCode, code: string, message: string, next: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.exit = exit;
    this.code = code;
    this.next = next;
  }
}

/** An answer of the API that is a problem (RFC 9457). */
export class ProblemError extends ClientError {
  override readonly name = 'ProblemError';
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(exitForStatus(problem.status), problem.code, problem.detail, problem.next);
    this.problem = problem;
  }
}

export const usage = (message: string, next: string): ClientError =>
  new ClientError(EXIT.usage, 'USAGE', message, next);

export const damaged = (code: string, message: string, next: string, cause?: unknown): ClientError =>
  new ClientError(EXIT.damaged, code, message, next, cause);

export const unavailable = (message: string, next: string, cause?: unknown): ClientError =>
  new ClientError(EXIT.unavailable, 'UNAVAILABLE', message, next, cause);

/** The code of an error of Node's, such as ENOENT. */
export const codeOf = (error: unknown): string | undefined =>
  typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined;

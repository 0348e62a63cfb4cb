import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { invalidToken, taskTimedOut } from './api-errors.ts';
import type { Json } from './definition.ts';
import type { Execution } from './execution.ts';
import type { StateError } from './state-error.ts';

/** A task that waits for its callback. */
export interface WaitingTask {
  readonly execution: Execution;
  succeed(output: Json): void;
  fail(error: StateError): void;
  heartbeat(): void;
}

const RANDOM_BYTES = 64;

/**
 * Task tokens: random, and authenticated with a secret so that a token that was once issued (`TaskTimedOut` when its task is over, even
 * in an earlier run) is told apart from a forged one (`InvalidToken`). A token stands for one attempt at one state.
 */
export class TaskTokens {
  readonly #secret: Buffer;
  #open = new Map<string, WaitingTask>();

  constructor(secret: Buffer) {
    this.#secret = secret;
  }

  issue(task: WaitingTask): string {
    const random = randomBytes(RANDOM_BYTES);
    const token = Buffer.concat([random, this.#tag(random)]).toString('base64url');
    this.#open.set(token, task);
    return token;
  }

  /** Ends the token: from now on it is answered with `TaskTimedOut`. */
  close(token: string): void {
    this.#open.delete(token);
  }

  /** The task of an open token. Throws `InvalidToken` or `TaskTimedOut`. */
  find(token: string): WaitingTask {
    const task = this.#open.get(token);
    if (task !== undefined) return task;
    const bytes = Buffer.from(token, 'base64url');
    const random = bytes.subarray(0, RANDOM_BYTES);
    const tag = this.#tag(random);
    const given = bytes.subarray(RANDOM_BYTES);
    const genuine = bytes.toString('base64url') === token && given.length === tag.length && timingSafeEqual(given, tag);
    throw genuine ? taskTimedOut() : invalidToken();
  }

  #tag(random: Buffer): Buffer {
    return createHmac('sha256', this.#secret).update(random).digest();
  }
}

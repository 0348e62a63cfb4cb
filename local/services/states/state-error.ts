/**
 * An error that a state reports: what Retry and Catch match, and what an execution fails with.
 * https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
 */
export class StateError extends Error {
  /** Error name, for example `States.Timeout` or the `errorType` of a function's error. */
  readonly error: string;
  readonly explanation: string | undefined;
  /** True for a missed heartbeat: reported as `States.Timeout`, and matched by `States.HeartbeatTimeout` too. */
  readonly heartbeat: boolean;

  constructor(error: string, explanation: string | undefined, heartbeat = false) {
    super(`${error}: ${explanation ?? ''}`);
    this.name = 'StateError';
    this.error = error;
    this.explanation = explanation;
    this.heartbeat = heartbeat;
  }

  /** The Error Output that a catcher sees as `$states.errorOutput`. */
  get output(): { readonly Error: string; readonly Cause?: string } {
    return this.explanation === undefined ? { Error: this.error } : { Error: this.error, Cause: this.explanation };
  }

  /**
   * Whether a retrier or catcher with these names applies. `States.Runtime` always fails the execution; `States.DataLimitExceeded`
   * is not caught by `States.ALL`; `States.TaskFailed` is any error except `States.Timeout`.
   */
  matches(errorEquals: readonly string[]): boolean {
    if (this.error === 'States.Runtime') return false;
    if (errorEquals.includes(this.error)) return true;
    if (this.heartbeat && errorEquals.includes('States.HeartbeatTimeout')) return true;
    if (this.error === 'States.DataLimitExceeded') return false;
    return (
      errorEquals.includes('States.ALL') ||
      (errorEquals.includes('States.TaskFailed') && this.error !== 'States.Timeout')
    );
  }
}

/** An expression failed; the message says how, without saying where. */
export class EvaluationError extends Error {
  /** Path of the field within the state, for example `Arguments/Payload/orderId`. */
  readonly field: string;

  constructor(field: string, message: string) {
    super(message);
    this.name = 'EvaluationError';
    this.field = field;
  }
}

/** Input or output of a task, a state or an execution: at most this many bytes of UTF-8. https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html */
export const PAYLOAD_LIMIT = 262_144;

/** JSON text of `value`. Throws `States.DataLimitExceeded` when it is larger than the payload quota. */
export function withinPayloadLimit(value: unknown, what: string): string {
  const text = JSON.stringify(value);
  if (Buffer.byteLength(text) > PAYLOAD_LIMIT) {
    throw new StateError(
      'States.DataLimitExceeded',
      `The ${what} has a size exceeding the maximum number of bytes service limit.`,
    );
  }
  return text;
}

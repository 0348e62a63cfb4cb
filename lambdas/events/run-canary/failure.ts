/** Why the canary did not come through, in a code that says nothing of content: one of the API's own, or one of these. */
export class CanaryFailure extends Error {
  override readonly name = 'CanaryFailure';
  readonly code: string;
  /** Of the answer, when there was one. */
  readonly status: number | null;

  constructor(code: string, status: number | null = null, cause?: unknown) {
    super(code, cause === undefined ? undefined : { cause });
    this.code = code;
    this.status = status;
  }
}

/** Any error as a failure; what nobody foresaw keeps its cause for the log. */
export const asFailure = (error: unknown): CanaryFailure =>
  error instanceof CanaryFailure ? error : new CanaryFailure('UNEXPECTED', null, error);

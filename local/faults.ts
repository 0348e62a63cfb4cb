/** What a fault may interfere with: one call of one function (or of a service on its behalf). */
export interface FaultPoint {
  readonly service: string;
  readonly operation: string;
  /** Name of the calling role, or of the service principal. */
  readonly caller: string;
  /** `before`: the call has not happened; `after`: it has happened, and its answer is about to be sent. */
  readonly moment: 'before' | 'after';
  /** What is asked: path and query and, but for S3, whose bodies are streams, the body; of an invocation its payload. */
  readonly request: string;
  /** The calling function's instance, and what it was invoked with, as JSON text; undefined when no function calls. */
  readonly instance: { readonly id: string; readonly event: string } | undefined;
}

/**
 * What to do at a point: `throttle` answers the service's throttling error; `fail` answers 500; `cut` drops the connection without
 * an answer; `crash` ends the calling function's worker; `kill` ends this whole process, as a loss of power would.
 */
export type Fault = 'throttle' | 'fail' | 'cut' | 'crash' | 'kill';

/** Faults on demand: a test installs a plan, every call asks it. */
export class Faults {
  plan: ((point: FaultPoint) => Fault | undefined) | undefined;
  /** Deliver each stream batch twice. */
  duplicateStreamDelivery = false;
  /**
   * Deliver what was written to different items in another order than it was written; changes of one item stay in theirs, as a stream
   * promises no more. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html
   */
  reorderStreamDelivery = false;
  /** Milliseconds of virtual time by which secondary indexes lag behind their table. */
  indexLag = 0;
  /**
   * Milliseconds of virtual time until a key's new state takes effect: meanwhile it is used as before.
   * https://docs.aws.amazon.com/kms/latest/developerguide/accessing-kms.html#programming-eventual-consistency
   */
  keyChangeLag = 0;

  at(point: FaultPoint): Fault | undefined {
    const fault = this.plan?.(point);
    if (fault === 'kill') process.kill(process.pid, 'SIGKILL');
    return fault;
  }
}

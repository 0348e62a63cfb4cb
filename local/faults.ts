/** What a fault may interfere with: one call of one function (or of a service on its behalf). */
export interface FaultPoint {
  readonly service: string;
  readonly operation: string;
  /** Name of the calling role, or of the service principal. */
  readonly caller: string;
  /** `before`: the call has not happened; `after`: it has happened, and its answer is about to be sent. */
  readonly moment: 'before' | 'after';
}

/**
 * What to do at a point: `throttle` answers the service's throttling error; `fail` answers 500; `cut` drops the connection without
 * an answer; `crash` ends the calling function's worker.
 */
export type Fault = 'throttle' | 'fail' | 'cut' | 'crash';

/** Faults on demand: a test installs a plan, every call asks it. */
export class Faults {
  plan: ((point: FaultPoint) => Fault | undefined) | undefined;
  /** Deliver each stream batch twice. */
  duplicateStreamDelivery = false;
  /** Milliseconds of virtual time by which secondary indexes lag behind their table. */
  indexLag = 0;

  at(point: FaultPoint): Fault | undefined {
    return this.plan?.(point);
  }
}

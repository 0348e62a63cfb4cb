import { InvariantBroken } from '../domain/case.ts';
import type { Refusal } from '../domain/refusal.ts';

/** Somebody else changed the case first: load it again and decide again. */
export class Conflict extends Error {
  override readonly name = 'Conflict';
}

/** A service did not answer in time or asked to slow down; trying again later may help. */
export class Transient extends Error {
  override readonly name = 'Transient';
}

/**
 * The file of a case is not as long as the tally says that it has been: its table came back from a backup, or lost something. The case can
 * be read and not changed until the two agree again.
 */
export class FileBehind extends InvariantBroken {}

/** No such case, or not for this caller: the two are never told apart (promise S8). */
export class NotFound extends Error {
  override readonly name = 'NotFound';
}

/** A refusal on its way to whoever asked. */
export class Refused extends Error {
  override readonly name = 'Refused';
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.code);
    this.refusal = refusal;
  }
}

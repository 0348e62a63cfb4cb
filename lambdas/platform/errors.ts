import type { Refusal } from '../domain/refusal.ts';

/** Somebody else changed the case first: load it again and decide again. */
export class Conflict extends Error {
  override readonly name = 'Conflict';
}

/** A service did not answer in time or asked to slow down; trying again later may help. */
export class Transient extends Error {
  override readonly name = 'Transient';
}

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

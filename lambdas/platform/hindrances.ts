import type { Hindrance } from '../contracts/operator.ts';
import { MINUTE, plus, type Instant } from '../domain/instant.ts';
import { isFinal, isWaiting } from '../domain/phases.ts';
import type { OperatorsHead } from './case-index.ts';

/** What follows from a change has happened after so long, or something holds it up. */
const SOON = 3 * MINUTE;

/** How long what the exchange does by itself may take: sealing may run for a quarter of an hour. */
const LONG = 20 * MINUTE;

/** Since when a case should have gone on; undefined where nothing is awaited. */
function lateSince({ phase, dueAt, changedAt }: OperatorsHead): Instant | undefined {
  if (isFinal(phase)) return undefined;
  return isWaiting(phase) ? dueAt && plus(dueAt, SOON) : plus(changedAt, LONG);
}

/**
 * What holds a case up, as its head, its execution and its consumers show it.
 * @param seen whether the present attempt has an execution that runs, and how far `announce` has told of the case
 */
export function hindrancesOf(
  head: OperatorsHead,
  seen: { readonly running: boolean; readonly announced: number },
  now: Instant,
): readonly Hindrance[] {
  const settled = plus(head.changedAt, SOON) <= now;
  const over = isFinal(head.phase) && head.deposits === 0;
  const since = lateSince(head);
  const found: Readonly<Record<Hindrance, boolean>> = {
    'attempt-failed': head.failedStep !== undefined,
    'no-execution': !over && !seen.running && settled,
    late: since !== undefined && since <= now,
    untold: seen.announced < head.sequence && settled,
  };
  return (Object.keys(found) as Hindrance[]).filter((name) => found[name]); // the keys of a record of every Hindrance
}

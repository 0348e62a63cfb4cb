import { InvariantBroken } from '../domain/case.ts';
import type { CaseEvent } from '../domain/events.ts';
import type { CaseId, Digest } from '../domain/ids.ts';
import { digestOf } from './digest.ts';

/** An event as it is kept: bound to the one before it and to its own content (architecture §3). */
export type ChainedEvent = CaseEvent & {
  /** Hash of the event before it; of {@link genesis} for the first. */
  readonly previousHash: Digest;
  /** Over everything else in the event, `previousHash` included. */
  readonly hash: Digest;
};

/** The chain of a case file does not hold: every command on the case is refused and an operator is told. */
export class ChainBroken extends InvariantBroken {
  /** Place of the first event that is wrong, counted from 1. */
  readonly sequence: number;

  constructor(sequence: number, problem: string) {
    super(`The case file is broken at event ${sequence}: ${problem}.`);
    this.sequence = sequence;
  }
}

/** What the first event of a case follows: derived from the case id, so that no chain can be moved to another case. */
export const genesis = (caseId: CaseId): Digest => digestOf({ caseId }, 'valiza/case-file/genesis/1');

const hashOf = (event: CaseEvent & { readonly previousHash: Digest }): Digest =>
  digestOf(event, 'valiza/case-file/event/1');

/** Puts an event behind the one whose hash is `previousHash` (for the first event: {@link genesis}). */
export const link = (event: CaseEvent, previousHash: Digest): ChainedEvent => {
  const placed = { ...event, previousHash };
  return { ...placed, hash: hashOf(placed) };
};

function problemOf(caseId: CaseId, event: ChainedEvent, sequence: number, previousHash: Digest): string | undefined {
  if (event.caseId !== caseId) return `it belongs to another case`;
  if (event.sequence !== sequence) return `event ${event.sequence} stands in its place`;
  if (event.previousHash !== previousHash) return 'it does not follow the event before it';
  const { hash, ...content } = event;
  return hash === hashOf(content) ? undefined : 'its content has been altered';
}

/**
 * Verifies a case file from its first event on: one case, no gap, no other order, nothing altered. A file that merely ends too early
 * is a valid chain: that its last event is the last one is for the head of the case and the log to say.
 * @throws ChainBroken naming the first event that is wrong
 */
export function verifyChain(caseId: CaseId, events: readonly ChainedEvent[]): void {
  let previousHash = genesis(caseId);
  for (const [index, event] of events.entries()) {
    const problem = problemOf(caseId, event, index + 1, previousHash);
    if (problem !== undefined) throw new ChainBroken(index + 1, problem);
    previousHash = event.hash;
  }
}

import type { CaseEvent } from '../../../lambdas/domain/events.ts';
import { InvariantBroken } from '../../../lambdas/domain/case.ts';
import type { CaseId } from '../../../lambdas/domain/ids.ts';
import { ChainBroken, genesis, link, verifyChain, type ChainedEvent } from '../../../lambdas/evidence/chain.ts';
import { CASE_ID, SCENES, digest } from '../../support/domain.ts';

const OTHER_CASE = 'd'.repeat(32) as CaseId; // of the form of a case id

function chain(events: readonly CaseEvent[]): ChainedEvent[] {
  const chained: ChainedEvent[] = [];
  for (const event of events) chained.push(link(event, chained.at(-1)?.hash ?? genesis(event.caseId)));
  return chained;
}

const file = chain(SCENES.CLOSED().events);

/** Where verification stops, 0 when the file holds. */
function brokenAt(events: readonly ChainedEvent[]): number {
  try {
    verifyChain(CASE_ID, events);
    return 0;
  } catch (error) {
    if (error instanceof ChainBroken) return error.sequence;
    throw error;
  }
}

/** Every place of a value where something else could be written. */
function leaves(value: unknown, path: readonly string[] = []): readonly (readonly string[])[] {
  if (typeof value !== 'object' || value === null || Object.keys(value).length === 0) return [path];
  return Object.entries(value).flatMap(([key, member]) => leaves(member, [...path, key]));
}

/** A copy with another value at one place. */
function altered(event: ChainedEvent, path: readonly string[]): ChainedEvent {
  const copy = structuredClone(event) as unknown as Record<string, unknown>; // walked by name below
  const parent = path.slice(0, -1).reduce((at, key) => at[key] as Record<string, unknown>, copy);
  const key = path.at(-1) ?? '';
  const old = parent[key];
  parent[key] = typeof old === 'number' ? old + 1 : typeof old === 'boolean' ? !old : `${String(old)}x`;
  return copy as unknown as ChainedEvent; // deliberately no longer one
}

describe('a broken case file is refused with the first event that is wrong', () => {
  const places = file.flatMap((event, index) => leaves(event).map((path) => [index, path.join('/'), path] as const));

  it('has places to alter in every event', () => {
    expect(places.length).toBeGreaterThan(100);
  });

  it.each(places)('event %i altered at %s', (index, _, path) => {
    expect(brokenAt(file.with(index, altered(file[index] as ChainedEvent, path)))).toBe(index + 1);
  });

  it.each(file.map((event, index) => [event.type, index] as const))('a member added to %s', (_, index) => {
    const event = { ...file[index], unknown: true } as unknown as ChainedEvent; // deliberately none
    expect(brokenAt(file.with(index, event))).toBe(index + 1);
  });

  it.each(file.slice(0, -1).map((event, index) => [event.type, index] as const))('%s left out', (_, index) => {
    expect(brokenAt(file.toSpliced(index, 1))).toBe(index + 1);
  });

  it.each(file.slice(0, -1).map((event, index) => [event.type, index] as const))(
    '%s and the next one swapped',
    (_, index) => {
      const [first, second] = file.slice(index, index + 2);
      expect(brokenAt(file.toSpliced(index, 2, ...[second, first].filter((event) => event !== undefined)))).toBe(
        index + 1,
      );
    },
  );

  it('an event altered and hashed again: the next one no longer follows', () => {
    const [first] = file;
    if (first === undefined) throw new Error('The file is empty');
    const { hash: _hash, previousHash, ...event } = first;
    const forged = link({ ...event, at: file[1]?.at ?? event.at } as CaseEvent, previousHash);
    expect(brokenAt(file.with(0, forged))).toBe(2);
  });

  it('a whole file rewritten for another case', () => {
    const moved = chain(SCENES.CLOSED().events.map((event) => ({ ...event, caseId: OTHER_CASE })));
    expect(() => verifyChain(OTHER_CASE, moved)).not.toThrow();
    expect(brokenAt(moved)).toBe(1);
  });

  it('a chain that does not begin at the genesis of its case', () => {
    const [first] = SCENES.SUBMITTED().events;
    if (first === undefined) throw new Error('The scene is empty');
    expect(brokenAt([link(first, genesis(OTHER_CASE))])).toBe(1);
    expect(brokenAt([link(first, digest('anything'))])).toBe(1);
  });

  it('is a broken invariant, so that the case is parked', () => {
    expect(new ChainBroken(3, 'x')).toBeInstanceOf(InvariantBroken);
    expect(() => verifyChain(CASE_ID, file.toReversed())).toThrow(/broken at event 1/);
  });
});

it('holds for a file as it was written, also read back from JSON with its members in another order', () => {
  expect(brokenAt(file)).toBe(0);
  expect(brokenAt([])).toBe(0);
  const stored = JSON.parse(JSON.stringify(file)) as ChainedEvent[];
  expect(
    brokenAt(stored.map((event) => Object.fromEntries(Object.entries(event).reverse()) as unknown as ChainedEvent)),
  ).toBe(0);
});

it('gives every case a genesis of its own', () => {
  expect(genesis(CASE_ID)).not.toBe(genesis(OTHER_CASE));
  expect(genesis(CASE_ID)).not.toBe(digest({ caseId: CASE_ID }));
});

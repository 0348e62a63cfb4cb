import { equivalenceFor, rankOf, type Agreement, type Marking } from './agreement.ts';
import type { Nation } from './ids.ts';
import type { Instant } from './instant.ts';
import type { Person } from './people.ts';

/**
 * Until when a person is cleared to a mark (half-open), or undefined when they are not (rules B1, B2, B5): the mark on the person's
 * own nation's ladder is the mark itself, or for the other nation its directed equivalent; a clearance for a higher rung of the
 * same axis covers it.
 */
export function clearedUntil(
  agreement: Agreement,
  person: Person,
  marking: Marking,
  nation: Nation,
): Instant | undefined {
  const own =
    marking.nation === nation ? marking : { axis: marking.axis, ...equivalenceFor(agreement, marking, nation)?.to };
  if (own.nation === undefined || own.mark === undefined) return undefined;
  const needed = rankOf(agreement, { axis: own.axis, nation: own.nation, mark: own.mark });
  if (needed === undefined || person.nation !== nation) return undefined;
  return person.clearances
    .filter((clearance) => {
      const rank = rankOf(agreement, { axis: clearance.axis, nation, mark: clearance.mark });
      return clearance.axis === own.axis && rank !== undefined && rank >= needed;
    })
    .map((clearance) => clearance.validTo)
    .sort()
    .at(-1);
}

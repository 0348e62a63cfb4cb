import type { Clock } from '../../clock.ts';
import type { Item } from './attribute-value.ts';
import { endOf, itemsPrefix } from './keys.ts';
import { EXPIRED_BY } from './stream-log.ts';
import { primaryKey, type Table } from './table.ts';
import type { Tables } from './tables.ts';

/** Items that expired longer ago are not touched. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-before-you-start.html */
const OLDEST = 5 * 365 * 24 * 60 * 60;

/** Whether the item's TTL attribute, a number of epoch seconds, has passed. */
function expired(item: Item, attribute: string, clock: Clock): boolean {
  const value = item[attribute];
  if (value === undefined || !('N' in value)) return false;
  const end = Number(value.N);
  const now = clock.now() / 1000;
  return end <= now && end > now - OLDEST;
}

/** Deletes what has expired, as DynamoDB does within some days of the end; until then it can be read. */
export async function deleteExpired(tables: Tables, table: Table, clock: Clock): Promise<void> {
  const attribute = table.expiryAttribute;
  if (attribute === undefined) return;
  const prefix = itemsPrefix(table);
  const ended: Item[] = [];
  for await (const [, item] of tables.store.scan<Item>({ gt: prefix, lt: endOf(prefix) })) {
    if (expired(item, attribute, clock)) ended.push(primaryKey(table, item));
  }
  if (ended.length === 0) return;
  await tables.store.write((view) => {
    for (const key of ended) {
      // It may have been prolonged since it was found.
      const before = tables.item(view, table, key);
      if (before !== undefined && expired(before, attribute, clock)) {
        tables.apply(view, table, { before, after: undefined }, EXPIRED_BY);
      }
    }
  });
}

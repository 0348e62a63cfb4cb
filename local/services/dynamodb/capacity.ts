import type { Meter } from '../../meter.ts';
import { equalItems, type Item } from './attribute-value.ts';
import { itemSize } from './item-size.ts';
import type { Change } from './stream-log.ts';
import { indexEntry, indexesOf, type Table } from './table.ts';

/** Units by table and index of one operation. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html */
export interface Consumed {
  readonly table: Table;
  readonly tableUnits: number;
  readonly indexUnits: Readonly<Record<string, number>>;
}

export type CapacityDetail = 'INDEXES' | 'TOTAL' | 'NONE' | undefined;

/** A transaction reads or writes its items twice, to prepare and to commit; an index follows once. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html#transaction-capacity-handling */
export const TRANSACTIONAL = 2;

const writeUnits = (bytes: number): number => Math.max(1, Math.ceil(bytes / 1024));

/** 4 KB for a unit, half a unit where an eventually consistent answer is enough; a missing item costs as much as the smallest. */
export const readUnits = (bytes: number, consistent: boolean): number =>
  Math.max(1, Math.ceil(bytes / 4096)) * (consistent ? 1 : 0.5);

const larger = ({ before, after }: Change): number =>
  Math.max(before === undefined ? 0 : itemSize(before), after === undefined ? 0 : itemSize(after));

/** What a write costs; a failed condition costs as much as writing the item that exists. */
export function writeCost(table: Table, change: Change, factor = 1): Consumed {
  const indexUnits: Record<string, number> = {};
  for (const index of indexesOf(table)) {
    const old = indexEntry(table, index, change.before);
    const entry = indexEntry(table, index, change.after);
    const units = entryCost(old, entry);
    if (units > 0) indexUnits[index.IndexName] = units;
  }
  return { table, tableUnits: writeUnits(larger(change)) * factor, indexUnits };
}

type Entry = ReturnType<typeof indexEntry>;

/** A new key is a deletion and a put; an entry that stays as it is costs nothing. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html#GSI.ThroughputConsiderations.Writes */
function entryCost(old: Entry, entry: Entry): number {
  if (old?.position === entry?.position) {
    return equalItems(old?.image, entry?.image) ? 0 : writeUnits(larger({ before: old?.image, after: entry?.image }));
  }
  return [old, entry].reduce((sum, one) => sum + (one === undefined ? 0 : writeUnits(itemSize(one.image))), 0);
}

export const readCost = (table: Table, item: Item | undefined, consistent: boolean, factor = 1): Consumed => ({
  table,
  tableUnits: readUnits(item === undefined ? 0 : itemSize(item), consistent) * factor,
  indexUnits: {},
});

const unitsOf = (consumed: Consumed): number =>
  consumed.tableUnits + Object.values(consumed.indexUnits).reduce((sum, units) => sum + units, 0);

/** Counts units for the bill: `wru` and `rru`, as on-demand tables are billed. */
export function bill(meter: Meter, unit: 'wru' | 'rru', consumed: readonly Consumed[]): void {
  for (const one of consumed) meter.count('dynamodb', unit, unitsOf(one));
}

/** What costs of the same table come to together, one for each table. */
export function byTable(consumed: readonly Consumed[]): Consumed[] {
  const sums = new Map<Table, Consumed>();
  for (const one of consumed) {
    const sum = sums.get(one.table);
    sums.set(one.table, sum === undefined ? one : add(sum, one));
  }
  return [...sums.values()];
}

function add(left: Consumed, right: Consumed): Consumed {
  const indexUnits = { ...left.indexUnits };
  for (const [name, units] of Object.entries(right.indexUnits)) indexUnits[name] = (indexUnits[name] ?? 0) + units;
  return { table: left.table, tableUnits: left.tableUnits + right.tableUnits, indexUnits };
}

/**
 * `ConsumedCapacity` as asked for, or nothing. https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ConsumedCapacity.html
 * @param split transactions name read or write units beside their sum
 */
export function capacityAnswer(
  detail: CapacityDetail,
  consumed: Consumed,
  split?: 'ReadCapacityUnits' | 'WriteCapacityUnits',
): object | undefined {
  if (detail === undefined || detail === 'NONE') return undefined;
  const units = (amount: number): object => ({ CapacityUnits: amount, ...(split && { [split]: amount }) });
  const indexes = Object.entries(consumed.indexUnits).map(([name, amount]) => [name, units(amount)]);
  return {
    TableName: consumed.table.name,
    ...units(unitsOf(consumed)),
    ...(detail === 'INDEXES' && {
      Table: units(consumed.tableUnits),
      ...(indexes.length > 0 && { GlobalSecondaryIndexes: Object.fromEntries(indexes) }),
    }),
  };
}

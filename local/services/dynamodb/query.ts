import { attributesOf } from './access.ts';
import type { Item } from './attribute-value.ts';
import { bill, capacityAnswer, readUnits, type Consumed } from './capacity.ts';
import { holds } from './condition.ts';
import { projectedItem } from './get-item.ts';
import { itemSize } from './item-size.ts';
import { indexPrefix, itemsPrefix } from './keys.ts';
import type { Operation } from './operation.ts';
import {
  assertQueryable,
  pageKeyNames,
  queryRequest,
  rangeOf,
  sourceOf,
  type QueryParameters,
  type Source,
} from './query-request.ts';
import type { Range } from './store.ts';
import { pick } from './table.ts';
import type { Tables } from './tables.ts';

/** A page ends after 1 MB of what was read, before the filter. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.Pagination.html */
const LARGEST_PAGE = 1024 * 1024;

interface Page {
  readonly items: readonly Item[];
  readonly bytes: number;
  /** True when reading stopped before the end was seen. */
  readonly full: boolean;
}

/** https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Query.html */
export const query: Operation = async ({ access, tables, host }, input, caller) => {
  const parameters = queryRequest(input);
  access.authorize(caller, {
    action: 'Query',
    tableName: parameters.TableName,
    indexName: parameters.IndexName,
    leading: leadingValues(parameters, tables),
    attributes: [...Object.keys(parameters.KeyConditions), ...attributesOf(parameters)],
    select: parameters.Select,
    returnConsumedCapacity: parameters.ReturnConsumedCapacity,
  });
  const table = tables.get(parameters.TableName);
  access.assertReadable(caller, table);
  const source = sourceOf(table, parameters.IndexName);
  assertQueryable(parameters, source);
  const page = await readPage(tables, parameters, source);
  const cost = costOf(parameters, source, page.bytes);
  bill(host.meter, 'rru', [cost]);
  const capacity = capacityAnswer(parameters.ReturnConsumedCapacity, cost);
  return { ...answer(parameters, source, page), ...(capacity && { ConsumedCapacity: capacity }) };
};

/** The partition key value asked for; none where table or index do not exist, which authorization must not reveal. */
function leadingValues(
  { TableName, IndexName, KeyConditions }: QueryParameters,
  tables: Tables,
): QueryParameters['KeyConditions'][string]['AttributeValueList'][number][] {
  if (!tables.has(TableName)) return [];
  const table = tables.get(TableName);
  const schema =
    IndexName === undefined
      ? table.schema
      : table.schema.GlobalSecondaryIndexes?.find((one) => one.IndexName === IndexName);
  const name = schema?.KeySchema[0]?.AttributeName ?? '';
  return [...(KeyConditions[name]?.AttributeValueList ?? [])];
}

async function readPage(tables: Tables, parameters: QueryParameters, source: Source): Promise<Page> {
  const prefix = source.index === undefined ? itemsPrefix(source.table) : indexPrefix(source.table, source.index);
  const limit = parameters.Limit ?? Infinity;
  const items: Item[] = [];
  let bytes = 0;
  for await (const item of entries(tables, prefix, rangeOf(parameters, source, prefix))) {
    items.push(item);
    bytes += itemSize(item);
    if (items.length >= limit || bytes >= LARGEST_PAGE) return { items, bytes, full: true };
  }
  return { items, bytes, full: false };
}

/** Entries of a range in order; of an index that lags, as it was. */
async function* entries(tables: Tables, prefix: string, range: Range): AsyncIterable<Item> {
  const committed = tables.store.scan<Item>(range);
  const shown = tables.history.shown(prefix);
  if (shown.size === 0) {
    for await (const [, item] of committed) yield item;
    return;
  }
  const all = new Map<string, Item | undefined>();
  for await (const [key, item] of committed) all.set(key, item);
  for (const [key, item] of shown) if (within(key, range)) all.set(key, item);
  const ordered = [...all].sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [, item] of range.reverse === true ? ordered.reverse() : ordered) if (item !== undefined) yield item;
}

const within = (key: string, { gt, gte, lt, lte }: Range): boolean =>
  (gt === undefined || key > gt) &&
  (gte === undefined || key >= gte) &&
  (lt === undefined || key < lt) &&
  (lte === undefined || key <= lte);

function costOf(parameters: QueryParameters, { table, index }: Source, bytes: number): Consumed {
  const units = readUnits(bytes, parameters.ConsistentRead === true);
  return index === undefined
    ? { table, tableUnits: units, indexUnits: {} }
    : { table, tableUnits: 0, indexUnits: { [index.IndexName]: units } };
}

function answer(parameters: QueryParameters, source: Source, { items, full }: Page): object {
  const filter = parameters._filter;
  const matching = filter === undefined ? items : items.filter((item) => holds(filter.expression, item));
  const last = items.at(-1);
  return {
    ...(parameters.Select !== 'COUNT' && {
      Items: matching.map((item) => projectedItem(item, parameters._projection)),
    }),
    Count: matching.length,
    ScannedCount: items.length,
    ...(full && last !== undefined && { LastEvaluatedKey: pick(last, pageKeyNames(source)) }),
  };
}

import { createKey, toRangeStr } from 'dynalite/db/index.js';
import type { AttributeValue, Item } from './attribute-value.ts';
import { invalid } from './errors.ts';

export interface KeyElement {
  readonly AttributeName: string;
  readonly KeyType: 'HASH' | 'RANGE';
}

export interface GlobalIndex {
  readonly IndexName: string;
  readonly KeySchema: readonly KeyElement[];
  readonly Projection: {
    readonly ProjectionType: 'ALL' | 'KEYS_ONLY' | 'INCLUDE';
    readonly NonKeyAttributes?: readonly string[];
  };
}

/** The part of a table's definition that dynalite's functions read, in the shape of `CreateTable`. */
export interface TableSchema {
  readonly TableName: string;
  readonly AttributeDefinitions: readonly { readonly AttributeName: string; readonly AttributeType: 'S' | 'N' | 'B' }[];
  readonly KeySchema: readonly KeyElement[];
  readonly GlobalSecondaryIndexes?: readonly GlobalIndex[];
}

export type StreamViewType = 'KEYS_ONLY' | 'NEW_IMAGE' | 'OLD_IMAGE' | 'NEW_AND_OLD_IMAGES';

export interface Table {
  readonly name: string;
  readonly arn: string;
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly created: number;
  readonly schema: TableSchema;
  readonly stream: { readonly arn: string; readonly label: string; readonly viewType: StreamViewType } | undefined;
  /** Attribute that holds an item's end in epoch seconds. */
  readonly expiryAttribute: string | undefined;
  /** `AES256` with a key that AWS owns, `KMS` with the account's `aws/dynamodb` key or with `keyId`. */
  readonly encryption: { readonly type: 'owned' | 'KMS'; readonly keyId: string | undefined };
  readonly deletionProtection: boolean;
}

export const attributeNames = (keySchema: readonly KeyElement[]): readonly string[] =>
  keySchema.map((element) => element.AttributeName);

export const indexesOf = (table: Table): readonly GlobalIndex[] => table.schema.GlobalSecondaryIndexes ?? [];

/** Those of `names` that the item has. */
export const pick = (item: Item, names: Iterable<string>): Item =>
  Object.fromEntries(
    [...names].flatMap((name) => {
      const value = Object.hasOwn(item, name) ? item[name] : undefined;
      return value === undefined ? [] : [[name, value]];
    }),
  );

/** An item's primary key. */
export const primaryKey = (table: Table, item: Item): Item => pick(item, attributeNames(table.schema.KeySchema));

/** Where an item stands among its table's items: ordered by partition, then by sort key. */
export const itemPosition = (table: Table, key: Item): string => createKey(key, table.schema);

/** Attributes that an index holds; undefined for all. */
export function projected(table: Table, index: GlobalIndex): ReadonlySet<string> | undefined {
  if (index.Projection.ProjectionType === 'ALL') return undefined;
  return new Set([
    ...attributeNames(index.KeySchema),
    ...attributeNames(table.schema.KeySchema),
    ...(index.Projection.NonKeyAttributes ?? []),
  ]);
}

/**
 * Where an item stands in an index: ordered by the index key, then by the whole primary key. (dynalite ends an index key with 24 bits of a
 * hash of the primary key, so that two items with the same index key may overwrite each other.)
 */
export const indexPosition = (table: Table, index: GlobalIndex, item: Item): string =>
  createKey(item, table.schema, index.KeySchema) + createKey(item, table.schema);

/** What an index holds of an item; undefined when the item lacks a key attribute of the index (a sparse index). */
export function indexEntry(
  table: Table,
  index: GlobalIndex,
  item: Item | undefined,
): { readonly position: string; readonly image: Item } | undefined {
  if (item === undefined) return undefined;
  if (!attributeNames(index.KeySchema).every((name) => Object.hasOwn(item, name))) return undefined;
  const names = projected(table, index);
  return { position: indexPosition(table, index, item), image: names === undefined ? item : pick(item, names) };
}

/**
 * Refuses index key attributes of the wrong type, empty, or too long: such a write fails as a whole.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html#GSI.Writes
 */
export function assertIndexable(table: Table, item: Item): void {
  for (const index of indexesOf(table)) {
    for (const { AttributeName: name, KeyType } of index.KeySchema) {
      const value = Object.hasOwn(item, name) ? item[name] : undefined;
      if (value !== undefined) assertIndexKey(table, index.IndexName, name, value, KeyType === 'HASH' ? 2048 : 1024);
    }
  }
}

function assertIndexKey(table: Table, indexName: string, name: string, value: AttributeValue, longest: number): void {
  const expected = table.schema.AttributeDefinitions.find(
    (definition) => definition.AttributeName === name,
  )?.AttributeType;
  const actual = Object.keys(value)[0];
  if (actual !== expected) {
    throw invalid(
      `One or more parameter values were invalid: Type mismatch for Index Key ${name} Expected: ${expected} Actual: ${actual} IndexName: ${indexName}`,
    );
  }
  if ('N' in value) return;
  // Two hexadecimal digits for each byte.
  const bytes = toRangeStr(value).length / 2;
  if (bytes === 0) {
    throw invalid(
      'One or more parameter values are not valid. A value specified for a secondary index key is not supported. ' +
        `The AttributeValue for a key attribute cannot contain an empty ${actual === 'S' ? 'string' : 'binary'} value. IndexName: ${indexName}, IndexKey: ${name}`,
    );
  }
  if (bytes > longest) {
    throw invalid(
      `One or more parameter values were invalid: Size of the index key ${name} has exceeded the maximum size limit of ${longest} bytes. IndexName: ${indexName}`,
    );
  }
}

import * as rules from 'dynalite/validations/query.js';
import { hashPrefix, toRangeStr, validateKey, validateKeyPaths } from 'dynalite/db/index.js';
import { typeOf, type AttributeValue, type Item } from './attribute-value.ts';
import type { CapacityDetail } from './capacity.ts';
import { holds, type Expression } from './condition.ts';
import { invalid, refuse } from './errors.ts';
import { validated, type Parameters } from './request.ts';
import type { Range } from './store.ts';
import {
  attributeNames,
  indexesOf,
  indexPosition,
  itemPosition,
  pick,
  projected,
  type GlobalIndex,
  type Table,
} from './table.ts';

interface KeyCondition {
  readonly ComparisonOperator: string;
  readonly AttributeValueList: readonly [AttributeValue, ...AttributeValue[]];
}

export interface QueryParameters extends Parameters {
  readonly IndexName?: string;
  readonly KeyConditions: Readonly<Record<string, KeyCondition>>;
  readonly ExclusiveStartKey?: Item;
  readonly Limit?: number;
  readonly ScanIndexForward?: boolean;
  readonly ConsistentRead?: boolean;
  readonly Select?: 'ALL_ATTRIBUTES' | 'ALL_PROJECTED_ATTRIBUTES' | 'SPECIFIC_ATTRIBUTES' | 'COUNT';
  readonly ReturnConsumedCapacity?: CapacityDetail;
}

const ACCEPTED = [
  'TableName',
  'IndexName',
  'KeyConditionExpression',
  'FilterExpression',
  'ProjectionExpression',
  'ExpressionAttributeNames',
  'ExpressionAttributeValues',
  'ExclusiveStartKey',
  'Limit',
  'ScanIndexForward',
  'ConsistentRead',
  'Select',
  'ReturnConsumedCapacity',
];

/** @throws ValidationException for what is wrong whatever the table is */
export function queryRequest(input: unknown): QueryParameters {
  const parameters = validated<QueryParameters>('Query', input, ACCEPTED, rules);
  const { Select: select, _projection: projection } = parameters;
  if (projection !== undefined && select !== undefined && select !== 'SPECIFIC_ATTRIBUTES') {
    throw invalid(`Cannot specify the ProjectionExpression when choosing to get ${select}`);
  }
  if (select === 'SPECIFIC_ATTRIBUTES' && projection === undefined) {
    throw invalid('Must specify the ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES');
  }
  if (select === 'ALL_PROJECTED_ATTRIBUTES' && parameters.IndexName === undefined) {
    throw invalid('ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName');
  }
  return parameters;
}

/** What a query reads: the table, or one of its indexes. */
export interface Source {
  readonly table: Table;
  readonly index: GlobalIndex | undefined;
  readonly hashName: string;
  readonly rangeName: string | undefined;
}

export function sourceOf(table: Table, indexName: string | undefined): Source {
  const index = indexName === undefined ? undefined : indexesOf(table).find((one) => one.IndexName === indexName);
  if (indexName !== undefined && index === undefined) {
    throw invalid(`The table does not have the specified index: ${indexName}`);
  }
  const [hashName = '', rangeName] = attributeNames((index ?? table.schema).KeySchema);
  return { table, index, hashName, rangeName };
}

/** Refuses what does not fit the table or index. @throws ValidationException */
export function assertQueryable(parameters: QueryParameters, source: Source): void {
  const { table, index, hashName, rangeName } = source;
  assertKeyCondition(parameters, source);
  if (index !== undefined && parameters.ConsistentRead === true) {
    throw invalid('Consistent reads are not supported on global secondary indexes');
  }
  const onKey = [hashName, rangeName].find((name) => name !== undefined && parameters._filter?.pathHeads[name]);
  if (onKey !== undefined) {
    throw invalid(`Filter Expression can only contain non-primary key attributes: Primary key attribute: ${onKey}`);
  }
  for (const part of [parameters._projection, parameters._filter])
    refuse(validateKeyPaths(part?.nestedPaths, table.schema));
  const names = index === undefined ? undefined : projected(table, index);
  if (index === undefined || names === undefined) return;
  if (parameters.Select === 'ALL_ATTRIBUTES') {
    throw invalid(
      'One or more parameter values were invalid: Select type ALL_ATTRIBUTES is not supported for global secondary index ' +
        `${index.IndexName} because its projection type is not ALL`,
    );
  }
  // An index cannot fetch what it does not hold. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html#GSI.Projections
  const asked = [
    ...(parameters._projection?.paths ?? []).map((path) => String(path[0])),
    ...Object.keys(parameters._filter?.pathHeads ?? {}),
  ].filter((name) => !names.has(name));
  if (asked.length > 0) {
    throw invalid(
      `One or more parameter values were invalid: Global secondary index ${index.IndexName} does not project [${asked.join(', ')}]`,
    );
  }
}

function assertKeyCondition(
  { KeyConditions: conditions }: QueryParameters,
  { table, hashName, rangeName }: Source,
): void {
  const missing = conditions[hashName] === undefined ? hashName : undefined;
  if (missing !== undefined) throw invalid(`Query condition missed key schema element: ${missing}`);
  const stranger = Object.keys(conditions).find((name) => name !== hashName && name !== rangeName);
  if (stranger !== undefined) {
    throw invalid(
      rangeName === undefined
        ? 'Query key condition not supported'
        : `Query condition missed key schema element: ${rangeName}`,
    );
  }
  if (conditions[hashName]?.ComparisonOperator !== 'EQ') throw invalid('Query key condition not supported');
  for (const [name, { AttributeValueList: values }] of Object.entries(conditions)) {
    const type = table.schema.AttributeDefinitions.find((one) => one.AttributeName === name)?.AttributeType;
    if (values.some((value) => typeOf(value) !== type)) {
      throw invalid('One or more parameter values were invalid: Condition parameter type does not match schema type');
    }
  }
}

/** Attributes of a page's last key: the primary key, and the index key of an index. */
export const pageKeyNames = ({ table, index }: Source): readonly string[] => [
  ...new Set([...attributeNames(table.schema.KeySchema), ...attributeNames(index?.KeySchema ?? [])]),
];

/** Positions within `prefix` that the key condition and the start key leave. */
export function rangeOf(parameters: QueryParameters, source: Source, prefix: string): Range {
  const reverse = parameters.ScanIndexForward === false;
  const bounds = boundsOf(parameters, source);
  const start = parameters.ExclusiveStartKey;
  if (start === undefined) return { ...absolute(bounds, prefix), reverse };
  assertStartKey(parameters, source, start);
  const position =
    source.index === undefined ? itemPosition(source.table, start) : indexPosition(source.table, source.index, start);
  const { lt, lte, gt, gte } = bounds;
  const rest = reverse
    ? { lt: position, ...(gt === undefined ? { gte } : { gt }) }
    : { gt: position, ...(lt === undefined ? { lte } : { lt }) };
  return { ...absolute(rest, prefix), reverse };
}

type Bounds = { readonly [bound in 'gt' | 'gte' | 'lt' | 'lte']?: string | undefined };

const absolute = (bounds: Bounds, prefix: string): Range =>
  Object.fromEntries(
    Object.entries(bounds).flatMap(([name, bound]) => (bound === undefined ? [] : [[name, prefix + bound]])),
  );

/** Positions are slash-terminated pieces of hexadecimal digits, so `~` ends whatever begins with a piece. */
function boundsOf({ KeyConditions: conditions }: QueryParameters, { hashName, rangeName }: Source): Bounds {
  const hash = conditions[hashName]?.AttributeValueList[0];
  if (hash === undefined) throw new Error('A query without partition key passed validation.');
  const base = `${hashPrefix(String(Object.values(hash)[0]), typeOf(hash))}/${toRangeStr(hash)}/`;
  const range = rangeName === undefined ? undefined : conditions[rangeName];
  if (range === undefined) return { gte: base, lt: `${base}~` };
  const [first, second = first] = range.AttributeValueList;
  const at = `${base}${toRangeStr(first)}/`;
  switch (range.ComparisonOperator) {
    case 'EQ':
      return { gte: at, lt: `${at}~` };
    case 'LT':
      return { gte: base, lt: at };
    case 'LE':
      return { gte: base, lt: `${at}~` };
    case 'GT':
      return { gt: `${at}~`, lt: `${base}~` };
    case 'GE':
      return { gte: at, lt: `${base}~` };
    case 'BEGINS_WITH':
      return { gte: at, lt: `${base}${toRangeStr(first)}~` };
    case 'BETWEEN':
      return { gte: at, lt: `${base}${toRangeStr(second)}/~` };
    default:
      throw invalid('Attempted conditional constraint is not an indexable operation');
  }
}

function assertStartKey({ KeyConditions: conditions }: QueryParameters, source: Source, start: Item): void {
  const names = pageKeyNames(source);
  const { schema } = source.table;
  if (Object.keys(start).length !== names.length || names.some((name) => start[name] === undefined)) {
    throw invalid('The provided starting key is invalid');
  }
  for (const keySchema of [schema.KeySchema, source.index?.KeySchema ?? []]) {
    const key = pick(start, attributeNames(keySchema));
    if (validateKey(key, { ...schema, KeySchema: keySchema })) throw invalid('The provided starting key is invalid');
  }
  if (!Object.entries(conditions).every(([name, condition]) => holds(asExpression(name, condition), start))) {
    throw invalid('The provided starting key is outside query boundaries based on provided conditions');
  }
}

const EXPRESSION_TYPES: Readonly<Record<string, string>> = {
  EQ: '=',
  LT: '<',
  LE: '<=',
  GT: '>',
  GE: '>=',
  BETWEEN: 'between',
  BEGINS_WITH: 'function',
};

const asExpression = (
  name: string,
  { ComparisonOperator: operator, AttributeValueList: values }: KeyCondition,
): Expression => ({
  type: EXPRESSION_TYPES[operator] ?? operator,
  name: 'begins_with',
  args: [[name], ...values],
});

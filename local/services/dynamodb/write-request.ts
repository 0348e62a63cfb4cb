import * as deleteRules from 'dynalite/validations/deleteItem.js';
import * as putRules from 'dynalite/validations/putItem.js';
import * as updateRules from 'dynalite/validations/updateItem.js';
import { validateItem, validateKey, validateUpdates, validateKeyPaths } from 'dynalite/db/index.js';
import type { Item } from './attribute-value.ts';
import { holds } from './condition.ts';
import { invalid, refuse } from './errors.ts';
import { DEEPEST_NESTING, itemSize, LARGEST_ITEM, nestingOf } from './item-size.ts';
import { asStructure, oneOf, validated, type Parameters } from './request.ts';
import { assertIndexable, primaryKey, type Table } from './table.ts';
import { updated } from './update.ts';

/** The four things a transaction may do to an item; the first three are operations of their own too. */
export type WriteKind = 'Put' | 'Update' | 'Delete' | 'ConditionCheck';

export interface WriteParameters extends Parameters {
  readonly ReturnValues?: 'NONE' | 'ALL_OLD' | 'UPDATED_OLD' | 'ALL_NEW' | 'UPDATED_NEW';
  readonly ReturnConsumedCapacity?: 'INDEXES' | 'TOTAL' | 'NONE';
}

export interface WriteRequest {
  readonly kind: WriteKind;
  readonly parameters: WriteParameters;
  /** The item that fails the condition is wanted in the error. */
  readonly wantsFailedItem: boolean;
}

const COMMON = [
  'TableName',
  'ConditionExpression',
  'ExpressionAttributeNames',
  'ExpressionAttributeValues',
  'ReturnValuesOnConditionCheckFailure',
];
const SINGLE = ['ReturnValues', 'ReturnConsumedCapacity', 'ReturnItemCollectionMetrics'];

/** `ConditionCheck` takes the parameters of a deletion. https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ConditionCheck.html */
const RULES = {
  Put: { rules: putRules, accepted: [...COMMON, 'Item'] },
  Update: { rules: updateRules, accepted: [...COMMON, 'Key', 'UpdateExpression'] },
  Delete: { rules: deleteRules, accepted: [...COMMON, 'Key'] },
  ConditionCheck: { rules: deleteRules, accepted: [...COMMON, 'Key'] },
} as const;

/** Reads one write. @param operation as errors name it */
export function writeRequest(kind: WriteKind, operation: string, input: unknown, transactional: boolean): WriteRequest {
  const { ReturnValuesOnConditionCheckFailure: onFailure, ...rest } = asStructure(input);
  const { rules, accepted } = RULES[kind];
  const parameters = validated<WriteParameters>(
    operation,
    rest,
    transactional ? accepted : [...accepted, ...SINGLE],
    rules,
  );
  if (kind === 'ConditionCheck' && parameters._condition === undefined) {
    throw invalid(
      "1 validation error detected: Value null at 'conditionExpression' failed to satisfy constraint: Member must not be null",
    );
  }
  return {
    kind,
    parameters,
    wantsFailedItem: oneOf('ReturnValuesOnConditionCheckFailure', onFailure, ['ALL_OLD', 'NONE']) === 'ALL_OLD',
  };
}

/** The item's primary key, validated against the table. @throws ValidationException */
export function targetKey(request: WriteRequest, table: Table): Item {
  const { Item: item, Key: key = {} } = request.parameters;
  if (item !== undefined) {
    refuse(validateItem(item, table.schema));
    return primaryKey(table, item);
  }
  refuse(validateKey(key, table.schema));
  return key;
}

/** Whether the existing item fulfils the request's condition. */
export function conditionHolds(request: WriteRequest, table: Table, before: Item | undefined): boolean {
  const condition = request.parameters._condition;
  if (condition === undefined) return true;
  refuse(validateKeyPaths(condition.nestedPaths, table.schema));
  return holds(condition.expression, before ?? {});
}

/** What the write leaves of the item; undefined for nothing. @throws ValidationException */
export function outcome(request: WriteRequest, table: Table, before: Item | undefined): Item | undefined {
  const { parameters } = request;
  if (request.kind === 'ConditionCheck') return before;
  if (request.kind === 'Delete') return undefined;
  const after = request.kind === 'Put' ? (parameters.Item ?? {}) : changed(parameters, table, before);
  assertIndexable(table, after);
  if (itemSize(after) > LARGEST_ITEM) {
    throw invalid(
      request.kind === 'Put'
        ? 'Item size has exceeded the maximum allowed size'
        : 'Item size to update has exceeded the maximum allowed size',
    );
  }
  if (nestingOf(after) > DEEPEST_NESTING) throw invalid('Nesting Levels have exceeded supported limits');
  return after;
}

function changed(parameters: WriteParameters, table: Table, before: Item | undefined): Item {
  refuse(validateUpdates(undefined, parameters._updates, table.schema));
  // An update creates the item that does not exist.
  return updated(before ?? parameters.Key ?? {}, parameters._updates?.sections ?? []);
}

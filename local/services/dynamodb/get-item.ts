import { mapPaths, validateKey, validateKeyPaths } from 'dynalite/db/index.js';
import * as rules from 'dynalite/validations/getItem.js';
import { attributesOf } from './access.ts';
import type { Item } from './attribute-value.ts';
import { bill, capacityAnswer, readCost, type CapacityDetail } from './capacity.ts';
import { refuse } from './errors.ts';
import type { Operation } from './operation.ts';
import { validated, type Parameters, type Projection } from './request.ts';
import type { Table } from './table.ts';

export interface GetParameters extends Parameters {
  readonly Key: Item;
  readonly ConsistentRead?: boolean;
  readonly ReturnConsumedCapacity?: CapacityDetail;
}

const ACCEPTED = [
  'TableName',
  'Key',
  'ProjectionExpression',
  'ExpressionAttributeNames',
  'ConsistentRead',
  'ReturnConsumedCapacity',
];

/** https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_GetItem.html */
export const getItem: Operation = async (database, input, caller) => {
  const parameters = validated<GetParameters>('GetItem', input, ACCEPTED, rules);
  database.access.authorize(caller, {
    action: 'GetItem',
    tableName: parameters.TableName,
    keys: [parameters.Key],
    attributes: attributesOf(parameters),
    returnConsumedCapacity: parameters.ReturnConsumedCapacity,
  });
  const table = database.tables.get(parameters.TableName);
  database.access.assertReadable(caller, table);
  assertTarget(table, parameters.Key, parameters._projection);
  const item = database.tables.item(database.tables.store, table, parameters.Key);
  const cost = readCost(table, item, parameters.ConsistentRead === true);
  bill(database.host.meter, 'rru', [cost]);
  const capacity = capacityAnswer(parameters.ReturnConsumedCapacity, cost);
  return {
    ...(item && { Item: projectedItem(item, parameters._projection) }),
    ...(capacity && { ConsumedCapacity: capacity }),
  };
};

/** The key must fit the table, and a projection must not look inside key attributes. */
export function assertTarget(table: Table, key: Item, projection: Projection | undefined): void {
  refuse(validateKey(key, table.schema));
  refuse(validateKeyPaths(projection?.nestedPaths, table.schema));
}

export const projectedItem = (item: Item, projection: Projection | undefined): Item =>
  projection === undefined ? item : mapPaths(projection.paths, item);

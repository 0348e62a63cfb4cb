import * as rules from 'dynalite/validations/getItem.js';
import { attributesOf } from './access.ts';
import { bill, byTable, capacityAnswer, readCost, TRANSACTIONAL } from './capacity.ts';
import { canceled, CONFLICT, NONE, validationError, type Reason } from './cancellation.ts';
import { invalid } from './errors.ts';
import { assertTarget, projectedItem, type GetParameters } from './get-item.ts';
import { itemSize } from './item-size.ts';
import { itemsPrefix } from './keys.ts';
import type { Operation } from './operation.ts';
import { assertAccepted, asStructure, oneOf, validated } from './request.ts';
import { itemPosition, type Table } from './table.ts';
import { transactItems } from './transact-write-request.ts';
import { LARGEST_TRANSACTION } from './transact-write.ts';

const GET = ['TableName', 'Key', 'ProjectionExpression', 'ExpressionAttributeNames'];

/** All items as they stand at one moment. https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactGetItems.html */
export const transactGetItems: Operation = async (database, input, caller) => {
  const { access, tables, conflicts, host } = database;
  const given = asStructure(input);
  assertAccepted('TransactGetItems', given, ['TransactItems', 'ReturnConsumedCapacity']);
  const detail =
    oneOf('ReturnConsumedCapacity', given['ReturnConsumedCapacity'], ['INDEXES', 'TOTAL', 'NONE']) ?? 'NONE';
  const gets = transactItems(given['TransactItems']).map(parseGet);
  for (const get of gets) {
    access.authorize(caller, {
      action: 'GetItem',
      tableName: get.TableName,
      keys: [get.Key],
      attributes: attributesOf(get),
      returnConsumedCapacity: detail === 'NONE' ? undefined : detail,
      enclosing: 'TransactGetItems',
    });
  }
  const targets = gets.map((get) => {
    const table = tables.get(get.TableName);
    access.assertReadable(caller, table);
    return { get, table };
  });
  const reasons = targets.map(
    ({ get, table }) =>
      problemOf(table, get) ??
      (conflicts.beingWritten(itemsPrefix(table) + itemPosition(table, get.Key)) ? CONFLICT : NONE),
  );
  if (reasons.some((reason) => reason !== NONE)) throw canceled(reasons);
  // Reading is synchronous and commits are atomic, so nothing comes between two of these.
  const found = targets.map(({ get, table }) => ({ get, table, item: tables.item(tables.store, table, get.Key) }));
  if (found.reduce((sum, { item }) => sum + itemSize(item ?? {}), 0) > LARGEST_TRANSACTION) {
    throw invalid('Collection size of items in transaction cannot exceed 4MB');
  }
  const consumed = found.map(({ table, item }) => readCost(table, item, true, TRANSACTIONAL));
  bill(host.meter, 'rru', consumed);
  return {
    Responses: found.map(({ get, item }) => (item === undefined ? {} : { Item: projectedItem(item, get._projection) })),
    ...(detail !== 'NONE' && {
      ConsumedCapacity: byTable(consumed).map((one) => capacityAnswer(detail, one, 'ReadCapacityUnits')),
    }),
  };
};

function parseGet(element: unknown): GetParameters {
  const { Get: get, ...others } = asStructure(element);
  assertAccepted('TransactGetItems', others, []);
  if (get === undefined || get === null) {
    throw invalid(
      "1 validation error detected: Value null at 'get' failed to satisfy constraint: Member must not be null",
    );
  }
  return validated<GetParameters>('TransactGetItems.Get', get, GET, rules);
}

function problemOf(table: Table, get: GetParameters): Reason | undefined {
  try {
    assertTarget(table, get.Key, get._projection);
    return undefined;
  } catch (error) {
    return validationError(error);
  }
}

import * as rules from 'dynalite/validations/batchGetItem.js';
import type { Caller } from '../../iam/policy.ts';
import { attributesOf } from './access.ts';
import type { Item } from './attribute-value.ts';
import { bill, byTable, capacityAnswer, readCost, type CapacityDetail, type Consumed } from './capacity.ts';
import { assertTarget, projectedItem } from './get-item.ts';
import { itemSize } from './item-size.ts';
import type { Database, Operation } from './operation.ts';
import { assertAccepted, assertPlainName, asStructure, validated, type Projection } from './request.ts';
import { itemPosition } from './table.ts';

interface KeysAndAttributes {
  readonly Keys: readonly Item[];
  readonly ConsistentRead?: boolean;
  readonly _projection?: Projection;
}

interface BatchParameters {
  readonly RequestItems: Readonly<Record<string, KeysAndAttributes>>;
  readonly ReturnConsumedCapacity?: CapacityDetail;
}

const ACCEPTED = ['RequestItems', 'ReturnConsumedCapacity'];
const KEYS_AND_ATTRIBUTES = ['Keys', 'ConsistentRead', 'ProjectionExpression', 'ExpressionAttributeNames'];

/** An answer holds at most 16 MB; what does not fit is left for the caller to ask for again. */
const LARGEST_ANSWER = 16 * 1024 * 1024;

/** https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html */
export const batchGetItem: Operation = async (database, input, caller) => {
  for (const [name, request] of Object.entries(asStructure(asStructure(input)['RequestItems'] ?? {}))) {
    assertPlainName('BatchGetItem', name);
    assertAccepted('BatchGetItem', asStructure(request), KEYS_AND_ATTRIBUTES);
  }
  const parameters = validated<BatchParameters>('BatchGetItem', input, ACCEPTED, rules);
  for (const [TableName, request] of Object.entries(parameters.RequestItems)) {
    database.access.authorize(caller, {
      action: 'BatchGetItem',
      tableName: TableName,
      keys: request.Keys,
      attributes: request.Keys.flatMap((Key) => [...attributesOf({ TableName, ...request, Key })]),
      // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html#FGAC_DDB.Examples
      select: request._projection === undefined ? 'ALL_ATTRIBUTES' : 'SPECIFIC_ATTRIBUTES',
      returnConsumedCapacity: parameters.ReturnConsumedCapacity,
    });
  }
  return read(database, parameters, caller);
};

function read(database: Database, parameters: BatchParameters, caller: Caller): object {
  const responses: Record<string, Item[]> = {};
  const unprocessed: Record<string, object> = {};
  const consumed: Consumed[] = [];
  let room = LARGEST_ANSWER;
  for (const [tableName, request] of Object.entries(parameters.RequestItems)) {
    const found = readTable(database, tableName, request, caller, room);
    room = found.room;
    consumed.push(...found.consumed);
    responses[tableName] = found.items;
    const { _projection, ...asked } = request;
    if (found.left.length > 0) unprocessed[tableName] = { ...asked, Keys: found.left };
  }
  bill(database.host.meter, 'rru', consumed);
  const detail = parameters.ReturnConsumedCapacity ?? 'NONE';
  return {
    Responses: responses,
    UnprocessedKeys: unprocessed,
    ...(detail !== 'NONE' && { ConsumedCapacity: byTable(consumed).map((one) => capacityAnswer(detail, one)) }),
  };
}

function readTable(
  { tables, access }: Database,
  tableName: string,
  request: KeysAndAttributes,
  caller: Caller,
  room: number,
): { room: number; items: Item[]; left: Item[]; consumed: Consumed[] } {
  const table = tables.get(tableName);
  access.assertReadable(caller, table);
  for (const key of request.Keys) assertTarget(table, key, request._projection);
  const result = { room, items: [] as Item[], left: [] as Item[], consumed: [] as Consumed[] };
  // AWS promises no order; the table's own differs from the request's, so that nobody comes to rely on the latter.
  const order = (key: Item): string => itemPosition(table, key);
  for (const key of [...request.Keys].sort((a, b) => (order(a) < order(b) ? -1 : 1))) {
    const item = tables.item(tables.store, table, key);
    result.room -= item === undefined ? 0 : itemSize(item);
    if (result.room < 0) result.left.push(key);
    else {
      result.consumed.push(readCost(table, item, request.ConsistentRead === true));
      if (item !== undefined) result.items.push(projectedItem(item, request._projection));
    }
  }
  return result;
}

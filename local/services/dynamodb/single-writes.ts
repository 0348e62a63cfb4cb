import { mapPaths } from 'dynalite/db/index.js';
import { attributesOf } from './access.ts';
import type { Item } from './attribute-value.ts';
import { bill, capacityAnswer, writeCost } from './capacity.ts';
import { conditionFailed, transactionConflict } from './errors.ts';
import { itemsPrefix } from './keys.ts';
import type { Database, Operation } from './operation.ts';
import { itemPosition, type Table } from './table.ts';
import {
  conditionHolds,
  outcome,
  targetKey,
  writeRequest,
  type WriteKind,
  type WriteRequest,
} from './write-request.ts';

/** https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_PutItem.html */
export const putItem: Operation = (database, input, caller) => write(database, 'Put', input, caller);

/** https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateItem.html */
export const updateItem: Operation = (database, input, caller) => write(database, 'Update', input, caller);

/** https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DeleteItem.html */
export const deleteItem: Operation = (database, input, caller) => write(database, 'Delete', input, caller);

async function write(
  database: Database,
  kind: Exclude<WriteKind, 'ConditionCheck'>,
  input: unknown,
  caller: Parameters<Operation>[2],
): Promise<object> {
  const request = writeRequest(kind, `${kind}Item`, input, false);
  const { parameters } = request;
  database.access.authorize(caller, {
    action: `${kind}Item`,
    tableName: parameters.TableName,
    keys: [parameters.Item ?? parameters.Key ?? {}],
    attributes: attributesOf(parameters),
    returnValues: parameters.ReturnValues,
    returnConsumedCapacity: parameters.ReturnConsumedCapacity,
  });
  const table = database.tables.get(parameters.TableName);
  database.access.assertReadable(caller, table);
  const key = targetKey(request, table);
  const item = itemsPrefix(table) + itemPosition(table, key);
  if (database.conflicts.inTransaction(item)) throw transactionConflict();
  return database.conflicts.duringWrite(item, () => commit(database, request, table, key));
}

function commit(database: Database, request: WriteRequest, table: Table, key: Item): Promise<object> {
  const { tables, host } = database;
  return tables.store.write((view) => {
    const before = tables.item(view, table, key);
    if (!conditionHolds(request, table, before)) {
      bill(host.meter, 'wru', [writeCost(table, { before, after: before })]);
      throw conditionFailed(request.wantsFailedItem ? before : undefined);
    }
    const change = { before, after: outcome(request, table, before) };
    tables.apply(view, table, change);
    const cost = writeCost(table, change);
    bill(host.meter, 'wru', [cost]);
    const attributes = returnedAttributes(request, before, change.after);
    const capacity = capacityAnswer(request.parameters.ReturnConsumedCapacity, cost);
    return { ...(attributes && { Attributes: attributes }), ...(capacity && { ConsumedCapacity: capacity }) };
  });
}

function returnedAttributes(
  request: WriteRequest,
  before: Item | undefined,
  after: Item | undefined,
): Item | undefined {
  const paths = request.parameters._updates?.paths ?? [];
  const some = (item: Item | undefined): Item | undefined => {
    const attributes = item === undefined ? {} : mapPaths(paths, item);
    return Object.keys(attributes).length === 0 ? undefined : attributes;
  };
  switch (request.parameters.ReturnValues) {
    case 'ALL_OLD':
      return before;
    case 'ALL_NEW':
      return after;
    case 'UPDATED_OLD':
      return some(before);
    case 'UPDATED_NEW':
      return some(after);
    default:
      return undefined;
  }
}

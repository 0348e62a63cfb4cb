import type { Caller } from '../../iam/policy.ts';
import { attributesOf } from './access.ts';
import type { Item } from './attribute-value.ts';
import { bill, byTable, capacityAnswer, readCost, TRANSACTIONAL, writeCost, type Consumed } from './capacity.ts';
import { canceled, CONDITIONAL_CHECK_FAILED, CONFLICT, NONE, validationError, type Reason } from './cancellation.ts';
import { invalid } from './errors.ts';
import { itemSize } from './item-size.ts';
import { itemsPrefix } from './keys.ts';
import type { Database, Operation } from './operation.ts';
import { asStructure } from './request.ts';
import type { View } from './store.ts';
import type { Change } from './stream-log.ts';
import { itemPosition, type Table } from './table.ts';
import { conditionHolds, outcome, targetKey, type WriteRequest } from './write-request.ts';
import { parseTransactWrite, type TransactWrite } from './transact-write-request.ts';

interface Target {
  readonly request: WriteRequest;
  readonly table: Table;
  readonly key: Item | undefined;
  readonly problem: Reason | undefined;
}

/** Bytes of all items of a transaction together. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html */
export const LARGEST_TRANSACTION = 4 * 1024 * 1024;

/** https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html */
export const transactWriteItems: Operation = async (database, input, caller) => {
  const transaction = parseTransactWrite(asStructure(input));
  for (const { kind, parameters } of transaction.requests) {
    database.access.authorize(caller, {
      action: kind === 'ConditionCheck' ? 'ConditionCheckItem' : `${kind}Item`,
      tableName: parameters.TableName,
      keys: [parameters.Item ?? parameters.Key ?? {}],
      attributes: attributesOf(parameters),
      returnConsumedCapacity: transaction.capacity,
      enclosing: 'TransactWriteItems',
    });
  }
  const targets = transaction.requests.map((request) => target(database, request, caller));
  return database.idempotency.once(
    transaction.token,
    transaction.content,
    (remember) => execute(database, transaction, targets, remember),
    () => Promise.resolve(repeated(database, transaction, targets)),
  );
};

function target(database: Database, request: WriteRequest, caller: Caller): Target {
  const table = database.tables.get(request.parameters.TableName);
  database.access.assertReadable(caller, table);
  try {
    return { request, table, key: targetKey(request, table), problem: undefined };
  } catch (error) {
    return { request, table, key: undefined, problem: validationError(error) };
  }
}

async function execute(
  database: Database,
  transaction: TransactWrite,
  targets: readonly Target[],
  remember: (view: View) => void,
): Promise<object> {
  const items = targets.map(({ table, key }) =>
    key === undefined ? undefined : itemsPrefix(table) + itemPosition(table, key),
  );
  const held = items.filter((item) => item !== undefined);
  if (new Set(held).size < held.length) {
    throw invalid('Transaction request cannot include multiple operations on one item');
  }
  if (items.some((item) => item !== undefined && database.conflicts.inTransaction(item))) {
    throw canceled(
      items.map((item) => (item !== undefined && database.conflicts.inTransaction(item) ? CONFLICT : NONE)),
    );
  }
  return database.conflicts.duringTransaction(held, () =>
    database.tables.store.write((view) => {
      const consumed = commit(database, view, targets);
      remember(view);
      return answer(transaction, consumed, 'WriteCapacityUnits');
    }),
  );
}

/** Checks every condition before it changes anything. */
function commit(database: Database, view: View, targets: readonly Target[]): Consumed[] {
  const { tables, host } = database;
  const outcomes = targets.map((one) =>
    attempt(one, one.key === undefined ? undefined : tables.item(view, one.table, one.key)),
  );
  // A cancelled transaction is billed as well: it was prepared.
  const consumed = targets.map(({ table }, index) =>
    writeCost(table, outcomes[index]?.change ?? NO_CHANGE, TRANSACTIONAL),
  );
  bill(host.meter, 'wru', consumed);
  const reasons = outcomes.map(({ reason }) => reason);
  if (reasons.some((reason) => reason.Code !== 'None')) throw canceled(reasons);
  const bytes = outcomes.reduce((sum, { change }) => sum + itemSize(change.after ?? change.before ?? {}), 0);
  if (bytes > LARGEST_TRANSACTION) throw invalid('Collection size of items in transaction cannot exceed 4MB');
  targets.forEach(({ table }, index) => {
    tables.apply(view, table, outcomes[index]?.change ?? NO_CHANGE);
  });
  return byTable(consumed);
}

const NO_CHANGE: Change = { before: undefined, after: undefined };

/** What one action would do, or why it cancels the transaction. */
function attempt(
  { request, table, problem }: Target,
  before: Item | undefined,
): { readonly change: Change; readonly reason: Reason } {
  const unchanged = { before, after: before };
  if (problem !== undefined) return { change: unchanged, reason: problem };
  try {
    if (!conditionHolds(request, table, before)) {
      const item = request.wantsFailedItem && before !== undefined ? { Item: before } : {};
      return { change: unchanged, reason: { ...CONDITIONAL_CHECK_FAILED, ...item } };
    }
    return { change: { before, after: outcome(request, table, before) }, reason: NONE };
  } catch (error) {
    return { change: unchanged, reason: validationError(error) };
  }
}

/** A repeated request changes nothing and consumes what reading the items costs. */
function repeated(database: Database, transaction: TransactWrite, targets: readonly Target[]): object {
  const { tables, host } = database;
  const consumed = targets.map(({ table, key }) =>
    readCost(table, key === undefined ? undefined : tables.item(tables.store, table, key), true, TRANSACTIONAL),
  );
  bill(host.meter, 'rru', consumed);
  return answer(transaction, byTable(consumed), 'ReadCapacityUnits');
}

function answer(
  { capacity }: TransactWrite,
  consumed: readonly Consumed[],
  split: 'ReadCapacityUnits' | 'WriteCapacityUnits',
): object {
  if (capacity === undefined || capacity === 'NONE') return {};
  return { ConsumedCapacity: consumed.map((one) => capacityAnswer(capacity, one, split)) };
}

import {
  DynamoDBClient,
  TransactionCanceledException,
  type AttributeValue,
  type TransactWriteItem,
} from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { Conflict, Transient } from './errors.ts';

/** One client per function instance; its connections are kept. */
export const dynamodb = new DynamoDBClient({});

export const toItem = (value: object): Record<string, AttributeValue> =>
  marshall(value, { removeUndefinedValues: true });

const CONTENTION = ['ConditionalCheckFailed', 'TransactionConflict'];
const PRESSURE = [
  'ProvisionedThroughputExceededException',
  'ThrottlingException',
  'RequestLimitExceeded',
  'InternalServerError',
  'TransactionInProgressException',
  'TransactionConflictException',
];

/**
 * The store's errors as ours: a failed condition or a conflicting transaction is `Conflict` (load and decide again), pressure is `Transient`.
 * https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html#API_TransactWriteItems_Errors
 */
export function asOurError(error: unknown): unknown {
  if (error instanceof TransactionCanceledException) {
    const codes = (error.CancellationReasons ?? [])
      .map((reason) => reason.Code ?? 'None')
      .filter((code) => code !== 'None');
    if (codes.every((code) => CONTENTION.includes(code)))
      return new Conflict('The case changed meanwhile.', { cause: error });
    if (codes.some((code) => code === 'ThrottlingError' || code === 'ProvisionedThroughputExceeded')) {
      return new Transient('The store asked to slow down.', { cause: error });
    }
    return error;
  }
  const name = error instanceof Error ? error.name : '';
  if (name === 'ConditionalCheckFailedException') return new Conflict('The item changed meanwhile.', { cause: error });
  return PRESSURE.includes(name) ? new Transient('The store asked to slow down.', { cause: error }) : error;
}

/** A put that only succeeds when nothing is there. */
export const putNew = (table: string, item: object, key: string): TransactWriteItem => ({
  Put: {
    TableName: table,
    Item: toItem(item),
    ConditionExpression: 'attribute_not_exists(#key)',
    ExpressionAttributeNames: { '#key': key },
  },
});

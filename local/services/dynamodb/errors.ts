import { ServiceError } from '../../service.ts';
import type { Item } from './attribute-value.ts';

/** https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html */
export const invalid = (message: string): ServiceError => new ServiceError('ValidationException', message);

/** Throws what a dynalite check found, if it found something. */
export function refuse(problem: { readonly body?: { readonly message: string } } | null | undefined): void {
  if (problem?.body !== undefined) throw invalid(problem.body.message);
}

export const tableNotFound = (): ServiceError =>
  new ServiceError('ResourceNotFoundException', 'Requested resource not found');

/** @param item the item that failed the condition, when `ReturnValuesOnConditionCheckFailure` asked for it */
export const conditionFailed = (item: Item | undefined): ServiceError =>
  new ServiceError(
    'ConditionalCheckFailedException',
    'The conditional request failed',
    400,
    item === undefined ? {} : { Item: item },
  );

/** A non-transactional write met a transaction under way on its item. */
export const transactionConflict = (): ServiceError =>
  new ServiceError('TransactionConflictException', 'Transaction is ongoing for the item');

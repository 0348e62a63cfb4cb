import { ServiceError } from '../../service.ts';
import type { Item } from './attribute-value.ts';

/** Why one action cancels its transaction. https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_CancellationReason.html */
export interface Reason {
  readonly Code: 'None' | 'ConditionalCheckFailed' | 'TransactionConflict' | 'ValidationError';
  readonly Message?: string;
  readonly Item?: Item;
}

export const NONE: Reason = { Code: 'None' };
export const CONFLICT: Reason = { Code: 'TransactionConflict', Message: 'Transaction is ongoing for the item' };
export const CONDITIONAL_CHECK_FAILED: Reason = {
  Code: 'ConditionalCheckFailed',
  Message: 'The conditional request failed',
};

/** A validation problem of one action that only its table or its item showed; anything else is thrown on. */
export function validationError(error: unknown): Reason {
  if (error instanceof ServiceError && error.code === 'ValidationException') {
    return { Code: 'ValidationError', Message: error.message };
  }
  throw error;
}

/** @param reasons one for each action, in the order of the request */
export function canceled(reasons: readonly Reason[]): ServiceError {
  const codes = reasons.map(({ Code }) => Code).join(', ');
  return new ServiceError(
    'TransactionCanceledException',
    `Transaction cancelled, please refer cancellation reasons for specific reasons [${codes}]`,
    400,
    { CancellationReasons: reasons },
  );
}

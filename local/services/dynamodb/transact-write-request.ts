import type { CapacityDetail } from './capacity.ts';
import { invalid } from './errors.ts';
import { assertAccepted, asStructure, oneOf } from './request.ts';
import { writeRequest, type WriteKind, type WriteRequest } from './write-request.ts';

export interface TransactWrite {
  readonly requests: readonly WriteRequest[];
  readonly token: string | undefined;
  readonly capacity: CapacityDetail;
  /** What a repeated request must have in common with the first. */
  readonly content: unknown;
}

const KINDS: readonly WriteKind[] = ['ConditionCheck', 'Put', 'Update', 'Delete'];
const ACCEPTED = ['TransactItems', 'ClientRequestToken', 'ReturnConsumedCapacity', 'ReturnItemCollectionMetrics'];

/** Most actions of a transaction. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html */
export const MOST_ACTIONS = 100;

/** @throws ValidationException for what is wrong whatever the tables hold */
export function parseTransactWrite(input: Readonly<Record<string, unknown>>): TransactWrite {
  assertAccepted('TransactWriteItems', input, ACCEPTED);
  // Statistics exist for local secondary indexes only, which no table here has.
  oneOf('ReturnItemCollectionMetrics', input['ReturnItemCollectionMetrics'], ['SIZE', 'NONE']);
  const items = transactItems(input['TransactItems']);
  return {
    requests: items.map(parseItem),
    token: parseToken(input['ClientRequestToken']),
    capacity: oneOf('ReturnConsumedCapacity', input['ReturnConsumedCapacity'], ['INDEXES', 'TOTAL', 'NONE']),
    content: items,
  };
}

/** One to a hundred actions. */
export function transactItems(value: unknown): readonly unknown[] {
  const constraint = (problem: string): Error =>
    invalid(`1 validation error detected: Value at 'transactItems' failed to satisfy constraint: ${problem}`);
  if (!Array.isArray(value)) throw constraint('Member must not be null');
  if (value.length === 0) throw constraint('Member must have length greater than or equal to 1');
  if (value.length > MOST_ACTIONS) throw constraint(`Member must have length less than or equal to ${MOST_ACTIONS}`);
  return value;
}

function parseItem(item: unknown): WriteRequest {
  const [action, ...others] = Object.entries(asStructure(item)).filter(([, value]) => value !== null);
  const kind = KINDS.find((one) => one === action?.[0]);
  if (action === undefined || kind === undefined || others.length > 0) {
    throw invalid('TransactItems can only contain one of Check, Put, Update or Delete');
  }
  return writeRequest(kind, `TransactWriteItems.${kind}`, action[1], true);
}

function parseToken(token: unknown): string | undefined {
  if (token === undefined || token === null) return undefined;
  if (typeof token === 'string' && token.length >= 1 && token.length <= 36) return token;
  throw invalid(
    `1 validation error detected: Value '${String(token)}' at 'clientRequestToken' failed to satisfy constraint: Member must have length between 1 and 36`,
  );
}

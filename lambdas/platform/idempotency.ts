import { GetItemCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { createHash } from 'node:crypto';
import { toEpoch, type Instant } from '../domain/instant.ts';
import type { Person } from '../domain/people.ts';
import { asOurError, toItem } from './dynamodb.ts';

/** Records are garbage after a day; a retry comes sooner. */
const KEPT_SECONDS = 24 * 60 * 60;

/** What was answered to an idempotency key: enough to give the same answer again. */
export interface AnsweredBefore {
  readonly fingerprint: string;
  /** The case, or the directory change, that the request made or changed. */
  readonly caseId: string;
  /** The event after which the answer was given; 0 for a directory change. */
  readonly sequence: number;
}

/** A key is the caller's own: the same text from another person is another key, also from one of the same id in another nation. */
export const idempotencyKey = (
  { nation, personId }: Pick<Person, 'nation' | 'personId'>,
  operation: string,
  path: string,
  key: string,
): string =>
  createHash('sha256')
    .update(JSON.stringify([nation, personId, operation, path, key]))
    .digest('hex');

export const recordExpiry = (at: Instant): number => Math.floor(toEpoch(at) / 1000) + KEPT_SECONDS;

/** What was answered before, strongly consistent; undefined for a new key. */
export async function answeredBefore(
  client: DynamoDBClient,
  table: string,
  key: string,
): Promise<AnsweredBefore | undefined> {
  const answer = await client
    .send(new GetItemCommand({ TableName: table, Key: toItem({ key }), ConsistentRead: true }))
    .catch((error: unknown) => Promise.reject(asOurError(error)));
  return answer.Item === undefined ? undefined : (unmarshall(answer.Item) as AnsweredBefore); // written with the commit it belongs to
}

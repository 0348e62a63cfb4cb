import { DeleteItemCommand, PutItemCommand, QueryCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { toEpoch, type Instant } from '../domain/instant.ts';
import type { Phase } from '../domain/phases.ts';
import { asOurError, toItem } from './dynamodb.ts';
import { Conflict } from './errors.ts';

/** A parked task token: opens nothing, wakes one waiting execution. Never in a link, mail, event or log. */
export interface ParkedToken {
  readonly caseId: string;
  readonly attempt: number;
  readonly phase: Phase;
  readonly dueAt?: Instant;
  readonly token: string;
}

/** Tokens outlive the longest wait by a month and are then garbage. */
const KEPT_SECONDS = 330 * 24 * 60 * 60;

/** Parks the token of a waiting execution; the token of a later wait of the same attempt replaces it. */
export async function parkToken(
  client: DynamoDBClient,
  table: string,
  parked: ParkedToken,
  at: Instant,
): Promise<void> {
  const expiresAt = Math.floor(toEpoch(at) / 1000) + KEPT_SECONDS;
  await client
    .send(new PutItemCommand({ TableName: table, Item: toItem({ ...parked, expiresAt }) }))
    .catch((error: unknown) => Promise.reject(asOurError(error)));
}

/** The parked tokens of a case, of every attempt. */
export async function parkedTokens(
  client: DynamoDBClient,
  table: string,
  caseId: string,
): Promise<readonly ParkedToken[]> {
  const page = await client
    .send(
      new QueryCommand({
        TableName: table,
        KeyConditionExpression: 'caseId = :id',
        ExpressionAttributeValues: toItem({ ':id': caseId }),
        ConsistentRead: true,
      }),
    )
    .catch((error: unknown) => Promise.reject(asOurError(error)));
  return (page.Items ?? []).map((item) => unmarshall(item) as ParkedToken); // written by parkToken only
}

/** Forgets a token that has done its work, unless a later wait has parked another in its place. */
export async function forgetToken(client: DynamoDBClient, table: string, parked: ParkedToken): Promise<void> {
  try {
    await client.send(
      new DeleteItemCommand({
        TableName: table,
        Key: toItem({ caseId: parked.caseId, attempt: parked.attempt }),
        ConditionExpression: '#token = :token',
        ExpressionAttributeNames: { '#token': 'token' },
        ExpressionAttributeValues: toItem({ ':token': parked.token }),
      }),
    );
  } catch (error) {
    const ours = asOurError(error);
    if (!(ours instanceof Conflict)) throw ours;
  }
}

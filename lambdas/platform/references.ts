import type { DynamoDBClient, TransactWriteItem } from '@aws-sdk/client-dynamodb';
import type { CaseId } from '../domain/ids.ts';
import { digestOf } from '../evidence/digest.ts';
import { toItem } from './dynamodb.ts';
import { readPartition } from './partition.ts';

/** An agency's own reference for a request. */
export interface Reference {
  readonly nation: string;
  readonly agency: string;
  readonly reference: string;
}

/** Beside the case files, by a digest: no key carries what somebody wrote (promise S7). */
const keyOf = ({ nation, agency, reference }: Reference): { caseId: string; sk: string } => ({
  caseId: `REFERENCE#${digestOf({ nation, agency, reference }, 'valiza/reference/1')}`,
  sk: 'LATEST',
});

/** The latest case that was opened under a reference; undefined: none was. */
export async function latestUnder(
  client: DynamoDBClient,
  table: string,
  reference: Reference,
): Promise<CaseId | undefined> {
  const [latest] = await readPartition(client, table, keyOf(reference).caseId);
  return latest?.['opened'] as CaseId | undefined; // written below only
}

/** Takes a reference for a new case, in the transaction that opens it: only if the latest case under it is the one that was looked at. */
export const referenceWrite = (
  table: string,
  reference: Reference,
  opened: CaseId,
  before: CaseId | undefined,
): TransactWriteItem => ({
  Put: {
    TableName: table,
    Item: toItem({ ...keyOf(reference), opened }),
    ConditionExpression: before === undefined ? 'attribute_not_exists(opened)' : 'opened = :before',
    ...(before === undefined ? {} : { ExpressionAttributeValues: toItem({ ':before': before }) }),
  },
});

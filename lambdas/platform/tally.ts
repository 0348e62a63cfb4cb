import { GetItemCommand, type DynamoDBClient, type TransactWriteItem } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import type { CaseHead } from './case-head.ts';
import { asOurError, putNew, toItem } from './dynamodb.ts';

/** How far the file of a case has ever got. */
interface Notch {
  readonly caseId: string;
  readonly sequence: number;
  readonly lastHash: string;
}

/**
 * Cuts the next notch, in the transaction that writes the events: only if the file that was decided on ends where the last notch says. The
 * tally is a table of its own without backups, so that case files which came back from one are recognised and change no more, and a recall
 * that the backup does not know still stands (security.md S2, S3; docs/decisions/0008-the-tally.md).
 */
export function tallyWrite(
  table: string,
  caseId: string,
  before: Pick<CaseHead, 'sequence' | 'lastHash'> | undefined,
  last: { readonly sequence: number; readonly hash: string },
): TransactWriteItem {
  const notch: Notch = { caseId, sequence: last.sequence, lastHash: last.hash };
  if (before === undefined) return putNew(table, notch, 'caseId');
  return {
    Put: {
      TableName: table,
      Item: toItem(notch),
      ConditionExpression: '#sequence = :sequence AND lastHash = :lastHash',
      ExpressionAttributeNames: { '#sequence': 'sequence' },
      ExpressionAttributeValues: toItem({ ':sequence': before.sequence, ':lastHash': before.lastHash }),
    },
  };
}

/** Whether a case file, as its head says, ends where the tally says; strongly consistent. */
export async function agreesWithTally(client: DynamoDBClient, table: string, head: CaseHead): Promise<boolean> {
  const answer = await client
    .send(new GetItemCommand({ TableName: table, Key: toItem({ caseId: head.caseId }), ConsistentRead: true }))
    .catch((error: unknown) => Promise.reject(asOurError(error)));
  if (answer.Item === undefined) return false;
  const notch = unmarshall(answer.Item) as Notch; // written above only
  // Events may have been added since the head was read; then the head is behind, and a reader who acts on it fails at its own condition.
  return notch.sequence === head.sequence && notch.lastHash === head.lastHash;
}

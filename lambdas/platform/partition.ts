import { QueryCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { asOurError, toItem } from './dynamodb.ts';

/** Every item of a partition of the cases' table, strongly consistent: a case, or what is kept beside the cases. */
export async function readPartition(
  client: DynamoDBClient,
  table: string,
  caseId: string,
): Promise<Record<string, unknown>[]> {
  const items: Record<string, unknown>[] = [];
  let from: Record<string, never> | undefined;
  do {
    const page = await client
      .send(
        new QueryCommand({
          TableName: table,
          KeyConditionExpression: 'caseId = :id',
          ExpressionAttributeValues: toItem({ ':id': caseId }),
          ConsistentRead: true,
          ExclusiveStartKey: from,
        }),
      )
      .catch((error: unknown) => Promise.reject(asOurError(error)));
    items.push(...(page.Items ?? []).map((item) => unmarshall(item)));
    from = page.LastEvaluatedKey as typeof from;
  } while (from !== undefined);
  return items;
}

import { BatchGetItemCommand, QueryCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import type { CaseHead } from './case-head.ts';
import { asOurError, toItem } from './dynamodb.ts';

/** A place in a list: sort key and case. The partition always follows from the caller, so a cursor opens no other list (row 11 of the abuse list). */
export interface Position {
  readonly sort: string;
  readonly caseId: string;
}

export interface Page {
  readonly heads: readonly CaseHead[];
  readonly next: Position | undefined;
}

interface IndexQuery {
  readonly index: string;
  readonly partition: readonly [attribute: string, value: string];
  readonly sortName: string;
  readonly newestFirst: boolean;
  readonly limit: number;
  readonly after?: Position | undefined;
  readonly upTo?: string;
}

/** A page of an index: which cases, and where the next one begins. */
export async function queryIndex(
  client: DynamoDBClient,
  table: string,
  query: IndexQuery,
): Promise<{ places: Position[]; next: Position | undefined }> {
  const [attribute, value] = query.partition;
  const page = await client
    .send(
      new QueryCommand({
        TableName: table,
        IndexName: query.index,
        KeyConditionExpression: query.upTo === undefined ? '#p = :p' : '#p = :p AND #s <= :upTo',
        ExpressionAttributeNames:
          query.upTo === undefined ? { '#p': attribute } : { '#p': attribute, '#s': query.sortName },
        ExpressionAttributeValues: toItem({
          ':p': value,
          ...(query.upTo === undefined ? {} : { ':upTo': query.upTo }),
        }),
        ScanIndexForward: !query.newestFirst,
        Limit: query.limit,
        ...(query.after === undefined
          ? {}
          : {
              ExclusiveStartKey: toItem({
                [attribute]: value,
                [query.sortName]: query.after.sort,
                caseId: query.after.caseId,
                sk: 'HEAD',
              }),
            }),
      }),
    )
    .catch((error: unknown) => Promise.reject(asOurError(error)));
  const place = (key: Parameters<typeof unmarshall>[0]): Position => {
    const { [query.sortName]: sort, caseId } = unmarshall(key);
    return { sort: String(sort), caseId: String(caseId) };
  };
  return {
    places: (page.Items ?? []).map(place),
    next: page.LastEvaluatedKey === undefined ? undefined : place(page.LastEvaluatedKey),
  };
}

/** Items of cases under one sort key, strongly consistent. At most 100. @param attributes read of each; all unless told */
export async function readItems(
  client: DynamoDBClient,
  table: string,
  ids: readonly string[],
  sk: string,
  attributes?: readonly string[],
): Promise<Record<string, unknown>[]> {
  const found: Record<string, unknown>[] = [];
  let keys = ids.map((caseId) => toItem({ caseId, sk }));
  const only =
    attributes === undefined
      ? {}
      : {
          ProjectionExpression: attributes.map((name) => `#${name}`).join(', '),
          ExpressionAttributeNames: Object.fromEntries(attributes.map((name) => [`#${name}`, name])),
        };
  // https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html: what was not processed is asked for again.
  while (keys.length > 0) {
    const answer = await client
      .send(new BatchGetItemCommand({ RequestItems: { [table]: { Keys: keys, ConsistentRead: true, ...only } } }))
      .catch((error: unknown) => Promise.reject(asOurError(error)));
    found.push(...(answer.Responses?.[table] ?? []).map((item) => unmarshall(item)));
    keys = (answer.UnprocessedKeys?.[table]?.Keys as typeof keys | undefined) ?? [];
  }
  return found;
}

/** Heads in the order of their places; one whose head has gone is left out. At most 100. @param attributes read of each; all unless told */
export async function readHeads(
  client: DynamoDBClient,
  table: string,
  places: readonly Position[],
  attributes?: readonly (keyof CaseHead)[],
): Promise<CaseHead[]> {
  const ids = places.map(({ caseId }) => caseId);
  const heads = (await readItems(client, table, ids, 'HEAD', attributes)) as unknown as CaseHead[]; // written by commitCase only
  const found = new Map(heads.map((head) => [head.caseId, head]));
  return ids.flatMap((id) => found.get(id) ?? []);
}

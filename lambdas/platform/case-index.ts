import {
  GetItemCommand,
  TransactionConflictException,
  UpdateItemCommand,
  type DynamoDBClient,
} from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { INDEX } from '../contracts/names.ts';
import type { CaseId } from '../domain/ids.ts';
import type { Instant } from '../domain/instant.ts';
import { isFinal, type Phase } from '../domain/phases.ts';
import { agencyKey, dueKey, openKey, type CaseHead } from './case-head.ts';
import { SEEN_BY_ANNOUNCE } from './case-store.ts';
import { asOurError, toItem } from './dynamodb.ts';
import { Conflict } from './errors.ts';
import { queryIndex, readHeads, readItems, type Page, type Position } from './index-query.ts';

/**
 * Open work in a phase, what is due first first, as far as it may be seen. A next page begins behind the last case that was shown, and there
 * is one only where there are more to show: neither says anything of the others.
 */
export async function listOpen(
  client: DynamoDBClient,
  table: string,
  phase: Phase,
  limit: number,
  after?: Position,
  isShown: (head: CaseHead) => boolean = () => true,
): Promise<Page> {
  const partition = ['openKey', openKey(phase)] as const;
  const query = { index: INDEX.open, partition, sortName: 'openSort', newestFirst: false, limit: limit + 1 };
  const heads: CaseHead[] = [];
  const sorts = new Map<string, string>();
  let from = after;
  do {
    const { places, next } = await queryIndex(client, table, { ...query, after: from });
    for (const { sort, caseId } of places) sorts.set(caseId, sort);
    heads.push(...(await readHeads(client, table, places)).filter(isShown));
    from = next;
  } while (from !== undefined && heads.length <= limit);
  const caseId = heads[limit - 1]?.caseId ?? '';
  return {
    heads: heads.slice(0, limit),
    next: heads.length > limit ? { sort: sorts.get(caseId) ?? '', caseId } : undefined,
  };
}

/** An agency's own requests, newest first. */
export async function listOfAgency(
  client: DynamoDBClient,
  table: string,
  agency: { readonly nation: string; readonly agency: string },
  limit: number,
  after?: Position,
): Promise<Page> {
  const partition = ['agencyKey', agencyKey(agency.nation, agency.agency)] as const;
  const query = { index: INDEX.agency, partition, sortName: 'agencySort', newestFirst: true, limit, after };
  const { places, next } = await queryIndex(client, table, query);
  return { heads: await readHeads(client, table, places), next };
}

/** Ids of cases that are to be looked at now, longest overdue first. */
export async function listDue(
  client: DynamoDBClient,
  table: string,
  now: Instant,
  limit: number,
): Promise<readonly CaseId[]> {
  const partition = ['dueKey', dueKey()] as const;
  const { places } = await queryIndex(client, table, {
    index: INDEX.due,
    partition,
    sortName: 'dueSort',
    newestFirst: false,
    limit,
    upTo: now,
  });
  return places.map(({ caseId }) => caseId as CaseId); // only heads carry a dueKey, and their partition key is a case id
}

/** What operators may know of a case: where it stands, never what it is about. The role of their function is allowed these alone. */
const OPERATORS_SEE = [
  'caseId',
  'phase',
  'attempt',
  'failures',
  'changedAt',
  'dueAt',
  'deposits',
  'eventSchema',
  'sequence',
  'failedStep',
  'failedWith',
] as const;
export type OperatorsHead = Pick<CaseHead, (typeof OPERATORS_SEE)[number]>;

/** Cases that the sweep still watches: those that are not done, and those of which not everything has been told. */
export async function listWatched(
  client: DynamoDBClient,
  table: string,
  limit: number,
  after?: Position,
): Promise<{ readonly heads: readonly OperatorsHead[]; readonly next: Position | undefined }> {
  const partition = ['dueKey', dueKey()] as const;
  const query = { index: INDEX.due, partition, sortName: 'dueSort', newestFirst: false, limit, after };
  const { places, next } = await queryIndex(client, table, query);
  return { heads: await readHeads(client, table, places, OPERATORS_SEE), next };
}

/** How far `announce` has told of each of these cases; strongly consistent. At most 100. */
export async function announcedOf(
  client: DynamoDBClient,
  table: string,
  ids: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const items = await readItems(client, table, ids, SEEN_BY_ANNOUNCE, ['caseId', 'through']);
  return new Map(items.map((item) => [String(item['caseId']), Number(item['through'])]));
}

/** Cases that are not done, in the order in which the sweep looks at them; it takes those that are done out of the index. */
export async function listInFlight(
  client: DynamoDBClient,
  table: string,
  limit: number,
  after?: Position,
): Promise<{ readonly heads: readonly OperatorsHead[]; readonly next: Position | undefined }> {
  const { heads, next } = await listWatched(client, table, limit, after);
  return { heads: heads.filter((head) => !isFinal(head.phase) || head.deposits > 0), next };
}

/** The head of one case, strongly consistent; undefined when there is none. */
export async function readHead(client: DynamoDBClient, table: string, caseId: CaseId): Promise<CaseHead | undefined> {
  const answer = await client
    .send(new GetItemCommand({ TableName: table, Key: headKey(caseId), ConsistentRead: true }))
    .catch((error: unknown) => Promise.reject(asOurError(error)));
  return answer.Item === undefined ? undefined : (unmarshall(answer.Item) as CaseHead); // written by commitCase only
}

const headKey = (caseId: string): ReturnType<typeof toItem> => toItem({ caseId, sk: 'HEAD' });

/** Claims the next attempt for a case whose execution is gone: of two claimants one gets it (architecture §4). */
export async function claimAttempt(client: DynamoDBClient, table: string, head: CaseHead): Promise<boolean> {
  return conditionally(client, {
    TableName: table,
    Key: headKey(head.caseId),
    UpdateExpression: 'SET attempt = :next',
    ConditionExpression: 'attempt = :current',
    ExpressionAttributeValues: toItem({ ':next': head.attempt + 1, ':current': head.attempt }),
  });
}

/** Touches the head so that the consumers of the stream look at the case again; changes no fact. */
export async function nudge(client: DynamoDBClient, table: string, caseId: string): Promise<void> {
  await conditionally(client, {
    TableName: table,
    Key: headKey(caseId),
    UpdateExpression: 'ADD nudges :one',
    ConditionExpression: 'attribute_exists(caseId)',
    ExpressionAttributeValues: toItem({ ':one': 1 }),
  });
}

/** Sets when the sweep looks at a case next, or takes it out of the index; only if the case has not changed since it was read. */
export async function lookAgain(
  client: DynamoDBClient,
  table: string,
  head: CaseHead,
  at: Instant | undefined,
): Promise<void> {
  await conditionally(client, {
    TableName: table,
    Key: headKey(head.caseId),
    UpdateExpression: at === undefined ? 'REMOVE dueKey, dueSort' : 'SET dueKey = :key, dueSort = :at',
    ConditionExpression: '#sequence = :read',
    ExpressionAttributeNames: { '#sequence': 'sequence' },
    ExpressionAttributeValues: toItem({
      ':read': head.sequence,
      ...(at === undefined ? {} : { ':key': dueKey(), ':at': at }),
    }),
  });
}

/** Sets when the sweep looks next at a case that it could not read: whatever its head says. */
export async function postpone(client: DynamoDBClient, table: string, caseId: string, at: Instant): Promise<void> {
  await conditionally(client, {
    TableName: table,
    Key: headKey(caseId),
    UpdateExpression: 'SET dueSort = :at',
    ConditionExpression: 'attribute_exists(dueKey)',
    ExpressionAttributeValues: toItem({ ':at': at }),
  });
}

/** Records how far `announce` has got; never backwards. Its own item, so that progress never collides with a change of the case. */
export async function recordAnnounced(
  client: DynamoDBClient,
  table: string,
  caseId: string,
  through: number,
): Promise<void> {
  await conditionally(client, {
    TableName: table,
    Key: toItem({ caseId, sk: SEEN_BY_ANNOUNCE }),
    UpdateExpression: 'SET through = :n',
    ConditionExpression: 'attribute_not_exists(through) OR through < :n',
    ExpressionAttributeValues: toItem({ ':n': through }),
  });
}

/** How often an update is tried again while a transaction holds its item. */
const TRIES = 6;

/** True when the update happened, false when its condition did not hold; a transaction under way on the item is waited for. */
async function conditionally(
  client: DynamoDBClient,
  update: ConstructorParameters<typeof UpdateItemCommand>[0],
): Promise<boolean> {
  for (let tries = 1; ; tries += 1) {
    try {
      await client.send(new UpdateItemCommand(update));
      return true;
    } catch (error) {
      const ours = asOurError(error);
      if (ours instanceof Conflict) return false;
      if (!(error instanceof TransactionConflictException) || tries === TRIES) throw ours;
      await new Promise((resolve) => setTimeout(resolve, 10 * 2 ** tries * Math.random()));
    }
  }
}

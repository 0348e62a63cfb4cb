import {
  TransactWriteItemsCommand,
  TransactionCanceledException,
  type DynamoDBClient,
  type TransactWriteItem,
} from '@aws-sdk/client-dynamodb';
import { parseCaseEvent, schemaOf } from '../contracts/event-schema.ts';
import { InvariantBroken, type Case } from '../domain/case.ts';
import { evolve } from '../domain/evolve.ts';
import type { CaseEvent, DomainEvent, RecordedActor } from '../domain/events.ts';
import type { CaseId, Digest } from '../domain/ids.ts';
import type { Instant } from '../domain/instant.ts';
import { canonical } from '../evidence/canonical.ts';
import { genesis, link, verifyChain, type ChainedEvent } from '../evidence/chain.ts';
import { headOf, type CaseHead } from './case-head.ts';
import { asOurError, putNew, toItem } from './dynamodb.ts';
import { FileBehind, NotFound } from './errors.ts';
import { randomId } from './identifiers.ts';
import { readPartition } from './partition.ts';
import { referenceWrite, type Reference } from './references.ts';
import { tallyWrite } from './tally.ts';

/** A case with its whole history, read in one go. */
export interface CaseFile {
  readonly state: Case;
  readonly events: readonly ChainedEvent[];
  /** The same in the form that each was written in, which the chain is over. */
  readonly written: readonly ChainedEvent[];
  readonly head: CaseHead;
  /** Sequence up to which `announce` has told the world. */
  readonly announced: number;
}

/** An answer that must be given again to the same idempotency key, committed with the events it answers for. */
export interface IdempotencyRecord {
  readonly table: string;
  readonly key: string;
  /** Digest of the request, so that the key cannot be used for another one. */
  readonly fingerprint: string;
  readonly caseId: string;
  readonly expiresAt: number;
}

export interface Commit {
  readonly caseId: CaseId;
  /** The file that was decided on; undefined opens a case. */
  readonly file: CaseFile | undefined;
  readonly events: readonly DomainEvent[];
  readonly actor: RecordedActor;
  readonly at: Instant;
  readonly idempotency?: IdempotencyRecord;
  /** Registers the case: the number that the counter of this series must stand at before. */
  readonly register?: { readonly series: string; readonly previous: number };
  /** What the asking agency calls the request, and the latest case before that it called so. */
  readonly reference?: { readonly taken: Reference; readonly before: CaseId | undefined };
}

const eventKey = (sequence: number): string => `EV#${String(sequence).padStart(6, '0')}`;
const HEAD = 'HEAD';
export const SEEN_BY_ANNOUNCE = 'SEEN#announce';

/**
 * Reads a case: one strongly consistent query for events, head and progress. The chain is checked on every load; a broken chain
 * refuses everything (architecture §3).
 * https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Query.html
 * @throws NotFound when there is no such case, InvariantBroken when the file does not hold together
 */
export async function loadCase(client: DynamoDBClient, table: string, caseId: CaseId): Promise<CaseFile> {
  for (let tries = 0; tries < 3; tries += 1) {
    const items = await readPartition(client, table, caseId);
    const head = items.find((item) => item['sk'] === HEAD) as CaseHead | undefined; // written by commitCase only
    if (head === undefined) throw new NotFound('No such case.');
    const written = items
      .filter((item) => String(item['sk']).startsWith('EV#'))
      .map((item) => parsed(String(item['body'])));
    // A query is not a snapshot: when a commit fell between two of its pages, read again.
    if (written.length !== head.sequence) continue;
    const seen = items.find((item) => item['sk'] === SEEN_BY_ANNOUNCE);
    return { ...rebuild(caseId, written, head), head, announced: Number(seen?.['through'] ?? 0) };
  }
  throw new InvariantBroken('The head and the events of this case do not agree.');
}

/** The parser's own message would quote the text, and end up in a log (promise S7). */
function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    throw new InvariantBroken('An event of this case is not JSON.');
  }
}

function rebuild(
  caseId: CaseId,
  stored: readonly unknown[],
  head: CaseHead,
): Pick<CaseFile, 'state' | 'events' | 'written'> {
  const events = stored.map((event) => parseCaseEvent(event) as ChainedEvent); // the chain check proves the hashes are there
  // Each was just read as an event, in today's form or an earlier one. The chain is over what was written.
  const written = stored as readonly ChainedEvent[];
  verifyChain(caseId, written);
  let state: Case | undefined;
  for (const event of events) state = evolve(state, event);
  if (state === undefined || events.at(-1)?.hash !== head.lastHash) {
    throw new InvariantBroken('The head does not name the last event of this case.');
  }
  return { state, events, written };
}

/** Gives events their place in the file: sequence, time, actor, chain. */
function place(commit: Commit): { readonly placed: readonly ChainedEvent[]; readonly state: Case } {
  let previous: Digest = (commit.file?.events.at(-1)?.hash ?? genesis(commit.caseId)) as Digest;
  let state = commit.file?.state;
  let sequence = state?.sequence ?? 0;
  const placed: ChainedEvent[] = [];
  for (const event of commit.events) {
    sequence += 1;
    const { caseId, at, actor } = commit;
    const written = link(
      { ...event, caseId, sequence, schemaVersion: schemaOf(event.type), at, actor, salt: randomId() } as CaseEvent,
      previous,
    );
    // What could not be read back must not be written; and what is answered now is answered again from what is read back.
    const chained = parseCaseEvent(written) as ChainedEvent; // with the hashes that link gave
    state = evolve(state, chained);
    placed.push(chained);
    previous = chained.hash;
  }
  if (state === undefined) throw new InvariantBroken('A commit without events opens no case.');
  return { placed, state };
}

function headWrite(table: string, commit: Commit, head: Omit<CaseHead, 'attempt'>): TransactWriteItem {
  if (commit.file === undefined) return putNew(table, { ...head, sk: HEAD, attempt: 1 }, 'caseId');
  const { caseId, ...rest } = head;
  const gone = ['openKey', 'openSort', 'dueAt', 'failedStep', 'failedWith'].filter((name) => !(name in rest));
  const names = [...Object.keys(rest), ...gone];
  return {
    Update: {
      TableName: table,
      Key: toItem({ caseId, sk: HEAD }),
      UpdateExpression:
        `SET ${Object.keys(rest)
          .map((name) => `#${name} = :${name}`)
          .join(', ')}` + (gone.length === 0 ? '' : ` REMOVE ${gone.map((name) => `#${name}`).join(', ')}`),
      ConditionExpression: '#sequence = :expected',
      ExpressionAttributeNames: Object.fromEntries(names.map((name) => [`#${name}`, name])),
      ExpressionAttributeValues: toItem({
        ...Object.fromEntries(Object.entries(rest).map(([name, value]) => [`:${name}`, value])),
        ':expected': commit.file.state.sequence,
      }),
    },
  };
}

/** Where case files are kept, and where is counted how far each has got. */
export interface CaseTables {
  readonly casesTable: string;
  readonly tallyTable: string;
}

/**
 * Writes events: the one way to change a case (architecture §3). Each event only if its place is free, the head only if nobody was
 * faster, the tally only if the file is as long as it has ever been, together with the register number, the reference and the
 * idempotency record, or nothing at all.
 * https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
 * @returns the case after the events
 * @throws Conflict when somebody was faster, FileBehind when the file has lost events
 */
export async function commitCase(
  client: DynamoDBClient,
  { casesTable: table, tallyTable }: CaseTables,
  commit: Commit,
): Promise<CaseFile> {
  const { placed, state } = place(commit);
  const last = placed.at(-1);
  if (last === undefined) throw new InvariantBroken('A commit has at least one event.');
  const written = [...(commit.file?.written ?? []), ...placed];
  const eventSchema = Math.max(...written.map(({ schemaVersion }) => schemaVersion));
  const head = { ...headOf(state, last.hash), eventSchema };
  const writes: TransactWriteItem[] = [
    tallyWrite(tallyTable, commit.caseId, commit.file?.head, last),
    ...placed.map((event) =>
      putNew(table, { caseId: commit.caseId, sk: eventKey(event.sequence), body: canonical(event) }, 'sk'),
    ),
    headWrite(table, commit, head),
  ];
  if (commit.register !== undefined) writes.push(registerWrite(table, commit.register));
  if (commit.reference !== undefined) {
    writes.push(referenceWrite(table, commit.reference.taken, commit.caseId, commit.reference.before));
  }
  if (commit.idempotency !== undefined) {
    const { table: records, ...record } = commit.idempotency;
    writes.push(putNew(records, { ...record, sequence: last.sequence }, 'key'));
  }
  await client
    .send(new TransactWriteItemsCommand({ TransactItems: writes }))
    .catch((error: unknown) => Promise.reject(onlyTallyRefused(error) ? behind() : asOurError(error)));
  const attempt = commit.file?.head.attempt ?? 1;
  const announced = commit.file?.announced ?? 0;
  const events = [...(commit.file?.events ?? []), ...placed];
  return { state, events, written, head: { ...head, attempt }, announced };
}

/**
 * Whether everything agreed but the tally, which stands first: whoever is merely slower than somebody else finds the head changed, too.
 * Reasons come in the order of the writes, `None` for those that agreed.
 * https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html#API_TransactWriteItems_Errors
 */
function onlyTallyRefused(error: unknown): boolean {
  if (!(error instanceof TransactionCanceledException)) return false;
  const [tally, ...others] = (error.CancellationReasons ?? []).map(({ Code }) => Code ?? 'None');
  return tally === 'ConditionalCheckFailed' && others.every((code) => code === 'None');
}

const behind = (): FileBehind => new FileBehind('The file of this case is shorter than it has been.');

const registerKey = (series: string): { caseId: string; sk: string } => ({
  caseId: `REGISTER#${series}`,
  sk: 'COUNTER',
});

/** Numbers are allocated with the case that bears them, in one transaction: no number twice, none missing (rule D7). */
const registerWrite = (table: string, register: NonNullable<Commit['register']>): TransactWriteItem => ({
  Update: {
    TableName: table,
    Key: toItem(registerKey(register.series)),
    UpdateExpression: 'SET #value = :next',
    ConditionExpression: register.previous === 0 ? 'attribute_not_exists(#value)' : '#value = :previous',
    ExpressionAttributeNames: { '#value': 'value' },
    ExpressionAttributeValues: toItem({
      ':next': register.previous + 1,
      ...(register.previous === 0 ? {} : { ':previous': register.previous }),
    }),
  },
});

/** The last number given in a series (`CAN-2026`), 0 when none was. */
export async function lastRegistered(client: DynamoDBClient, table: string, series: string): Promise<number> {
  const { caseId } = registerKey(series);
  const [counter] = await readPartition(client, table, caseId);
  return Number(counter?.['value'] ?? 0);
}

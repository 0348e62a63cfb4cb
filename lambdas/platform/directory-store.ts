import {
  QueryCommand,
  TransactWriteItemsCommand,
  UpdateItemCommand,
  type DynamoDBClient,
  type TransactWriteItem,
} from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { personSchema } from '../contracts/person-schema.ts';
import { isCanary, isCanaryCredential } from '../domain/canary.ts';
import type { DirectoryChange } from '../domain/directory.ts';
import type { Nation, PersonId } from '../domain/ids.ts';
import type { Instant } from '../domain/instant.ts';
import { withReach, type DeadAddress, type Person } from '../domain/people.ts';
import { conflict } from '../domain/refusal.ts';
import { asOurError, putNew, toItem } from './dynamodb.ts';
import { Refused } from './errors.ts';

/**
 * Who an exchange knows. Founding officers come with the environment: the two directory officers and the authority of each nation
 * with whom a new exchange begins, and whose entries are replaced by any confirmed change. Everyone else is entered by two people.
 */
export interface Directory {
  /** The person that a credential of a nation names, with what is in effect at `at`; undefined for a stranger. */
  whoIs(nation: Nation, subject: string, at: Instant): Promise<Person | undefined>;
  person(nation: Nation, personId: PersonId, at: Instant): Promise<Person | undefined>;
  /** All people of a nation, with what is in effect at `at`. */
  people(nation: Nation, at: Instant): Promise<readonly Person[]>;
  change(nation: Nation, changeId: string): Promise<DirectoryChange | undefined>;
  /** Changes of a nation, newest first. */
  changes(nation: Nation, limit: number): Promise<readonly DirectoryChange[]>;
  /** Remembers that mail to an address of a person came back (domain: `withReach`). */
  noteDeadAddress(nation: Nation, address: DeadAddress): Promise<void>;
  /** Keeps a proposed change. */
  propose(change: DirectoryChange, idempotency: TransactWriteItem | undefined): Promise<void>;
  /** Puts a confirmed change into effect; Refused when a credential is somebody else's, Conflict when it was confirmed meanwhile. */
  confirm(change: DirectoryChange, idempotency: TransactWriteItem | undefined): Promise<void>;
}

const peopleKey = (nation: string): string => `PEOPLE#${nation}`;
const changesKey = (nation: string): string => `CHANGES#${nation}`;
/** By nation: a nation speaks for its own credentials only, and can neither take nor reserve one of the other's. */
const subjectKey = (nation: string, subject: string): string => `SUBJECT#${nation}#${subject}`;

/**
 * The directory on DynamoDB. Entries are versions, sorted by person and the instant from which they are in effect; reads are
 * strongly consistent, so that a revoked role is revoked at the next request (domain.md §4). Of the versions in effect, the one confirmed
 * last stands: what was planned before a later change does not undo it when its day comes.
 */
export function directoryOn(client: DynamoDBClient, table: string, founders: readonly Person[]): Directory {
  const query = async (
    key: string,
    options: { prefix?: string; limit?: number; newestFirst?: boolean } = {},
  ): Promise<Record<string, unknown>[]> => {
    const items: Record<string, unknown>[] = [];
    let from: Record<string, never> | undefined;
    do {
      const page = await client
        .send(
          new QueryCommand({
            TableName: table,
            KeyConditionExpression: options.prefix === undefined ? 'pk = :pk' : 'pk = :pk AND begins_with(sk, :prefix)',
            ExpressionAttributeValues: toItem({ ':pk': key, ':prefix': options.prefix }),
            ConsistentRead: true,
            ScanIndexForward: options.newestFirst !== true,
            ...(options.limit === undefined ? {} : { Limit: options.limit }),
            ...(from === undefined ? {} : { ExclusiveStartKey: from }),
          }),
        )
        .catch((error: unknown) => Promise.reject(asOurError(error)));
      items.push(...(page.Items ?? []).map((item) => unmarshall(item)));
      from = options.limit === undefined ? (page.LastEvaluatedKey as typeof from) : undefined;
    } while (from !== undefined);
    return items;
  };
  const people = async (nation: Nation, at: Instant, prefix?: string): Promise<Map<PersonId, Person>> => {
    const found = new Map(
      founders.filter((person) => person.nation === nation).map((person) => [person.personId, person]),
    );
    const confirmed = new Map<PersonId, string>();
    const dead: DeadAddress[] = [];
    for (const item of await query(peopleKey(nation), prefix === undefined ? {} : { prefix })) {
      if ('deadAddress' in item) {
        dead.push({ personId: String(item['sk']).split('#')[0] as PersonId, mail: String(item['deadAddress']) });
        continue;
      }
      if (String(item['effectiveFrom']) > at) continue;
      const person = personSchema.parse(JSON.parse(String(item['body']))) as Person;
      const confirmedAt = String(item['confirmedAt']);
      if (confirmedAt < (confirmed.get(person.personId) ?? '')) continue;
      confirmed.set(person.personId, confirmedAt);
      found.set(person.personId, person);
    }
    for (const [personId, entry] of found) found.set(personId, withReach(entry, dead));
    return found;
  };
  const changeItem = (change: DirectoryChange): object => ({
    pk: changesKey(change.nation),
    sk: change.changeId,
    body: JSON.stringify(change),
    confirmed: change.confirmedBy !== null,
  });
  const write = async (writes: readonly (TransactWriteItem | undefined)[]): Promise<void> => {
    await client
      .send(new TransactWriteItemsCommand({ TransactItems: writes.filter((item) => item !== undefined) }))
      .catch((error: unknown) => Promise.reject(asOurError(error)));
  };
  /** Whose credential it is, also when the person no longer uses it. */
  const ownerOf = async (nation: Nation, subject: string): Promise<PersonId | undefined> => {
    const founder = founders.find((person) => person.nation === nation && person.subjects.includes(subject));
    if (founder !== undefined) return founder.personId;
    const [item] = await query(subjectKey(nation, subject));
    return item === undefined ? undefined : (item['personId'] as PersonId); // written below only
  };
  const refuseTaken = async ({ nation, person }: DirectoryChange): Promise<void> => {
    for (const subject of person.subjects) {
      const owner = await ownerOf(nation, subject);
      if (owner === undefined || owner === person.personId) continue;
      throw new Refused(
        conflict({
          code: 'CREDENTIAL_TAKEN',
          message: 'A credential of this change belongs to another person, for good.',
          next: 'Propose the change again with credentials of this person alone.',
          pointer: '/person/subjects',
        }),
      );
    }
  };
  const self: Directory = {
    async whoIs(nation, subject, at) {
      const owner = await ownerOf(nation, subject);
      const person = owner === undefined ? undefined : await self.person(nation, owner, at);
      if (person === undefined || !person.active || !person.subjects.includes(subject)) return undefined;
      // What the exchange signs by itself names its canary and nobody else, whatever stands in the table.
      return isCanary(person) === isCanaryCredential(subject) ? person : undefined;
    },
    async person(nation, personId, at) {
      return (await people(nation, at, `${personId}#`)).get(personId);
    },
    async people(nation, at) {
      return [...(await people(nation, at)).values()];
    },
    async change(nation, changeId) {
      const items = await query(changesKey(nation), { prefix: changeId });
      // The whole name: the beginning of one names nothing.
      const item = items.find((row) => row['sk'] === changeId);
      return item === undefined ? undefined : (JSON.parse(String(item['body'])) as DirectoryChange); // written below only
    },
    async changes(nation, limit) {
      const items = await query(changesKey(nation), { limit, newestFirst: true });
      return items.map((item) => JSON.parse(String(item['body'])) as DirectoryChange); // written below only
    },
    async noteDeadAddress(nation, { personId, mail }) {
      await client
        .send(
          new UpdateItemCommand({
            TableName: table,
            // Among the versions of the entry, so that one query reads both; after all of them, because no instant begins so.
            Key: toItem({ pk: peopleKey(nation), sk: `${personId}#~` }),
            UpdateExpression: 'SET deadAddress = :mail',
            ExpressionAttributeValues: toItem({ ':mail': mail }),
          }),
        )
        .catch((error: unknown) => Promise.reject(asOurError(error)));
    },
    propose: (change, idempotency) => write([putNew(table, changeItem(change), 'sk'), idempotency]),
    async confirm(change, idempotency) {
      await refuseTaken(change);
      return write([
        {
          Put: {
            TableName: table,
            Item: toItem(changeItem(change)),
            ConditionExpression: 'confirmed = :no',
            ExpressionAttributeValues: toItem({ ':no': false }),
          },
        },
        putNew(
          table,
          {
            pk: peopleKey(change.nation),
            sk: `${change.person.personId}#${change.effectiveFrom}#${change.changeId}`,
            effectiveFrom: change.effectiveFrom,
            confirmedAt: change.confirmedAt,
            body: JSON.stringify(change.person),
          },
          'sk',
        ),
        ...change.person.subjects.map((subject) => ({
          Put: {
            TableName: table,
            Item: toItem({
              pk: subjectKey(change.nation, subject),
              sk: 'OWNER',
              personId: change.person.personId,
            }),
            // A credential belongs to one person for good: one person may have several, several people never share one.
            ConditionExpression: 'attribute_not_exists(pk) OR personId = :person',
            ExpressionAttributeValues: toItem({ ':person': change.person.personId }),
          },
        })),
        idempotency,
      ]);
    },
  };
  return self;
}

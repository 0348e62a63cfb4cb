import {
  QueryCommand,
  TransactWriteItemsCommand,
  type DynamoDBClient,
  type TransactWriteItem,
} from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { personSchema } from '../contracts/person-schema.ts';
import type { DirectoryChange } from '../domain/directory.ts';
import type { Nation, PersonId } from '../domain/ids.ts';
import type { Instant } from '../domain/instant.ts';
import type { Person } from '../domain/people.ts';
import { asOurError, putNew, toItem } from './dynamodb.ts';

/**
 * Who an exchange knows. Founding officers come with the environment: the two directory officers and the authority of each nation
 * with whom a new exchange begins, and whose entries are replaced by any confirmed change. Everyone else is entered by two people.
 */
export interface Directory {
  /** The person a credential names, with what is in effect at `at`; undefined for a stranger. */
  whoIs(subject: string, at: Instant): Promise<Person | undefined>;
  person(nation: Nation, personId: PersonId, at: Instant): Promise<Person | undefined>;
  /** All people of a nation, with what is in effect at `at`. */
  people(nation: Nation, at: Instant): Promise<readonly Person[]>;
  change(nation: Nation, changeId: string): Promise<DirectoryChange | undefined>;
  /** Changes of a nation, newest first. */
  changes(nation: Nation, limit: number): Promise<readonly DirectoryChange[]>;
  /** Keeps a proposed change. */
  propose(change: DirectoryChange, idempotency: TransactWriteItem | undefined): Promise<void>;
  /** Puts a confirmed change into effect; Conflict when it was confirmed meanwhile or a credential belongs to somebody else. */
  confirm(change: DirectoryChange, idempotency: TransactWriteItem | undefined): Promise<void>;
}

const peopleKey = (nation: string): string => `PEOPLE#${nation}`;
const changesKey = (nation: string): string => `CHANGES#${nation}`;
const subjectKey = (subject: string): string => `SUBJECT#${subject}`;

/**
 * The directory on DynamoDB. Entries are versions, sorted by person and the instant from which they are in effect; reads are
 * strongly consistent, so that a revoked role is revoked at the next request (domain.md §4).
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
    // Sorted by person and instant: the last version that is in effect stands.
    for (const item of await query(peopleKey(nation), prefix === undefined ? {} : { prefix })) {
      if (String(item['effectiveFrom']) > at) continue;
      const person = personSchema.parse(JSON.parse(String(item['body']))) as Person;
      found.set(person.personId, person);
    }
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
  const self: Directory = {
    async whoIs(subject, at) {
      const founder = founders.find((person) => person.subjects.includes(subject));
      const [item] = await query(subjectKey(subject));
      const owner =
        item === undefined ? founder : { nation: item['nation'] as Nation, personId: item['personId'] as PersonId };
      const person = owner === undefined ? undefined : await self.person(owner.nation, owner.personId, at);
      return person !== undefined && person.active && person.subjects.includes(subject) ? person : undefined;
    },
    async person(nation, personId, at) {
      return (await people(nation, at, `${personId}#`)).get(personId);
    },
    async people(nation, at) {
      return [...(await people(nation, at)).values()];
    },
    async change(nation, changeId) {
      const [item] = await query(changesKey(nation), { prefix: changeId });
      return item === undefined ? undefined : (JSON.parse(String(item['body'])) as DirectoryChange); // written below only
    },
    async changes(nation, limit) {
      const items = await query(changesKey(nation), { limit, newestFirst: true });
      return items.map((item) => JSON.parse(String(item['body'])) as DirectoryChange); // written below only
    },
    propose: (change, idempotency) => write([putNew(table, changeItem(change), 'sk'), idempotency]),
    confirm: (change, idempotency) =>
      write([
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
            body: JSON.stringify(change.person),
          },
          'sk',
        ),
        ...change.person.subjects.map((subject) => ({
          Put: {
            TableName: table,
            Item: toItem({
              pk: subjectKey(subject),
              sk: 'OWNER',
              nation: change.nation,
              personId: change.person.personId,
            }),
            // A credential belongs to one person for good: one person may have several, several people never share one.
            ConditionExpression: 'attribute_not_exists(pk) OR personId = :person',
            ExpressionAttributeValues: toItem({ ':person': change.person.personId }),
          },
        })),
        idempotency,
      ]),
  };
  return self;
}

import { DynamoDBClient, QueryCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { randomBytes } from 'node:crypto';
import type { CaseEvent } from '../lambdas/domain/events.ts';
import type { CaseId } from '../lambdas/domain/ids.ts';
import { canonical } from '../lambdas/evidence/canonical.ts';
import { genesis, link } from '../lambdas/evidence/chain.ts';
import type { DynamoDbService } from '../local/services/dynamodb/service.ts';
import { physicalName } from '../local/template/physical-name.ts';
import { resourcesOf, type Scene } from '../test/support/exchange.ts';

type Item = Parameters<DynamoDbService['fill']>[1][number];

/** As the SDK writes an item, which knows of shapes that no service has. */
const toItem = (value: Record<string, unknown>): Item => marshall(value) as Item;

/** Items of one case, by the table that they are kept in. */
interface CaseItems {
  readonly cases: readonly Item[];
  readonly tally: readonly Item[];
}

/** Physical names of the tables of an exchange, by the beginning of their logical ids; filled while its stacks are loaded. */
export class TableNames {
  readonly #names = new Map<string, string>();

  /** To be given to the scene as `amend`, which changes nothing. */
  readonly look = (stack: string, template: Record<string, unknown>): void => {
    for (const [id, { Type }] of resourcesOf(template))
      if (Type === 'AWS::DynamoDB::GlobalTable') this.#names.set(id, physicalName(stack, id));
  };

  of(prefix: 'Cases' | 'Tally'): string {
    const found = [...this.#names].find(([id]) => id.startsWith(prefix));
    if (found === undefined) throw new Error(`No table of the templates begins with ${prefix}.`);
    return found[1];
  }
}

/** Copies of a real case: other ids and salts, a chain of their own, opened a second after one another. */
export class CaseTemplate {
  readonly #items: readonly Record<string, unknown>[];
  readonly #caseId: string;

  private constructor(caseId: string, items: readonly Record<string, unknown>[]) {
    this.#caseId = caseId;
    this.#items = items;
  }

  /** The items of a case as they are kept. */
  static async of(scene: Scene, tables: TableNames, caseId: string): Promise<CaseTemplate> {
    const { runtime } = scene;
    const client = new DynamoDBClient({
      endpoint: runtime.url,
      region: runtime.region,
      credentials: runtime.credentialsFor(scene.roleNamed('assessrequestRole')),
    });
    try {
      const { Items = [] } = await client.send(
        new QueryCommand({
          TableName: tables.of('Cases'),
          KeyConditionExpression: 'caseId = :id',
          ExpressionAttributeValues: marshall({ ':id': caseId }),
          ConsistentRead: true,
        }),
      );
      return new CaseTemplate(
        caseId,
        Items.map((item) => unmarshall(item)),
      );
    } finally {
      client.destroy();
    }
  }

  /** Another case like it. */
  copy(): CaseItems {
    const caseId = randomBytes(16).toString('hex') as CaseId;
    let previous = genesis(caseId);
    let sequence = 0;
    const events = this.#items
      .filter(({ sk }) => String(sk).startsWith('EV#'))
      .map(({ sk, body }) => {
        const { hash: _hash, previousHash: _previous, ...event } = JSON.parse(String(body)) as Record<string, unknown>;
        const salt = randomBytes(16).toString('hex');
        // An event that was read, with other ids: still one.
        const linked = link({ ...event, caseId, salt } as unknown as CaseEvent, previous);
        previous = linked.hash;
        sequence = linked.sequence;
        return { caseId, sk, body: canonical(linked) };
      });
    const others = this.#items
      .filter(({ sk }) => !String(sk).startsWith('EV#'))
      .map((item) => ({
        ...item,
        caseId,
        ...('lastHash' in item ? { lastHash: previous } : {}),
      }));
    if (events.length === 0 || others.length === 0) throw new Error(`The case ${this.#caseId} has no file to copy.`);
    return {
      cases: [...events, ...others].map(toItem),
      tally: [toItem({ caseId, sequence, lastHash: previous })],
    };
  }
}

const BATCH = 500;

/** Adds copies of a case to the tables: their items as they are kept, index entries included. */
export async function addCases(scene: Scene, tables: TableNames, template: CaseTemplate, many: number): Promise<void> {
  const { dynamodb } = scene.runtime.services;
  for (let done = 0; done < many; done += BATCH) {
    const copies = Array.from({ length: Math.min(BATCH, many - done) }, () => template.copy());
    await dynamodb.fill(
      tables.of('Cases'),
      copies.flatMap(({ cases }) => cases),
    );
    await dynamodb.fill(
      tables.of('Tally'),
      copies.flatMap(({ tally }) => tally),
    );
  }
}

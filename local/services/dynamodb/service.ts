import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { Timer } from '../../clock.ts';
import type { KeyUse, TableStream } from '../../ports.ts';
import type { ResourceType } from '../../resource.ts';
import {
  jsonError,
  jsonResponse,
  jsonTarget,
  notImplemented,
  readBody,
  ServiceError,
  type Host,
  type Service,
  type ServiceRequest,
  type ServiceResponse,
} from '../../service.ts';
import { AccessCheck } from './access.ts';
import type { Item } from './attribute-value.ts';
import { batchGetItem } from './batch-get-item.ts';
import { Conflicts } from './conflicts.ts';
import { describeTable } from './describe-table.ts';
import { deleteExpired } from './expiry.ts';
import { getItem } from './get-item.ts';
import { globalTableType } from './global-table.ts';
import { Idempotency } from './idempotency.ts';
import { endOf, itemsPrefix } from './keys.ts';
import type { Database, Operation } from './operation.ts';
import { query } from './query.ts';
import { deleteItem, putItem, updateItem } from './single-writes.ts';
import { Store } from './store.ts';
import { Tables } from './tables.ts';
import { transactGetItems } from './transact-get.ts';
import { transactWriteItems } from './transact-write.ts';

const API = 'DynamoDB_20120810';

const OPERATIONS: Readonly<Record<string, Operation>> = {
  BatchGetItem: batchGetItem,
  DeleteItem: deleteItem,
  DescribeTable: describeTable,
  GetItem: getItem,
  PutItem: putItem,
  Query: query,
  TransactGetItems: transactGetItems,
  TransactWriteItems: transactWriteItems,
  UpdateItem: updateItem,
};

/** How often expired items, old stream records and old tokens are looked for. */
const HOUSEKEEPING = 60 * 60 * 1000;

/**
 * DynamoDB over LevelDB, with dynalite's parsers, validations and key encodings.
 * https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/Welcome.html
 */
export class DynamoDbService implements Service {
  readonly signingName = 'dynamodb';
  readonly types: ResourceType[];
  readonly #database: Database;
  readonly #housekeeping: Timer;

  constructor(host: Host, keys: KeyUse) {
    const store = new Store(host.dataDirectory === undefined ? undefined : join(host.dataDirectory, 'dynamodb'));
    const tables = new Tables(host, store);
    this.#database = {
      host,
      tables,
      access: new AccessCheck(host, keys, tables),
      conflicts: new Conflicts(),
      idempotency: new Idempotency(host.clock, store),
    };
    this.types = [globalTableType(tables)];
    this.#housekeeping = host.clock.every(HOUSEKEEPING, () => host.activity.track(this.#keepHouse()));
  }

  /** The stream with this ARN, of a table of this start. */
  stream(arn: string): TableStream | undefined {
    return this.#database.tables.stream(arn);
  }

  /** Settles when the tables can be used. @throws DataDirectoryProblem */
  async opened(): Promise<void> {
    await this.#database.tables.store.opened();
  }

  /**
   * Puts new items as they are, with their index entries, and without condition, stream record or bill: a table that is to be full before
   * something is measured would otherwise take hours.
   */
  async fill(tableName: string, items: readonly Item[]): Promise<void> {
    const { tables } = this.#database;
    await tables.store.opened();
    const table = tables.get(tableName);
    await tables.store.write((view) => {
      for (const after of items) tables.place(view, table, { before: undefined, after });
    });
  }

  /** Every item of every table, for whoever compares or searches what is kept. No call of the service: nothing is authorized or counted. */
  async items(): Promise<ReadonlyMap<string, readonly Item[]>> {
    const { tables } = this.#database;
    await tables.store.opened();
    const all = new Map<string, Item[]>();
    for (const table of tables.all()) {
      const items: Item[] = [];
      const prefix = itemsPrefix(table);
      for await (const [, item] of tables.store.scan<Item>({ gt: prefix, lt: endOf(prefix) })) items.push(item);
      all.set(table.name, items);
    }
    return all;
  }

  operationOf(request: Pick<ServiceRequest, 'headers'>): string | undefined {
    return request.headers['x-amz-target']?.startsWith(`${API}.`) === true ? jsonTarget(request) : undefined;
  }

  async handle(request: ServiceRequest): Promise<ServiceResponse> {
    const name = this.operationOf(request);
    const operation = name !== undefined && Object.hasOwn(OPERATIONS, name) ? OPERATIONS[name] : undefined;
    if (operation === undefined)
      throw notImplemented(`dynamodb:${name ?? request.headers['x-amz-target'] ?? request.path}`);
    const input = parse(await readBody(request.body));
    await this.#database.tables.store.opened();
    return checksummed(jsonResponse(await operation(this.#database, input, request.caller), '1.0'), request.requestId);
  }

  renderError(error: ServiceError, request: { readonly requestId: string }): ServiceResponse {
    return checksummed(jsonError(error, '1.0'), request.requestId);
  }

  /** Waits for what is being written and closes the store. */
  async stop(): Promise<void> {
    this.#housekeeping.cancel();
    await this.#database.tables.store.close();
  }

  async #keepHouse(): Promise<void> {
    const { tables, host, idempotency } = this.#database;
    for (const table of tables.all()) await deleteExpired(tables, table, host.clock);
    for (const stream of tables.streams()) await stream.trim();
    await idempotency.trim();
  }
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch (cause) {
    throw new ServiceError('SerializationException', `The body is not JSON: ${String(cause)}`);
  }
}

/** https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.LowLevelAPI.html#Programming.LowLevelAPI.ResponseFormat */
function checksummed(response: ServiceResponse, requestId: string): ServiceResponse {
  const body = typeof response.body === 'string' ? response.body : '';
  return {
    ...response,
    headers: { ...response.headers, 'x-amzn-requestid': requestId, 'x-amz-crc32': String(crc32(body)) },
  };
}

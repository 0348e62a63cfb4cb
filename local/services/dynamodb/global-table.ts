import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Created, Properties, ResourceContext, ResourceType } from '../../resource.ts';
import { parseGlobalTable, PROPERTIES, tableSchema, type GlobalTable } from './global-table-schema.ts';
import { tableKey } from './keys.ts';
import type { StreamViewType, Table, TableSchema } from './table.ts';
import type { Tables } from './tables.ts';

/** What of a table outlives a start. */
interface StoredTable {
  readonly id: string;
  readonly created: number;
  readonly schema: TableSchema;
  readonly stream: { readonly label: string; readonly viewType: StreamViewType } | undefined;
}

/** `AWS::DynamoDB::GlobalTable` with its one replica here, which is what CDK's TableV2 makes. */
export const globalTableType = (tables: Tables): ResourceType => ({
  type: 'AWS::DynamoDB::GlobalTable',
  properties: PROPERTIES,
  create: (properties, context) => create(tables, properties, context),
});

async function create(tables: Tables, properties: Properties, context: ResourceContext): Promise<Created> {
  const { host, logicalId } = context;
  const wanted = parseGlobalTable(properties, logicalId);
  const name = wanted.TableName ?? context.physicalName(255);
  if (tables.has(name)) throw new Error(`Two tables of the template are named ${name}; ${logicalId} is the second.`);
  const schema = tableSchema(wanted, name);
  const viewType = wanted.StreamSpecification?.StreamViewType;
  await tables.store.opened();
  const existing = tables.store.get<StoredTable>(tableKey(name));
  if (existing !== undefined) assertSame(existing, schema, viewType);
  const stored = existing ?? fresh(schema, viewType, host.clock.now());
  if (existing === undefined) {
    await tables.store.write((view) => {
      view.put(tableKey(name), stored);
    });
  }
  const table = tableOf(tables.arnOf(name), stored, wanted, host.region);
  tables.add(table);
  return {
    ref: name,
    attributes: { Arn: table.arn, TableId: table.id, ...(table.stream && { StreamArn: table.stream.arn }) },
  };
}

const fresh = (schema: TableSchema, viewType: StreamViewType | undefined, now: number): StoredTable => ({
  id: randomUUID(),
  created: now,
  schema,
  // A stream's label is the time of its creation. https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TableDescription.html
  stream: viewType === undefined ? undefined : { label: new Date(now).toISOString().replace('Z', ''), viewType },
});

function tableOf(arn: string, stored: StoredTable, wanted: GlobalTable, region: string): Table {
  const [replica] = wanted.Replicas;
  if (replica?.Region !== region) {
    throw new Error(`The replica of ${arn} is in ${replica?.Region}; the local runtime is the region ${region}.`);
  }
  const expiry = wanted.TimeToLiveSpecification;
  if (expiry?.Enabled === true && expiry.AttributeName === undefined) {
    throw new Error(`TimeToLiveSpecification of ${arn} is enabled without an AttributeName.`);
  }
  return {
    name: stored.schema.TableName,
    arn,
    id: stored.id,
    created: stored.created,
    schema: stored.schema,
    stream: stored.stream && { ...stored.stream, arn: `${arn}/stream/${stored.stream.label}` },
    expiryAttribute: expiry?.Enabled === true ? expiry.AttributeName : undefined,
    encryption: encryptionOf(arn, wanted, replica.SSESpecification?.KMSMasterKeyId),
    deletionProtection: replica.DeletionProtectionEnabled === true,
  };
}

function encryptionOf(arn: string, wanted: GlobalTable, keyId: string | undefined): Table['encryption'] {
  if (wanted.SSESpecification?.SSEEnabled === true) return { type: 'KMS', keyId };
  if (keyId === undefined) return { type: 'owned', keyId: undefined };
  throw new Error(`The replica of ${arn} names a KMS key, but SSESpecification of the table is not enabled.`);
}

/** A table that was kept is used again only as it is: an index or a stream would have to be built, and a key cannot change. */
function assertSame(existing: StoredTable, schema: TableSchema, viewType: StreamViewType | undefined): void {
  const was = comparable(existing.schema, existing.stream?.viewType);
  const now = comparable(schema, viewType);
  for (const [part, before] of Object.entries(was)) {
    const after = now[part];
    if (isDeepStrictEqual(before, after)) continue;
    throw new Error(
      `The table ${schema.TableName} in the data directory differs from the template in its ${part}: ` +
        `it has ${JSON.stringify(before)}, the template ${JSON.stringify(after)}. Start with an empty data directory, or restore the template.`,
    );
  }
}

const byJson = (a: unknown, b: unknown): number => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);

/** The parts in which tables must agree, with orders that mean nothing removed. */
const comparable = (schema: TableSchema, viewType: StreamViewType | undefined): Readonly<Record<string, unknown>> => ({
  'key schema': schema.KeySchema,
  'attribute definitions': [...schema.AttributeDefinitions].sort(byJson),
  'global secondary indexes': (schema.GlobalSecondaryIndexes ?? [])
    .map(({ Projection, ...index }) => ({
      ...index,
      projection: Projection.ProjectionType,
      attributes: [...(Projection.NonKeyAttributes ?? [])].sort(),
    }))
    .sort(byJson),
  'stream view type': viewType ?? 'none',
});

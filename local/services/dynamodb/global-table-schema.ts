import * as createRules from 'dynalite/validations/createTable.js';
import * as z from 'zod';
import type { Properties } from '../../resource.ts';
import { asServiceError } from './request.ts';
import { checkTypes, checkValidations } from 'dynalite/validations/index.js';
import { attributeNames, type TableSchema } from './table.ts';

const keySchema = z
  .array(z.strictObject({ AttributeName: z.string(), KeyType: z.enum(['HASH', 'RANGE']) }))
  .min(1)
  .max(2);
const readLimit = z.strictObject({ MaxReadRequestUnits: z.number() });
const writeLimit = z.strictObject({ MaxWriteRequestUnits: z.number() });
const insights = z.strictObject({ Enabled: z.boolean(), Mode: z.string().optional() });

/** Throughput limits, insights, backups and tags are accepted and have no effect on a laptop. */
const replica = z.strictObject({
  Region: z.string(),
  PointInTimeRecoverySpecification: z
    .strictObject({ PointInTimeRecoveryEnabled: z.boolean().optional(), RecoveryPeriodInDays: z.number().optional() })
    .optional(),
  DeletionProtectionEnabled: z.boolean().optional(),
  ContributorInsightsSpecification: insights.optional(),
  GlobalSecondaryIndexes: z
    .array(
      z.strictObject({
        IndexName: z.string(),
        ContributorInsightsSpecification: insights.optional(),
        ReadOnDemandThroughputSettings: readLimit.optional(),
      }),
    )
    .optional(),
  ReadOnDemandThroughputSettings: readLimit.optional(),
  SSESpecification: z.strictObject({ KMSMasterKeyId: z.string() }).optional(),
  TableClass: z.enum(['STANDARD', 'STANDARD_INFREQUENT_ACCESS']).optional(),
  Tags: z.array(z.strictObject({ Key: z.string(), Value: z.string() })).optional(),
});

const globalTable = z.strictObject({
  TableName: z.string().optional(),
  AttributeDefinitions: z.array(z.strictObject({ AttributeName: z.string(), AttributeType: z.enum(['S', 'N', 'B']) })),
  KeySchema: keySchema,
  BillingMode: z.literal('PAY_PER_REQUEST'),
  GlobalSecondaryIndexes: z
    .array(
      z.strictObject({
        IndexName: z.string(),
        KeySchema: keySchema,
        Projection: z.strictObject({
          ProjectionType: z.enum(['ALL', 'KEYS_ONLY', 'INCLUDE']),
          NonKeyAttributes: z.array(z.string()).optional(),
        }),
        WriteOnDemandThroughputSettings: writeLimit.optional(),
        ReadOnDemandThroughputSettings: readLimit.optional(),
      }),
    )
    .optional(),
  Replicas: z.array(replica).length(1, 'exactly one replica is supported'),
  SSESpecification: z.strictObject({ SSEEnabled: z.boolean(), SSEType: z.literal('KMS').optional() }).optional(),
  StreamSpecification: z
    .strictObject({ StreamViewType: z.enum(['KEYS_ONLY', 'NEW_IMAGE', 'OLD_IMAGE', 'NEW_AND_OLD_IMAGES']) })
    .optional(),
  TimeToLiveSpecification: z.strictObject({ Enabled: z.boolean(), AttributeName: z.string().optional() }).optional(),
  WriteOnDemandThroughputSettings: writeLimit.optional(),
  ReadOnDemandThroughputSettings: readLimit.optional(),
});

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-globaltable.html */
export type GlobalTable = z.infer<typeof globalTable>;

export const PROPERTIES = Object.keys(globalTable.shape);

/** Reads a table's properties. @throws Error naming every property that is wrong or not supported */
export function parseGlobalTable(properties: Properties, logicalId: string): GlobalTable {
  const parsed = globalTable.safeParse(properties);
  if (!parsed.success) {
    throw new Error(`The table ${logicalId} cannot be created on the local runtime:\n${z.prettifyError(parsed.error)}`);
  }
  return parsed.data;
}

/** The table's definition as `CreateTable` takes it, validated by the rules of `CreateTable`. @throws ServiceError */
export function tableSchema(table: GlobalTable, name: string): TableSchema {
  const { AttributeDefinitions, KeySchema, GlobalSecondaryIndexes } = table;
  const schema: TableSchema = {
    TableName: name,
    AttributeDefinitions,
    KeySchema,
    ...(GlobalSecondaryIndexes && {
      GlobalSecondaryIndexes: GlobalSecondaryIndexes.map(({ IndexName, KeySchema: indexKeySchema, Projection }) => ({
        IndexName,
        KeySchema: indexKeySchema,
        Projection,
      })),
    }),
  };
  try {
    const request = checkTypes(structuredClone({ ...schema, BillingMode: 'PAY_PER_REQUEST' }), createRules.types);
    checkValidations(request, createRules.types, createRules.custom, {});
  } catch (error) {
    throw asServiceError(error);
  }
  assertAllUsed(schema);
  return schema;
}

function assertAllUsed(schema: TableSchema): void {
  const schemas = [schema.KeySchema, ...(schema.GlobalSecondaryIndexes ?? []).map((index) => index.KeySchema)];
  const used = new Set(schemas.flatMap(attributeNames));
  const unused = schema.AttributeDefinitions.map(({ AttributeName }) => AttributeName).filter(
    (name) => !used.has(name),
  );
  if (unused.length > 0) {
    throw new Error(`The table ${schema.TableName} defines attributes that are part of no key: ${unused.join(', ')}.`);
  }
}

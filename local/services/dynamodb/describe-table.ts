import * as rules from 'dynalite/validations/describeTable.js';
import type { Operation } from './operation.ts';
import { validated } from './request.ts';
import { indexesOf, type Table } from './table.ts';

/** https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DescribeTable.html */
export const describeTable: Operation = async ({ access, tables }, input, caller) => {
  const { TableName } = validated<{ readonly TableName: string }>('DescribeTable', input, ['TableName'], rules);
  access.authorize(caller, { action: 'DescribeTable', tableName: TableName });
  return { Table: description(tables.get(TableName)) };
};

/** Sizes and counts, which AWS updates every few hours, are left out: nobody counts here. */
const description = (table: Table): object => ({
  TableName: table.name,
  TableArn: table.arn,
  TableId: table.id,
  TableStatus: 'ACTIVE',
  CreationDateTime: table.created / 1000,
  AttributeDefinitions: table.schema.AttributeDefinitions,
  KeySchema: table.schema.KeySchema,
  BillingModeSummary: { BillingMode: 'PAY_PER_REQUEST' },
  DeletionProtectionEnabled: table.deletionProtection,
  ...(indexesOf(table).length > 0 && {
    GlobalSecondaryIndexes: indexesOf(table).map((index) => ({
      ...index,
      IndexArn: `${table.arn}/index/${index.IndexName}`,
      IndexStatus: 'ACTIVE',
    })),
  }),
  ...(table.stream && {
    StreamSpecification: { StreamEnabled: true, StreamViewType: table.stream.viewType },
    LatestStreamLabel: table.stream.label,
    LatestStreamArn: table.stream.arn,
  }),
  ...(table.encryption.type === 'KMS' && {
    SSEDescription: {
      Status: 'ENABLED',
      SSEType: 'KMS',
      ...(table.encryption.keyId !== undefined && { KMSMasterKeyArn: table.encryption.keyId }),
    },
  }),
});

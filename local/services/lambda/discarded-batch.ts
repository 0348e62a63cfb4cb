import { randomUUID } from 'node:crypto';
import type { StreamRecord } from '../../ports.ts';

/**
 * What a failure destination is told of records that were given up: where they stood in the stream, not what they held.
 * https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
 */
export function discardedBatch(discarded: {
  readonly records: readonly StreamRecord[];
  readonly condition: 'RetryAttemptsExhausted' | 'RecordAgeExceeded';
  readonly invocations: number;
  readonly functionError: boolean;
  readonly functionArn: string;
  readonly executedVersion: string;
  readonly streamArn: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}): string {
  const { records, now } = discarded;
  const first = records[0];
  const last = records.at(-1);
  return JSON.stringify({
    requestContext: {
      requestId: randomUUID(),
      functionArn: discarded.functionArn,
      condition: discarded.condition,
      approximateInvokeCount: discarded.invocations,
    },
    responseContext: {
      statusCode: 200,
      executedVersion: discarded.executedVersion,
      ...(discarded.functionError && { functionError: 'Unhandled' }),
    },
    version: '1.0',
    timestamp: new Date(now).toISOString(),
    DDBStreamBatchInfo: {
      shardId: SHARD,
      startSequenceNumber: first?.dynamodb.SequenceNumber,
      endSequenceNumber: last?.dynamodb.SequenceNumber,
      approximateArrivalOfFirstRecord: arrival(first),
      approximateArrivalOfLastRecord: arrival(last),
      batchSize: records.length,
      streamArn: discarded.streamArn,
    },
  });
}

/** A local stream has one shard. */
const SHARD = 'shardId-00000000000000000000-00000000';

/** Milliseconds since the epoch at which a record was written. */
export const writtenAt = (record: StreamRecord): number => record.dynamodb.ApproximateCreationDateTime * 1000;

const arrival = (record: StreamRecord | undefined): string | undefined =>
  record && new Date(writtenAt(record)).toISOString().replace(/\.\d+Z$/, 'Z');

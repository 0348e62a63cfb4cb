import * as z from 'zod';
import type { InvocationOutcome, StreamRecord } from '../../ports.ts';

/** How many records of a batch, from its start, are done; all of them means success. */
export interface BatchResult {
  readonly done: number;
  /** The function answered, if only in part: a discarded rest then carries no function error. */
  readonly answered: boolean;
}

const partialAnswer = z.object({
  batchItemFailures: z.array(z.object({ itemIdentifier: z.string().min(1) })).nullish(),
});

/**
 * Reads a function's answer to a batch. With `ReportBatchItemFailures` the lowest failed sequence number is the checkpoint;
 * an answer that does not have the documented shape fails the batch as a whole, an empty one is a success.
 * https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
 */
export function readBatchAnswer(
  outcome: InvocationOutcome,
  batch: readonly StreamRecord[],
  reportsFailures: boolean,
): BatchResult {
  if (!outcome.ok) return { done: 0, answered: false };
  if (!reportsFailures || outcome.payload === null || outcome.payload === '')
    return { done: batch.length, answered: true };
  const answer = partialAnswer.safeParse(outcome.payload);
  if (!answer.success) return { done: 0, answered: false };
  const failed = new Set((answer.data.batchItemFailures ?? []).map(({ itemIdentifier }) => itemIdentifier));
  if (failed.size === 0) return { done: batch.length, answered: true };
  const first = batch.findIndex((record) => failed.has(record.dynamodb.SequenceNumber));
  return { done: Math.max(first, 0), answered: true };
}

import type { EventSink } from '../../ports.ts';
import type { ExecutionRecord } from './journal.ts';

/** What an execution works on and came to; JSON texts, absent when there is none or when it is not known any more. */
export interface ExecutionData {
  readonly input: string | undefined;
  readonly output: string | undefined;
  readonly error: string | undefined;
  readonly cause: string | undefined;
}

/** Escaped input and output together must stay below this, or they are left out. */
const EVENT_DATA_LIMIT = 248 * 1024;

const escapedSize = (text: string | undefined): number =>
  text === undefined ? 0 : Buffer.byteLength(JSON.stringify(text));

/**
 * The event of a status change, on start and on end.
 * https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html#event-detail-execution-status-change
 * @param data undefined for a machine with a customer managed key, whose events carry neither input, output, error nor cause
 *   (https://docs.aws.amazon.com/step-functions/latest/dg/encryption-at-rest.html#faqs)
 */
export function statusChange(record: ExecutionRecord, data: ExecutionData | undefined): Parameters<EventSink>[0] {
  const output = escapedSize(data?.output) > EVENT_DATA_LIMIT ? undefined : data?.output;
  const room = EVENT_DATA_LIMIT - escapedSize(data?.output);
  const input = escapedSize(data?.input) > room ? undefined : data?.input;
  const hasOutput = record.status === 'SUCCEEDED';
  return {
    source: 'aws.states',
    detailType: 'Step Functions Execution Status Change',
    resources: [record.arn],
    detail: {
      executionArn: record.arn,
      stateMachineArn: record.machineArn,
      stateMachineVersionArn: record.versionArn ?? null,
      stateMachineAliasArn: record.aliasArn ?? null,
      name: record.name,
      status: record.status,
      startDate: record.startDate,
      stopDate: record.stopDate ?? null,
      input: input ?? null,
      inputDetails: { included: input !== undefined },
      output: output ?? null,
      outputDetails: hasOutput ? { included: output !== undefined } : null,
      error: data?.error ?? null,
      cause: data?.cause ?? null,
    },
  };
}

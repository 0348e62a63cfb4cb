import type { DynamoDBBatchResponse, DynamoDBRecord, DynamoDBStreamEvent } from 'aws-lambda';
import type { LogCode } from '../contracts/names.ts';
import { isCaseId, type CaseId } from '../domain/ids.ts';
import { errorName, errorPlace, log, logAbout } from '../platform/log.ts';

/** The case whose head a record is about; undefined for anything else in the table. */
function caseOf(record: DynamoDBRecord): CaseId | undefined {
  const id = record.dynamodb?.Keys?.['caseId']?.S ?? '';
  return record.dynamodb?.Keys?.['sk']?.S === 'HEAD' && isCaseId(id) ? id : undefined;
}

/** Whether a record is of a head that names a new attempt: a case that was opened, or an attempt that was claimed. */
const beginsAttempt = (record: DynamoDBRecord): boolean =>
  record.dynamodb?.OldImage?.['attempt']?.N !== record.dynamodb?.NewImage?.['attempt']?.N;

/**
 * Handles each case of a batch once, whatever the number and order of its records, and reports from the first failure on: the
 * service then delivers again from there.
 * https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
 * @param handle is told whether a new attempt is to begin
 */
export async function eachCase(
  event: DynamoDBStreamEvent,
  code: LogCode,
  handle: (caseId: CaseId, begins: boolean) => Promise<void>,
): Promise<DynamoDBBatchResponse> {
  const cases = new Map<CaseId, DynamoDBRecord[]>();
  for (const record of event.Records) {
    const caseId = caseOf(record);
    if (caseId !== undefined) cases.set(caseId, [...(cases.get(caseId) ?? []), record]);
  }
  for (const [caseId, records] of cases) {
    logAbout({ caseId, eventId: records[0]?.eventID });
    try {
      await handle(caseId, records.some(beginsAttempt));
    } catch (error) {
      log('error', code, { errorName: errorName(error), at: errorPlace(error) });
      return { batchItemFailures: [{ itemIdentifier: records[0]?.dynamodb?.SequenceNumber ?? '' }] };
    }
  }
  return { batchItemFailures: [] };
}

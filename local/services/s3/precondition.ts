import { notImplemented } from '../../service.ts';
import type { S3Call } from './call.ts';
import { noSuchKey, s3Error } from './errors.ts';
import type { ObjectRecord } from './records.ts';

const failed = (condition: string) =>
  s3Error('PreconditionFailed', 'At least one of the pre-conditions you specified did not hold', 412, {
    Condition: condition,
  });

/** @throws NotImplemented for a condition that S3 does not evaluate on writes */
export function assertConditions(headers: Readonly<Record<string, string>>): void {
  const { 'if-match': match, 'if-none-match': noneMatch } = headers;
  if (noneMatch !== undefined && noneMatch !== '*') throw notImplemented('If-None-Match with an ETag on a write');
  if (match === '*') throw notImplemented('If-Match: * on a write');
  if (match !== undefined && noneMatch !== undefined) throw notImplemented('If-Match together with If-None-Match');
}

/** A write whose body has arrived. */
export interface PreparedWrite {
  /** What becomes visible; throws when it must not. */
  record(): ObjectRecord;
  /** Called in the same step, with whether it became visible. */
  settled(stored: boolean): void;
}

/**
 * Makes an object visible if the conditions of the request hold, in one step. `prepare` does what comes before, the body and all;
 * an object that is deleted meanwhile makes the outcome of a conditional write uncertain.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html#conditional-error-response
 * @throws PreconditionFailed (412), ConditionalRequestConflict (409), NoSuchKey (404)
 */
export async function commit(call: S3Call, prepare: () => Promise<PreparedWrite>): Promise<ObjectRecord> {
  const watch = call.bucket.objects.watch(call.key);
  try {
    const write = await prepare();
    try {
      const record = write.record();
      assertHolds(call, watch.deleted);
      call.bucket.objects.put(record);
      write.settled(true);
      return record;
    } catch (error) {
      write.settled(false);
      throw error;
    }
  } finally {
    watch.end();
  }
}

function assertHolds({ headers, key, bucket }: S3Call, deletedMeanwhile: boolean): void {
  const { 'if-match': match, 'if-none-match': noneMatch } = headers;
  if (match === undefined && noneMatch === undefined) return;
  if (deletedMeanwhile) {
    throw s3Error(
      'ConditionalRequestConflict',
      'The conditional request cannot succeed due to a conflicting operation against this resource.',
      409,
    );
  }
  const current = bucket.objects.get(key);
  if (noneMatch !== undefined && current !== undefined) throw failed('If-None-Match');
  if (match === undefined) return;
  if (current === undefined) throw noSuchKey(key);
  if (match.replaceAll('"', '') !== current.etag) throw failed('If-Match');
}

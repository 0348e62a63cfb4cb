import type { Bucket } from './bucket.ts';

const DAY = 24 * 60 * 60 * 1000;

/**
 * When a rule of `days` takes effect on what was made at `since`: at the midnight (UTC) after that many days.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html#intro-lifecycle-rules-number-of-days
 */
export const dueAt = (since: number, days: number): number => (Math.floor((since + days * DAY) / DAY) + 1) * DAY;

/** Removes what is due. Until this look, expired objects are still there, as they are on AWS. */
export function applyLifecycle(bucket: Bucket, now: number): void {
  for (const { prefix, sizeLessThan = Infinity, expirationInDays, abortUploadsAfterDays } of bucket.settings
    .lifecycle) {
    if (expirationInDays !== undefined) {
      for (const { key, size, lastModified } of bucket.objects.list()) {
        const meant = key.startsWith(prefix) && size < sizeLessThan;
        if (meant && dueAt(lastModified, expirationInDays) <= now) bucket.objects.delete(key);
      }
    }
    if (abortUploadsAfterDays !== undefined) {
      for (const upload of bucket.uploads.list()) {
        const { key, initiated } = upload.record;
        if (key.startsWith(prefix) && dueAt(initiated, abortUploadsAfterDays) <= now) bucket.uploads.remove(upload);
      }
    }
  }
}

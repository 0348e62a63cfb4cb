import { OPEN_PHASES } from '../../contracts/open-phases.ts';
import { toEpoch, SECOND, type Instant } from '../../domain/instant.ts';
import { listOpen } from '../../platform/case-index.ts';
import { dynamodb } from '../../platform/dynamodb.ts';
import { log } from '../../platform/log.ts';

const secondsSince = (instant: Instant, now: Instant): number =>
  Math.max(0, Math.floor((toEpoch(now) - toEpoch(instant)) / SECOND));

/**
 * Writes, for each phase with open work, how old the case is that is due first in it, and how late: since its clock ran out, or, where no
 * clock runs, since it last changed. A metric is made of these lines; nothing of a phase without work is written.
 */
export async function measureOpenWork(table: string, now: Instant): Promise<void> {
  for (const { phase } of OPEN_PHASES) {
    const [first] = (await listOpen(dynamodb, table, phase, 1)).heads;
    if (first === undefined) continue;
    const { openedAt, dueAt, changedAt } = first;
    log('info', 'OPEN_WORK', {
      phase,
      ageSeconds: secondsSince(openedAt, now),
      lateSeconds: secondsSince(dueAt ?? changedAt, now),
    });
  }
}

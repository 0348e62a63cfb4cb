import { appendFileSync } from 'node:fs';

/**
 * Tells `npm run test:exhaustive` how much was examined, and of what. A long test names its family in a literal call of this, so that
 * its failures are counted there also when it does not get as far as calling; a family that examined nothing has failed.
 * @param family for example `crashes`
 * @param count cases that were examined since the last call: at least one
 */
export function examined(family: string, count: number): void {
  if (!Number.isSafeInteger(count) || count < 1)
    throw new Error(`${family}: ${count} examined; at least one is expected.`);
  const file = process.env['EXAMINED_FILE'];
  if (file !== undefined) appendFileSync(file, `${JSON.stringify({ family, count })}\n`);
}

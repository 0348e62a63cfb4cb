import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { HOUR, MINUTE, openScene } from './exchange.ts';

/** What this process leaves behind: cases by where they stood when it was killed. */
export interface LeftBehind {
  /** Under review, with a proposal and one of two votes. */
  readonly underReview: string;
  readonly awaitingAssurance: string;
  /** Released for an hour, opened once. */
  readonly released: string;
  /** The assurance was just given: somewhere between sealing and release. */
  readonly sealing: string;
  /** Virtual time, in milliseconds. */
  readonly now: number;
}

/** Runs an exchange in a folder, brings cases to their places, and dies as by `kill -9`, in the middle of what it does. */
async function runUntilKilled(folder: string): Promise<void> {
  const scene = await openScene({ folder, dataDirectory: join(folder, 'data') });
  await scene.runtime.settled();
  await scene.runtime.clock.advance(30 * MINUTE);
  const underReview = await scene.reach('PROPOSED');
  await scene.approve(underReview, scene.who.releasing);
  const awaitingAssurance = await scene.reach('AWAITING_ASSURANCE');
  const released = await scene.reach('RELEASED', { endsIn: HOUR, copies: 2 });
  const { caseId } = released;
  await scene.as(scene.who.recipient).grantAccess({ params: { caseId }, body: {}, idempotencyKey: 'before-the-crash' });
  await scene.runtime.settled();
  const sealing = await scene.reach('AWAITING_ASSURANCE');
  const left: LeftBehind = {
    underReview: underReview.caseId,
    awaitingAssurance: awaitingAssurance.caseId,
    released: caseId,
    sealing: sealing.caseId,
    now: scene.runtime.clock.now(),
  };
  writeSync(1, JSON.stringify(left));
  await scene.assure(sealing);
  process.kill(process.pid, 'SIGKILL');
}

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error('Name the folder in which the exchange is to run.');
await runUntilKilled(folder);

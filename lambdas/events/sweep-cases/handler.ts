import * as z from 'zod';
import { ENV } from '../../contracts/names.ts';
import { redriveRequest, type SweepReport } from '../../contracts/operator.ts';
import { isCaseId, type CaseId } from '../../domain/ids.ts';
import { isClocked, runningClock, type Case } from '../../domain/case.ts';
import { DAY, earliest, HOUR, MINUTE, plus, type Instant } from '../../domain/instant.ts';
import { isFinal, isWaiting } from '../../domain/phases.ts';
import { nextReminderAt } from '../../domain/reminders.ts';
import { claimAttempt, listDue, lookAgain, nudge, postpone } from '../../platform/case-index.ts';
import { loadCase, type CaseFile } from '../../platform/case-store.ts';
import { now } from '../../platform/clock.ts';
import { dynamodb } from '../../platform/dynamodb.ts';
import { entryPoint } from '../../platform/entry-point.ts';
import { readEnvironment } from '../../platform/environment.ts';
import { NotFound } from '../../platform/errors.ts';
import { exchangeFromEnvironment, system } from '../../platform/exchange.ts';
import { execute } from '../../platform/execute.ts';
import { errorName, errorPlace, log } from '../../platform/log.ts';
import { agreesWithTally } from '../../platform/tally.ts';
import { isRunning, parseExecutionName } from '../../platform/workflow.ts';
import { measureOpenWork } from './open-work.ts';

const exchange = exchangeFromEnvironment();
const env = readEnvironment([ENV.casesTable, ENV.tallyTable, ENV.stateMachine]);
const table = env[ENV.casesTable];

/** Cases looked at in one sweep: what is left is due again a minute later. */
const MOST = 200;

/** How long a case that cannot be looked at waits, so that it holds up none that can. */
const UNREADABLE = 10 * MINUTE;

/** The end of an execution that did not succeed. https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html */
const ended = z.object({
  'detail-type': z.literal('Step Functions Execution Status Change'),
  detail: z.object({ name: z.string(), startDate: z.number(), stopDate: z.number() }),
});

type Ended = z.infer<typeof ended>['detail'];

/** Minutes until a case whose attempts keep failing is looked at again: doubling, at most six hours. */
const patience = (failures: number): number => Math.min(2 ** failures, 360);

/**
 * Whether an attempt failed because a version of a step that it began with was deleted: the next one begins with what is there, and there
 * is nothing to wait for. Once: where it fails again in the same way, waiting is what is left.
 */
function lostItsStep({ events }: CaseFile): boolean {
  const [before, last] = events.slice(-2);
  return (
    last?.type === 'AttemptFailed' &&
    last.payload.error === 'Lambda.ResourceNotFoundException' &&
    before?.type !== 'AttemptFailed'
  );
}

/** Failed attempts since anything else happened to the case: those before were got over. */
const failuresInARow = ({ events }: CaseFile): number =>
  events.length - 1 - events.findLastIndex(({ type }) => type !== 'AttemptFailed');

/** Gives the case a new attempt when its execution is gone; the claim starts it. A case that keeps failing waits longer each time. */
async function restart(file: CaseFile, at: Instant, report: SweepReport, patiently = true): Promise<void> {
  const { head } = file;
  const failures = failuresInARow(file);
  const again = plus(file.state.changedAt, patience(failures) * MINUTE);
  if (patiently && failures > 0 && !lostItsStep(file) && at < again) {
    log('error', 'CASE_STUCK', { caseId: head.caseId, attempt: head.attempt, count: failures });
    await lookAgain(dynamodb, table, head, again);
    return;
  }
  if (!(await agreesWithTally(dynamodb, env[ENV.tallyTable], head))) {
    report.behind += 1;
    log('error', 'CASE_FILE_BEHIND', { caseId: head.caseId, sequence: head.sequence });
    await lookAgain(dynamodb, table, head, plus(at, HOUR));
    return;
  }
  if (await claimAttempt(dynamodb, table, head)) {
    report.restarted += 1;
    log('warn', 'CASE_RESTARTED', { caseId: head.caseId, attempt: head.attempt + 1 });
  }
  await lookAgain(dynamodb, table, head, plus(at, 2 * MINUTE));
}

/**
 * A case that waits is not left alone for longer than this: the event of an execution's end may be lost, and those who could decide may leave
 * the directory. Each look costs some units of the table, so not much oftener.
 */
const LONGEST_WITHOUT_LOOK = DAY;

/** When a case that waits as it should is to be looked at again: at its next reminder, and when its clock should have been minded. */
function nextLook(state: Case, end: Instant, at: Instant): Instant {
  const latest = earliest(plus(end, MINUTE), plus(at, LONGEST_WITHOUT_LOOK));
  return isClocked(state) ? earliest(latest, nextReminderAt(state) ?? latest) : latest;
}

/** Minds the clock of a case that waits: reminds whoever it waits for, and finds out when nobody is left who could decide. */
async function mindClock(file: CaseFile, end: Instant, at: Instant): Promise<void> {
  const { head } = file;
  if (!isClocked(file.state)) return lookAgain(dynamodb, table, head, nextLook(file.state, end, at));
  const after = await execute(exchange, file.state.caseId, system('sweep-cases'), ({ state }) =>
    // What follows at its end is for the execution that waits for it.
    isClocked(state) && exchange.now() < runningClock(state).deadline.dueAt ? { type: 'LookAtClock' } : undefined,
  );
  // A change is looked at again by itself, once what follows from it should have happened.
  if (after.head.sequence === head.sequence) await lookAgain(dynamodb, table, head, nextLook(after.state, end, at));
}

/** Looks whether everything that follows from a case's last change has happened, and makes it happen where not. */
async function look(caseId: CaseId, at: Instant, report: SweepReport, patiently = true): Promise<void> {
  const file = await loadCase(dynamodb, table, caseId);
  const { head } = file;
  report.looked += 1;
  const behind = file.announced < head.sequence;
  if (behind) {
    report.redelivered += 1;
    log('warn', 'CASE_REDELIVERED', { caseId, sequence: file.announced });
  }
  const done = isFinal(head.phase) && head.deposits === 0;
  // Whoever cannot be told of a case must not keep it from going on: the two are repaired apart.
  if (!done && !(await isRunning(env[ENV.stateMachine], caseId, head.attempt))) {
    await restart(file, at, report, patiently);
    if (behind) await nudge(dynamodb, table, caseId);
    return;
  }
  if (done && !behind) return lookAgain(dynamodb, table, head, undefined);
  const { dueAt } = head;
  if (!behind && isWaiting(head.phase) && dueAt !== undefined && at < dueAt) return mindClock(file, dueAt, at);
  await lookAgain(dynamodb, table, head, plus(at, MINUTE));
  // A case that runs and stands where it does not wait may have missed its wake-up.
  await nudge(dynamodb, table, caseId);
}

/**
 * An execution failed, timed out or was stopped: its case gets the next attempt at once, if it still was the present one. After one that
 * ended as soon as it had begun, the next sweep looks: what always fails at once must not be begun without end.
 */
async function afterEnd({ name, startDate, stopDate }: Ended, at: Instant, report: SweepReport): Promise<void> {
  const execution = parseExecutionName(name);
  if (execution === undefined || !isCaseId(execution.caseId)) return;
  const file = await loadCase(dynamodb, table, execution.caseId);
  report.looked += 1;
  const over = isFinal(file.head.phase) && file.head.deposits === 0;
  if (over || file.head.attempt !== execution.attempt) return;
  if (stopDate - startDate < MINUTE && !lostItsStep(file)) await lookAgain(dynamodb, table, file.head, at);
  else await restart(file, at, report);
}

/**
 * Every minute over the due index, and at each end of an execution that was not a success. Repairs what a crash, a lost record or a
 * stopped execution left behind; finding nothing to do is its normal answer.
 */
export const handler = entryPoint(async (event: unknown): Promise<SweepReport> => {
  const report: SweepReport = { looked: 0, restarted: 0, redelivered: 0, behind: 0, failed: 0 };
  const end = ended.safeParse(event);
  if (end.success) {
    await afterEnd(end.data.detail, now(), report).catch((error: unknown) => {
      // The name is anybody's to choose; a case that does not exist is no failure of the sweep.
      if (!(error instanceof NotFound)) throw error;
    });
    return report;
  }
  const asked = redriveRequest.safeParse(event);
  if (asked.success) {
    await look(asked.data.redrive, now(), report, false).catch((error: unknown) => {
      // Nothing was looked at: the report says so.
      if (!(error instanceof NotFound)) throw error;
    });
    return report;
  }
  await measureOpenWork(table, now()).catch((error: unknown) => {
    // What is measured must not keep what is repaired.
    log('error', 'SWEEP_FAILED', { errorName: errorName(error), at: errorPlace(error) });
  });
  for (const caseId of await listDue(dynamodb, table, now(), MOST)) {
    try {
      await look(caseId, now(), report);
    } catch (error) {
      report.failed += 1;
      await postpone(dynamodb, table, caseId, plus(now(), UNREADABLE));
      log('error', 'SWEEP_FAILED', { caseId, errorName: errorName(error), at: errorPlace(error) });
    }
  }
  return report;
});

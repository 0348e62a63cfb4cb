import { runningClock, type Clocked } from './case.ts';
import { MARKS, instantOf, runsSince, type Reminder } from './clock.ts';
import type { Instant } from './instant.ts';

type Due = Reminder & {
  /** When it is to be given. */
  readonly at: Instant;
};

/** The reminders that are still to be given in the run of the clock that runs now, in their order; none before one that was given. */
function outstanding(state: Clocked): readonly Due[] {
  const { clock, deadline } = runningClock(state);
  const since = runsSince(deadline);
  const given = state.reminders.filter((reminder) => reminder.clock === clock && reminder.since === since);
  const last = Math.max(-1, ...given.map(({ mark }) => MARKS.indexOf(mark)));
  return MARKS.slice(last + 1).map((mark) => ({ clock, mark, since, at: instantOf(deadline, mark) }));
}

/** When the next reminder is to be given, if one is. */
export const nextReminderAt = (state: Clocked): Instant | undefined => outstanding(state)[0]?.at;

/** The reminder that is to be given now: the latest whose instant has come, so that whoever looks late reminds once. */
export function reminderDue(state: Clocked, now: Instant): Reminder | undefined {
  const due = outstanding(state).findLast(({ at }) => at <= now);
  if (due === undefined) return undefined;
  const { at: _come, ...reminder } = due;
  return reminder;
}

import type { Agreement, Calendar, ClockRule } from './agreement.ts';
import { DAY, HOUR, dateIn, plus, toEpoch, weekday, type Instant } from './instant.ts';

/** A deadline with everything that made it, so that anyone can compute it again (domain.md §6). */
export interface Deadline {
  readonly startedAt: Instant;
  readonly dueAt: Instant;
  readonly rule: ClockRule;
  /** Times during which the other side owed an answer and the clock stood still. */
  readonly stops: readonly { readonly from: Instant; readonly to: Instant }[];
  /** How often it has been escalated: the agreement allows once. */
  readonly escalations: number;
  /** When it was escalated last: the clock began again then. */
  readonly escalatedAt?: Instant;
}

export type Clock = 'decision' | 'clarification' | 'assurance';

/** The shares of a clock's time after which whoever it waits for is reminded (domain.md §6), in their order. */
const SHARES = { half: 0.5, 'ninety-percent': 0.9 } as const;
export type Mark = keyof typeof SHARES;
export const MARKS = Object.keys(SHARES) as readonly Mark[]; // the keys of the table

/** Which run of which clock a reminder is about, and which of the marks: each is given at most once. */
export interface Reminder {
  readonly clock: Clock;
  readonly mark: Mark;
  /** When the run began: an escalation begins another. */
  readonly since: Instant;
}

const isWorkingDay = (instant: Instant, calendars: readonly Calendar[]): boolean =>
  calendars.every(
    (calendar) => !calendar.restDays.includes(weekday(instant)) && !calendar.holidays.includes(dateIn(instant)),
  );

/** The same time of day, `amount` working days later; days are counted in UTC and a day counts when it is one in every calendar. */
function addWorkingDays(start: Instant, amount: number, calendars: readonly Calendar[]): Instant {
  let day = start;
  for (let left = amount; left > 0;) {
    day = plus(day, DAY);
    if (isWorkingDay(day, calendars)) left -= 1;
  }
  return day;
}

function dueAfter(rule: ClockRule, agreement: Agreement, start: Instant): Instant {
  switch (rule.unit) {
    case 'hours':
      return plus(start, rule.amount * HOUR);
    case 'calendarDays':
      return plus(start, rule.amount * DAY);
    case 'workingDays':
      return addWorkingDays(
        start,
        rule.amount,
        agreement.calendars.filter((calendar) => rule.calendars.includes(calendar.id)),
      );
  }
}

/** Starts the clock of a rule at `start`. */
export const startDeadline = (agreement: Agreement, rule: ClockRule, start: Instant): Deadline => ({
  startedAt: start,
  dueAt: dueAfter(rule, agreement, start),
  rule,
  stops: [],
  escalations: 0,
});

/** The clock again after it stood still from `from` to `to`: the end moves by as long. */
export const afterStop = (deadline: Deadline, from: Instant, to: Instant): Deadline => ({
  ...deadline,
  dueAt: plus(deadline.dueAt, toEpoch(to) - toEpoch(from)),
  stops: [...deadline.stops, { from, to }],
});

/** The clock after its one escalation: the same time once more, from the escalation on. */
export const afterEscalation = (deadline: Deadline, agreement: Agreement, at: Instant): Deadline => ({
  ...deadline,
  dueAt: dueAfter(deadline.rule, agreement, at),
  escalations: deadline.escalations + 1,
  escalatedAt: at,
});

/** When the clock that runs now began to run. */
export const runsSince = (deadline: Deadline): Instant => deadline.escalatedAt ?? deadline.startedAt;

/** The instant at which a share of the run has passed. A stop before it moves it as it moves the end; one after it leaves it where it was. */
export function instantOf(deadline: Deadline, mark: Mark): Instant {
  const since = runsSince(deadline);
  const stops = deadline.stops.filter((stop) => stop.from >= since);
  const length = ({ from, to }: Deadline['stops'][number]): number => toEpoch(to) - toEpoch(from);
  const stood = stops.reduce((sum, stop) => sum + length(stop), 0);
  const runs = toEpoch(deadline.dueAt) - toEpoch(since) - stood;
  return stops.reduce(
    (instant, stop) => (stop.from < instant ? plus(instant, length(stop)) : instant),
    plus(since, runs * SHARES[mark]),
  );
}

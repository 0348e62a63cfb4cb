import fc from 'fast-check';
import type { ClockRule } from '../../../lambdas/domain/agreement.ts';
import { afterEscalation, afterStop, startDeadline } from '../../../lambdas/domain/clock.ts';
import { DAY, HOUR, fromEpoch, plus } from '../../../lambdas/domain/instant.ts';
import { EXERCISE, START, agreementWith, instant } from '../../support/domain.ts';

const rule = (amount: number, unit: ClockRule['unit'], ...calendars: readonly string[]): ClockRule => ({
  amount,
  unit,
  calendars,
  onDue: 'lapse',
  source: 'test',
});
const dueAfter = (start: string, of: ClockRule) => startDeadline(EXERCISE, of, instant(start)).dueAt;
const BOTH = ['CAN-federal', 'UKR-working'];

describe('working days', () => {
  it.each([
    ['over a weekend', '2026-03-06T15:30:00.000Z', 1, BOTH, '2026-03-09T15:30:00.000Z'],
    ['from a Saturday', '2026-03-07T15:30:00.000Z', 1, BOTH, '2026-03-09T15:30:00.000Z'],
    ['over Good Friday and the weekend', '2026-04-02T10:00:00.000Z', 1, BOTH, '2026-04-06T10:00:00.000Z'],
    [
      'Good Friday is worked where no holidays are given',
      '2026-04-02T10:00:00.000Z',
      1,
      ['UKR-working'],
      '2026-04-03T10:00:00.000Z',
    ],
    [
      'over Christmas and the day that stands for Boxing Day',
      '2026-12-24T10:00:00.000Z',
      1,
      BOTH,
      '2026-12-29T10:00:00.000Z',
    ],
    ['ten in two weeks', '2026-03-02T09:00:00.000Z', 10, BOTH, '2026-03-16T09:00:00.000Z'],
    ['in no calendar every day counts', '2026-03-06T15:30:00.000Z', 2, [], '2026-03-08T15:30:00.000Z'],
  ])('%s', (_, start, amount, calendars, due) => {
    expect(dueAfter(start, rule(amount, 'workingDays', ...calendars))).toBe(due);
  });

  it('agree with a count on Date', () => {
    const canada = EXERCISE.calendars.find((calendar) => calendar.id === 'CAN-federal')?.holidays ?? [];
    const starts = fc.integer({ min: Date.parse('2025-12-01T00:00:00Z'), max: Date.parse('2028-01-31T00:00:00Z') });
    fc.assert(
      fc.property(starts, fc.integer({ min: 1, max: 60 }), (epoch, amount) => {
        const day = new Date(epoch);
        for (let left = amount; left > 0;) {
          day.setUTCDate(day.getUTCDate() + 1);
          const rests = [0, 6].includes(day.getUTCDay()) || canada.includes(day.toISOString().slice(0, 10));
          if (!rests) left -= 1;
        }
        expect(dueAfter(fromEpoch(epoch), rule(amount, 'workingDays', ...BOTH))).toBe(day.toISOString());
      }),
    );
  });

  it('rest when any of the calendars rests', () => {
    const [canada, ukraine] = EXERCISE.calendars;
    if (canada === undefined || ukraine === undefined) throw new Error('The exercise has two calendars');
    const { agreement } = agreementWith({ calendars: [canada, { ...ukraine, restDays: [1] }] });
    const friday = instant('2026-03-06T15:30:00.000Z');
    expect(startDeadline(agreement, rule(1, 'workingDays', ...BOTH), friday).dueAt).toBe('2026-03-10T15:30:00.000Z');
  });
});

it('hours and calendar days run through weekends', () => {
  expect(dueAfter('2026-03-06T15:30:00.000Z', rule(24, 'hours'))).toBe('2026-03-07T15:30:00.000Z');
  expect(dueAfter('2026-02-27T15:30:00.000Z', rule(2, 'calendarDays'))).toBe('2026-03-01T15:30:00.000Z');
});

it('a stop moves the end by as long, and is shown', () => {
  const deadline = startDeadline(EXERCISE, rule(5, 'calendarDays'), START);
  const [from, to] = [plus(START, DAY), plus(START, DAY + 3 * HOUR)];
  const once = afterStop(deadline, from, to);
  expect(once).toMatchObject({ startedAt: START, dueAt: plus(deadline.dueAt, 3 * HOUR), stops: [{ from, to }] });
  const twice = afterStop(once, plus(to, DAY), plus(to, 2 * DAY));
  expect(twice.dueAt).toBe(plus(once.dueAt, DAY));
  expect(twice.stops).toHaveLength(2);
});

it('an escalation gives the same time once more, from then on, and is counted', () => {
  const deadline = startDeadline(EXERCISE, rule(5, 'calendarDays'), START);
  const late = plus(deadline.dueAt, HOUR);
  expect(afterEscalation(deadline, EXERCISE, late)).toMatchObject({
    startedAt: START,
    dueAt: plus(late, 5 * DAY),
    escalations: 1,
  });
});

import fc from 'fast-check';
import { dueAt } from '../../../lambdas/domain/case.ts';
import { DAY, HOUR, SECOND, fromEpoch, plus, toEpoch, type Instant } from '../../../lambdas/domain/instant.ts';
import { nextReminderAt } from '../../../lambdas/domain/reminders.ts';
import {
  PEOPLE,
  SCENES,
  SYSTEM,
  by,
  due,
  give,
  inPhase,
  proposed,
  underReview,
  type Scene,
} from '../../support/domain.ts';

type Phase = 'UNDER_REVIEW' | 'AWAITING_CLARIFICATION' | 'AWAITING_ASSURANCE';

const look = (scene: Scene, now: Instant): Scene => give(scene, 'LookAtClock', SYSTEM, { now });
const reminders = ({ events }: Scene): readonly string[] =>
  events.flatMap(({ type, payload }) =>
    type === 'Reminded' ? [`${payload.clock} ${payload.mark} → ${payload.to}`] : [],
  );
const next = (scene: Scene, phase: Phase): Instant | undefined => nextReminderAt(inPhase(scene, phase));

/** A share of the way between two instants. */
const between = (from: Instant, to: Instant, share: number): Instant =>
  fromEpoch(toEpoch(from) + (toEpoch(to) - toEpoch(from)) * share);
const startOf = (scene: Scene): Instant => inPhase(scene, 'UNDER_REVIEW').deadline.startedAt;
/** How far the decision clock of a scene that never stood still has to run. */
const at = (scene: Scene, share: number): Instant => between(startOf(scene), due(scene), share);

it.each([
  ['UNDER_REVIEW', () => proposed(), 'decision', 'approvers'],
  ['UNDER_REVIEW', () => underReview(), 'decision', 'desk-officers'],
  ['AWAITING_CLARIFICATION', SCENES.AWAITING_CLARIFICATION, 'clarification', 'requester'],
  ['AWAITING_ASSURANCE', SCENES.AWAITING_ASSURANCE, 'assurance', 'recipient-authority'],
] as const)('in %s whoever is waited for is reminded at half and at nine tenths', (phase, begin, clock, to) => {
  const scene = begin();
  const half = next(scene, phase) ?? due(scene);
  expect(reminders(look(scene, plus(half, -1)))).toEqual([]);
  const once = look(scene, half);
  expect(reminders(once)).toEqual([`${clock} half → ${to}`]);
  expect(reminders(look(once, plus(half, SECOND)))).toHaveLength(1);
  const late = next(once, phase) ?? due(scene);
  expect(reminders(look(once, plus(late, -1)))).toHaveLength(1);
  const twice = look(once, late);
  expect(reminders(twice).at(-1)).toBe(`${clock} ninety-percent → ${to}`);
  expect(next(twice, phase)).toBeUndefined();
  expect(reminders(look(twice, plus(due(scene), -1)))).toHaveLength(2);
  expect(twice.state.phase).toBe(phase);
});

it('the marks are at half and nine tenths of the time', () => {
  const scene = underReview();
  expect(next(scene, 'UNDER_REVIEW')).toBe(at(scene, 0.5));
  expect(next(look(scene, at(scene, 0.5)), 'UNDER_REVIEW')).toBe(at(scene, 0.9));
});

it('whoever looks late reminds once, of the latest mark, and does not come back to the earlier', () => {
  const scene = proposed();
  const late = look(scene, plus(due(scene), -SECOND));
  expect(reminders(late)).toEqual(['decision ninety-percent → approvers']);
  expect(next(late, 'UNDER_REVIEW')).toBeUndefined();
});

it('nobody is reminded once the clock has run out', () => {
  for (const begin of [proposed, SCENES.AWAITING_CLARIFICATION, SCENES.AWAITING_ASSURANCE]) {
    const scene = begin();
    expect(reminders(look(scene, due(scene)))).toEqual([]);
  }
});

it('an escalated clock reminds again, by the time that it was given', () => {
  const scene = look(look(proposed(), at(proposed(), 0.5)), at(proposed(), 0.9));
  const escalated = look(scene, due(scene));
  const from = inPhase(escalated, 'UNDER_REVIEW').deadline.escalatedAt ?? due(scene);
  expect(from).toBe(due(scene));
  expect(next(escalated, 'UNDER_REVIEW')).toBe(between(from, due(escalated), 0.5));
  expect(reminders(look(escalated, between(from, due(escalated), 0.95)))).toEqual([
    'decision half → approvers',
    'decision ninety-percent → approvers',
    'decision ninety-percent → approvers',
  ]);
});

describe('while a clarification is asked', () => {
  const asked = (scene: Scene, now: Instant): Scene => give(scene, 'SeekClarification', by(PEOPLE.desk), { now });
  const answered = (scene: Scene, now: Instant): Scene =>
    give(scene, 'AnswerClarification', by(PEOPLE.requester), { now });

  it('nobody is reminded of the decision, whose clock stands still', () => {
    const scene = asked(proposed(), plus(at(proposed(), 0.5), -SECOND));
    expect(reminders(look(scene, plus(at(proposed(), 0.5), HOUR)))).toEqual([]);
  });

  it('a mark that was not reached moves by as long as the clock stood; one that was given is not given again', () => {
    const before = proposed();
    const stopped = asked(before, at(before, 0.25));
    const after = answered(stopped, plus(stopped.now, 3 * DAY));
    expect(next(after, 'UNDER_REVIEW')).toBe(plus(at(before, 0.5), 3 * DAY));
    const reminded = look(before, at(before, 0.5));
    const later = answered(asked(reminded, at(before, 0.6)), plus(at(before, 0.6), 2 * DAY));
    expect(next(later, 'UNDER_REVIEW')).toBe(plus(at(before, 0.9), 2 * DAY));
    expect(reminders(look(later, plus(at(before, 0.6), 2 * DAY + HOUR)))).toHaveLength(1);
  });

  it('a mark that passed unnoticed before it stays where it was', () => {
    const before = proposed();
    const after = answered(asked(before, at(before, 0.6)), plus(at(before, 0.6), 2 * DAY));
    expect(next(after, 'UNDER_REVIEW')).toBe(at(before, 0.5));
  });

  it('each question has marks of its own', () => {
    const first = SCENES.AWAITING_CLARIFICATION();
    const reminded = look(first, next(first, 'AWAITING_CLARIFICATION') ?? due(first));
    const second = asked(answered(reminded, plus(reminded.now, SECOND)), plus(reminded.now, HOUR));
    const again = look(second, next(second, 'AWAITING_CLARIFICATION') ?? due(second));
    expect(reminders(again)).toEqual(['clarification half → requester', 'clarification half → requester']);
  });

  it('a stop before an escalation says nothing of the time after it', () => {
    const before = proposed();
    const stopped = asked(before, at(before, 0.25));
    const after = answered(stopped, plus(stopped.now, 3 * DAY));
    const escalated = look(after, due(after));
    expect(next(escalated, 'UNDER_REVIEW')).toBe(between(due(after), due(escalated), 0.5));
  });
});

it('at any series of looks each mark of a run is given at most once, in order, and before the end', () => {
  let examined = 0;
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 1000 }), { maxLength: 12 }), (shares) => {
      const begin = proposed();
      let scene = begin;
      for (const share of shares.toSorted((a, b) => a - b)) {
        if (scene.state.phase !== 'UNDER_REVIEW') break;
        const from = inPhase(scene, 'UNDER_REVIEW').deadline.escalatedAt ?? startOf(scene);
        const now = between(from, due(scene), share / 1000);
        if (now <= scene.now) continue;
        const runsOut = dueAt(scene.state) ?? now;
        const after = look(scene, now);
        if (reminders(after).length > reminders(scene).length) expect(now < runsOut).toBe(true);
        scene = after;
      }
      const given = scene.state.reminders.map(({ mark, since }) => `${since} ${mark}`);
      expect(new Set(given).size).toBe(given.length);
      expect(given).toEqual(given.toSorted((a, b) => (a.slice(0, 24) < b.slice(0, 24) ? -1 : 0)));
      examined += given.length;
    }),
  );
  expect(examined).toBeGreaterThan(20);
});

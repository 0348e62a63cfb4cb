import { noticesOf } from '../../../lambdas/domain/notices.ts';
import type { Audience } from '../../../lambdas/domain/events.ts';
import { plus } from '../../../lambdas/domain/instant.ts';
import {
  EXERCISE,
  PEOPLE,
  SCENES,
  SYSTEM,
  agreementWith,
  by,
  due,
  give,
  peopleById,
  proposed,
  given,
  underReview,
  sealed,
  sealing,
  submitted,
  type Scene,
} from '../../support/domain.ts';

/** Whom the last event of a scene tells what. */
const told = ({ events }: Scene): readonly string[] => {
  const event = events.at(-1);
  return event === undefined ? [] : noticesOf(event).map(({ to, verb }) => `${verb} → ${to}`);
};
/** Under review, and all who could decide have gone. */
const deserted = (): Scene => give(proposed(), 'LookAtClock', SYSTEM, { context: { people: peopleById([]) } });
const resuming = (): Scene => give(SCENES.SUSPENDED(), 'Resume', by(PEOPLE.releasing));

it.each<[string, () => Scene, readonly string[]]>([
  ['a submission', () => submitted(), []],
  ['an inadmissible request', SCENES.INADMISSIBLE, ['request-inadmissible → requester']],
  [
    'an admissible request',
    () => give(submitted(), 'RecordAssessment', SYSTEM),
    ['request-arrived → desk-officers', 'request-registered → requester'],
  ],
  [
    'a request that nobody could decide',
    () => give(submitted(), 'RecordAssessment', SYSTEM, { context: { people: peopleById([]) } }),
    ['request-arrived → desk-officers', 'request-registered → requester', 'nobody-can-decide → originator-authority'],
  ],
  ['a question', SCENES.AWAITING_CLARIFICATION, ['clarification-asked → requester']],
  [
    'an answer',
    () => give(SCENES.AWAITING_CLARIFICATION(), 'AnswerClarification', by(PEOPLE.requester)),
    ['clarification-answered → desk-officers'],
  ],
  ['a deposit', () => give(proposed(), 'OpenDeposit', by(PEOPLE.desk)), []],
  ['a proposal', () => proposed(), ['proposal-awaits-you → approvers']],
  ['a vote that decides nothing', () => give(proposed(), 'CastDecision', by(PEOPLE.releasing)), []],
  ['a refusal', SCENES.REFUSED, ['request-refused → requester']],
  ['an approval', SCENES.AWAITING_ASSURANCE, ['request-approved → requester', 'assurance-due → recipient-authority']],
  [
    'an approval where no assurance is asked for',
    () => {
      const none = { context: agreementWith({ assurance: { ...EXERCISE.assurance, required: false } }) };
      return give(
        give(proposed(), 'CastDecision', by(PEOPLE.releasing), none),
        'CastDecision',
        by(PEOPLE.security),
        none,
      );
    },
    ['request-approved → requester'],
  ],
  [
    'an escalation',
    () => give(proposed(), 'LookAtClock', SYSTEM, { now: due(proposed()) }),
    ['decision-overdue → approvers', 'decision-overdue → originator-authority'],
  ],
  ['a lapse', SCENES.LAPSED, ['request-lapsed → requester', 'request-lapsed → desk-officers']],
  [
    'an assurance declined',
    () => give(SCENES.AWAITING_ASSURANCE(), 'DeclineAssurance', by(PEOPLE.recipientAuthority)),
    ['request-lapsed → requester', 'request-lapsed → desk-officers'],
  ],
  ['an assurance', sealing, []],
  ['a seal', sealed, []],
  [
    'an opened release',
    () => give(sealed(), 'OpenRelease', SYSTEM),
    ['release-open → recipients', 'release-open → requester'],
  ],
  ['an access', SCENES.RELEASED, []],
  ['a failed access', () => give(SCENES.RELEASED(), 'RecordAccessFailure', SYSTEM), []],
  ['a receipt', () => give(SCENES.RELEASED(), 'AcknowledgeReceipt', by(PEOPLE.recipient)), []],
  ['a suspension', SCENES.SUSPENDED, ['release-suspended → recipients', 'release-suspended → requester']],
  [
    'a proposal to resume',
    resuming,
    ['resumption-awaits-you → approvers', 'resumption-awaits-you → originator-authority'],
  ],
  [
    'a resumption',
    () => give(resuming(), 'Resume', by(PEOPLE.security)),
    ['release-resumed → recipients', 'release-resumed → requester'],
  ],
  ['a recall', SCENES.CLOSING, ['release-ending → recipients', 'release-ending → requester']],
  [
    'an expiry',
    () => give(SCENES.RELEASED(), 'RecordExpiry', SYSTEM, { now: due(SCENES.RELEASED()) }),
    ['release-ending → recipients', 'release-ending → requester'],
  ],
  [
    'a release that never opened',
    () => give(sealing(), 'OpenRelease', SYSTEM, { now: due(sealing()) }),
    ['release-ending → recipients', 'release-ending → requester'],
  ],
  ['a closed case', SCENES.CLOSED, ['case-closed → requester', 'case-closed → desk-officers']],
  ['a withdrawal', SCENES.WITHDRAWN, ['case-withdrawn → requester', 'case-withdrawn → desk-officers']],
  [
    'a mark of a clock that waits for a proposal',
    () => give(underReview(), 'LookAtClock', SYSTEM, { now: plus(due(underReview()), -1) }),
    ['proposal-reminder → desk-officers'],
  ],
  [
    'a mark of a clock that waits for votes',
    () => give(proposed(), 'LookAtClock', SYSTEM, { now: plus(due(proposed()), -1) }),
    ['decision-reminder → approvers'],
  ],
  [
    'a mark of a clock that waits for an answer',
    () =>
      give(SCENES.AWAITING_CLARIFICATION(), 'LookAtClock', SYSTEM, {
        now: plus(due(SCENES.AWAITING_CLARIFICATION()), -1),
      }),
    ['clarification-reminder → requester'],
  ],
  [
    'a mark of a clock that waits for an assurance',
    () => give(SCENES.AWAITING_ASSURANCE(), 'LookAtClock', SYSTEM, { now: plus(due(SCENES.AWAITING_ASSURANCE()), -1) }),
    ['assurance-reminder → recipient-authority'],
  ],
  [
    'a proposal that nobody is left to decide',
    deserted,
    ['nobody-can-decide → originator-authority', 'nobody-can-decide → desk-officers'],
  ],
  ['a proposal that somebody can decide again', () => give(deserted(), 'LookAtClock', SYSTEM), []],
  ['a failure', () => give(submitted(), 'RecordFailure', SYSTEM), []],
])('%s', (_, scene, notices) => expect(told(scene())).toEqual(notices));

describe('a notice that did not arrive', () => {
  const lost = (scene: Scene, to: Audience, notice = scene.state.sequence, personId = PEOPLE.desk.personId): Scene =>
    given(scene, { type: 'RecordUndelivered', notice, to, personId, cause: 'bounced' }, SYSTEM);

  it.each<[Audience, readonly Audience[]]>([
    ['desk-officers', ['desk-officers', 'originator-authority']],
    ['approvers', ['approvers', 'originator-authority']],
    ['originator-authority', ['originator-authority', 'desk-officers']],
    ['recipient-authority', ['recipient-authority', 'requester']],
    ['requester', ['requesting-agency', 'recipient-authority']],
    ['requesting-agency', ['requesting-agency', 'recipient-authority']],
    ['recipients', ['requester', 'recipient-authority']],
  ])('to %s is told to %j', (to, next) => {
    expect(told(lost(proposed(), to))).toEqual(next.map((audience) => `notice-undelivered → ${audience}`));
  });

  it('is not told to whom it did not reach', () => {
    const event = lost(proposed(), 'desk-officers').events.at(-1);
    expect(event === undefined ? [] : noticesOf(event).map(({ except }) => except)).toEqual([
      PEOPLE.desk.personId,
      PEOPLE.desk.personId,
    ]);
  });

  it('is recorded once for each reader, however often its fate is reported', () => {
    const once = lost(proposed(), 'desk-officers');
    expect(lost(once, 'desk-officers', 5).events).toHaveLength(once.events.length);
    expect(lost(once, 'desk-officers', 5, PEOPLE.releasing.personId).events).toHaveLength(once.events.length + 1);
    expect(lost(once, 'desk-officers', 4).events).toHaveLength(once.events.length + 1);
  });

  it('must have been given', () => {
    const scene = proposed();
    expect(lost(scene, 'desk-officers', scene.state.sequence + 1).events).toHaveLength(scene.events.length);
  });

  it('tells nobody when it told of another such notice: two dead addresses do not write to each other for ever', () => {
    const again = lost(lost(proposed(), 'desk-officers'), 'originator-authority');
    expect(again.events.at(-1)).toMatchObject({ type: 'NoticeUndelivered', payload: { again: true } });
    expect(told(again)).toEqual([]);
  });
});

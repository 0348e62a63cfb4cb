import { noticesOf } from '../../../lambdas/domain/notices.ts';
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
  ['a failure', () => give(submitted(), 'RecordFailure', SYSTEM), []],
])('%s', (_, scene, notices) => expect(told(scene())).toEqual(notices));

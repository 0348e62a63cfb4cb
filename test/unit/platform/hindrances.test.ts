import { hindrancesOf } from '../../../lambdas/platform/hindrances.ts';
import type { OperatorsHead } from '../../../lambdas/platform/case-index.ts';
import { HOUR, MINUTE, plus } from '../../../lambdas/domain/instant.ts';
import { CASE_ID, START } from '../../support/domain.ts';

const head = (members: Partial<OperatorsHead>): OperatorsHead => ({
  caseId: CASE_ID,
  phase: 'UNDER_REVIEW',
  attempt: 1,
  failures: 0,
  changedAt: START,
  deposits: 0,
  eventSchema: 1,
  sequence: 5,
  ...members,
});
const at = (
  milliseconds: number,
  members: Partial<OperatorsHead>,
  seen: { running?: boolean; announced?: number } = {},
) => hindrancesOf(head(members), { running: true, announced: 5, ...seen }, plus(START, milliseconds));

const SOON = 3 * MINUTE;

it.each<[string, readonly string[], readonly string[]]>([
  ['waits and is carried', at(HOUR, { dueAt: plus(START, 2 * HOUR) }), []],
  ['has just changed, and nothing follows yet', at(SOON - 1, {}, { running: false, announced: 4 }), []],
  ['nothing carries', at(SOON, {}, { running: false }), ['no-execution']],
  ['has not been told of', at(SOON, {}, { announced: 4 }), ['untold']],
  ['has run out of its clock, a moment ago', at(HOUR + SOON - 1, { dueAt: plus(START, HOUR) }), []],
  ['has run out of its clock', at(HOUR + SOON, { dueAt: plus(START, HOUR) }), ['late']],
  ['is sealed, and takes its time', at(20 * MINUTE - 1, { phase: 'SEALING' }), []],
  ['is not sealed for long', at(20 * MINUTE, { phase: 'SEALING' }), ['late']],
  ['failed', at(MINUTE, { failedStep: 'Seal package', failedWith: 'Transient' }), ['attempt-failed']],
  ['is over', at(HOUR, { phase: 'CLOSED' }, { running: false }), []],
  ['is over and not told of', at(HOUR, { phase: 'CLOSED' }, { running: false, announced: 4 }), ['untold']],
  ['is over, and a deposit is left', at(HOUR, { phase: 'REFUSED', deposits: 1 }, { running: false }), ['no-execution']],
  [
    'has everything wrong with it',
    at(HOUR, { phase: 'SEALING', failedStep: 'x' }, { running: false, announced: 0 }),
    ['attempt-failed', 'no-execution', 'late', 'untold'],
  ],
])('a case that %s', (_, found, expected) => expect(found).toEqual(expected));

import type { Context } from '../../../lambdas/domain/commands.ts';
import type { InformationRequest } from '../../../lambdas/domain/events.ts';
import type { Nation } from '../../../lambdas/domain/ids.ts';
import { plus } from '../../../lambdas/domain/instant.ts';
import { submit } from '../../../lambdas/domain/submit.ts';
import {
  CAN,
  CASE_ID,
  EVERYBODY,
  EXERCISE,
  PEOPLE,
  REAL,
  REAL_PIN,
  REQUEST,
  START,
  SYSTEM,
  UKR,
  agreementWith,
  by,
  context,
  digest,
  give,
  id,
  inPhase,
  peopleById,
  submitted,
  underReview,
} from '../../support/domain.ts';

const POL = 'POL' as Nation;
const requester = by(PEOPLE.requester);
const submission = (request: Partial<InformationRequest> = {}, members: Partial<Context> = {}) =>
  submit(
    { type: 'SubmitRequest', caseId: CASE_ID, request: { ...REQUEST, ...request } },
    context(members.actor ?? requester, START, members),
  );

describe('a request that gets no case', () => {
  it.each<[string, string, Partial<InformationRequest>, Partial<Context>]>([
    ['from the system', 'NOT_A_REQUESTER', {}, { actor: SYSTEM }],
    ['from somebody who is no requester', 'NOT_A_REQUESTER', {}, { actor: by(PEOPLE.recipient) }],
    ['from a requester who has left', 'NOT_A_REQUESTER', {}, { actor: by({ ...PEOPLE.requester, active: false }) }],
    ['from the nation that is asked', 'NOT_A_PARTY', {}, { actor: by({ ...PEOPLE.requester, nation: CAN }) }],
    ['from a third nation', 'NOT_A_PARTY', {}, { actor: by({ ...PEOPLE.requester, nation: POL }) }],
    ['of a nation that is no party', 'NOT_A_PARTY', {}, { originatingNation: POL }],
    ['with a mark in the title', 'TITLE_CARRIES_MARK', { title: 'The SECRET plan' }, {}],
    ['for an unknown recipient', 'RECIPIENT_UNKNOWN', { recipients: [id('nobody')] }, {}],
    ['for a recipient of the other nation', 'RECIPIENT_UNKNOWN', { recipients: [PEOPLE.desk.personId] }, {}],
    [
      'for a recipient who has left',
      'RECIPIENT_UNKNOWN',
      {},
      { people: peopleById([{ ...PEOPLE.recipient, active: false }]) },
    ],
  ])('%s', (_, code, request, members) => {
    expect(submission(request, members)).toMatchObject({ refused: true, code });
  });

  it('points at the recipient at fault', () => {
    const recipients = [PEOPLE.recipient.personId, id('nobody')];
    expect(submission({ recipients })).toMatchObject({ pointer: '/recipients/1' });
  });
});

it('a request that is accepted opens a case with everything it was decided under', () => {
  expect(inPhase(submitted(), 'SUBMITTED')).toMatchObject({
    caseId: CASE_ID,
    sequence: 1,
    openedAt: START,
    request: REQUEST,
    requestDigest: digest(REQUEST),
    originatingNation: CAN,
    recipientNation: UKR,
    requestingAgency: 'ukr-agency',
    requesterId: PEOPLE.requester.personId,
    exercise: true,
    registerNumber: null,
  });
});

const endorsedFor = (...marks: readonly ['protected' | 'handling', string][]) =>
  agreementWith({ endorsement: { requiredFor: marks.map(([axis, mark]) => ({ axis, mark })), source: 'test' } });

describe('assessment', () => {
  const failed = (request: Partial<InformationRequest>, members: Partial<Context> = {}) => {
    const scene = give(submitted(request, members), 'RecordAssessment', SYSTEM, { context: members });
    const { checks } = inPhase(scene, 'INADMISSIBLE');
    return checks.filter((check) => !check.passed).map((check) => check.rule);
  };
  const level = (axis: 'classified' | 'protected', nation: Nation, mark: string) => ({
    levelSought: { axis, nation, mark },
  });

  it.each<[string, readonly string[], Partial<InformationRequest>, Partial<Context>]>([
    [
      'an agreement without entry into force',
      ['A1', 'C1', 'D4', 'A5'],
      level('classified', CAN, 'SECRET'),
      { agreement: REAL, pin: REAL_PIN },
    ],
    ['an agreement that has ended', ['A1'], {}, agreementWith({ status: 'TERMINATED' })],
    ['an unknown purpose', ['C1'], { purpose: 'curiosity' }, {}],
    ['a mark that is not listed', ['D1', 'D4'], level('protected', CAN, 'PROTECTED C'), {}],
    ['a mark on another axis', ['D1', 'D4'], level('classified', CAN, 'PROTECTED B'), {}],
    ['a mark of the asking nation', ['D1', 'D4'], level('classified', UKR, 'Таємно'), {}],
    ['a mark without equivalence', ['D4'], {}, agreementWith({ equivalence: [] })],
    [
      'a mark that maps to nothing',
      ['D4'],
      {},
      agreementWith({ equivalence: EXERCISE.equivalence.map((row) => ({ ...row, to: null })) }),
    ],
    [
      'a mark of kind NONE',
      ['D4'],
      {},
      agreementWith({ equivalence: EXERCISE.equivalence.map((row) => ({ ...row, kind: 'NONE' })) }),
    ],
    [
      'a mark settled case by case',
      ['D4'],
      {},
      agreementWith({ equivalence: EXERCISE.equivalence.map((row) => ({ ...row, kind: 'CASE_BY_CASE' })) }),
    ],
    [
      'a level that needs an endorsement',
      ['A5'],
      {},
      agreementWith({ endorsement: { requiredFor: [{ axis: 'protected', mark: 'PROTECTED B' }], source: 'test' } }),
    ],
    [
      'a level that needs an endorsement, whatever the axis of others',
      ['A5'],
      {},
      endorsedFor(['protected', 'PROTECTED A'], ['protected', 'PROTECTED B']),
    ],
    ['an agreement of no purposes', ['C1'], {}, agreementWith({ purposes: [] })],
  ])('%s: every check that fails is told at once', (_, rules, request, members) => {
    expect(failed(request, members)).toEqual(rules);
  });

  it('asks for an endorsement for exactly the marks that need one', () => {
    const others = endorsedFor(['protected', 'PROTECTED A'], ['handling', 'PROTECTED B']);
    expect(give(submitted({}, others), 'RecordAssessment', SYSTEM, { context: others }).state.phase).toBe(
      'UNDER_REVIEW',
    );
  });

  it.each<[string, RegExp, Partial<InformationRequest>, Partial<Context>]>([
    ['A1', /CAN-UKR has no date of entry into force/, {}, { agreement: REAL, pin: REAL_PIN }],
    ['A1', /is TERMINATED, in force from 2026-01-01/, {}, agreementWith({ status: 'TERMINATED' })],
    ['C1', /"curiosity" is not one of tender, project-security, incident-analysis/, { purpose: 'curiosity' }, {}],
    ['C1', /is not one of \(none\)/, {}, agreementWith({ purposes: [] })],
    ['D4', /No equivalence is published for CAN PROTECTED B towards UKR/, {}, agreementWith({ equivalence: [] })],
  ])('%s says why it failed: %s', (rule, evidence, request, others) => {
    const scene = give(submitted(request, others), 'RecordAssessment', SYSTEM, { context: others });
    const { checks } = inPhase(scene, 'INADMISSIBLE');
    expect(checks.find((check) => check.rule === rule)).toMatchObject({
      passed: false,
      evidence: expect.stringMatching(evidence),
    });
  });

  it('fails where the asking nation is no party to the agreement', () => {
    const members = agreementWith({ parties: [CAN, POL] });
    const scene = give(submitted(), 'RecordAssessment', SYSTEM, { context: members });
    expect(inPhase(scene, 'INADMISSIBLE').checks.find((check) => check.rule === 'A4')).toMatchObject({ passed: false });
  });

  it('an inadmissible case is over, has its register number, and escalates to nobody', () => {
    const { state, events } = give(submitted({ purpose: 'curiosity' }), 'RecordAssessment', SYSTEM, {
      context: { people: peopleById([]) },
    });
    expect(state).toMatchObject({ phase: 'INADMISSIBLE', registerNumber: 'CAN-2026-000001' });
    expect(events.at(-1)?.payload).toMatchObject({ deadline: null, escalated: false });
  });

  it('an admissible case says with every check why, and starts the decision clock', () => {
    const { checks, deadline, registerNumber } = inPhase(underReview(), 'UNDER_REVIEW');
    expect(checks.map((check) => check.rule)).toEqual(['A1', 'A4', 'C1', 'D1', 'D4', 'A5']);
    expect(checks.every((check) => check.passed && check.evidence !== '')).toBe(true);
    expect(registerNumber).toBe('CAN-2026-000001');
    expect(deadline.startedAt).toBe(plus(START, 1000));
  });

  it.each<[boolean, string, Partial<Context>]>([
    [false, 'enough approvers', {}],
    [
      true,
      'nobody in one of the roles',
      { people: peopleById(EVERYBODY.filter((one) => !one.roles.includes('security-officer'))) },
    ],
    [
      true,
      'approvers of the other nation only',
      { people: peopleById(EVERYBODY.map((one) => ({ ...one, nation: UKR }))) },
    ],
    [true, 'a level without a quorum', agreementWith({ quorum: [] })],
  ])('escalated is %s with %s', (escalated, _, members) => {
    const { events } = give(submitted(), 'RecordAssessment', SYSTEM, { context: members });
    expect(events.at(-1)?.payload).toMatchObject({ admissible: true, escalated });
  });
});

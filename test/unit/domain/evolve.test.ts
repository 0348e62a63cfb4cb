import { InvariantBroken, phaseIs } from '../../../lambdas/domain/case.ts';
import type { CaseEvent, DomainEvent, EventType } from '../../../lambdas/domain/events.ts';
import { evolve } from '../../../lambdas/domain/evolve.ts';
import { isCaseId, type CaseId } from '../../../lambdas/domain/ids.ts';
import { plus } from '../../../lambdas/domain/instant.ts';
import type { Phase } from '../../../lambdas/domain/phases.ts';
import {
  CASE_ID,
  PEOPLE,
  SCENES,
  START,
  SYSTEM,
  by,
  commandsFor,
  due,
  give,
  given,
  peopleById,
  proposed,
  record,
  sealing,
  underReview,
  type Scene,
} from '../../support/domain.ts';

const phases = Object.keys(SCENES) as Phase[];

/** One event of every type, each as some case recorded it. */
const EXAMPLES: ReadonlyMap<EventType, CaseEvent> = new Map(
  [
    SCENES.CLOSED(),
    SCENES.LAPSED(),
    SCENES.WITHDRAWN(),
    give(SCENES.AWAITING_CLARIFICATION(), 'AnswerClarification', by(PEOPLE.requester)),
    give(SCENES.AWAITING_ASSURANCE(), 'DeclineAssurance', by(PEOPLE.recipientAuthority)),
    give(sealing(), 'OpenRelease', SYSTEM, { now: due(sealing()) }),
    give(give(SCENES.SUSPENDED(), 'Resume', by(PEOPLE.releasing)), 'Resume', by(PEOPLE.security)),
    give(SCENES.RELEASED(), 'RecordAccessFailure', SYSTEM),
    give(SCENES.RELEASED(), 'AcknowledgeReceipt', by(PEOPLE.recipient)),
    give(SCENES.RELEASED(), 'RecordExpiry', SYSTEM, { now: due(SCENES.RELEASED()) }),
    give(SCENES.REFUSED(), 'RecordDepositsDestroyed', SYSTEM),
    give(SCENES.REFUSED(), 'RecordFailure', SYSTEM),
    give(proposed(), 'LookAtClock', SYSTEM, { now: plus(due(proposed()), -1), context: { people: peopleById([]) } }),
    give(SCENES.REFUSED(), 'RecordUndelivered', SYSTEM),
  ].flatMap((scene) => scene.events.map((event) => [event.type, event] as const)),
);

/** Phases in which an event of each type can stand, read off the mission (domain.md §2), not off the code. */
const STANDS: Readonly<Record<Exclude<EventType, 'RequestSubmitted'>, readonly Phase[]>> = {
  RequestAssessed: ['SUBMITTED'],
  ClarificationSought: ['UNDER_REVIEW'],
  ClarificationAnswered: ['AWAITING_CLARIFICATION'],
  DepositOpened: ['UNDER_REVIEW'],
  DepositCompleted: ['UNDER_REVIEW'],
  ProposalPut: ['UNDER_REVIEW'],
  DecisionCast: ['UNDER_REVIEW'],
  DecisionEscalated: ['UNDER_REVIEW'],
  AssuranceGiven: ['AWAITING_ASSURANCE'],
  AssuranceDeclined: ['AWAITING_ASSURANCE'],
  CaseLapsed: ['UNDER_REVIEW', 'AWAITING_CLARIFICATION', 'AWAITING_ASSURANCE'],
  RequestWithdrawn: ['SUBMITTED', 'UNDER_REVIEW', 'AWAITING_CLARIFICATION', 'AWAITING_ASSURANCE', 'SEALING'],
  PackageSealed: ['SEALING'],
  ReleaseOpened: ['SEALING'],
  ClosingBegun: ['SEALING'],
  AccessGranted: ['RELEASED'],
  AccessFailed: ['RELEASED', 'SUSPENDED', 'CLOSING'],
  ReceiptAcknowledged: ['RELEASED', 'SUSPENDED', 'CLOSING', 'CLOSED'],
  ReleaseSuspended: ['RELEASED'],
  ResumptionProposed: ['SUSPENDED'],
  ReleaseResumed: ['SUSPENDED'],
  ReleaseRecalled: ['RELEASED', 'SUSPENDED'],
  ReleaseExpired: ['RELEASED', 'SUSPENDED'],
  PackageDestroyed: ['CLOSING'],
  CaseClosed: ['CLOSING'],
  DepositsDestroyed: phases,
  Reminded: ['UNDER_REVIEW', 'AWAITING_CLARIFICATION', 'AWAITING_ASSURANCE'],
  QuorumReachChanged: ['UNDER_REVIEW'],
  NoticeUndelivered: phases,
  AttemptFailed: phases,
};

/** The event as the next one of the scene's case. */
const next = (scene: Scene, event: DomainEvent & Pick<CaseEvent, 'actor'>): CaseEvent => ({
  ...event,
  caseId: CASE_ID,
  sequence: scene.state.sequence + 1,
  schemaVersion: 1,
  at: scene.now,
});

const example = (type: EventType): CaseEvent => {
  const event = EXAMPLES.get(type);
  if (event === undefined) throw new Error(`No scene contains ${type}`);
  return event;
};

describe('an event stands only where it can have happened', () => {
  const pairs = (Object.keys(STANDS) as (keyof typeof STANDS)[]).flatMap((type) =>
    phases.map((phase) => [type, phase, STANDS[type].includes(phase)] as const),
  );

  it.each(pairs)('%s in %s: %s', (type, phase, stands) => {
    const scene = SCENES[phase]();
    const apply = () => evolve(scene.state, next(scene, example(type)));
    if (stands) expect(apply().sequence).toBe(scene.state.sequence + 1);
    else expect(apply).toThrow(`${type} at sequence ${scene.state.sequence + 1} cannot follow phase ${phase}`);
  });
});

describe('a file that decide did not write is refused', () => {
  const scene = SCENES.UNDER_REVIEW();
  const failure = next(scene, example('AttemptFailed'));

  it.each<[string, () => unknown, RegExp]>([
    ['a case opened twice', () => evolve(scene.state, next(scene, example('RequestSubmitted'))), /opened once/],
    ['a case opened late', () => evolve(undefined, { ...example('RequestSubmitted'), sequence: 2 }), /opened once/],
    [
      'a case opened by the system',
      () => evolve(undefined, { ...example('RequestSubmitted'), actor: SYSTEM }),
      /by a person/,
    ],
    ['a case that begins in the middle', () => evolve(undefined, failure), /cannot be the first/],
    ['a gap', () => evolve(scene.state, { ...failure, sequence: failure.sequence + 1 }), /does not follow/],
    ['an event twice', () => evolve(scene.state, { ...failure, sequence: failure.sequence - 1 }), /does not follow/],
    [
      'an event of another case',
      () => evolve(scene.state, { ...failure, caseId: 'd'.repeat(32) as CaseId }),
      /does not follow/,
    ],
    [
      'a question of the system',
      () => evolve(scene.state, { ...next(scene, example('ClarificationSought')), actor: SYSTEM }),
      /act of a person/,
    ],
    [
      'an approval without a proposal',
      () => evolve(underReview().state, next(underReview(), approval())),
      /without a proposal/,
    ],
    [
      'a release without a package',
      () => evolve(sealing().state, next(sealing(), example('ReleaseOpened'))),
      /without a sealed package/,
    ],
  ])('%s', (_, attempt, message) => {
    expect(attempt).toThrow(InvariantBroken);
    expect(attempt).toThrow(message);
  });

  function approval(): CaseEvent {
    const event = SCENES.AWAITING_ASSURANCE().events.at(-1);
    if (event === undefined) throw new Error('The scene is empty');
    return event;
  }
});

it('the same events give the same case, whichever way they come', () => {
  for (const phase of phases) {
    const { events, state } = SCENES[phase]();
    let again = undefined as Scene['state'] | undefined;
    for (const event of JSON.parse(JSON.stringify(events)) as CaseEvent[]) again = evolve(again, event);
    expect(again).toEqual(JSON.parse(JSON.stringify(state)));
    expect(state.sequence).toBe(events.length);
    expect(state.changedAt).toBe(events.at(-1)?.at);
  }
});

it('does not change the case it is given', () => {
  const scene = SCENES.RELEASED();
  const before = JSON.stringify(scene.state);
  given(scene, commandsFor(scene).Recall, by(PEOPLE.releasing));
  expect(JSON.stringify(scene.state)).toBe(before);
});

it('a refusal without a ground, of a time when none was asked for, still ends the case', () => {
  const scene = SCENES.UNDER_REVIEW();
  const { state } = SCENES.REFUSED();
  const decision = phaseIs(state, 'REFUSED') ? state.decisions[0] : undefined;
  if (decision === undefined) throw new Error('The scene has a decision');
  const { ground: _left, ...without } = decision;
  const cast: DomainEvent = {
    type: 'DecisionCast',
    payload: { decision: without, outcome: 'refused', deadline: null },
  };
  expect(record(scene, [cast], by(PEOPLE.releasing), START).state).toMatchObject({
    phase: 'REFUSED',
    endedBecause: 'refused',
  });
});

it('a case counts its failures', () => {
  const scene = give(give(SCENES.SUBMITTED(), 'RecordFailure', SYSTEM), 'RecordFailure', SYSTEM);
  expect(scene.state.failures).toBe(2);
});

it.each([
  ['c'.repeat(32), true],
  ['C'.repeat(32), false],
  ['c'.repeat(31), false],
  [`${'c'.repeat(32)}\n`, false],
])('%j is a case id: %s', (text, is) => expect(isCaseId(text)).toBe(is));

import { instantOf } from '../../../lambdas/domain/clock.ts';
import { withReach, type Person } from '../../../lambdas/domain/people.ts';
import { MINUTE, SECOND, plus } from '../../../lambdas/domain/instant.ts';
import {
  EVERYBODY,
  PEOPLE,
  REQUEST,
  SCENES,
  SYSTEM,
  UKR,
  agreementWith,
  by,
  give,
  inPhase,
  peopleById,
  proposed,
  submitted,
  underReview,
  type Scene,
} from '../../support/domain.ts';

/** Just those who are needed: one for each role. */
const FEW: readonly Person[] = [PEOPLE.desk, PEOPLE.releasing, PEOPLE.security, PEOPLE.originatorAuthority];
const without = (one: Person): readonly Person[] => FEW.filter((person) => person !== one);
const instead = (one: Person, members: Partial<Person>): readonly Person[] => [...without(one), { ...one, ...members }];

const look = (scene: Scene, people: readonly Person[], later = MINUTE): Scene =>
  give(scene, 'LookAtClock', SYSTEM, { now: plus(scene.now, later), context: { people: peopleById(people) } });
const found = ({ events }: Scene): readonly unknown[] =>
  events.flatMap(({ type, payload }) => (type === 'QuorumReachChanged' ? [payload] : []));
const LOST = (...openRoles: readonly string[]) => ({ withinReach: false, openRoles });

describe('a proposal that the people of now could decide', () => {
  it('is told to nobody', () => {
    expect(found(look(proposed(), FEW))).toEqual([]);
    expect(found(look(proposed(), EVERYBODY))).toEqual([]);
  });

  it('even when the one who holds a role has voted and cannot be told of anything any more', () => {
    const voted = give(proposed(), 'CastDecision', by(PEOPLE.security));
    expect(found(look(voted, instead(PEOPLE.security, { unreachable: true })))).toEqual([]);
  });
});

const BOTH = ['releasing-officer', 'security-officer'];

describe('a proposal that they could not', () => {
  it.each<[string, readonly Person[]]>([
    ['because somebody has left', instead(PEOPLE.security, { active: false })],
    ['because nobody holds a role', without(PEOPLE.security)],
    ['because a role was taken away', instead(PEOPLE.security, { roles: ['auditor'] })],
    ['because mail does not reach somebody', instead(PEOPLE.security, { unreachable: true })],
    ['because of a declared conflict', instead(PEOPLE.security, { conflicts: [PEOPLE.requester.agency] })],
    ['because a clearance was taken away', instead(PEOPLE.security, { clearances: [] })],
    [
      'because a clearance ends',
      instead(PEOPLE.security, {
        clearances: PEOPLE.security.clearances.map((row) => ({ ...row, validTo: proposed().now })),
      }),
    ],
    ['because somebody is of another nation', instead(PEOPLE.security, { nation: UKR })],
    ['because one person holds both roles', [PEOPLE.both]],
    [
      'because whoever prepared it is the only other',
      [...without(PEOPLE.security), { ...PEOPLE.desk, roles: ['security-officer'] }],
    ],
  ])('is found %s, once', (_, people) => {
    const lost = look(proposed(), people);
    expect(found(lost)).toEqual([LOST(...BOTH)]);
    expect(found(look(lost, people))).toHaveLength(1);
  });

  it('when an approval no longer stands', () => {
    const voted = give(proposed(), 'CastDecision', by(PEOPLE.security));
    expect(found(look(voted, without(PEOPLE.security)))).toEqual([LOST(...BOTH)]);
    expect(found(look(voted, without(PEOPLE.releasing)))).toEqual([LOST('releasing-officer')]);
  });

  it('is told of again when it was mended in between', () => {
    const mended = look(look(proposed(), without(PEOPLE.security)), FEW);
    expect(found(mended)).toEqual([LOST(...BOTH), { withinReach: true, openRoles: BOTH }]);
    expect(found(look(mended, without(PEOPLE.releasing)))).toHaveLength(3);
  });
});

it('a request without a proposal is looked at by the level that it asks for', () => {
  expect(found(look(underReview(), FEW))).toEqual([]);
  expect(found(look(underReview(), instead(PEOPLE.releasing, { clearances: [] })))).toEqual([LOST(...BOTH)]);
});

it.each<[string, readonly Person[], boolean]>([
  ['nobody', [], true],
  ['people without a clearance', FEW.map((one) => ({ ...one, clearances: [] })), true],
  ['one for each role', FEW, false],
])('a request that arrives before %s is escalated at once: %s', (_, people, escalated) => {
  const scene = give(submitted(), 'RecordAssessment', SYSTEM, { context: { people: peopleById(people) } });
  expect(scene.events.at(-1)?.payload).toMatchObject({ admissible: true, escalated });
  expect(inPhase(scene, 'UNDER_REVIEW').quorumWithinReach).toBe(!escalated);
  // What was told at once is not told a second time.
  expect(found(look(scene, people))).toEqual([]);
});

it('a level that the agreement has no quorum for is out of reach', () => {
  const none = agreementWith({ quorum: [] });
  const scene = give(submitted(REQUEST, none), 'RecordAssessment', SYSTEM, { context: none });
  expect(scene.events.at(-1)?.payload).toMatchObject({ escalated: true });
});

it('no reach is looked for where no decision is awaited', () => {
  expect(found(look(SCENES.AWAITING_CLARIFICATION(), []))).toEqual([]);
  expect(found(look(SCENES.AWAITING_ASSURANCE(), []))).toEqual([]);
});

it('one look may find both: nobody to decide, and a mark of the clock', () => {
  const scene = proposed();
  const half = instantOf(inPhase(scene, 'UNDER_REVIEW').deadline, 'half');
  const looked = give(scene, 'LookAtClock', SYSTEM, { now: plus(half, SECOND), context: { people: peopleById([]) } });
  expect(looked.events.slice(-2).map(({ type }) => type)).toEqual(['QuorumReachChanged', 'Reminded']);
});

describe('an address from which mail came back', () => {
  const { security } = PEOPLE;
  const dead = [{ personId: security.personId, mail: security.mail }];

  it('makes a person unreachable, until their entry names another', () => {
    expect(withReach(security, dead).unreachable).toBe(true);
    expect(withReach({ ...security, mail: 'another@example.org' }, dead).unreachable).toBeUndefined();
  });

  it('says nothing of others who use it', () => {
    expect(withReach({ ...PEOPLE.releasing, mail: security.mail }, dead).unreachable).toBeUndefined();
    expect(withReach(security, []).unreachable).toBeUndefined();
  });
});

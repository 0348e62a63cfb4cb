import { capacities, commandsFor as commandsOf } from '../../../lambdas/domain/capacity.ts';
import {
  CANARY_AGENCY,
  isCanary,
  isCanaryCredential,
  nationOfCanary,
  takesPart,
} from '../../../lambdas/domain/canary.ts';
import { canaryOf, peopleOf, type Canary } from '../../../lambdas/domain/canary-people.ts';
import { confirmChange, proposeChange, type DirectoryChange } from '../../../lambdas/domain/directory.ts';
import type { InformationRequest } from '../../../lambdas/domain/events.ts';
import type { Nation } from '../../../lambdas/domain/ids.ts';
import { DAY, plus } from '../../../lambdas/domain/instant.ts';
import { hasRole, holds, type Person, type Role } from '../../../lambdas/domain/people.ts';
import { PHASES, type CommandType, type Phase } from '../../../lambdas/domain/phases.ts';
import { isRefusal } from '../../../lambdas/domain/refusal.ts';
import { submit } from '../../../lambdas/domain/submit.ts';
import {
  agreementWith,
  attempt,
  by,
  CAN,
  CASE_ID,
  commandsFor,
  context,
  digest,
  EVERYBODY,
  EXERCISE,
  given,
  id,
  inPhase,
  PEOPLE,
  peopleById,
  person,
  REAL,
  REAL_PIN,
  record,
  refused,
  REQUEST,
  SCENES,
  sealedOf,
  START,
  SYSTEM,
  UKR,
  type Scene,
} from '../../support/domain.ts';

const KEY = { fingerprint: digest('the key of the canary'), publicKey: 'the key of the canary' };

function canary(nation: Nation = CAN): Canary {
  const made = canaryOf(EXERCISE, nation, KEY);
  if (made === undefined) throw new Error('There is no canary.');
  return made;
}

const CANARY = canary();
const PERSONS = peopleOf(CANARY);
const both = { people: peopleById([...EVERYBODY, ...PERSONS]) };
const ALL_ROLES: readonly Role[] = [
  'requester',
  'desk-officer',
  'releasing-officer',
  'security-officer',
  'competent-authority',
  'directory-officer',
  'auditor',
];

const request = (members: Partial<InformationRequest> = {}): InformationRequest => ({
  ...REQUEST,
  levelSought: CANARY.marking,
  recipients: [CANARY.recipient.personId],
  ...members,
});

const ask = (by_: Person, members: Partial<InformationRequest> = {}, more = {}) =>
  submit(
    { type: 'SubmitRequest', caseId: CASE_ID, request: request(members) },
    context(by(by_), START, { ...both, ...more }),
  );

/** The canary's case after each command of its life, by phase. */
function itsLife(): ReadonlyMap<Phase, Scene> {
  const opened = ask(CANARY.requester);
  if (isRefusal(opened)) throw new Error(opened.message);
  let scene: Scene = record({ state: undefined, events: [] }, opened, by(CANARY.requester), START);
  const seen = new Map<Phase, Scene>([[scene.state.phase, scene]]);
  const go = (type: CommandType, who: Person | undefined, members: object = {}): void => {
    const command = { ...commandsFor(scene)[type], ...members };
    scene = given(scene, command, who === undefined ? SYSTEM : by(who), { context: both });
    seen.set(scene.state.phase, scene);
  };
  const { desk, approvers, recipient, recipientAuthority } = CANARY;
  go('RecordAssessment', undefined);
  go('OpenDeposit', desk);
  go('CompleteDeposit', desk);
  const document = { title: 'Canary', marking: CANARY.marking, pages: 1, origin: CAN };
  const documents = scene.state.deposits.map(({ depositId }) => ({ ...document, depositId }));
  const recipients = [{ personId: recipient.personId, keyFingerprint: KEY.fingerprint }];
  go('PutProposal', desk, { documents, recipients, notAfter: plus(START, DAY) });
  for (const approver of approvers) go('CastDecision', approver);
  go('GiveAssurance', recipientAuthority);
  go('RecordSealed', undefined, { sealed: sealedOf(scene) });
  go('OpenRelease', undefined);
  go('GrantAccess', recipient);
  go('AcknowledgeReceipt', recipient);
  go('Recall', approvers[0]);
  go('RecordEnd', undefined);
  return seen;
}

describe('the canary of an exchange', () => {
  it.each([CAN, UKR])('of %s has as many people as a case needs, each in one part, none of them known', (nation) => {
    const { desk, approvers, requester, recipient, recipientAuthority, marking } = canary(nation);
    expect([desk, ...approvers].every((one) => one.nation === nation)).toBe(true);
    expect([requester, recipient, recipientAuthority].every((one) => one.nation !== nation)).toBe(true);
    expect(approvers.map((one) => one.roles)).toEqual([['releasing-officer'], ['security-officer']]);
    expect(marking.nation).toBe(nation);
    const people = peopleOf(canary(nation));
    expect(new Set(people.map((one) => one.personId)).size).toBe(6);
    expect(new Set(people.flatMap((one) => one.subjects)).size).toBe(6);
    for (const one of people) {
      expect(isCanary(one)).toBe(true);
      expect(one.subjects.every(isCanaryCredential)).toBe(true);
      expect(one.roles.length).toBeLessThanOrEqual(1);
      expect(one.mail).toMatch(/@simulator\.amazonses\.com$/);
    }
  });

  it('does not exist under an agreement that is no exercise, has no mark for it, no quorum, or another nation', () => {
    expect(canaryOf(REAL, CAN, KEY)).toBeUndefined();
    expect(canaryOf({ ...EXERCISE, exercise: false }, CAN, KEY)).toBeUndefined();
    expect(canaryOf(EXERCISE, 'NLD' as Nation, KEY)).toBeUndefined();
    for (const members of [{ electronicCeiling: [] }, { equivalence: [] }, { quorum: [] }]) {
      expect(canaryOf(agreementWith(members).agreement, CAN, KEY)).toBeUndefined();
    }
    const unladdered = { ...EXERCISE, marks: EXERCISE.marks.filter((row) => row.nation === CAN) };
    expect(canaryOf(unladdered, CAN, KEY)?.recipient.clearances).toEqual([]);
  });

  it('carries its own case through, from the request to the end', () => {
    expect([...itsLife().keys()]).toEqual([
      'SUBMITTED',
      'UNDER_REVIEW',
      'AWAITING_ASSURANCE',
      'SEALING',
      'RELEASED',
      'CLOSING',
      'CLOSED',
    ]);
  });
});

describe('people of the canary', () => {
  it('hold no role in the exchange at large', () => {
    for (const one of PERSONS) expect(hasRole({ ...one, roles: ALL_ROLES }, ...ALL_ROLES)).toBe(false);
    expect(holds({ ...CANARY.desk, roles: ALL_ROLES }, 'auditor')).toBe(true);
  });

  it.each(Object.keys(PHASES) as Phase[])('may do nothing in a case of others that is %s', (phase) => {
    const scene = SCENES[phase]();
    for (const one of PERSONS) {
      const mighty = { ...one, roles: ALL_ROLES };
      for (const actor of [mighty, { ...mighty, nation: CAN }, { ...mighty, nation: UKR }].map(by)) {
        expect(capacities(scene.state, actor)).toEqual([]);
        expect(commandsOf(scene.state, actor)).toEqual([]);
        for (const command of Object.values(commandsFor(scene))) {
          expect(refused(scene, command, actor, { context: both }).code).toMatch(/^(NOT_YOUR_PART|PHASE_FORBIDS)$/);
        }
      }
    }
  });

  it('decide nobody else’s request, and are not counted among those who could', () => {
    const approvers = CANARY.approvers.map((one) => ({ ...one, roles: ALL_ROLES }));
    const alone = { context: { people: peopleById(approvers) } };
    const assessed = given(SCENES.SUBMITTED(), commandsFor(SCENES.SUBMITTED()).RecordAssessment, SYSTEM, alone);
    expect(assessed.events.at(-1)).toMatchObject({ type: 'RequestAssessed', payload: { escalated: true } });
    // Votes that were somehow recorded are not standing when the release is to be opened.
    const sealed = SCENES.SEALING();
    const theirs = inPhase(sealed, 'SEALING').decisions.map((decision, index) => ({
      ...decision,
      personId: CANARY.approvers[index]?.personId ?? id('nobody'),
    }));
    const forged = { ...sealed, state: { ...inPhase(sealed, 'SEALING'), decisions: theirs } };
    const after = given(forged, commandsFor(forged).OpenRelease, SYSTEM, { context: both });
    expect(after.events.at(-1)).toMatchObject({ type: 'ClosingBegun', payload: { reason: 'quorum-lost' } });
  });

  it('ask under exercise agreements alone, and for nobody but themselves', () => {
    const real = { agreement: REAL, pin: REAL_PIN };
    expect(ask(CANARY.requester, {}, real)).toMatchObject({ refused: true, code: 'CANARY_EXERCISE_ONLY' });
    expect(ask(CANARY.requester, { recipients: [PEOPLE.recipient.personId] })).toMatchObject({
      code: 'RECIPIENT_UNKNOWN',
      pointer: '/recipients/0',
    });
  });

  it('are no recipients of anybody else', () => {
    const theirs = [PEOPLE.recipient.personId, CANARY.recipient.personId];
    expect(ask(PEOPLE.requester, { recipients: theirs })).toMatchObject({
      code: 'RECIPIENT_UNKNOWN',
      pointer: '/recipients/1',
    });
    const scene = SCENES.AWAITING_CLARIFICATION();
    const command = { ...commandsFor(scene).AnswerClarification, amendments: { recipients: theirs } };
    expect(refused(scene, command, by(PEOPLE.requester), { context: both })).toMatchObject({
      code: 'RECIPIENT_UNKNOWN',
      pointer: '/amendments/recipients/1',
    });
  });
});

describe('everybody else', () => {
  it.each([...itsLife()])('may do nothing in a case of the canary that is %s', (_, scene) => {
    for (const one of EVERYBODY) {
      expect(takesPart(scene.state, one)).toBe(false);
      for (const command of Object.values(commandsFor(scene))) {
        const after = attempt(scene, command, by({ ...one, roles: ALL_ROLES }), { context: both });
        expect(isRefusal(after) && after.code).toMatch(/^(NOT_YOUR_PART|PHASE_FORBIDS)$/);
      }
    }
  });
});

it.each<[string | undefined, string]>([
  ['UKR', 'urn:valiza:canary:UKR'],
  [undefined, 'urn:valiza:canary:'],
  [undefined, 'urn:valiza:canary:ukr'],
  [undefined, 'urn:valiza:canary:UKR/'],
  [undefined, 'urn:valiza:canary:UKRA'],
  [undefined, 'urn:valiza:canary'],
  [undefined, 'https://identity.ukr.example'],
  [undefined, 'xxxxxxxxxxxxxxxxxxUKR'],
])('of %s is the canary that %s signs for', (nation, issuer) => {
  expect(nationOfCanary(issuer)).toBe(nation);
});

describe('the directory', () => {
  const officer = person({ personId: id('officer'), roles: ['directory-officer'] });
  const somebody = person({ personId: id('somebody') });
  const propose = (members: Partial<Person>, current?: Person) =>
    proposeChange(
      { changeId: 'change-1', person: { ...somebody, ...members }, effectiveFrom: START },
      officer,
      current,
      START,
    );

  it.each<[string, Partial<Person>, Person | undefined, string]>([
    ['its agency', { agency: CANARY_AGENCY }, undefined, '/person/agency'],
    [
      'a credential of its issuer',
      { subjects: ['a|b', 'urn:valiza:canary:UKR|somebody'] },
      undefined,
      '/person/subjects',
    ],
    ['one of its people', { personId: CANARY.requester.personId }, CANARY.requester, '/person/personId'],
  ])('lets no nation enter %s', (_, members, current, pointer) => {
    expect(propose(members, current)).toMatchObject({ refused: true, code: 'RESERVED_FOR_CANARY', pointer });
  });

  it('is changed and confirmed by none of its people, whatever their role', () => {
    const change = propose({}) as DirectoryChange; // which is refused to nobody else
    const mighty = { ...CANARY.requester, roles: ALL_ROLES };
    expect(
      proposeChange({ changeId: 'change-2', person: somebody, effectiveFrom: START }, mighty, undefined, START),
    ).toMatchObject({ code: 'NOT_A_DIRECTORY_OFFICER' });
    expect(confirmChange(change, mighty, somebody, START)).toMatchObject({ code: 'NOT_A_DIRECTORY_OFFICER' });
    const withKey = { ...change, person: { ...somebody, keys: [KEY] } };
    expect(confirmChange(withKey, mighty, somebody, START)).toMatchObject({ code: 'KEY_NEEDS_AUTHORITY' });
  });
});

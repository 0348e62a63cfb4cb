import { schemaOf } from '../../lambdas/contracts/event-schema.ts';
import type { Agreement, AgreementPin } from '../../lambdas/domain/agreement.ts';
import type { Case } from '../../lambdas/domain/case.ts';
import type { Command, Context } from '../../lambdas/domain/commands.ts';
import { decide } from '../../lambdas/domain/decide.ts';
import type { CaseEvent, DomainEvent, InformationRequest, SealedPackage } from '../../lambdas/domain/events.ts';
import { evolve } from '../../lambdas/domain/evolve.ts';
import type { CaseId, Digest, Nation, PersonId } from '../../lambdas/domain/ids.ts';
import { DAY, SECOND, parseInstant, plus, type Instant } from '../../lambdas/domain/instant.ts';
import type { Actor, Person } from '../../lambdas/domain/people.ts';
import type { Capacity, CommandType, Phase } from '../../lambdas/domain/phases.ts';
import { isRefusal, type Refusal } from '../../lambdas/domain/refusal.ts';
import { submit } from '../../lambdas/domain/submit.ts';
import { digestOf } from '../../lambdas/evidence/digest.ts';
import { agreementById } from '../../lambdas/platform/agreements.ts';

/** Reads an instant that a test states. */
export function instant(text: string): Instant {
  const read = parseInstant(text);
  if (read === undefined) throw new Error(`${text} is no instant; write it as 2026-03-02T09:00:00.000Z`);
  return read;
}

// Brands are put on by hand here: tests state ids, digests and nations literally.
export const CAN = 'CAN' as Nation;
export const UKR = 'UKR' as Nation;
export const CASE_ID = 'c'.repeat(32) as CaseId;
export const id = (text: string): PersonId => text as PersonId;
export const digest = (of: unknown): Digest => digestOf(of);

/** A Monday morning; every scene begins here. */
export const START = instant('2026-03-02T09:00:00.000Z');

export const { agreement: EXERCISE, pin: EXERCISE_PIN } = agreementById('CAN-UKR-EXERCISE');
export const { agreement: REAL, pin: REAL_PIN } = agreementById('CAN-UKR');

const FAR = instant('2030-01-01T00:00:00.000Z');

/** A person of the requesting nation who is nothing in particular. */
export function person(members: Partial<Person> & { readonly personId: PersonId }): Person {
  const nation = members.nation ?? UKR;
  return {
    nation,
    agency: nation === UKR ? 'ukr-agency' : 'can-agency',
    subjects: [`subject-of-${members.personId}`],
    roles: [],
    clearances: [],
    citizenships: [nation],
    mail: `${members.personId}@example.org`,
    language: 'en',
    zone: 'UTC',
    keys: [],
    conflicts: [],
    active: true,
    ...members,
  };
}

const cleared = (...marks: readonly string[]): Person['clearances'] =>
  marks.map((mark) => ({
    axis: mark.startsWith('PROTECTED') || mark.startsWith('Для') ? 'protected' : 'classified',
    mark,
    validTo: FAR,
  }));

const officer = (name: string, ...roles: Person['roles']): Person =>
  person({ personId: id(name), nation: CAN, roles, clearances: cleared('PROTECTED B') });

const reader = (name: string): Person =>
  person({
    personId: id(name),
    clearances: cleared('Для службового користування'),
    keys: [{ fingerprint: digest(`key of ${name}`), publicKey: `public key of ${name}` }],
  });

export const PEOPLE = {
  requester: person({ personId: id('requester'), roles: ['requester'] }),
  recipient: reader('recipient'),
  secondRecipient: reader('second-recipient'),
  recipientAuthority: person({
    personId: id('recipient-authority'),
    agency: 'ukr-authority',
    roles: ['competent-authority'],
  }),
  otherAgency: person({ personId: id('other-agency'), agency: 'ukr-other', roles: ['requester'] }),
  stranger: person({ personId: id('stranger') }),
  desk: officer('desk', 'desk-officer'),
  releasing: officer('releasing', 'releasing-officer'),
  secondReleasing: officer('second-releasing', 'releasing-officer'),
  security: officer('security', 'security-officer'),
  both: officer('both', 'releasing-officer', 'security-officer'),
  deskAndReleasing: officer('desk-and-releasing', 'desk-officer', 'releasing-officer'),
  originatorAuthority: officer('originator-authority', 'competent-authority'),
  auditor: officer('auditor', 'auditor'),
} as const satisfies Record<string, Person>;

export const EVERYBODY: readonly Person[] = Object.values(PEOPLE);

export const peopleById = (people: readonly Person[]): ReadonlyMap<PersonId, Person> =>
  new Map(people.map((one) => [one.personId, one]));

export const SYSTEM = { kind: 'system', step: 'test-step' } as const satisfies Actor;
export const by = (one: Person): Actor => ({ kind: 'person', person: one });

/** For each capacity somebody who acts in it and in no other. */
export const ACTORS: Readonly<Record<Capacity, Actor>> = {
  system: SYSTEM,
  requester: by(PEOPLE.requester),
  'desk-officer': by(PEOPLE.desk),
  approver: by(PEOPLE.releasing),
  'recipient-authority': by(PEOPLE.recipientAuthority),
  'originator-authority': by(PEOPLE.originatorAuthority),
  recipient: by(PEOPLE.recipient),
};

export const REQUEST: InformationRequest = {
  agreementId: EXERCISE.id,
  purpose: 'tender',
  justification: 'The bid needs the site plan.',
  title: 'Site plan of the training ground',
  description: 'The plan with the positions of the fences.',
  levelSought: { axis: 'protected', nation: CAN, mark: 'PROTECTED B' },
  recipients: [PEOPLE.recipient.personId, PEOPLE.secondRecipient.personId],
  language: 'uk',
  reference: 'W8486-000001',
};

/** What a decision may look at, with the exercise agreement and everybody unless a test says otherwise. */
export const context = (actor: Actor, now: Instant, members: Partial<Context> = {}): Context => ({
  now,
  actor,
  originatingNation: CAN,
  agreement: EXERCISE,
  pin: EXERCISE_PIN,
  people: peopleById(EVERYBODY),
  digest,
  ...members,
});

/** A case, how it came about, and what time it is. */
export interface Scene {
  readonly state: Case;
  readonly events: readonly CaseEvent[];
  readonly now: Instant;
}

/** Puts decided events into the case file, as the store does. */
export function record(
  scene: Pick<Scene, 'events'> & { readonly state: Case | undefined },
  decided: readonly DomainEvent[],
  actor: Actor,
  now: Instant,
): Scene {
  let { state } = scene;
  const events = [...scene.events];
  for (const event of decided) {
    const recorded: CaseEvent = {
      ...event,
      caseId: CASE_ID,
      sequence: events.length + 1,
      schemaVersion: schemaOf(event.type),
      at: now,
      actor:
        actor.kind === 'system'
          ? actor
          : {
              kind: 'person',
              personId: actor.person.personId,
              nation: actor.person.nation,
              agency: actor.person.agency,
            },
    };
    state = evolve(state, recorded);
    events.push(recorded);
  }
  if (state === undefined) throw new Error('A scene begins with an event');
  return { state, events, now };
}

export interface StepOptions {
  readonly now?: Instant;
  readonly context?: Partial<Context>;
}

/** Gives a command; the refusal, or the scene after it. A second passes unless a test says otherwise. */
export function attempt(scene: Scene, command: Command, actor: Actor, options: StepOptions = {}): Scene | Refusal {
  const now = options.now ?? plus(scene.now, SECOND);
  const outcome = decide(scene.state, command, context(actor, now, options.context));
  return isRefusal(outcome) ? outcome : record(scene, outcome, actor, now);
}

/** Gives a command that has to be accepted. */
export function given(scene: Scene, command: Command, actor: Actor, options: StepOptions = {}): Scene {
  const after = attempt(scene, command, actor, options);
  if (isRefusal(after)) throw new Error(`${command.type} was refused: ${after.code} ${after.message}`);
  return after;
}

/** Gives a command that has to be refused. */
export function refused(scene: Scene, command: Command, actor: Actor, options: StepOptions = {}): Refusal {
  const after = attempt(scene, command, actor, options);
  if (!isRefusal(after)) throw new Error(`${command.type} was accepted`);
  return after;
}

/** The scene's case, which a test knows to be in this phase. */
export function inPhase<P extends Phase>(scene: Scene, phase: P): Extract<Case, { phase: P }> {
  if (scene.state.phase !== phase) throw new Error(`The case is ${scene.state.phase}, not ${phase}`);
  return scene.state as Extract<Case, { phase: P }>; // just compared
}

export function submitted(request: Partial<InformationRequest> = {}, members: Partial<Context> = {}): Scene {
  const actor = members.actor ?? by(PEOPLE.requester);
  const outcome = submit(
    { type: 'SubmitRequest', caseId: CASE_ID, request: { ...REQUEST, ...request } },
    context(actor, START, members),
  );
  if (isRefusal(outcome)) throw new Error(`The request was refused: ${outcome.code} ${outcome.message}`);
  return record({ state: undefined, events: [] }, outcome, actor, START);
}

const depositId = (scene: Scene): string => `deposit-${scene.state.deposits.length + 1}`;
const depositIds = ({ state }: Scene): readonly string[] => state.deposits.map((deposit) => deposit.depositId);
const proposalDigest = ({ state }: Scene): Digest =>
  'proposal' in state && state.proposal !== null ? state.proposal.digest : digest('no proposal');

export const DOCUMENT = { digest: digest('the document'), length: 1000 };

/** The package that seals what the scene's proposal names. */
export function sealedOf({ state }: Scene): SealedPackage {
  const documents = 'proposal' in state && state.proposal !== null ? state.proposal.proposal.documents : [];
  return {
    packageId: 'package-1',
    releaseId: 'release-1',
    objectKey: 'objects/package-1',
    documents: documents.map(({ depositId: of, title, digest: documentDigest, length, marking }) => ({
      depositId: of,
      title,
      digest: documentDigest,
      length,
      marking,
      offset: 0,
    })),
    ciphertextDigest: digest('the ciphertext'),
    ciphertextLength: 1100,
    wrappedKey: 'd3JhcHBlZA==',
    keyId: 'key-1',
  };
}

type Commands = { readonly [T in CommandType]: Extract<Command, { type: T }> };

/** For each type a command that the scene's case accepts, where its phase accepts the type at all. */
export function commandsFor(scene: Scene): Commands {
  const { state, now } = scene;
  const deposit = state.deposits.find((row) => !row.complete) ?? state.deposits[0];
  const accesses = 'accesses' in state ? state.accesses : [];
  const sealed = 'sealed' in state ? state.sealed : null;
  const accessId = accesses.at(-1)?.accessId ?? 'access-0';
  return {
    RecordAssessment: { type: 'RecordAssessment', registerNumber: 'CAN-2026-000001' },
    SeekClarification: { type: 'SeekClarification', question: 'Which part of the site?' },
    AnswerClarification: { type: 'AnswerClarification', answer: 'The north gate.', amendments: {} },
    OpenDeposit: { type: 'OpenDeposit', depositId: depositId(scene), ...DOCUMENT },
    CompleteDeposit: {
      type: 'CompleteDeposit',
      depositId: deposit?.depositId ?? 'none',
      storedLength: deposit?.length ?? null,
    },
    PutProposal: {
      type: 'PutProposal',
      documents: state.deposits
        .filter((row) => row.complete)
        .map((row) => ({
          depositId: row.depositId,
          title: 'Site plan',
          marking: { axis: 'protected', nation: CAN, mark: 'PROTECTED B' },
          pages: 12,
          origin: CAN,
        })),
      recipients: [PEOPLE.recipient, PEOPLE.secondRecipient].map((one) => ({
        personId: one.personId,
        keyFingerprint: one.keys[0]?.fingerprint ?? digest('no key'),
      })),
      conditions: ['Only for the bid.'],
      notBefore: now,
      notAfter: plus(START, 60 * DAY),
      copies: 2,
    },
    CastDecision: { type: 'CastDecision', proposalDigest: proposalDigest(scene), verdict: 'approve' },
    GiveAssurance: { type: 'GiveAssurance', proposalDigest: proposalDigest(scene) },
    DeclineAssurance: { type: 'DeclineAssurance', proposalDigest: proposalDigest(scene) },
    RecordSealed: { type: 'RecordSealed', sealed: sealedOf(scene) },
    OpenRelease: { type: 'OpenRelease', depositsDestroyed: depositIds(scene) },
    GrantAccess: {
      type: 'GrantAccess',
      accessId: `access-${accesses.length + 1}`,
      idempotencyKey: `key-${accesses.length + 1}`,
    },
    RecordAccessFailure: { type: 'RecordAccessFailure', accessId, cause: 'AccessDenied' },
    AcknowledgeReceipt: { type: 'AcknowledgeReceipt', accessId, digest: sealed?.ciphertextDigest ?? digest('none') },
    Suspend: { type: 'Suspend', reason: 'A doubt.' },
    Resume: { type: 'Resume' },
    Recall: { type: 'Recall', reason: 'A mistake.' },
    RecordExpiry: { type: 'RecordExpiry' },
    RecordEnd: {
      type: 'RecordEnd',
      depositsDestroyed: depositIds(scene),
      packageDestroyed: sealed === null ? null : { packageId: sealed.packageId, objectKey: sealed.objectKey },
    },
    RecordDepositsDestroyed: { type: 'RecordDepositsDestroyed', depositsDestroyed: depositIds(scene) },
    RecordFailure: { type: 'RecordFailure', attempt: 1, step: 'seal-package', error: 'Transient', version: '7' },
    LookAtClock: { type: 'LookAtClock' },
    RecordUndelivered: {
      type: 'RecordUndelivered',
      notice: state.sequence,
      to: 'desk-officers',
      personId: PEOPLE.desk.personId,
      cause: 'bounced',
    },
    Withdraw: { type: 'Withdraw', reason: 'No longer needed.' },
  };
}

/** Gives the command of a type that the scene accepts. */
export const give = (scene: Scene, type: CommandType, actor: Actor, options: StepOptions = {}): Scene =>
  given(scene, commandsFor(scene)[type], actor, options);

/** When the clock of the scene's phase has just run out; now for a phase without one. */
export function due({ state, now }: Scene): Instant {
  switch (state.phase) {
    case 'UNDER_REVIEW':
      return state.deadline.dueAt;
    case 'AWAITING_CLARIFICATION':
      return state.clarification.dueAt;
    case 'AWAITING_ASSURANCE':
      return state.assuranceDeadline.dueAt;
    case 'SEALING':
      return state.proposal.proposal.notAfter;
    case 'RELEASED':
    case 'SUSPENDED':
      return state.release.notAfter;
    default:
      return now;
  }
}

export const underReview = (request: Partial<InformationRequest> = {}): Scene =>
  give(submitted(request), 'RecordAssessment', SYSTEM);

const withDeposit = (scene: Scene): Scene =>
  give(give(scene, 'OpenDeposit', by(PEOPLE.desk)), 'CompleteDeposit', by(PEOPLE.desk));

/** Under review, with a proposal that nobody has voted on. */
export const proposed = (options: StepOptions = {}): Scene =>
  give(withDeposit(underReview()), 'PutProposal', by(PEOPLE.desk), options);

const approved = (): Scene =>
  give(give(proposed(), 'CastDecision', by(PEOPLE.releasing)), 'CastDecision', by(PEOPLE.security));

/** In sealing, with nothing sealed yet. */
export const sealing = (): Scene => give(approved(), 'GiveAssurance', by(PEOPLE.recipientAuthority));
export const sealed = (): Scene => give(sealing(), 'RecordSealed', SYSTEM);
const released = (): Scene => give(give(sealed(), 'OpenRelease', SYSTEM), 'GrantAccess', by(PEOPLE.recipient));

/** A case in each phase, made only by commands that were decided. Released ones have been opened once by `recipient`. */
export const SCENES: Readonly<Record<Phase, () => Scene>> = {
  SUBMITTED: () => submitted(),
  INADMISSIBLE: () => give(submitted({ purpose: 'unknown-purpose' }), 'RecordAssessment', SYSTEM),
  UNDER_REVIEW: () => proposed(),
  AWAITING_CLARIFICATION: () => give(proposed(), 'SeekClarification', by(PEOPLE.desk)),
  REFUSED: () => {
    const scene = proposed();
    const command = { ...commandsFor(scene).CastDecision, verdict: 'refuse', ground: 'not-held' } as const;
    return given(scene, command, by(PEOPLE.releasing));
  },
  LAPSED: () => {
    const overdue = proposed();
    const escalated = give(overdue, 'LookAtClock', SYSTEM, { now: due(overdue) });
    return give(escalated, 'LookAtClock', SYSTEM, { now: due(escalated) });
  },
  WITHDRAWN: () => give(proposed(), 'Withdraw', by(PEOPLE.requester)),
  AWAITING_ASSURANCE: () => approved(),
  SEALING: () => sealed(),
  RELEASED: () => released(),
  SUSPENDED: () => give(released(), 'Suspend', by(PEOPLE.releasing)),
  CLOSING: () => give(released(), 'Recall', by(PEOPLE.releasing)),
  CLOSED: () => give(give(released(), 'Recall', by(PEOPLE.releasing)), 'RecordEnd', SYSTEM),
};

/** The agreement with some members otherwise, and a pin that fits. */
export function agreementWith(members: Partial<Agreement>): {
  readonly agreement: Agreement;
  readonly pin: AgreementPin;
} {
  const agreement: Agreement = { ...EXERCISE, ...members };
  return { agreement, pin: { id: agreement.id, version: agreement.version, digest: digest(agreement) } };
}

import { dueAt, type Case } from '../../../lambdas/domain/case.ts';
import type { Command, Context } from '../../../lambdas/domain/commands.ts';
import type { Decision, DomainEvent, SealedPackage } from '../../../lambdas/domain/events.ts';
import { DAY, MINUTE, plus } from '../../../lambdas/domain/instant.ts';
import {
  CAN,
  EVERYBODY,
  EXERCISE,
  PEOPLE,
  SCENES,
  START,
  SYSTEM,
  agreementWith,
  by,
  commandsFor,
  digest,
  due,
  give,
  given,
  inPhase,
  peopleById,
  record,
  refused,
  sealed,
  sealedOf,
  sealing,
  underReview,
  type Scene,
} from '../../support/domain.ts';

type Of<T extends Command['type']> = Extract<Command, { type: T }>;
const recipient = by(PEOPLE.recipient);
const authority = by(PEOPLE.recipientAuthority);
const without = (name: string) => ({ people: peopleById(EVERYBODY.filter((one) => one.personId !== name)) });
const changed = (name: string, members: object) => ({
  people: peopleById(EVERYBODY.map((one) => (one.personId === name ? { ...one, ...members } : one))),
});

/** A proposal of two documents, PROTECTED B and PROTECTED A, with a window of some days, approved. */
function approvedWith(days: number): Scene {
  let scene = underReview();
  for (let count = 0; count < 2; count += 1) {
    scene = give(give(scene, 'OpenDeposit', by(PEOPLE.desk)), 'CompleteDeposit', by(PEOPLE.desk));
  }
  const put = commandsFor(scene).PutProposal;
  const documents = put.documents.map((document, index) =>
    index === 0 ? document : { ...document, marking: { ...document.marking, mark: 'PROTECTED A' } },
  );
  scene = given(scene, { ...put, documents, notAfter: plus(START, days * DAY) }, by(PEOPLE.desk));
  return give(give(scene, 'CastDecision', by(PEOPLE.releasing)), 'CastDecision', by(PEOPLE.security));
}

describe('the assurance', () => {
  const scene = SCENES.AWAITING_ASSURANCE();
  const { GiveAssurance, DeclineAssurance } = commandsFor(scene);

  it.each([GiveAssurance, DeclineAssurance])('is not over another proposal: $type', (command) => {
    expect(refused(scene, { ...command, proposalDigest: digest('another') }, authority)).toMatchObject({
      code: 'PROPOSAL_CHANGED',
    });
  });

  it('is not given when it is due, or when the window is past', () => {
    expect(refused(scene, GiveAssurance, authority, { now: due(scene) })).toMatchObject({ code: 'DEADLINE_PASSED' });
    const brief = approvedWith(2);
    const { notAfter } = inPhase(brief, 'AWAITING_ASSURANCE').proposal.proposal;
    expect(notAfter < due(brief)).toBe(true);
    const command = commandsFor(brief).GiveAssurance;
    expect(refused(brief, command, authority, { now: notAfter })).toMatchObject({ code: 'DEADLINE_PASSED' });
    expect(given(brief, command, authority, { now: plus(notAfter, -1) }).state.phase).toBe('SEALING');
  });

  it('binds a person to the text of the agreement; declined, the case lapses', () => {
    expect(inPhase(given(scene, GiveAssurance, authority), 'SEALING').assurance).toMatchObject({
      personId: 'recipient-authority',
      textDigest: digest(EXERCISE.assurance.text),
    });
    expect(inPhase(given(scene, DeclineAssurance, authority), 'LAPSED').endedBecause).toBe('assurance-declined');
  });
});

describe('sealing', () => {
  const scene = sealing();
  const good = sealedOf(scene);
  const [document] = good.documents;
  if (document === undefined) throw new Error('The scene has a document');

  it.each<[string, SealedPackage['documents']]>([
    ['nothing', []],
    ['one document more', [document, document]],
    ['another deposit', [{ ...document, depositId: 'deposit-9' }]],
    ['other bytes', [{ ...document, digest: digest('other bytes') }]],
    ['another length', [{ ...document, length: 999 }]],
  ])('of %s is refused', (_, documents) => {
    const command = { type: 'RecordSealed', sealed: { ...good, documents } } as const;
    expect(refused(scene, command, SYSTEM)).toMatchObject({ code: 'PACKAGE_DIFFERS' });
  });

  it('happens once: a second package changes nothing', () => {
    const once = give(scene, 'RecordSealed', SYSTEM);
    const again = { type: 'RecordSealed', sealed: { ...good, packageId: 'package-2', documents: [] } } as const;
    expect(given(once, again, SYSTEM).events).toEqual(once.events);
    expect(inPhase(once, 'SEALING').sealed?.packageId).toBe('package-1');
  });

  it('waits for nobody', () => expect(dueAt(sealing().state)).toBeNull());
});

/** The event, but for a vote and for who prepared the proposal. */
function forgery(event: DomainEvent, forge: (decision: Decision) => Partial<Decision>): DomainEvent {
  if (event.type === 'DecisionCast') {
    const { decision } = event.payload;
    return { type: event.type, payload: { ...event.payload, decision: { ...decision, ...forge(decision) } } };
  }
  if (event.type === 'ProposalPut') {
    const proposal = { ...event.payload.proposal, preparedBy: PEOPLE.deskAndReleasing.personId };
    return { type: event.type, payload: { ...event.payload, proposal } };
  }
  return event;
}

describe('a release does not open', () => {
  const open = commandsFor(sealed()).OpenRelease;
  const closing = (scene: Scene, others: Partial<Context>) =>
    inPhase(given(scene, open, SYSTEM, { context: others }), 'CLOSING').reason;

  it('without a package', () => {
    expect(refused(sealing(), open, SYSTEM)).toMatchObject({ code: 'NOT_SEALED' });
  });

  it('while a deposit remains', () => {
    expect(refused(sealed(), { ...open, depositsDestroyed: [] }, SYSTEM)).toMatchObject({ code: 'DEPOSIT_REMAINS' });
    expect(refused(sealed(), { ...open, depositsDestroyed: ['deposit-9'] }, SYSTEM)).toMatchObject({
      code: 'DEPOSIT_REMAINS',
    });
  });

  it.each<[string, Partial<Context>]>([
    ['an approver is unknown by now', without('security')],
    ['an approver has left', changed('releasing', { active: false })],
    ['an approver has lost the role', changed('security', { roles: ['releasing-officer'] })],
    ['the agreement has no quorum any more', agreementWith({ quorum: [] })],
    [
      'the quorum needs one more',
      agreementWith({
        quorum: [
          { axis: 'protected', mark: '*', roles: ['releasing-officer', 'releasing-officer', 'security-officer'] },
        ],
      }),
    ],
  ])('when %s: it closes', (_, others) => expect(closing(sealed(), others)).toBe('quorum-lost'));

  it.each<[string, (decision: Decision) => Partial<Decision>]>([
    ['on another proposal', () => ({ proposalDigest: digest('another') })],
    [
      'of whoever prepared it',
      ({ role }) => (role === 'releasing-officer' ? { personId: PEOPLE.deskAndReleasing.personId } : {}),
    ],
    ['of one person for both', ({ role }) => ({ personId: PEOPLE.both.personId, role })],
    ['that refuses', () => ({ verdict: 'refuse' })],
  ])('on votes that only the file says were cast: a vote %s', (_, forge) => {
    const honest = sealed();
    const forged = honest.events.reduce<Pick<Scene, 'events'> & { state: Case | undefined; now: Scene['now'] }>(
      (scene, event) => {
        const { actor: recorded } = event;
        const actor =
          recorded.kind === 'system'
            ? SYSTEM
            : by(EVERYBODY.find((one) => one.personId === recorded.personId) ?? PEOPLE.stranger);
        return record(scene, [forgery(event, forge)], actor, event.at);
      },
      { state: undefined, events: [], now: START },
    );
    if (forged.state === undefined) throw new Error('The scene is empty');
    expect(closing({ ...forged, state: forged.state }, {})).toBe('quorum-lost');
  });

  it('without an assurance where the agreement asks for one', () => {
    const none = { context: agreementWith({ assurance: { ...EXERCISE.assurance, required: false } }) };
    const scene = SCENES.UNDER_REVIEW();
    const unassured = give(
      give(give(scene, 'CastDecision', by(PEOPLE.releasing), none), 'CastDecision', by(PEOPLE.security), none),
      'RecordSealed',
      SYSTEM,
    );
    expect(closing(unassured, {})).toBe('quorum-lost');
    expect(given(unassured, open, SYSTEM, none).state.phase).toBe('RELEASED');
  });

  it.each<[string, () => Scene]>([
    ['sealed', sealed],
    ['never sealed, so that no case waits for ever', sealing],
  ])('when its window is past: %s', (_, scene) => {
    const late = given(scene(), { ...open, depositsDestroyed: [] }, SYSTEM, { now: due(scene()) });
    expect(inPhase(late, 'CLOSING')).toMatchObject({ reason: 'window-past', release: null, accesses: [] });
    const closed = give(late, 'RecordEnd', SYSTEM);
    expect(inPhase(closed, 'CLOSED')).toMatchObject({ deposits: [], endedBecause: 'window-past' });
  });
});

it('a release opens with exactly the window decided on, and no deposit left', () => {
  const released = inPhase(give(sealed(), 'OpenRelease', SYSTEM), 'RELEASED');
  const { notBefore, notAfter } = released.proposal.proposal;
  expect(released).toMatchObject({ release: { releaseId: 'release-1', notBefore, notAfter }, deposits: [] });
});

describe('an opening is refused', () => {
  const scene = SCENES.RELEASED();
  const { notBefore, notAfter } = inPhase(scene, 'RELEASED').release;
  const open = commandsFor(scene).GrantAccess;
  const member = (members: object) => by({ ...PEOPLE.recipient, ...members });

  it.each<[string, string, ReturnType<typeof by>, Parameters<typeof refused>[3]]>([
    ['before the window', 'OUTSIDE_WINDOW', recipient, { now: plus(notBefore, -1) }],
    ['at its end', 'OUTSIDE_WINDOW', recipient, { now: notAfter }],
    [
      'when the agreement is suspended',
      'AGREEMENT_NOT_IN_FORCE',
      recipient,
      { context: agreementWith({ status: 'SUSPENDED' }) },
    ],
    ['without a clearance', 'NOT_CLEARED', member({ clearances: [] }), {}],
    [
      'when the clearance ends now',
      'NOT_CLEARED',
      member({ clearances: [{ ...PEOPLE.recipient.clearances[0], validTo: plus(scene.now, 1000) }] }),
      {},
    ],
    ['when the key was taken away', 'KEY_NOT_CONFIRMED', member({ keys: [] }), {}],
    [
      'when there is another key instead',
      'KEY_NOT_CONFIRMED',
      member({ keys: [{ fingerprint: digest('new'), publicKey: 'new' }] }),
      {},
    ],
  ])('%s', (_, code, actor, options) => {
    expect(refused(scene, open, actor, options)).toMatchObject({ kind: 'Forbidden', code });
  });

  it('when one of several documents needs a clearance that is not held', () => {
    const assured = give(give(approvedWith(60), 'GiveAssurance', authority), 'RecordSealed', SYSTEM);
    const two = give(assured, 'OpenRelease', SYSTEM);
    const command = commandsFor(two).GrantAccess;
    for (const mark of ['PROTECTED A', 'PROTECTED B']) {
      const others = agreementWith({ equivalence: EXERCISE.equivalence.filter((row) => row.from.mark !== mark) });
      expect(refused(two, command, recipient, { context: others })).toMatchObject({ code: 'NOT_CLEARED' });
    }
    expect(given(two, command, recipient).state.phase).toBe('RELEASED');
  });

  it('at any moment of the window it is not: from its first instant to its last', () => {
    for (const now of [notBefore, plus(notAfter, -1)]) {
      expect(given(scene, open, recipient, { now }).events).toHaveLength(scene.events.length + 1);
    }
  });

  it('to somebody else, also of the same agency, and to a recipient who has left', () => {
    for (const actor of [
      by(PEOPLE.requester),
      by(PEOPLE.stranger),
      authority,
      member({ active: false }),
      member({ nation: CAN }),
    ]) {
      expect(refused(scene, open, actor)).toMatchObject({ code: 'NOT_YOUR_PART' });
    }
  });

  it('when the copies are used up; a failed opening is none', () => {
    const twice = give(scene, 'GrantAccess', recipient);
    const third = commandsFor(twice).GrantAccess;
    expect(refused(twice, third, recipient)).toMatchObject({ code: 'COPIES_EXHAUSTED' });
    const failed = give(twice, 'RecordAccessFailure', SYSTEM);
    expect(inPhase(given(failed, third, recipient), 'RELEASED').accesses.at(-1)).toMatchObject({
      copy: 2,
      failed: false,
    });
    expect(given(twice, third, by(PEOPLE.secondRecipient)).state.phase).toBe('RELEASED');
  });

  it('with an idempotency key of ten minutes ago', () => {
    const again = { ...open, idempotencyKey: 'key-1' };
    const { at } = inPhase(scene, 'RELEASED').accesses[0] ?? { at: START };
    expect(refused(scene, again, recipient, { now: plus(at, 10 * MINUTE) })).toMatchObject({
      code: 'IDEMPOTENCY_KEY_USED',
    });
    expect(given(scene, again, recipient, { now: plus(at, 10 * MINUTE - 1) }).events).toEqual(scene.events);
  });
});

describe('an opening', () => {
  it('is recorded with its copy and the key that the decision named', () => {
    const [event] = SCENES.RELEASED().events.slice(-1);
    expect(event).toMatchObject({
      type: 'AccessGranted',
      payload: { recipient: 'recipient', copy: 1, keyFingerprint: PEOPLE.recipient.keys[0]?.fingerprint },
    });
  });

  it('repeats every check when its idempotency key is repeated', () => {
    const scene = SCENES.RELEASED();
    const again = { ...commandsFor(scene).GrantAccess, idempotencyKey: 'key-1' };
    expect(refused(scene, again, by({ ...PEOPLE.recipient, clearances: [] }))).toMatchObject({ code: 'NOT_CLEARED' });
  });

  it('takes the same idempotency key from another recipient, and after a failure', () => {
    const scene = SCENES.RELEASED();
    const again = { ...commandsFor(scene).GrantAccess, idempotencyKey: 'key-1' };
    expect(given(scene, again, by(PEOPLE.secondRecipient)).events).toHaveLength(scene.events.length + 1);
    const failed = give(scene, 'RecordAccessFailure', SYSTEM);
    expect(given(failed, again, recipient).events).toHaveLength(failed.events.length + 1);
  });

  it('that failed is marked once, and an unknown one never', () => {
    const failed = give(give(SCENES.RELEASED(), 'GrantAccess', recipient), 'RecordAccessFailure', SYSTEM);
    expect(inPhase(failed, 'RELEASED').accesses.map((access) => access.failed)).toEqual([false, true]);
    expect(give(failed, 'RecordAccessFailure', SYSTEM).events).toEqual(failed.events);
    const unknown = { type: 'RecordAccessFailure', accessId: 'access-9', cause: 'x' } as const;
    expect(given(failed, unknown, SYSTEM).events).toEqual(failed.events);
  });
});

describe('a receipt', () => {
  const scene = SCENES.RELEASED();
  const receipt = commandsFor(scene).AcknowledgeReceipt;

  it.each<[string, string, string, Partial<Of<'AcknowledgeReceipt'>>, ReturnType<typeof by>]>([
    ['for an unknown opening', 'ACCESS_UNKNOWN', '/accessId', { accessId: 'access-9' }, recipient],
    ['for the opening of another', 'ACCESS_UNKNOWN', '/accessId', {}, by(PEOPLE.secondRecipient)],
    ['over other bytes', 'DIGEST_DIFFERS', '/digest', { digest: digest('other bytes') }, recipient],
  ])('%s is refused', (_, code, pointer, members, actor) => {
    expect(refused(scene, { ...receipt, ...members }, actor)).toMatchObject({ code, pointer });
  });

  it('for an opening that failed is refused', () => {
    expect(refused(give(scene, 'RecordAccessFailure', SYSTEM), receipt, recipient)).toMatchObject({
      code: 'ACCESS_UNKNOWN',
    });
  });

  it.each(['RELEASED', 'SUSPENDED', 'CLOSING', 'CLOSED'] as const)('is taken once in %s', (phase) => {
    const once = given(SCENES[phase](), receipt, recipient);
    expect(inPhase(once, phase).receipts).toEqual([
      { accessId: 'access-1', recipient: 'recipient', digest: receipt.digest, at: once.now },
    ]);
    expect(given(once, receipt, recipient).events).toEqual(once.events);
  });

  it('is refused where the case closed without a package', () => {
    const late = given(sealing(), commandsFor(sealing()).OpenRelease, SYSTEM, { now: due(sealing()) });
    expect(refused(late, receipt, recipient)).toMatchObject({ code: 'ACCESS_UNKNOWN' });
  });
});

describe('suspension and resumption', () => {
  const first = by(PEOPLE.releasing);
  const second = by(PEOPLE.originatorAuthority);

  it('neither after the end of the window', () => {
    const released = SCENES.RELEASED();
    expect(refused(released, { type: 'Suspend', reason: 'late' }, first, { now: due(released) })).toMatchObject({
      code: 'WINDOW_OVER',
    });
    const suspended = SCENES.SUSPENDED();
    expect(refused(suspended, { type: 'Resume' }, first, { now: due(suspended) })).toMatchObject({
      code: 'WINDOW_OVER',
    });
  });

  it('one person suspends, two resume; the end stays where it was', () => {
    const suspended = SCENES.SUSPENDED();
    const asked = give(suspended, 'Resume', first);
    expect(inPhase(asked, 'SUSPENDED').resumptionProposedBy).toBe('releasing');
    expect(refused(asked, { type: 'Resume' }, first)).toMatchObject({ code: 'SECOND_PERSON_NEEDED' });
    const resumed = give(asked, 'Resume', second);
    expect(inPhase(resumed, 'RELEASED')).not.toHaveProperty('resumptionProposedBy');
    expect(due(resumed)).toBe(due(suspended));
  });

  it.each([
    ['has lost the part', changed('releasing', { roles: [] })],
    ['is unknown by now', without('releasing')],
  ])('a first person who %s has proposed nothing', (_, options) => {
    const asked = give(SCENES.SUSPENDED(), 'Resume', first);
    const again = give(asked, 'Resume', second, { context: options });
    expect(inPhase(again, 'SUSPENDED').resumptionProposedBy).toBe(PEOPLE.originatorAuthority.personId);
  });

  it('a proposal to resume does not outlive the suspension', () => {
    const resumed = give(give(SCENES.SUSPENDED(), 'Resume', first), 'Resume', second);
    expect(inPhase(give(resumed, 'Suspend', second), 'SUSPENDED').resumptionProposedBy).toBeNull();
  });

  it('nothing is opened meanwhile', () => {
    const scene = SCENES.SUSPENDED();
    expect(refused(scene, commandsFor(scene).GrantAccess, recipient)).toMatchObject({ code: 'PHASE_FORBIDS' });
  });
});

describe('the end', () => {
  it.each(['RELEASED', 'SUSPENDED'] as const)('of a release that is %s does not come before its time', (phase) => {
    const scene = SCENES[phase]();
    const early = { now: plus(due(scene), -1) };
    expect(refused(scene, { type: 'RecordExpiry' }, SYSTEM, early)).toMatchObject({ code: 'NOT_DUE' });
    expect(inPhase(give(scene, 'RecordExpiry', SYSTEM, { now: due(scene) }), 'CLOSING').reason).toBe('expired');
  });

  it.each(['RELEASED', 'SUSPENDED'] as const)('comes by recall at any time from %s', (phase) => {
    const scene = SCENES[phase]();
    const recalled = give(scene, 'Recall', by(PEOPLE.security), { now: plus(due(scene), DAY) });
    expect(inPhase(recalled, 'CLOSING')).toMatchObject({ reason: 'recalled' });
    expect(recalled.state).not.toHaveProperty('resumptionProposedBy');
  });

  it('is not recorded while anything remains', () => {
    const scene = SCENES.CLOSING();
    const end = commandsFor(scene).RecordEnd;
    const wrong = { packageId: 'package-1', objectKey: 'objects/another' };
    for (const packageDestroyed of [null, wrong]) {
      expect(refused(scene, { ...end, packageDestroyed }, SYSTEM)).toMatchObject({ code: 'NOT_DESTROYED' });
    }
    const withdrawn = give(sealed(), 'Withdraw', by(PEOPLE.requester));
    expect(refused(withdrawn, { ...end, depositsDestroyed: [] }, SYSTEM)).toMatchObject({ code: 'NOT_DESTROYED' });
  });

  it('is recorded with what was destroyed; a case withdrawn in sealing ends as withdrawn', () => {
    const closed = SCENES.CLOSED();
    expect(closed.events.slice(-2).map((event) => event.type)).toEqual(['PackageDestroyed', 'CaseClosed']);
    expect(inPhase(closed, 'CLOSED')).toMatchObject({ endedBecause: 'recalled', accesses: [{ accessId: 'access-1' }] });
    const withdrawn = give(give(sealing(), 'Withdraw', by(PEOPLE.requester)), 'RecordEnd', SYSTEM);
    expect(withdrawn.events.slice(-2).map((event) => event.type)).toEqual(['DepositsDestroyed', 'CaseClosed']);
    expect(inPhase(withdrawn, 'WITHDRAWN')).toMatchObject({ endedBecause: 'withdrawn', deposits: [], sealed: null });
  });

  it.each(['REFUSED', 'LAPSED', 'WITHDRAWN'] as const)(
    'of a case that is %s leaves deposits to be destroyed',
    (phase) => {
      const scene = SCENES[phase]();
      expect(scene.state.deposits).toHaveLength(1);
      expect(give(scene, 'RecordDepositsDestroyed', SYSTEM).state.deposits).toEqual([]);
    },
  );
});

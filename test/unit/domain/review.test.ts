import type { Command, Context } from '../../../lambdas/domain/commands.ts';
import { LARGEST_DEPOSIT } from '../../../lambdas/domain/decisions/deposits.ts';
import type { Nation } from '../../../lambdas/domain/ids.ts';
import { DAY, HOUR, plus } from '../../../lambdas/domain/instant.ts';
import {
  CAN,
  DOCUMENT,
  EVERYBODY,
  EXERCISE,
  PEOPLE,
  SCENES,
  START,
  SYSTEM,
  UKR,
  agreementWith,
  by,
  commandsFor,
  digest,
  due,
  give,
  given,
  id,
  inPhase,
  instant,
  peopleById,
  proposed,
  refused,
  underReview,
  type Scene,
} from '../../support/domain.ts';

type Of<T extends Command['type']> = Extract<Command, { type: T }>;
const POL = 'POL' as Nation;
const desk = by(PEOPLE.desk);
const releasing = by(PEOPLE.releasing);
const security = by(PEOPLE.security);
const review = (scene: Scene) => inPhase(scene, 'UNDER_REVIEW');

describe('deposits', () => {
  const open = commandsFor(underReview()).OpenDeposit;
  const opened = (): Scene => give(underReview(), 'OpenDeposit', desk);

  it.each<[string, number]>([
    ['empty', 0],
    ['of negative length', -1],
    ['larger than one PUT takes', LARGEST_DEPOSIT + 1],
  ])('%s are refused', (_, length) => {
    expect(refused(underReview(), { ...open, length }, desk)).toMatchObject({
      code: 'DEPOSIT_LENGTH',
      pointer: '/length',
    });
  });

  it('are fifty at most', () => {
    let scene = underReview();
    for (let count = 0; count < 50; count += 1) scene = give(scene, 'OpenDeposit', desk);
    expect(refused(scene, { ...open, depositId: 'one-too-many' }, desk)).toMatchObject({ code: 'TOO_MANY_DEPOSITS' });
  });

  it.each<[string, Partial<Of<'CompleteDeposit'>>, string, RegExp]>([
    ['unknown', { depositId: 'deposit-9' }, 'DEPOSIT_UNKNOWN', /no such deposit/],
    ['not uploaded', { storedLength: null }, 'DEPOSIT_INCOMPLETE', /Nothing has been uploaded/],
    ['of another length', { storedLength: 999 }, 'DEPOSIT_INCOMPLETE', /999 bytes are stored, 1000 were announced/],
  ])('%s are not complete', (_, members, code, message) => {
    const scene = opened();
    const refusal = refused(scene, { ...commandsFor(scene).CompleteDeposit, ...members }, desk);
    expect(refusal).toMatchObject({ code, message: expect.stringMatching(message) });
  });

  it('are complete once', () => {
    const scene = give(give(opened(), 'OpenDeposit', desk), 'CompleteDeposit', desk);
    expect(review(scene).deposits.map((deposit) => deposit.complete)).toEqual([true, false]);
    const again = { type: 'CompleteDeposit', depositId: 'deposit-1', storedLength: null } as const;
    expect(given(scene, again, desk).events).toEqual(scene.events);
  });

  it('may be as large as one PUT takes', () => {
    expect(review(given(underReview(), { ...open, length: LARGEST_DEPOSIT }, desk)).deposits).toHaveLength(1);
  });
});

describe('a proposal is refused', () => {
  const deposited = (): Scene => give(give(underReview(), 'OpenDeposit', desk), 'CompleteDeposit', desk);
  const scene = deposited();
  const put = commandsFor(scene).PutProposal;
  const [document] = put.documents;
  const [first, second] = put.recipients;
  if (document === undefined || first === undefined || second === undefined)
    throw new Error('The scene lacks something');
  const secret = { axis: 'classified', nation: CAN, mark: 'SECRET' } as const;
  const people = (members: object): Partial<Context> => ({
    people: peopleById([{ ...PEOPLE.recipient, ...members }, PEOPLE.secondRecipient]),
  });

  it.each<[string, string, string | undefined, Partial<typeof put>, Partial<Context>]>([
    ['with an empty window', 'WINDOW_EMPTY', '/notAfter', { notAfter: put.notBefore }, {}],
    ['with a window in the past', 'WINDOW_EMPTY', '/notAfter', { notBefore: plus(START, -DAY), notAfter: START }, {}],
    ['with a document twice', 'NAMED_TWICE', '/documents', { documents: [document, document] }, {}],
    ['with a recipient twice', 'NAMED_TWICE', '/recipients', { recipients: [first, first] }, {}],
    [
      'with a deposit that is not there',
      'DEPOSIT_INCOMPLETE',
      '/documents/0/depositId',
      { documents: [{ ...document, depositId: 'deposit-9' }] },
      {},
    ],
    [
      'with a document of a third party',
      'THIRD_PARTY_CONSENT_NEEDED',
      '/documents/0/origin',
      { documents: [{ ...document, origin: POL }] },
      {},
    ],
    [
      'with a document of the asking nation',
      'THIRD_PARTY_CONSENT_NEEDED',
      '/documents/0/origin',
      { documents: [{ ...document, origin: UKR }] },
      {},
    ],
    [
      'above the electronic ceiling',
      'ABOVE_ELECTRONIC_CEILING',
      '/documents/0/marking',
      { documents: [{ ...document, marking: secret }] },
      {},
    ],
    [
      'with an unknown mark',
      'ABOVE_ELECTRONIC_CEILING',
      '/documents/0/marking',
      { documents: [{ ...document, marking: { ...document.marking, mark: 'PROTECTED C' } }] },
      {},
    ],
    [
      'with a mark of the other nation',
      'ABOVE_ELECTRONIC_CEILING',
      '/documents/0/marking',
      {
        documents: [{ ...document, marking: { axis: 'protected', nation: UKR, mark: 'Для службового користування' } }],
      },
      {},
    ],
    [
      'with a mark that has no equivalence',
      'NO_EQUIVALENCE',
      '/documents/0/marking',
      {},
      agreementWith({ equivalence: [] }),
    ],
    [
      'with a mark that maps to nothing',
      'NO_EQUIVALENCE',
      '/documents/0/marking',
      {},
      agreementWith({ equivalence: EXERCISE.equivalence.map((row) => ({ ...row, to: null })) }),
    ],
    [
      'with a mark of kind NONE',
      'NO_EQUIVALENCE',
      '/documents/0/marking',
      {},
      agreementWith({ equivalence: EXERCISE.equivalence.map((row) => ({ ...row, kind: 'NONE' })) }),
    ],
    [
      'with a mark settled case by case',
      'NO_EQUIVALENCE',
      '/documents/0/marking',
      {},
      agreementWith({ equivalence: EXERCISE.equivalence.map((row) => ({ ...row, kind: 'CASE_BY_CASE' })) }),
    ],
    [
      'with a mark that had to be asked for with an endorsement',
      'ENDORSEMENT_NEEDED',
      '/documents/0/marking',
      {},
      agreementWith({
        endorsement: {
          requiredFor: [
            { axis: 'classified', mark: document.marking.mark },
            { axis: 'protected', mark: document.marking.mark },
          ],
          source: 'test',
        },
      }),
    ],
    ['without documents', 'NO_QUORUM_RULE', '/documents', { documents: [] }, {}],
    ['with marks that have no quorum', 'NO_QUORUM_RULE', '/documents', {}, agreementWith({ quorum: [] })],
    [
      'for a recipient nobody asked for',
      'RECIPIENT_NOT_ASKED_FOR',
      '/recipients/0/personId',
      { recipients: [{ ...first, personId: PEOPLE.stranger.personId }] },
      {},
    ],
    [
      'for an unknown recipient',
      'RECIPIENT_NOT_ASKED_FOR',
      '/recipients/1/personId',
      {},
      { people: peopleById([PEOPLE.recipient]) },
    ],
    [
      'for a recipient who has left',
      'RECIPIENT_NOT_ASKED_FOR',
      '/recipients/0/personId',
      {},
      people({ active: false }),
    ],
    [
      'for a key of nobody',
      'KEY_NOT_CONFIRMED',
      '/recipients/0/keyFingerprint',
      { recipients: [{ ...first, keyFingerprint: digest('another key') }] },
      {},
    ],
    [
      'for the key of another recipient',
      'KEY_NOT_CONFIRMED',
      '/recipients/0/keyFingerprint',
      { recipients: [{ ...first, keyFingerprint: second.keyFingerprint }] },
      {},
    ],
    ['for a recipient who is not cleared', 'NOT_CLEARED', '/recipients/0', {}, people({ clearances: [] })],
    [
      'for a recipient whose clearance ends before',
      'WINDOW_OUTLIVES_BASIS',
      '/notAfter',
      {},
      people({ clearances: [{ ...PEOPLE.recipient.clearances[0], validTo: START }] }),
    ],
    [
      'under an agreement that ends before',
      'WINDOW_OUTLIVES_BASIS',
      '/notAfter',
      {},
      agreementWith({ dates: { ...EXERCISE.dates, terminated: START } }),
    ],
    [
      'that is open for longer than the agreement’s longest release',
      'WINDOW_TOO_LONG',
      '/notAfter',
      { notBefore: START, notAfter: plus(START, 365 * DAY + 1) },
      {},
    ],
  ])('%s', (_, code, pointer, members, others) => {
    expect(refused(scene, { ...put, ...members }, desk, { context: others })).toMatchObject({
      kind: expect.stringMatching(/InvalidInput|Conflict/),
      code,
      pointer,
    });
  });

  it('with a deposit that is not complete', () => {
    const half = give(underReview(), 'OpenDeposit', desk);
    const command = { ...put, documents: [{ ...document, depositId: 'deposit-1' }] };
    expect(refused(half, command, desk)).toMatchObject({ code: 'DEPOSIT_INCOMPLETE' });
  });
});

describe('a proposal', () => {
  it('names exactly what would be released, under the digest of all of it', () => {
    const { proposal, decisions } = review(proposed());
    expect(proposal?.proposal).toMatchObject({
      documents: [{ depositId: 'deposit-1', ...DOCUMENT, marking: { mark: 'PROTECTED B' }, origin: CAN }],
      conditions: ['Only for the bid.'],
      copies: 2,
      preparedBy: PEOPLE.desk.personId,
    });
    expect(proposal?.digest).toBe(digest(proposal?.proposal));
    expect(decisions).toEqual([]);
  });

  it.each<[string, Partial<Context>, number]>([
    [
      'a recipient’s clearance',
      {
        people: peopleById(
          EVERYBODY.map((one) => ({
            ...one,
            clearances: one.clearances.map((row) => ({ ...row, validTo: plus(START, 9 * DAY) })),
          })),
        ),
      },
      9,
    ],
    ['the agreement', agreementWith({ dates: { ...EXERCISE.dates, terminated: plus(START, 7 * DAY) } }), 7],
  ])('ends with %s', (_, others, days) => {
    expect(review(proposed({ context: others })).proposal?.proposal.notAfter).toBe(plus(START, days * DAY));
  });

  it('is open no longer than the agreement’s longest release', () => {
    const context = agreementWith({ longestRelease: { days: 3, source: 'test' } });
    const scene = give(give(underReview(), 'OpenDeposit', desk), 'CompleteDeposit', desk);
    const command = { ...commandsFor(scene).PutProposal, notBefore: scene.now };
    const ending = (after: number) => ({ ...command, notAfter: plus(scene.now, after) });
    expect(refused(scene, ending(3 * DAY + 1), desk, { context })).toMatchObject({ code: 'WINDOW_TOO_LONG' });
    const { proposal } = review(given(scene, ending(3 * DAY), desk, { context }));
    expect(proposal?.proposal.notAfter).toBe(plus(scene.now, 3 * DAY));
  });

  it('stays within the years that an instant can write', () => {
    const scene = give(give(underReview(), 'OpenDeposit', desk), 'CompleteDeposit', desk);
    const command = {
      ...commandsFor(scene).PutProposal,
      notBefore: instant('9999-06-01T00:00:00.000Z'),
      notAfter: instant('9999-12-31T00:00:00.000Z'),
    };
    expect(refused(scene, command, desk)).toMatchObject({ code: 'WINDOW_OUTLIVES_BASIS' });
  });

  it('put again unchanged changes nothing and keeps the votes; another one voids them', () => {
    const scene = proposed();
    const voted = give(scene, 'CastDecision', releasing);
    const { notBefore } = review(scene).proposal?.proposal ?? { notBefore: START };
    const same = { ...commandsFor(voted).PutProposal, notBefore };
    expect(given(voted, same, desk).events).toEqual(voted.events);
    expect(review(given(voted, { ...same, copies: 1 }, desk)).decisions).toEqual([]);
  });
});

describe('a vote is refused', () => {
  const scene = proposed();
  const cast = commandsFor(scene).CastDecision;
  const refuse = { verdict: 'refuse', ground: 'not-held' } as const;

  it.each<[string, string, Partial<typeof cast>, Parameters<typeof by>[0], Partial<Context>]>([
    ['on another digest', 'PROPOSAL_CHANGED', { proposalDigest: digest('another') }, PEOPLE.releasing, {}],
    ['of somebody in conflict', 'CONFLICT_OF_INTEREST', {}, { ...PEOPLE.releasing, conflicts: ['ukr-agency'] }, {}],
    ['of somebody not cleared', 'NOT_CLEARED', {}, { ...PEOPLE.releasing, clearances: [] }, {}],
    [
      'of somebody whose clearance ends now',
      'NOT_CLEARED',
      {},
      { ...PEOPLE.releasing, clearances: [{ axis: 'protected', mark: 'PROTECTED B', validTo: plus(scene.now, 1000) }] },
      {},
    ],
    ['in a role they do not hold', 'ROLE_NOT_NEEDED', { role: 'security-officer' }, PEOPLE.releasing, {}],
    [
      'in a role nobody needs',
      'ROLE_NOT_NEEDED',
      { role: 'auditor' },
      { ...PEOPLE.releasing, roles: ['releasing-officer', 'auditor'] },
      {},
    ],
    [
      'where the quorum needs other roles',
      'ROLE_NOT_NEEDED',
      {},
      PEOPLE.releasing,
      agreementWith({ quorum: [{ axis: 'protected', mark: '*', roles: ['security-officer', 'security-officer'] }] }),
    ],
    ['where there is no quorum any more', 'ROLE_NOT_NEEDED', {}, PEOPLE.releasing, agreementWith({ quorum: [] })],
    ['that refuses without a ground', 'GROUND_UNKNOWN', { verdict: 'refuse' }, PEOPLE.releasing, {}],
    [
      'that refuses on an unknown ground',
      'GROUND_UNKNOWN',
      { verdict: 'refuse', ground: 'mood' },
      PEOPLE.releasing,
      {},
    ],
    ['that approves on a ground', 'GROUND_WITHOUT_REFUSAL', { ground: 'not-held' }, PEOPLE.releasing, {}],
  ])('%s', (_, code, members, voter, others) => {
    expect(refused(scene, { ...cast, ...members }, by(voter), { context: others })).toMatchObject({ code });
  });

  it('when there is no proposal', () => {
    expect(refused(underReview(), cast, releasing)).toMatchObject({
      code: 'PROPOSAL_CHANGED',
      message: 'There is no proposal to decide on.',
    });
  });

  it.each(['approve', 'refuse'])('of whoever prepared the proposal, to %s', (verdict) => {
    const own = give(give(underReview(), 'OpenDeposit', desk), 'CompleteDeposit', desk);
    const prepared = give(own, 'PutProposal', by(PEOPLE.deskAndReleasing));
    const command = { ...commandsFor(prepared).CastDecision, ...(verdict === 'refuse' ? refuse : {}) };
    expect(refused(prepared, command, by(PEOPLE.deskAndReleasing))).toMatchObject({ code: 'OWN_PROPOSAL' });
  });

  it('the second time, also in the other role and under another account', () => {
    const voted = given(scene, { ...cast, role: 'releasing-officer' }, by(PEOPLE.both));
    for (const again of [cast, { ...cast, role: 'security-officer' }, { ...cast, ...refuse }]) {
      expect(refused(voted, again, by({ ...PEOPLE.both, subjects: ['another-account'] }))).toMatchObject({
        code: 'ALREADY_VOTED',
      });
    }
  });

  it.each<[string, (of: Scene) => ReturnType<typeof due>]>([
    ['when the decision is due', due],
    ['after it was due', (of) => plus(due(of), DAY)],
  ])('%s', (_, when) => {
    expect(refused(scene, cast, releasing, { now: when(scene) })).toMatchObject({ code: 'DEADLINE_PASSED' });
    expect(refused(scene, { ...cast, ...refuse }, releasing, { now: when(scene) })).toMatchObject({
      code: 'DEADLINE_PASSED',
    });
  });

  it('when the window of the proposal is past', () => {
    const short = give(give(underReview(), 'OpenDeposit', desk), 'CompleteDeposit', desk);
    const brief = given(short, { ...commandsFor(short).PutProposal, notAfter: plus(START, HOUR) }, desk);
    expect(refused(brief, commandsFor(brief).CastDecision, releasing, { now: plus(START, HOUR) })).toMatchObject({
      code: 'DEADLINE_PASSED',
    });
  });
});

describe('a vote', () => {
  const scene = proposed();
  const cast = commandsFor(scene).CastDecision;

  it('alone decides nothing; the one that completes the quorum asks for the assurance', () => {
    const one = give(scene, 'CastDecision', releasing);
    expect(review(one).decisions).toEqual([
      { personId: 'releasing', role: 'releasing-officer', verdict: 'approve', proposalDigest: cast.proposalDigest },
    ]);
    const two = inPhase(give(one, 'CastDecision', security), 'AWAITING_ASSURANCE');
    expect(two.assuranceDeadline.dueAt).toBe(plus(two.changedAt, 5 * DAY));
  });

  it('goes straight to sealing where the agreement asks for no assurance', () => {
    const others = { context: agreementWith({ assurance: { ...EXERCISE.assurance, required: false } }) };
    const done = give(give(scene, 'CastDecision', releasing, others), 'CastDecision', security, others);
    expect(inPhase(done, 'SEALING')).toMatchObject({ assurance: null, sealed: null });
  });

  it('counts in the role that is still open, for somebody with several', () => {
    const one = give(scene, 'CastDecision', releasing);
    expect(give(one, 'CastDecision', by(PEOPLE.both)).state.phase).toBe('AWAITING_ASSURANCE');
  });

  it('of a second person in a filled role is recorded and fills nothing', () => {
    const two = give(give(scene, 'CastDecision', releasing), 'CastDecision', by(PEOPLE.secondReleasing));
    expect(review(two).decisions.map((decision) => decision.role)).toEqual(['releasing-officer', 'releasing-officer']);
  });

  it('that refuses ends the case at once, also after an approval and in a filled role', () => {
    const one = give(scene, 'CastDecision', releasing);
    const refuse = { ...cast, verdict: 'refuse', ground: 'national-interest', note: 'Not now.' } as const;
    const ended = inPhase(given(one, refuse, by(PEOPLE.secondReleasing)), 'REFUSED');
    expect(ended).toMatchObject({
      endedBecause: 'national-interest',
      sealed: null,
      release: null,
      accesses: [],
      receipts: [],
    });
    expect(ended.decisions.at(-1)).toMatchObject({ verdict: 'refuse', ground: 'national-interest', note: 'Not now.' });
  });
});

describe('clarification', () => {
  const asked = (): Scene => SCENES.AWAITING_CLARIFICATION();
  const requester = by(PEOPLE.requester);
  const answer = commandsFor(asked()).AnswerClarification;

  it('is not sought once the decision is due', () => {
    const scene = proposed();
    expect(refused(scene, commandsFor(scene).SeekClarification, desk, { now: due(scene) })).toMatchObject({
      code: 'DEADLINE_PASSED',
    });
  });

  it.each<[string, string, Partial<typeof answer>, Partial<Context>]>([
    ['with a mark in the new title', 'TITLE_CARRIES_MARK', { amendments: { title: 'Таємно' } }, {}],
    ['with an unknown recipient', 'RECIPIENT_UNKNOWN', { amendments: { recipients: [id('nobody')] } }, {}],
    [
      'with a recipient who has left',
      'RECIPIENT_UNKNOWN',
      { amendments: { recipients: [PEOPLE.recipient.personId] } },
      { people: peopleById([{ ...PEOPLE.recipient, active: false }]) },
    ],
    [
      'with a recipient of the other nation',
      'RECIPIENT_UNKNOWN',
      { amendments: { recipients: [PEOPLE.desk.personId] } },
      {},
    ],
  ])('is not answered %s', (_, code, members, others) => {
    expect(refused(asked(), { ...answer, ...members }, requester, { context: others })).toMatchObject({ code });
  });

  it('is not answered once it is due', () => {
    expect(refused(asked(), answer, requester, { now: due(asked()) })).toMatchObject({ code: 'DEADLINE_PASSED' });
  });

  it('stops the decision clock for as long as it lasts, and an answer voids proposal and votes', () => {
    const voted = give(proposed(), 'CastDecision', releasing);
    const before = review(voted).deadline.dueAt;
    const scene = give(voted, 'SeekClarification', security);
    const amendments = { title: 'Plan of the north gate', recipients: [PEOPLE.recipient.personId] };
    const after = review(given(scene, { ...answer, amendments }, requester, { now: plus(scene.now, 2 * DAY) }));
    expect(after.deadline.dueAt).toBe(plus(before, 2 * DAY));
    expect(after.deadline.stops).toEqual([{ from: scene.now, to: plus(scene.now, 2 * DAY) }]);
    expect(after).toMatchObject({ proposal: null, decisions: [] });
    expect(after.request).toMatchObject(amendments);
    expect(after.requestDigest).toBe(digest(after.request));
    expect(after.questions).toEqual([
      {
        question: 'Which part of the site?',
        askedBy: 'security',
        askedAt: scene.now,
        answer: 'The north gate.',
        answeredAt: plus(scene.now, 2 * DAY),
      },
    ]);
  });

  it('can be sought again; each answer stands with its question', () => {
    const once = give(asked(), 'AnswerClarification', requester);
    const twice = give(give(once, 'SeekClarification', desk), 'AnswerClarification', requester);
    expect(review(twice).questions.map((question) => question.answer)).toEqual(['The north gate.', 'The north gate.']);
    expect(review(twice).deadline.stops).toHaveLength(2);
  });
});

describe('the clock', () => {
  it.each([
    ['UNDER_REVIEW', () => proposed()],
    ['AWAITING_CLARIFICATION', SCENES.AWAITING_CLARIFICATION],
    ['AWAITING_ASSURANCE', SCENES.AWAITING_ASSURANCE],
  ] as const)('leaves %s where it is before it is due', (phase, scene) => {
    const before = scene();
    expect(give(before, 'LookAtClock', SYSTEM).events).toEqual(before.events);
    expect(give(before, 'LookAtClock', SYSTEM, { now: plus(due(before), -1) }).state.phase).toBe(phase);
  });

  it('escalates an overdue decision once, then the case lapses', () => {
    const scene = proposed();
    const escalated = give(scene, 'LookAtClock', SYSTEM, { now: due(scene) });
    expect(review(escalated).deadline).toMatchObject({ escalations: 1 });
    expect(due(escalated) > due(scene)).toBe(true);
    expect(give(escalated, 'CastDecision', releasing).state.phase).toBe('UNDER_REVIEW');
    const lapsed = give(escalated, 'LookAtClock', SYSTEM, { now: due(escalated) });
    expect(inPhase(lapsed, 'LAPSED').endedBecause).toBe('decision');
  });

  it('lets an overdue decision lapse at once where the agreement says so', () => {
    const { decision } = EXERCISE.clocks;
    const others = agreementWith({ clocks: { ...EXERCISE.clocks, decision: { ...decision, onDue: 'lapse' } } });
    const scene = give(SCENES.SUBMITTED(), 'RecordAssessment', SYSTEM, { context: others });
    const lapsed = give(scene, 'LookAtClock', SYSTEM, { now: due(scene), context: others });
    expect(inPhase(lapsed, 'LAPSED').endedBecause).toBe('decision');
  });

  it.each([
    ['clarification', SCENES.AWAITING_CLARIFICATION],
    ['assurance', SCENES.AWAITING_ASSURANCE],
  ] as const)('lets a case lapse whose %s is due', (clock, scene) => {
    const lapsed = give(scene(), 'LookAtClock', SYSTEM, { now: due(scene()) });
    expect(inPhase(lapsed, 'LAPSED').endedBecause).toBe(clock);
  });
});

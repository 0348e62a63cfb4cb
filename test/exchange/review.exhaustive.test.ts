import type { CaseView } from '../../lambdas/contracts/api-answers.ts';
import { PEOPLE } from '../../examples/exercise/people.ts';
import type { Role } from '../../lambdas/domain/people.ts';
import { DAY, HOUR, openScene, problemOf, refusalOf, sha256, type Scene } from '../support/exchange.ts';
import { examined } from '../support/examined.ts';

jest.setTimeout(120_000);

let scene: Scene;
/** An officer who may prepare and decide. */
const BOTH: readonly Role[] = ['desk-officer', 'releasing-officer', 'security-officer'];

const CLEARED = PEOPLE.find(({ personId }) => personId === 'can-releasing-2')?.clearances ?? [];

beforeAll(async () => {
  scene = await openScene();
  await scene.change('can-releasing-2', { roles: BOTH });
  untouched = await scene.reach('PROPOSED');
});
afterEach(() => {
  scene.runtime.faults.plan = undefined;
});
afterEach(() => examined('lives', 1));
afterAll(() => scene.close());

/** Proposed, and waiting for votes: for what is refused and changes nothing. */
let untouched: CaseView;

const sequenceOf = async (caseId: string): Promise<number> => (await scene.read(caseId)).sequence;

/** Lets every call of a role to a service fail. */
const failing = (role: string, service: string): void => {
  scene.runtime.faults.plan = ({ caller, service: called }) =>
    caller.includes(role) && called === service ? 'fail' : undefined;
};

describe('a request', () => {
  test('under the real agreement is inadmissible, with every rule that fails, and registered all the same', async () => {
    const seen = await scene.submit({
      agreementId: 'CAN-UKR',
      levelSought: { axis: 'classified', mark: 'SECRET' },
    });
    expect(seen.phase).toBe('INADMISSIBLE');
    expect(seen.registerNumber).toMatch(/^CAN-\d{4}-\d{6}$/);
    expect(seen.failedChecks.map(({ rule, evidence }) => [rule, evidence])).toEqual([
      ['A1', 'CAN-UKR has no date of entry into force.'],
      ['C1', 'Purpose "tender" is not one of (none).'],
      ['D4', 'No equivalence is published for CAN SECRET towards UKR.'],
      ['A5', "SECRET needs the home authority's endorsement, and none accompanies the request."],
    ]);
    expect(scene.statesEntered(seen.caseId).map((states) => states.at(-1))).toEqual(['Inadmissible']);
    expect(await refusalOf(scene.propose(seen.caseId))).toBe('409 PHASE_FORBIDS');
  });

  test.each([
    ['a purpose the agreement does not name', { purpose: 'curiosity' }, ['C1']],
    ['a mark that is on no ladder', { levelSought: { axis: 'protected', mark: 'PROTECTED C' } }, ['D1', 'D4']],
    ['a mark on the wrong axis', { levelSought: { axis: 'classified', mark: 'PROTECTED A' } }, ['D1', 'D4']],
  ] as const)('for %s is inadmissible', async (_, wish, rules) => {
    const seen = await scene.submit(wish);
    expect([seen.phase, seen.failedChecks.map(({ rule }) => rule)]).toEqual(['INADMISSIBLE', rules]);
  });

  test.each([
    ['under an unknown agreement', { agreementId: 'NLD-DEU' }, 'ukr-requester-1', '400 AGREEMENT_UNKNOWN'],
    [
      'for a recipient of the nation that decides',
      { recipients: ['can-recipient-1'] },
      'ukr-requester-1',
      '400 RECIPIENT_UNKNOWN',
    ],
    ['for a recipient whom nobody knows', { recipients: ['ukr-nobody-1'] }, 'ukr-requester-1', '400 RECIPIENT_UNKNOWN'],
    ['whose title carries a mark', { title: 'The secret annex' }, 'ukr-requester-1', '400 TITLE_CARRIES_MARK'],
    ['by somebody who is no requester', {}, 'ukr-desk-1', '403 NOT_A_REQUESTER'],
    ['by a requester of the nation that decides', {}, 'can-requester-1', '403 NOT_A_PARTY'],
  ])('%s opens no case', async (_, wish, by, refusal) => {
    const executions = scene.runtime.services.states.executions().length;
    expect(await refusalOf(scene.submit(wish, by))).toBe(refusal);
    await scene.runtime.settled();
    expect(scene.runtime.services.states.executions()).toHaveLength(executions);
  });
});

describe('a deposit', () => {
  test('takes no other bytes than were announced, and is not complete without them', async () => {
    const { caseId } = await scene.reach('UNDER_REVIEW');
    const desk = scene.as(scene.who.desk);
    const announced = Buffer.from('the announced bytes');
    const { depositId, upload } = await desk.openDeposit({
      params: { caseId },
      body: { digest: sha256(announced), length: announced.length },
    });
    const { ['content-length']: _length, ...headers } = upload?.headers ?? {};
    const other = await fetch(upload?.url ?? '', { method: 'PUT', headers, body: 'other bytes, as long' });
    expect(other.status).toBeGreaterThanOrEqual(400);
    expect(await refusalOf(desk.completeDeposit({ params: { caseId, depositId }, body: {} }))).toBe(
      '409 DEPOSIT_INCOMPLETE',
    );
    expect(await scene.objectsOf(caseId, 'deposits')).toEqual([]);
  });
});

describe('a proposal', () => {
  const put = async (seen: CaseView, by: string, document: object, rest: object = {}): Promise<CaseView> => {
    const depositId = await scene.deposit(seen.caseId, Buffer.from('EXERCISE'));
    const marking = { axis: 'protected' as const, mark: scene.mark };
    return scene.as(by).putProposal({
      params: { caseId: seen.caseId },
      body: {
        documents: [{ depositId, title: 'Annex', marking, pages: 1, ...document }],
        recipients: [{ personId: scene.who.recipient, keyFingerprint: await scene.fingerprintOf(scene.who.recipient) }],
        conditions: [],
        notAfter: new Date(scene.runtime.clock.now() + DAY).toISOString(),
        copies: 1,
        ...rest,
      },
    });
  };

  test.each([
    [
      'above the electronic ceiling',
      { marking: { axis: 'classified', mark: 'CONFIDENTIAL' } },
      '400 ABOVE_ELECTRONIC_CEILING',
    ],
    ["of a third party's information", { origin: 'NLD' }, '400 THIRD_PARTY_CONSENT_NEEDED'],
    ['of a deposit that is not there', { depositId: '0'.repeat(32) }, '409 DEPOSIT_INCOMPLETE'],
  ])('%s is refused and leaves nothing', async (_, change, refusal) => {
    const seen = await scene.read(untouched.caseId);
    expect(await refusalOf(put(seen, scene.who.desk, change))).toBe(refusal);
    expect((await scene.read(seen.caseId)).proposalDigest).toBe(seen.proposalDigest);
  });

  test('names only recipients of the request, with a key that their authority confirmed', async () => {
    const seen = await scene.read(untouched.caseId);
    const { desk, recipient, requester } = scene.who;
    const keyFingerprint = await scene.fingerprintOf(recipient);
    const naming = (personId: string, fingerprint: string) => ({
      recipients: [{ personId, keyFingerprint: fingerprint }],
    });
    expect(await refusalOf(put(seen, desk, {}, naming(requester, keyFingerprint)))).toBe('400 RECIPIENT_NOT_ASKED_FOR');
    expect(await refusalOf(put(seen, desk, {}, naming(recipient, sha256(Buffer.from('another')))))).toBe(
      '400 KEY_NOT_CONFIRMED',
    );
  });

  test('belongs to the desk officer', async () => {
    const seen = await scene.read(untouched.caseId);
    expect(await refusalOf(put(seen, scene.who.security, {}))).toBe('403 NOT_YOUR_PART');
    expect(await refusalOf(put(seen, scene.who.requester, {}))).toBe('403 NOT_YOUR_PART');
  });

  test('replaces the one before and voids its votes; the same put again changes nothing', async () => {
    const first = await scene.reach('PROPOSED');
    await scene.approve(first, scene.who.releasing);
    const second = await scene.propose(first.caseId, { copies: 1 });
    expect(second.proposalDigest).not.toBe(first.proposalDigest);
    expect([second.decisions, second.rolesMissing]).toEqual([[], ['releasing-officer', 'security-officer']]);
    expect(await refusalOf(scene.approve(first, scene.who.security))).toBe('412 PROPOSAL_CHANGED');
    const { documents = [], recipients = [], conditions = [], notBefore, notAfter = '' } = second.proposal ?? {};
    // Also when it says "at once" again: whoever lost the answer sends the same request.
    for (const window of [{ notBefore: notBefore ?? '' }, {}]) {
      const again = await scene.as(scene.who.desk).putProposal({
        params: { caseId: first.caseId },
        body: {
          documents: documents.map(({ depositId, title, marking: { axis, mark }, pages }) => ({
            depositId,
            title,
            marking: { axis, mark },
            pages,
          })),
          recipients,
          conditions,
          ...window,
          notAfter,
          copies: 1,
        },
      });
      expect([again.sequence, again.proposalDigest]).toEqual([second.sequence, second.proposalDigest]);
    }
    await scene.approve(second, scene.who.releasing);
    expect((await scene.approve(second, scene.who.security)).phase).toBe('AWAITING_ASSURANCE');
  });
});

describe('a decision', () => {
  const cast = (seen: CaseView, by: string, body: object = {}, digest = seen.proposalDigest ?? '') =>
    scene
      .as(by)
      .castDecision({ params: { caseId: seen.caseId }, proposalDigest: digest, body: { verdict: 'approve', ...body } });

  test('states the digest that was seen: without it 428, with another 412', async () => {
    const seen = await scene.read(untouched.caseId);
    const path = `/v1/cases/${seen.caseId}/decisions`;
    const decide = (headers: Record<string, string>) =>
      scene.raw(
        scene.who.releasing,
        'POST',
        path,
        { 'idempotency-key': 'decision-1', ...headers },
        '{"verdict":"approve"}',
      );
    const wrong: Record<string, string>[] = [{}, { 'if-match': '*' }, { 'if-match': seen.proposalDigest ?? '' }];
    for (const headers of wrong) {
      const answer = await decide(headers);
      expect([answer.status, JSON.parse(answer.text)]).toEqual([
        428,
        expect.objectContaining({ code: 'PROPOSAL_DIGEST_MISSING' }),
      ]);
    }
    expect(await refusalOf(cast(seen, scene.who.releasing, {}, sha256(Buffer.from('x'))))).toBe('412 PROPOSAL_CHANGED');
    expect(await sequenceOf(seen.caseId)).toBe(seen.sequence);
  });

  test.each([
    ['by the requester', 'ukr-requester-1', '403 NOT_YOUR_PART'],
    ['by the recipient, for whom there is no case yet', 'ukr-recipient-1', '404 NOT_FOUND'],
    ["by the recipient's authority", 'ukr-authority-1', '403 NOT_YOUR_PART'],
    ['by an approver of the other nation', 'ukr-releasing-1', '404 NOT_FOUND'],
    ['by the desk officer who prepared it', 'can-desk-1', '403 NOT_YOUR_PART'],
  ])('%s is refused', async (_, by, refusal) => {
    const seen = await scene.read(untouched.caseId);
    expect(await refusalOf(cast(seen, by))).toBe(refusal);
    expect(await sequenceOf(seen.caseId)).toBe(seen.sequence);
  });

  test('is not made twice by one person, also not in another role', async () => {
    const seen = await scene.reach('PROPOSED');
    await cast(seen, 'can-releasing-2', { role: 'releasing-officer' });
    expect(await refusalOf(cast(seen, 'can-releasing-2', { role: 'security-officer' }))).toBe('409 ALREADY_VOTED');
    const after = await scene.read(seen.caseId);
    expect([after.phase, after.rolesMissing]).toEqual(['UNDER_REVIEW', ['security-officer']]);
  });

  test('is not made by whoever prepared the proposal, and nothing asks them to', async () => {
    const { caseId } = await scene.reach('UNDER_REVIEW');
    const depositId = await scene.deposit(caseId, Buffer.from('EXERCISE'));
    const seen = await scene.as('can-releasing-2').putProposal({
      params: { caseId },
      body: {
        documents: [{ depositId, title: 'Annex', marking: { axis: 'protected', mark: scene.mark }, pages: 1 }],
        recipients: [{ personId: scene.who.recipient, keyFingerprint: await scene.fingerprintOf(scene.who.recipient) }],
        conditions: [],
        notAfter: new Date(scene.runtime.clock.now() + DAY).toISOString(),
        copies: 1,
      },
    });
    expect(await refusalOf(cast(seen, 'can-releasing-2'))).toBe('403 OWN_PROPOSAL');
    await scene.runtime.settled();
    const asked = scene.runtime.services.ses.outbox
      .list()
      .filter(({ text, subject }) => text?.includes(caseId) && /awaits your|attend votre/.test(subject))
      .flatMap(({ to }) => to);
    expect(asked.sort()).toEqual(
      ['can-releasing-1', 'can-security-1'].map((personId) => `${personId}@exercise.valiza.example`),
    );
  });

  test('needs a clearance, and no declared conflict, when it is made', async () => {
    const seen = await scene.reach('PROPOSED');
    await scene.change('can-releasing-2', { roles: BOTH, clearances: [] });
    expect(await refusalOf(cast(seen, 'can-releasing-2'))).toBe('403 NOT_CLEARED');
    await scene.change('can-releasing-2', { roles: BOTH, clearances: CLEARED, conflicts: [seen.requestingAgency] });
    expect(await refusalOf(cast(seen, 'can-releasing-2'))).toBe('403 CONFLICT_OF_INTEREST');
    await scene.change('can-releasing-2', { roles: BOTH, clearances: CLEARED, conflicts: [] });
    expect((await cast(seen, 'can-releasing-2')).decisions).toHaveLength(1);
  });

  test.each([
    ['to refuse without a ground', { verdict: 'refuse' }, '400 GROUND_UNKNOWN'],
    [
      'to refuse on a ground the agreement does not have',
      { verdict: 'refuse', ground: 'bad-mood' },
      '400 GROUND_UNKNOWN',
    ],
    ['to approve on a ground', { ground: 'not-held' }, '400 GROUND_WITHOUT_REFUSAL'],
  ])('%s is not one', async (_, body, refusal) => {
    const seen = await scene.read(untouched.caseId);
    expect(await refusalOf(cast(seen, scene.who.releasing, body))).toBe(refusal);
  });
});

describe('a refusal', () => {
  const refuse = async (ground: string): Promise<CaseView> => {
    const seen = await scene.reach('PROPOSED');
    await scene.approve(seen, scene.who.releasing);
    await scene.as(scene.who.security).castDecision({
      params: { caseId: seen.caseId },
      proposalDigest: seen.proposalDigest ?? '',
      body: { verdict: 'refuse', ground, note: 'An internal note.' },
    });
    return scene.waitFor(seen.caseId, 'REFUSED', scene.who.requester);
  };

  test('tells the requester a disclosable ground, in their language, and nothing of who, how many and why', async () => {
    const seen = await refuse('too-broad');
    expect(seen.outcome).toEqual({
      ended: 'REFUSED',
      statement: 'Запит надто широкий; звузьте його або вкажіть найважливіше.',
    });
    expect(JSON.stringify(seen)).not.toMatch(/internal note|can-|"decisions"|"proposal|deposit/);
    expect(seen.yourCommands).toEqual([]);
  });

  test('on a withheld ground answers exactly as for information that is not held', async () => {
    const [withheld, notHeld] = [await refuse('national-interest'), await refuse('not-held')];
    const own = ({ caseId, registerNumber, openedAt, changedAt, requestDigest, ...rest }: CaseView) => ({
      ...rest,
      lengths: [caseId, registerNumber, openedAt, changedAt, requestDigest].map((value) => value?.length),
    });
    expect(own(withheld)).toEqual(own(notHeld));
    expect(JSON.stringify(withheld)).not.toMatch(/national|interest|security/);
    const mailOf = ({ caseId }: CaseView) =>
      scene.runtime.services.ses.outbox
        .list()
        .filter(({ text }) => text?.includes(caseId))
        .map(({ to, subject, text }) => [...to, subject, ...(text?.split('\n') ?? [])].join('\n'))
        .map((mail) => mail.replaceAll(caseId, 'ID').replaceAll(caseId.slice(0, 8), 'ID'))
        .map((mail) => mail.replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d UTC \(.*\)/g, 'TIME'));
    await scene.runtime.settled();
    expect(mailOf(withheld)).toEqual(mailOf(notHeld));
    expect(mailOf(withheld).length).toBeGreaterThan(0);
    const filed = async (seen: CaseView) =>
      (await scene.as(scene.who.requester).readEvents({ params: { caseId: seen.caseId } })).events.map(
        ({ sequence, type, actor }) => ({ sequence, type, actor }),
      );
    expect(await filed(withheld)).toEqual(await filed(notHeld));
  });

  test('ends the case: the votes before it count for nothing, and the deposits are destroyed', async () => {
    const { caseId } = await refuse('need-not-shown');
    await scene.runtime.settled();
    expect(await scene.objectsOf(caseId, 'deposits')).toEqual([]);
    const after = await scene.read(caseId);
    expect([after.deposits, after.outcome?.ended]).toEqual([[], 'REFUSED']);
    expect(await refusalOf(scene.approve(after, 'can-releasing-2'))).toBe('409 PHASE_FORBIDS');
    expect(scene.statesEntered(caseId).map((states) => states.at(-1))).toEqual(['Refused']);
  });

  test('may be followed by a request that refers to it, and to no other', async () => {
    const { caseId } = await refuse('too-broad');
    const again = await scene.submit({ previousCase: caseId });
    expect(again.request.previousCase).toBe(caseId);
    expect(await refusalOf(scene.submit({ previousCase: '0'.repeat(32) }))).toBe('404 NOT_FOUND');
  });
});

describe('a clarification', () => {
  const ask = (caseId: string, by: string) =>
    scene.as(by).clarify({ params: { caseId }, body: { question: 'Which lot do you bid on?' } });
  const answer = (caseId: string, by: string, amendments = {}) =>
    scene.as(by).clarify({ params: { caseId }, body: { answer: 'The second lot.', amendments } });

  test('is asked by the originator and answered by the requester, and by nobody else', async () => {
    const { caseId } = await scene.reach('UNDER_REVIEW');
    expect(await refusalOf(ask(caseId, scene.who.requester))).toBe('403 NOT_YOUR_PART');
    expect(await refusalOf(answer(caseId, scene.who.requester))).toBe('409 PHASE_FORBIDS');
    await ask(caseId, scene.who.desk);
    expect(await refusalOf(ask(caseId, scene.who.desk))).toBe('409 PHASE_FORBIDS');
    expect(await refusalOf(answer(caseId, scene.who.desk))).toBe('403 NOT_YOUR_PART');
    expect(await refusalOf(answer(caseId, scene.who.recipientAuthority))).toBe('403 NOT_YOUR_PART');
    expect(await refusalOf(answer(caseId, scene.who.requester, { recipients: ['ukr-nobody-1'] }))).toBe(
      '400 RECIPIENT_UNKNOWN',
    );
  });

  test('stops the decision clock and voids proposal and votes', async () => {
    const before = await scene.reach('PROPOSED');
    const { caseId } = before;
    await scene.approve(before, scene.who.releasing);
    const asked = await ask(caseId, scene.who.security);
    expect(asked.phase).toBe('AWAITING_CLARIFICATION');
    expect(await refusalOf(scene.approve(before, scene.who.security))).toBe('409 PHASE_FORBIDS');
    expect(await refusalOf(scene.propose(caseId))).toBe('409 PHASE_FORBIDS');
    await scene.runtime.settled();
    await scene.runtime.clock.advance(2 * DAY);
    await answer(caseId, scene.who.requester, { title: 'Tender documents, second lot' });
    const after = await scene.waitFor(caseId, 'UNDER_REVIEW');
    expect([after.proposal, after.decisions, after.request.title]).toEqual([
      undefined,
      [],
      'Tender documents, second lot',
    ]);
    const [stop, ...others] = after.clock?.stops ?? [];
    expect(others).toEqual([]);
    const stood = Date.parse(stop?.to ?? '') - Date.parse(stop?.from ?? '');
    expect(stood).toBeGreaterThanOrEqual(2 * DAY);
    expect(Date.parse(after.dueAt ?? '') - Date.parse(before.dueAt ?? '')).toBe(stood);
    expect(after.questions).toEqual([expect.objectContaining({ answer: 'The second lot.' })]);
    expect(await refusalOf(scene.approve(before, scene.who.security))).toBe('412 PROPOSAL_CHANGED');
  });
});

describe('an assurance', () => {
  let approved: CaseView;
  beforeAll(async () => {
    approved = await scene.reach('AWAITING_ASSURANCE');
  });

  const assure = (
    seen: CaseView,
    by: string,
    verdict: 'give' | 'decline',
    proposalDigest = seen.proposalDigest ?? '',
  ) => scene.as(by).giveAssurance({ params: { caseId: seen.caseId }, body: { verdict, proposalDigest } });

  test.each([
    ['by the authority of the nation that decides', 'can-authority-1'],
    ['by the requester', 'ukr-requester-1'],
    ['by the recipient', 'ukr-recipient-1'],
  ])('%s is refused', async (_, by) => {
    const seen = await scene.read(approved.caseId);
    expect(await refusalOf(assure(seen, by, 'give'))).toBe('403 NOT_YOUR_PART');
    expect(await sequenceOf(seen.caseId)).toBe(seen.sequence);
  });

  test('is over the approved digest and no other', async () => {
    const seen = await scene.read(approved.caseId);
    expect(await refusalOf(assure(seen, scene.who.recipientAuthority, 'give', sha256(Buffer.from('x'))))).toBe(
      '412 PROPOSAL_CHANGED',
    );
  });

  test('that is declined ends the case: no package is ever made, and the deposits are destroyed', async () => {
    const seen = await scene.reach('AWAITING_ASSURANCE');
    await assure(seen, scene.who.recipientAuthority, 'decline');
    const after = await scene.waitFor(seen.caseId, 'LAPSED');
    expect([after.outcome?.statement, after.deposits]).toEqual(['assurance-declined', []]);
    expect(await scene.objectsOf(seen.caseId, 'deposits')).toEqual([]);
    expect(await scene.objectsOf(seen.caseId, 'packages')).toEqual([]);
  });
});

describe('a withdrawal', () => {
  const withdraw = (caseId: string, by = scene.who.requester) =>
    scene.as(by).withdrawRequest({ params: { caseId }, body: { reason: 'The solicitation was cancelled.' } });

  /** Looks that a withdrawn case ends with nothing left of what it held. */
  const nothingIsLeft = async (caseId: string): Promise<void> => {
    const after = await scene.waitFor(caseId, 'WITHDRAWN');
    await scene.runtime.settled();
    expect([after.outcome?.statement, (await scene.read(caseId)).deposits]).toEqual(['withdrawn', []]);
    for (const bucket of ['deposits', 'packages'] as const)
      expect([bucket, await scene.objectsOf(caseId, bucket)]).toEqual([bucket, []]);
  };

  test('is the requester’s alone, and too late once the release is open', async () => {
    const { caseId } = await scene.reach('UNDER_REVIEW');
    expect(await refusalOf(withdraw(caseId, scene.who.desk))).toBe('403 NOT_YOUR_PART');
    expect(await refusalOf(withdraw(caseId, scene.who.recipientAuthority))).toBe('403 NOT_YOUR_PART');
    const released = await scene.reach('RELEASED');
    expect(await refusalOf(withdraw(released.caseId))).toBe('409 PHASE_FORBIDS');
  });

  test.each(['PROPOSED', 'AWAITING_CLARIFICATION', 'AWAITING_ASSURANCE'] as const)(
    'in %s ends the case at once',
    async (phase) => {
      const { caseId } = await scene.reach(phase);
      expect((await withdraw(caseId)).phase).toBe('WITHDRAWN');
      await nothingIsLeft(caseId);
      expect(scene.statesEntered(caseId).map((states) => states.at(-1))).toEqual(['Withdrawn']);
    },
  );

  test('before the assessment ends the case', async () => {
    failing('assessrequestRole', 'dynamodb');
    const answer = await scene.raw(
      scene.who.requester,
      'POST',
      '/v1/cases',
      { 'idempotency-key': 'withdrawn-early' },
      JSON.stringify({
        agreementId: 'CAN-UKR-EXERCISE',
        purpose: 'tender',
        justification: 'To bid.',
        title: 'Tender documents',
        description: 'The tender file.',
        levelSought: { axis: 'protected', mark: scene.mark },
        recipients: [scene.who.recipient],
        language: 'en',
      }),
    );
    const { caseId, phase } = JSON.parse(answer.text) as CaseView; // what this route answers
    expect([answer.status, phase]).toEqual([201, 'SUBMITTED']);
    expect((await withdraw(caseId)).phase).toBe('WITHDRAWN');
    scene.runtime.faults.plan = undefined;
    await nothingIsLeft(caseId);
  });

  test.each([
    ['before the package is sealed', 'SealingRole', 's3'],
    ['once the package is sealed', 'openreleaseRole', 's3'],
  ])('during sealing, %s, destroys it first', async (_, role, service) => {
    failing(role, service);
    const seen = await scene.reach('AWAITING_ASSURANCE');
    const { caseId } = seen;
    await scene.assure(seen);
    await scene.runtime.settled();
    expect((await scene.read(caseId)).phase).toBe('SEALING');
    if (role === 'openreleaseRole') expect(await scene.objectsOf(caseId, 'packages')).toHaveLength(1);
    expect((await withdraw(caseId)).phase).toBe('CLOSING');
    scene.runtime.faults.plan = undefined;
    await scene.runtime.settled();
    await scene.runtime.clock.advance(HOUR);
    await nothingIsLeft(caseId);
    const { events } = await scene.as(scene.who.desk).readEvents({ params: { caseId } });
    const ends = events.map(({ type }) => type).slice(-2);
    expect(ends).toEqual(
      role === 'openreleaseRole' ? ['PackageDestroyed', 'CaseClosed'] : ['DepositsDestroyed', 'CaseClosed'],
    );
  });
});

test('a problem says what was wrong, what is allowed and what to do next', async () => {
  const seen = await scene.read(untouched.caseId);
  const problem = await problemOf(
    scene.as(scene.who.desk).recallRelease({ params: { caseId: seen.caseId }, body: { reason: 'x' } }),
  );
  expect(problem).toEqual({
    type: 'urn:valiza:problem:phase-forbids',
    title: 'The case stands elsewhere',
    status: 409,
    code: 'PHASE_FORBIDS',
    detail:
      'Recall is not possible while the case is UNDER_REVIEW. Possible for you now: SeekClarification, OpenDeposit, CompleteDeposit, PutProposal.',
    next: 'Read the case again and act on where it stands.',
    traceId: expect.stringMatching(/^[0-9a-f-]{36}$/),
  });
});

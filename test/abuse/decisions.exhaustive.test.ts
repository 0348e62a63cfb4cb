import type { CaseView } from '../../lambdas/contracts/api-answers.ts';
import {
  DAY,
  HOUR,
  MINUTE,
  openScene,
  problemOf,
  refusalOf,
  until,
  type RawAnswer,
  type Scene,
} from '../support/exchange.ts';
import { examined } from '../support/examined.ts';

let scene: Scene;
beforeAll(async () => {
  scene = await openScene();
}, 120_000);
afterEach(() => examined('attacks', 1));
afterAll(() => scene.close());

const vote = (by: string, seen: CaseView, idempotencyKey?: string, verdict: 'approve' | 'refuse' = 'approve') =>
  scene.as(by).castDecision({
    params: { caseId: seen.caseId },
    proposalDigest: seen.proposalDigest ?? '',
    body: verdict === 'approve' ? { verdict } : { verdict, ground: 'national-interest' },
    ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
  });
const withdraw = ({ caseId }: CaseView) =>
  scene.as('ukr-requester-1').withdrawRequest({ params: { caseId }, body: { reason: 'Not needed.' } });
const votesOf = async ({ caseId }: CaseView): Promise<string[]> =>
  ((await scene.read(caseId)).decisions ?? []).map(({ personId, verdict }) => `${personId} ${verdict}`);
const succeeded = (results: readonly PromiseSettledResult<unknown>[]): number =>
  results.filter(({ status }) => status === 'fulfilled').length;

describe('who may not decide', () => {
  let seen: CaseView;
  beforeAll(async () => {
    seen = await scene.reach('PROPOSED', { endsIn: 20 * DAY });
  });
  afterEach(async () => {
    expect(await votesOf(seen)).toEqual([]);
  });

  it.each<[string, string]>([
    ['ukr-requester-1', '403 NOT_YOUR_PART'],
    ['ukr-authority-1', '403 NOT_YOUR_PART'],
    ['ukr-releasing-1', '404 NOT_FOUND'],
    ['ukr-security-1', '404 NOT_FOUND'],
    ['can-desk-1', '403 NOT_YOUR_PART'],
    ['can-authority-1', '403 NOT_YOUR_PART'],
    ['can-directory-1', '404 NOT_FOUND'],
  ])('%s', async (personId, refusal) => {
    expect(await refusalOf(vote(personId, seen))).toBe(refusal);
  });

  it('whoever prepared the proposal, also as an approver by another account', async () => {
    const own = await scene.reach('PROPOSED');
    const subjects = ['can-desk-1', 'can-desk-1b'].map((name) => `https://exercise.valiza.example/can|${name}`);
    await scene.change('can-desk-1', { subjects, roles: ['desk-officer', 'releasing-officer'] });
    expect(await refusalOf(vote('can-desk-1b', own))).toBe('403 OWN_PROPOSAL');
    await scene.change('can-desk-1', { roles: ['desk-officer'] });
  });

  it('whoever has declared a conflict of interest', async () => {
    await scene.change('can-releasing-1', { conflicts: [seen.requestingAgency] });
    expect(await refusalOf(vote('can-releasing-1', seen))).toBe('403 CONFLICT_OF_INTEREST');
    await scene.change('can-releasing-1', { conflicts: [] });
  });

  it('whoever is no longer cleared', async () => {
    const { clearances } = {
      clearances: [{ axis: 'protected' as const, mark: 'PROTECTED B', validTo: '2040-01-01T00:00:00.000Z' as never }],
    };
    await scene.change('can-releasing-1', { clearances: [] });
    expect(await refusalOf(vote('can-releasing-1', seen))).toBe('403 NOT_CLEARED');
    await scene.change('can-releasing-1', { clearances });
  });

  it.each<[string, Record<string, string>, string]>([
    ['no digest', {}, '428 PROPOSAL_DIGEST_MISSING'],
    ['any digest', { 'if-match': '*' }, '428 PROPOSAL_DIGEST_MISSING'],
    [
      'a list of digests',
      { 'if-match': `"sha256:${'0'.repeat(64)}", "sha256:${'1'.repeat(64)}"` },
      '428 PROPOSAL_DIGEST_MISSING',
    ],
    ['a weak digest', { 'if-match': `W/"sha256:${'0'.repeat(64)}"` }, '428 PROPOSAL_DIGEST_MISSING'],
    ['another digest', { 'if-match': `"sha256:${'0'.repeat(64)}"` }, '412 PROPOSAL_CHANGED'],
    ['the digest in capitals', { 'if-match': `"sha256:${'A'.repeat(64)}"` }, '428 PROPOSAL_DIGEST_MISSING'],
  ])('whoever states %s', async (_, headers, refusal) => {
    const answer = await post('can-releasing-1', seen, 'decisions', { verdict: 'approve' }, headers);
    expect(codeOf(answer)).toBe(refusal);
  });
});

const post = (
  as: string,
  { caseId }: CaseView,
  what: string,
  body: object,
  headers: Record<string, string> = {},
): Promise<RawAnswer> =>
  scene.raw(
    as,
    'POST',
    `/v1/cases/${caseId}/${what}`,
    { 'idempotency-key': `decisions-${crypto.randomUUID()}`, ...headers },
    JSON.stringify(body),
  );
const codeOf = ({ status, text }: RawAnswer): string =>
  `${status} ${(JSON.parse(text) as { code?: string }).code ?? ''}`;

describe('one person, one vote', () => {
  it('of ten at once with keys of their own', async () => {
    const seen = await scene.reach('PROPOSED');
    const results = await Promise.allSettled(Array.from({ length: 10 }, () => vote('can-releasing-1', seen)));
    expect(succeeded(results)).toBe(1);
    expect(await votesOf(seen)).toEqual(['can-releasing-1 approve']);
  });

  it('of ten at once with one key, which all get the same answer', async () => {
    const seen = await scene.reach('PROPOSED');
    const key = `vote-${crypto.randomUUID()}`;
    const results = await Promise.allSettled(Array.from({ length: 10 }, () => vote('can-releasing-1', seen, key)));
    const answers = results.flatMap((result) => (result.status === 'fulfilled' ? [JSON.stringify(result.value)] : []));
    expect(new Set(answers).size).toBe(1);
    expect(answers.length).toBeGreaterThan(1);
    expect(await votesOf(seen)).toEqual(['can-releasing-1 approve']);
  });

  it('by two accounts, in two roles', async () => {
    const seen = await scene.reach('PROPOSED');
    const subjects = ['can-releasing-2', 'can-releasing-2b'].map(
      (name) => `https://exercise.valiza.example/can|${name}`,
    );
    await scene.change('can-releasing-2', { subjects, roles: ['releasing-officer', 'security-officer'] });
    await vote('can-releasing-2', seen);
    expect(await refusalOf(vote('can-releasing-2b', seen))).toBe('409 ALREADY_VOTED');
    const other = await post(
      'can-releasing-2b',
      seen,
      'decisions',
      { verdict: 'approve', role: 'security-officer' },
      { 'if-match': `"${seen.proposalDigest}"` },
    );
    expect(codeOf(other)).toBe('409 ALREADY_VOTED');
    expect((await scene.read(seen.caseId)).phase).toBe('UNDER_REVIEW');
    await scene.change('can-releasing-2', { roles: ['releasing-officer'] });
  });

  it('by two people of one role, where two roles are asked for', async () => {
    const seen = await scene.reach('PROPOSED');
    await vote('can-releasing-1', seen);
    await vote('can-releasing-2', seen).catch(() => undefined);
    expect((await scene.read(seen.caseId)).phase).toBe('UNDER_REVIEW');
    const role = await post(
      'can-releasing-2',
      seen,
      'decisions',
      { verdict: 'approve', role: 'security-officer' },
      { 'if-match': `"${seen.proposalDigest}"` },
    );
    expect(codeOf(role)).toMatch(/^(403 ROLE_NOT_NEEDED|409 ALREADY_VOTED)$/);
  });
});

describe('what was seen', () => {
  it('is what is decided: a proposal that was replaced takes no vote, and has lost those it had', async () => {
    const seen = await scene.reach('PROPOSED');
    await vote('can-releasing-1', seen);
    const swapped = await scene.propose(seen.caseId, { contents: [Buffer.from('EXERCISE other')] });
    expect(swapped.proposalDigest).not.toBe(seen.proposalDigest);
    expect(await votesOf(seen)).toEqual([]);
    expect(await refusalOf(vote('can-security-1', seen))).toBe('412 PROPOSAL_CHANGED');
    expect(await refusalOf(vote('can-releasing-1', seen))).toBe('412 PROPOSAL_CHANGED');
    expect((await scene.read(seen.caseId)).phase).toBe('UNDER_REVIEW');
  });

  it('is one of two when proposal and vote come at once: never a vote on what nobody saw', async () => {
    const seen = await scene.reach('PROPOSED');
    await vote('can-releasing-1', seen);
    const [swap, last] = await Promise.allSettled([
      scene.propose(seen.caseId, { contents: [Buffer.from('EXERCISE swapped')] }),
      vote('can-security-1', seen),
    ]);
    const after = await scene.read(seen.caseId);
    const decided = after.phase !== 'UNDER_REVIEW';
    expect(decided).toBe(last?.status === 'fulfilled');
    expect(decided ? after.proposalDigest : undefined).toBe(decided ? seen.proposalDigest : undefined);
    if (decided) expect(swap?.status).toBe('rejected');
    else expect(after.decisions).toEqual([]);
  });

  it('is void once the requester has answered a question', async () => {
    const seen = await scene.reach('PROPOSED');
    await vote('can-releasing-1', seen);
    const params = { caseId: seen.caseId };
    await scene.as('can-desk-1').clarify({ params, body: { question: 'Which lot?' } });
    expect(await refusalOf(vote('can-security-1', seen))).toBe('409 PHASE_FORBIDS');
    await scene.as('ukr-requester-1').clarify({ params, body: { answer: 'The first.' } });
    expect(await refusalOf(vote('can-security-1', seen))).toBe('412 PROPOSAL_CHANGED');
    expect(await votesOf(seen)).toEqual([]);
  });

  it('is what the assurance is over', async () => {
    const seen = await scene.reach('AWAITING_ASSURANCE');
    const give = (proposalDigest: string) =>
      scene
        .as('ukr-authority-1')
        .giveAssurance({ params: { caseId: seen.caseId }, body: { verdict: 'give', proposalDigest } });
    expect(await refusalOf(give(`sha256:${'0'.repeat(64)}`))).toBe('412 PROPOSAL_CHANGED');
    expect(
      await refusalOf(
        scene.as('can-authority-1').giveAssurance({
          params: { caseId: seen.caseId },
          body: { verdict: 'give', proposalDigest: seen.proposalDigest ?? '' },
        }),
      ),
    ).toBe('403 NOT_YOUR_PART');
    expect((await scene.read(seen.caseId)).phase).toBe('AWAITING_ASSURANCE');
  });
});

describe('an approver who loses the role after the vote', () => {
  it('is not counted when the release is to open: nothing opens, and the package is destroyed', async () => {
    const seen = await scene.reach('AWAITING_ASSURANCE');
    await scene.change('can-security-1', { roles: [] });
    await scene.assure(seen);
    const closed = await scene.waitFor(seen.caseId, 'CLOSED');
    expect(closed.outcome?.statement).toBe('quorum-lost');
    expect(closed.release).toBeUndefined();
    expect(await scene.objectsOf(seen.caseId, 'packages')).toEqual([]);
    expect(await scene.objectsOf(seen.caseId, 'deposits')).toEqual([]);
    await scene.change('can-security-1', { roles: ['security-officer'] });
  });

  it('is not the first of the two who resume', async () => {
    const seen = await scene.reach('SUSPENDED');
    const resume = (by: string) => scene.as(by).resumeRelease({ params: { caseId: seen.caseId } });
    await resume('can-releasing-2');
    await scene.change('can-releasing-2', { roles: [] });
    expect((await resume('can-authority-1')).phase).toBe('SUSPENDED'); // now the first
    expect((await resume('can-releasing-1')).phase).toBe('RELEASED');
    await scene.change('can-releasing-2', { roles: ['releasing-officer'] });
  });

  it('is not the second of them by asking twice, nor at once', async () => {
    const seen = await scene.reach('SUSPENDED');
    const resume = () => scene.as('can-releasing-2').resumeRelease({ params: { caseId: seen.caseId } });
    await Promise.allSettled(Array.from({ length: 6 }, resume));
    expect((await scene.read(seen.caseId)).phase).toBe('SUSPENDED');
    expect(await refusalOf(resume())).toBe('409 SECOND_PERSON_NEEDED');
  });
});

describe('acts at once', () => {
  const settle = async (acts: (() => Promise<unknown>)[]): Promise<PromiseSettledResult<unknown>[]> =>
    Promise.allSettled(acts.map((act) => act()));

  it.each(['can-security-1 first', 'withdrawal first'])('approve and withdraw: one end, %s', async (order) => {
    const seen = await scene.reach('PROPOSED');
    await vote('can-releasing-1', seen);
    const acts = [() => vote('can-security-1', seen), () => withdraw(seen)];
    await settle(order.startsWith('can') ? acts : acts.reverse());
    const { phase } = await scene.read(seen.caseId);
    expect(phase).toBe('WITHDRAWN'); // a withdrawal is possible before and after the vote
  });

  it('approve and refuse: what is recorded first wins, and the other is not recorded', async () => {
    const seen = await scene.reach('PROPOSED');
    await vote('can-releasing-1', seen);
    const results = await settle([
      () => vote('can-security-1', seen),
      () => vote('can-releasing-2', seen, undefined, 'refuse'),
    ]);
    const after = await scene.read(seen.caseId);
    expect(['AWAITING_ASSURANCE', 'REFUSED']).toContain(after.phase);
    expect(after.decisions).toHaveLength(1 + succeeded(results));
    expect(after.decisions?.some(({ verdict }) => verdict === 'refuse')).toBe(after.phase === 'REFUSED');
  });

  it('votes and the end of the clock, at its very instant: what comes at it is too late', async () => {
    const seen = await scene.reach('PROPOSED', { endsIn: 60 * DAY });
    await vote('can-releasing-1', seen);
    const dueAt = async (): Promise<number> => Date.parse((await scene.read(seen.caseId)).dueAt ?? '');
    const first = await dueAt();
    await scene.runtime.settled();
    await scene.runtime.clock.advanceTo(first);
    // Escalated once; the next end is the end.
    const due = await until('the decision was escalated', async () => ((await dueAt()) > first ? dueAt() : undefined));
    await scene.runtime.clock.advanceTo(due - 50);
    const [, ...late] = await settle([
      () => scene.runtime.clock.advanceTo(due),
      ...['can-security-1', 'can-security-1', 'can-security-1'].map((by) => () => vote(by, seen)),
    ]);
    await refusalOf(vote('can-security-1', seen));
    await scene.runtime.settled();
    const { events } = await scene.as('can-desk-1').readEvents({ params: { caseId: seen.caseId } });
    const votes = events.filter(({ type }) => type === 'DecisionCast');
    const after = await scene.read(seen.caseId);
    expect(votes).toHaveLength(1 + succeeded(late));
    expect(votes.every(({ at }) => Date.parse(at) < due)).toBe(true);
    expect(after.phase).toBe(votes.length === 2 ? 'AWAITING_ASSURANCE' : 'LAPSED');
  });

  it('recall and open: once recalled, nothing opens', async () => {
    const seen = await scene.reach('RELEASED', { copies: 50 });
    const params = { caseId: seen.caseId };
    const open = () => scene.as('ukr-recipient-1').grantAccess({ params, body: {} });
    const recall = () => scene.as('can-authority-1').recallRelease({ params, body: { reason: 'A mistake.' } });
    await Promise.allSettled([open(), open(), recall(), open(), open()]);
    await refusalOf(open());
    const { events } = await scene.as('can-desk-1').readEvents({ params });
    const types = events.map(({ type }) => type);
    expect(types.indexOf('ReleaseRecalled')).toBeGreaterThan(0);
    expect(types.lastIndexOf('AccessGranted')).toBeLessThan(types.indexOf('ReleaseRecalled'));
    expect((await scene.waitFor(seen.caseId, 'CLOSED')).outcome?.statement).toBe('recalled');
  });
});

describe('an idempotency key', () => {
  const key = (): string => `reused-${crypto.randomUUID()}`;

  it.each(['', 'short', 'x'.repeat(81), 'with space', 'ключ-ключ', '"quoted-key"', '../../etc/passwd', 'PEOPLE#CAN'])(
    'of the form %j is refused',
    async (text) => {
      const seen = await scene.submit();
      const headers = { 'idempotency-key': encodeURI(text) };
      expect(codeOf(await post('can-desk-1', seen, 'clarifications', { question: 'Which?' }, headers))).toBe(
        '400 IDEMPOTENCY_KEY',
      );
    },
  );

  it('used for another body, or another If-Match, is refused and nothing is done', async () => {
    const seen = await scene.reach('PROPOSED');
    const used = { 'idempotency-key': key() };
    const match = { 'if-match': `"${seen.proposalDigest}"` };
    expect(
      (await post('can-releasing-1', seen, 'decisions', { verdict: 'approve' }, { ...used, ...match })).status,
    ).toBe(201);
    expect(
      codeOf(
        await post('can-releasing-1', seen, 'decisions', { verdict: 'approve', note: 'Yes.' }, { ...used, ...match }),
      ),
    ).toBe('422 IDEMPOTENCY_KEY_REUSED');
    expect(
      codeOf(
        await post(
          'can-releasing-1',
          seen,
          'decisions',
          { verdict: 'approve' },
          { ...used, 'if-match': `"sha256:${'0'.repeat(64)}"` },
        ),
      ),
    ).toBe('422 IDEMPOTENCY_KEY_REUSED');
    expect(await votesOf(seen)).toEqual(['can-releasing-1 approve']);
  });

  it('is its person’s, its route’s and its case’s own', async () => {
    const [one, other] = [await scene.reach('PROPOSED'), await scene.reach('PROPOSED')];
    const used = key();
    await vote('can-releasing-1', one, used);
    await vote('can-releasing-1', other, used);
    await vote('can-security-1', one, used);
    expect([await votesOf(one), await votesOf(other)]).toEqual([
      ['can-releasing-1 approve', 'can-security-1 approve'],
      ['can-releasing-1 approve'],
    ]);
  });

  it('of what was refused may be used again, and answers for what then was done', async () => {
    const seen = await scene.reach('PROPOSED');
    const used = key();
    await scene.change('can-releasing-1', { conflicts: [seen.requestingAgency] });
    expect(await refusalOf(vote('can-releasing-1', seen, used))).toBe('403 CONFLICT_OF_INTEREST');
    await scene.change('can-releasing-1', { conflicts: [] });
    expect((await vote('can-releasing-1', seen, used)).decisions).toHaveLength(1);
    expect(await votesOf(seen)).toEqual(['can-releasing-1 approve']);
  });

  it('shows nothing to whoever has lost the right to see', async () => {
    const seen = await scene.submit();
    const used = key();
    const ask = () =>
      scene
        .as('can-desk-1')
        .clarify({ params: { caseId: seen.caseId }, body: { question: 'Which lot?' }, idempotencyKey: used });
    await ask();
    await scene.change('can-desk-1', { roles: ['requester'] });
    expect((await problemOf(ask())).status).toBe(404);
    await scene.change('can-desk-1', { roles: ['desk-officer'] });
  });

  it('makes one case, of ten at once', async () => {
    const before = await scene.as('ukr-requester-1').listCases({ query: { view: 'own', limit: '50' } });
    const used = key();
    const body = {
      agreementId: 'CAN-UKR-EXERCISE',
      purpose: 'tender',
      justification: 'To bid.',
      title: 'Tender documents',
      description: 'The tender file.',
      levelSought: { axis: 'protected' as const, mark: 'PROTECTED A' },
      recipients: ['ukr-recipient-1'],
      language: 'en' as const,
    };
    const results = await Promise.allSettled(
      Array.from({ length: 10 }, () => scene.as('ukr-requester-1').submitRequest({ body, idempotencyKey: used })),
    );
    const ids = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value.caseId] : []));
    expect([ids.length, new Set(ids).size]).toEqual([10, 1]);
    const after = await scene.as('ukr-requester-1').listCases({ query: { view: 'own', limit: '50' } });
    expect(after.cases.length).toBe(Math.min(before.cases.length + 1, 50));
  });
});

it('a window that ends while votes are missing takes no more of them', async () => {
  const seen = await scene.reach('PROPOSED', { endsIn: HOUR });
  await scene.runtime.settled();
  await scene.runtime.clock.advance(HOUR + MINUTE);
  expect(await refusalOf(vote('can-releasing-1', seen))).toBe('409 DEADLINE_PASSED');
});

import type { CaseView } from '../../lambdas/contracts/api-answers.ts';
import { openScene, type RawAnswer, type Scene } from '../support/exchange.ts';
import { examined } from '../support/examined.ts';

jest.setTimeout(120_000);

/** A second requester of the first one's agency. */
const COLLEAGUE = 'ukr-recipient-1';

let scene: Scene;

beforeAll(async () => {
  scene = await openScene();
  await scene.change(COLLEAGUE, { roles: ['requester'] });
});
afterEach(() => {
  scene.runtime.faults.plan = undefined;
});
afterEach(() => examined('repetition', 1));
afterAll(() => scene.close());

const request = (title: string): string =>
  JSON.stringify({
    agreementId: 'CAN-UKR-EXERCISE',
    purpose: 'tender',
    justification: 'To bid.',
    title,
    description: 'The tender file.',
    levelSought: { axis: 'protected', mark: scene.mark },
    recipients: [scene.who.recipient],
    language: 'en',
  });

const post = (by: string, path: string, body: string, headers: Record<string, string>): Promise<RawAnswer> =>
  scene.raw(by, 'POST', path, headers, body);

const submit = (title: string, key: string, by = scene.who.requester): Promise<RawAnswer> =>
  post(by, '/v1/cases', request(title), { 'idempotency-key': key });

const codeOf = ({ status, text }: RawAnswer): string => `${status} ${(JSON.parse(text) as { code?: string }).code}`; // a problem has one

/** What of an answer is the same however often it is given. */
const lasting = ({ status, text, headers }: RawAnswer): string =>
  JSON.stringify([status, headers.get('location'), headers.get('etag'), text]);

const times = <T>(count: number, act: (index: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => act(index)));

const casesTitled = async (title: string): Promise<number> =>
  (await scene.as(scene.who.requester).listCases({ query: { limit: '50' } })).cases.filter((row) => row.title === title)
    .length;

describe('an idempotency key', () => {
  test.each([
    ['that is missing', {}],
    ['that is too short', { 'idempotency-key': 'short' }],
    ['that is too long', { 'idempotency-key': 'x'.repeat(81) }],
    ['of other characters', { 'idempotency-key': 'with spaces in it' }],
  ])('%s is asked for, and nothing is done', async (name, headers) => {
    const answer = await post(
      scene.who.requester,
      '/v1/cases',
      request(`Key ${name}`),
      headers as Record<string, string>,
    );
    expect(codeOf(answer)).toBe('400 IDEMPOTENCY_KEY');
    expect(await casesTitled(`Key ${name}`)).toBe(0);
  });

  test('that was used for another request is refused', async () => {
    expect((await submit('The first', 'used-once')).status).toBe(201);
    expect(codeOf(await submit('The second', 'used-once'))).toBe('422 IDEMPOTENCY_KEY_REUSED');
    expect(await casesTitled('The second')).toBe(0);
  });

  test('is the caller’s own: the same text of somebody else is another key', async () => {
    const [mine, theirs] = [
      await submit('Shared', 'the-same-text'),
      await submit('Shared', 'the-same-text', COLLEAGUE),
    ];
    expect([mine.status, theirs.status]).toEqual([201, 201]);
    expect(mine.headers.get('location')).not.toBe(theirs.headers.get('location'));
  });

  test('is also of the path: the same text for another case is another key', async () => {
    const [one, other] = [await scene.reach('UNDER_REVIEW'), await scene.reach('UNDER_REVIEW')];
    const ask = ({ caseId }: CaseView) =>
      post(scene.who.desk, `/v1/cases/${caseId}/clarifications`, '{"question":"Which lot?"}', {
        'idempotency-key': 'asked-of-both',
      });
    expect([(await ask(one)).status, (await ask(other)).status]).toEqual([201, 201]);
  });

  test('of a request that was refused may be used for the corrected one', async () => {
    expect(codeOf(await submit('The secret annex', 'corrected'))).toBe('400 TITLE_CARRIES_MARK');
    expect((await submit('The annex', 'corrected')).status).toBe(201);
  });
});

describe('the same request', () => {
  test('sent fifty times at once opens one case, and is answered fifty times the same', async () => {
    const answers = await times(50, () => submit('Fifty at once', 'fifty-at-once'));
    expect(new Set(answers.map(lasting)).size).toBe(1);
    expect(answers[0]?.status).toBe(201);
    expect(await casesTitled('Fifty at once')).toBe(1);
    await scene.runtime.settled();
    // And later, when the case has moved on.
    const later = await submit('Fifty at once', 'fifty-at-once');
    expect(lasting(later)).toBe(lasting(answers[0] as RawAnswer)); // there are fifty
    const { caseId, phase } = JSON.parse(later.text) as CaseView; // what this route answers
    expect([phase, (await scene.read(caseId)).phase]).toEqual(['SUBMITTED', 'UNDER_REVIEW']);
    expect(scene.statesEntered(caseId)).toHaveLength(1);
  });

  test('is one act also where its answer was lost', async () => {
    let lost = 0;
    scene.runtime.faults.plan = ({ caller, operation, moment }) =>
      caller.includes('apiRole') && operation === 'TransactWriteItems' && moment === 'after' && lost++ === 0
        ? 'cut'
        : undefined;
    const first = await submit('Lost answer', 'lost-answer');
    const second = await submit('Lost answer', 'lost-answer');
    expect(lost).toBeGreaterThan(0);
    expect([201, 409, 500, 503]).toContain(first.status);
    expect(second.status).toBe(201);
    expect(await casesTitled('Lost answer')).toBe(1);
  });

  test('to decide counts as one vote', async () => {
    const seen = await scene.reach('PROPOSED');
    const path = `/v1/cases/${seen.caseId}/decisions`;
    const headers = { 'idempotency-key': 'one-vote-only', 'if-match': `"${seen.proposalDigest}"` };
    const answers = await times(20, () => post(scene.who.releasing, path, '{"verdict":"approve"}', headers));
    expect(new Set(answers.map(lasting)).size).toBe(1);
    const after = await scene.read(seen.caseId);
    expect([after.sequence, after.decisions?.length]).toEqual([seen.sequence + 1, 1]);
    // Another verdict under the same key is another request.
    expect(codeOf(await post(scene.who.releasing, path, '{"verdict":"refuse","ground":"too-broad"}', headers))).toBe(
      '422 IDEMPOTENCY_KEY_REUSED',
    );
    const other = { ...headers, 'if-match': `"sha256:${'0'.repeat(64)}"` };
    expect(codeOf(await post(scene.who.releasing, path, '{"verdict":"approve"}', other))).toBe(
      '422 IDEMPOTENCY_KEY_REUSED',
    );
  });

  test('to open a deposit gives the same deposit', async () => {
    const seen = await scene.reach('UNDER_REVIEW');
    const body = JSON.stringify({ digest: `sha256:${'0'.repeat(64)}`, length: 8 });
    const answers = await times(10, () =>
      post(scene.who.desk, `/v1/cases/${seen.caseId}/deposits`, body, { 'idempotency-key': 'one-deposit' }),
    );
    const ids = answers.map(({ text }) => (JSON.parse(text) as { depositId?: string }).depositId); // what this route answers
    expect([new Set(ids).size, (await scene.read(seen.caseId)).deposits?.length]).toEqual([1, 1]);
    // Also after another one was opened.
    await scene.deposit(seen.caseId, Buffer.from('another'));
    const later = await post(scene.who.desk, `/v1/cases/${seen.caseId}/deposits`, body, {
      'idempotency-key': 'one-deposit',
    });
    expect(JSON.parse(later.text)).toMatchObject({ depositId: ids[0] });
  });

  test('to withdraw is answered alike when there is nothing left to withdraw', async () => {
    const seen = await scene.reach('UNDER_REVIEW');
    const withdraw = () =>
      post(scene.who.requester, `/v1/cases/${seen.caseId}/withdrawal`, '{"reason":"Cancelled."}', {
        'idempotency-key': 'withdrawn-once',
      });
    const first = await withdraw();
    expect(first.status).toBe(201);
    await scene.runtime.settled();
    expect(lasting(await withdraw())).toBe(lasting(first));
  });

  test('without the person who sent it any more is refused like any other', async () => {
    const first = await submit('Of one who left', 'one-who-left', COLLEAGUE);
    expect(first.status).toBe(201);
    await scene.change(COLLEAGUE, { roles: [] });
    expect(codeOf(await submit('Of one who left', 'one-who-left', COLLEAGUE))).toBe('404 NOT_FOUND');
    await scene.change(COLLEAGUE, { roles: ['requester'] });
    expect(lasting(await submit('Of one who left', 'one-who-left', COLLEAGUE))).toBe(lasting(first));
  });
});

test('twenty different votes at once are twenty answers, and the quorum is counted once', async () => {
  const seen = await scene.reach('PROPOSED');
  const path = `/v1/cases/${seen.caseId}/decisions`;
  const voters = [scene.who.releasing, scene.who.releasing2, scene.who.security];
  const answers = await times(21, async (index) =>
    post(voters[index % 3] ?? '', path, '{"verdict":"approve"}', {
      'idempotency-key': `different-${index}`,
      'if-match': `"${seen.proposalDigest}"`,
    }),
  );
  const accepted = answers.filter(({ status }) => status === 201);
  const { events } = await scene.as(scene.who.desk).readEvents({ params: { caseId: seen.caseId } });
  const votes = events.filter(({ type }) => type === 'DecisionCast');
  expect(votes).toHaveLength(accepted.length);
  expect(votes.filter(({ payload }) => payload?.['outcome'] === 'approved')).toHaveLength(1);
  expect((await scene.read(seen.caseId)).phase).toBe('AWAITING_ASSURANCE');
  for (const answer of answers.filter(({ status }) => status !== 201))
    expect(['409 ALREADY_VOTED', '409 PHASE_FORBIDS', '409 CHANGED_MEANWHILE']).toContain(codeOf(answer));
});

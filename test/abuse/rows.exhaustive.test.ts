import { PEOPLE } from '../../examples/exercise/people.ts';
import { asProposed } from '../../bin/client/directory-entries.ts';
import type { CaseView } from '../../lambdas/contracts/api-answers.ts';
import type { BodyOf } from '../../lambdas/contracts/routes.ts';
import { examined } from '../support/examined.ts';
import { HOUR, openScene, type RawAnswer, type Scene } from '../support/exchange.ts';
import { keptBy } from '../support/kept.ts';

jest.setTimeout(120_000);

let scene: Scene;
beforeAll(async () => {
  scene = await openScene();
}, 120_000);
afterAll(() => scene.close());
afterEach(() => examined('input', 1));

type Submission = BodyOf<'submitRequest'>;

/** A request that would be accepted. */
const request = (wish: Partial<Submission> = {}): string =>
  JSON.stringify({
    agreementId: 'CAN-UKR-EXERCISE',
    purpose: 'tender',
    justification: 'To bid.',
    title: 'Tender documents',
    description: 'The tender file.',
    levelSought: { axis: 'protected', mark: 'PROTECTED A' },
    recipients: ['ukr-recipient-1'],
    language: 'en',
    ...wish,
  } satisfies Submission);

const post = (as: string, path: string, body: string, headers: Record<string, string> = {}): Promise<RawAnswer> =>
  scene.raw(as, 'POST', path, { 'idempotency-key': `rows-${crypto.randomUUID()}`, ...headers }, body);
const codeOf = ({ status, text }: RawAnswer): string =>
  `${status} ${(JSON.parse(text) as { code?: string }).code ?? ''}`;
const caseIn = ({ text }: RawAnswer): CaseView => JSON.parse(text) as CaseView;
const logged = (): string[] => scene.runtime.services.lambda.logs().map(({ message }) => message);

/** What is refused leaves everything as it was. */
async function refused(answer: () => Promise<RawAnswer>): Promise<string> {
  await scene.runtime.settled();
  const before = await keptBy(scene);
  const code = codeOf(await answer());
  expect(await keptBy(scene)).toBe(before);
  return code;
}

describe('row 9: another agency’s case', () => {
  it('is answered as one that does not exist, and only the log tells the two apart', async () => {
    const { caseId } = await scene.submit();
    const asked = async (id: string) => {
      const from = logged().length;
      const answer = await scene.raw('ukr-desk-1', 'GET', `/v1/cases/${id}`);
      const { traceId, ...problem } = JSON.parse(answer.text) as { traceId: string };
      return { status: answer.status, problem, traceId, lines: logged().slice(from) };
    };
    const [theirs, nobodys] = [await asked(caseId), await asked('f'.repeat(32))];
    expect([theirs.status, theirs.problem]).toEqual([nobodys.status, nobodys.problem]);
    const saying = (lines: readonly string[], ...texts: string[]) =>
      lines.filter((line) => texts.every((text) => line.includes(text)));
    expect(saying(theirs.lines, '"CASE_OUT_OF_SIGHT"', caseId, theirs.traceId)).toHaveLength(1);
    expect(saying(nobodys.lines, '"CASE_OUT_OF_SIGHT"')).toEqual([]);
    for (const { lines, traceId } of [theirs, nobodys]) {
      expect(saying(lines, '"API_PROBLEM"', '"reason":"NOT_FOUND"', traceId)).toHaveLength(1);
    }
  });
});

describe('row 17: an agency’s reference', () => {
  it('is the same however its letters are composed, and stands for one open request', async () => {
    const reference = 'Запит № 7, Їжак, Été';
    const first = await post('ukr-requester-1', '/v1/cases', request({ reference }));
    expect(caseIn(first).request.reference).toBe(reference.normalize('NFC'));
    await scene.runtime.settled();
    for (const form of ['NFC', 'NFD'] as const) {
      const again = () => post('ukr-requester-1', '/v1/cases', request({ reference: reference.normalize(form) }));
      expect(await refused(again)).toBe('409 REFERENCE_IN_USE');
    }
    const { caseId } = caseIn(first);
    await post('ukr-requester-1', `/v1/cases/${caseId}/withdrawal`, '{"reason":"Cancelled."}');
    const later = await post(
      'ukr-requester-1',
      '/v1/cases',
      request({ reference: reference.normalize('NFD'), previousCase: caseId }),
    );
    expect([later.status, caseIn(later).request.reference]).toEqual([201, reference.normalize('NFC')]);
  });

  it('of ten requests at once is taken by one', async () => {
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => post('ukr-requester-1', '/v1/cases', request({ reference: 'At once' }))),
    );
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(new Set(answers.filter(({ status }) => status !== 201).map(({ status }) => status))).toEqual(new Set([409]));
  });

  it('is each agency’s own', async () => {
    await scene.change('ukr-security-1', { roles: ['requester'] });
    const answers = [
      await post('ukr-requester-1', '/v1/cases', request({ reference: 'Ours' })),
      await post('ukr-security-1', '/v1/cases', request({ reference: 'Ours' })),
    ];
    expect(answers.map(({ status }) => status)).toEqual([201, 201]);
  });
});

/** Each: what is asked for, and the rules of the agreement that say no. It gets a case, because the agreement decides it (domain.md §2). */
it.each<[string, Partial<Submission>, string[]]>([
  [
    'row 19: a level that the agreement does not know',
    { levelSought: { axis: 'classified', mark: 'COSMIC' } },
    ['D1', 'D4'],
  ],
  ['row 19: the other nation’s level', { levelSought: { axis: 'classified', mark: 'Таємно' } }, ['D1', 'D4']],
  ['row 19: a level in other letters', { levelSought: { axis: 'protected', mark: 'PROTECTED А' } }, ['D1', 'D4']],
  ['row 19: a level in small letters', { levelSought: { axis: 'protected', mark: 'protected a' } }, ['D1', 'D4']],
  ['row 19: a level of another axis', { levelSought: { axis: 'classified', mark: 'PROTECTED A' } }, ['D1', 'D4']],
  ['row 19: an unknown caveat', { levelSought: { axis: 'handling', mark: 'EYES ONLY' } }, ['D1', 'D4']],
  ['row 20: under an agreement that is not in force', { agreementId: 'CAN-UKR' }, ['A1']],
  ['row 21: for a purpose that is none of the agreement', { purpose: 'curiosity' }, ['C1']],
  ['row 21: for a purpose that an object has', { purpose: 'constructor' }, ['C1']],
])('%s is inadmissible by rule', async (_, wish, rules) => {
  const answer = await post('ukr-requester-1', '/v1/cases', request(wish));
  expect(answer.status).toBe(201);
  const seen = await scene.waitFor(caseIn(answer).caseId, 'INADMISSIBLE', 'ukr-requester-1');
  expect(seen.failedChecks.map(({ rule }) => rule)).toEqual(expect.arrayContaining(rules));
  expect(seen.yourCommands).toEqual([]);
});

it('row 20: a requester of a nation that is not the asking party is refused', async () => {
  expect(await refused(() => post('can-requester-1', '/v1/cases', request({ recipients: ['can-recipient-1'] })))).toBe(
    '403 NOT_A_PARTY',
  );
});

it('row 19: a document’s mark is one of the agreement’s, letter by letter', async () => {
  const { caseId } = await scene.reach('UNDER_REVIEW');
  const depositId = await scene.deposit(caseId, Buffer.from('EXERCISE'));
  const keyFingerprint = await scene.fingerprintOf('ukr-recipient-1');
  for (const [axis, mark] of [
    ['protected', 'PROTECTED А'],
    ['protected', 'protected a'],
    ['protected', 'PROTECTED  A'],
    ['protected', 'PROTECTED'],
    ['protected', 'PROTECTED C'],
    ['protected', '__proto__'],
    ['protected', 'Для службового користування'],
    ['protected', 'SECRET'],
    ['classified', 'PROTECTED A'],
    // One of the agreement's, and above what may travel electronically.
    ['classified', 'SECRET'],
    ['classified', 'TOP SECRET'],
  ]) {
    const body = JSON.stringify({
      documents: [{ depositId, title: 'One', marking: { axis, mark }, pages: 1 }],
      recipients: [{ personId: 'ukr-recipient-1', keyFingerprint }],
      conditions: [],
      notAfter: new Date(scene.runtime.clock.now() + HOUR).toISOString(),
      copies: 1,
    });
    const put = () => scene.raw('can-desk-1', 'PUT', `/v1/cases/${caseId}/proposal`, {}, body);
    expect([mark, await refused(put)]).toEqual([mark, '400 ABOVE_ELECTRONIC_CEILING']);
  }
});

describe('row 22: text that programs take for more', () => {
  const TEXTS = [
    `=cmd|' /C calc'!A0`,
    '<script>alert(1)</script><img src=x onerror=alert(1)>',
    '(a+)+$',
    '${7*7}{{7*7}}#{7*7}',
    `'; DROP TABLE cases; --`,
    '%s%n%x',
    '+1+1',
    '@SUM(1)',
  ];

  it.each(TEXTS)('%s is kept as it is, and is in no mail and on no page', async (text) => {
    const { caseId } = await scene.submit({ title: text, description: text, justification: text });
    const { request: kept } = await scene.read(caseId);
    expect([kept.title, kept.description, kept.justification]).toEqual([text, text, text]);
    const { title } =
      (await scene.as('can-desk-1').listCases({ query: { limit: '50' } })).cases.find((row) => row.caseId === caseId) ??
      {};
    expect(title).toBe(text);
    for (const page of ['/_local/outbox', '/_local/executions']) {
      expect(await (await fetch(scene.runtime.url + page)).text()).not.toContain(text);
    }
    expect(scene.runtime.services.ses.outbox.toJson()).not.toContain(JSON.stringify(text).slice(1, -1));
  });
});

describe('rows 23 to 26: the same again', () => {
  it('row 23: the same key and body fifty times at once is one request, answered fifty times alike', async () => {
    const key = { 'idempotency-key': 'fifty-times-the-same' };
    const body = request({ title: 'Fifty times' });
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => post('ukr-requester-1', '/v1/cases', body, key)),
    );
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
    const own = await scene.as('ukr-requester-1').listCases({ query: { view: 'own', limit: '50' } });
    expect(own.cases.filter(({ title }) => title === 'Fifty times')).toHaveLength(1);
    // And hours later, when the case has moved on, the answer is still what it was.
    await scene.runtime.clock.advance(5 * HOUR);
    const later = await post('ukr-requester-1', '/v1/cases', body, key);
    expect(later.text).toBe(answers[0]?.text);
  });

  it('row 24: the same key with another body is refused', async () => {
    const key = { 'idempotency-key': 'one-key-two-bodies' };
    expect((await post('ukr-requester-1', '/v1/cases', request(), key)).status).toBe(201);
    const other = () => post('ukr-requester-1', '/v1/cases', request({ title: 'Other documents' }), key);
    expect(await refused(other)).toBe('422 IDEMPOTENCY_KEY_REUSED');
  });

  it('row 25: the same key of another nation is another key', async () => {
    const made = await Promise.all(
      ['can', 'ukr'].map(async (nation) => {
        const person = PEOPLE.find(({ personId }) => personId === `${nation}-desk-1`);
        if (person === undefined) throw new Error('The exercise has no such person.');
        const body = JSON.stringify({ person: asProposed(person) });
        return post(`${nation}-directory-1`, '/v1/directory/changes', body, { 'idempotency-key': 'of-both-nations' });
      }),
    );
    expect(made.map(({ status }) => status)).toEqual([201, 201]);
    expect(new Set(made.map(({ text }) => (JSON.parse(text) as { changeId: string }).changeId)).size).toBe(2);
  });

  it('row 26: a decision that is sent again is one vote', async () => {
    const { caseId, proposalDigest } = await scene.reach('PROPOSED');
    const vote = (key: string) =>
      post('can-releasing-1', `/v1/cases/${caseId}/decisions`, '{"verdict":"approve"}', {
        'idempotency-key': key,
        'if-match': `"${proposalDigest}"`,
      });
    const first = await vote('the-first-vote');
    expect([first.status, (await vote('the-first-vote')).text]).toEqual([201, first.text]);
    expect(await refused(() => vote('the-second-vote'))).toBe('409 ALREADY_VOTED');
    expect((await scene.read(caseId)).decisions).toHaveLength(1);
    const { events } = await scene.as('can-desk-1').readEvents({ params: { caseId } });
    expect(events.filter(({ type }) => type === 'DecisionCast')).toHaveLength(1);
  });
});

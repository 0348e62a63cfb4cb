import type { BodyOf } from '../../lambdas/contracts/routes.ts';
import { asProposed } from '../../bin/client/directory-entries.ts';
import { PEOPLE } from '../../examples/exercise/people.ts';
import { DAY, openScene, sha256, type RawAnswer, type Scene } from '../support/exchange.ts';

let scene: Scene;
let caseId: string;
beforeAll(async () => {
  scene = await openScene();
  ({ caseId } = await scene.submit());
}, 120_000);
afterAll(() => scene.close());

/** A request that would be accepted. */
const request = (): BodyOf<'submitRequest'> => ({
  agreementId: 'CAN-UKR-EXERCISE',
  purpose: 'tender',
  justification: 'To bid.',
  title: 'Tender documents',
  description: 'The tender file.',
  levelSought: { axis: 'protected', mark: 'PROTECTED A' },
  recipients: ['ukr-recipient-1'],
  language: 'en',
});

const send = (
  body: string,
  { as = 'ukr-requester-1', method = 'POST', path = '/v1/cases', ...headers }: Record<string, string> = {},
): Promise<RawAnswer> =>
  scene.raw(as, method, path, { 'idempotency-key': `bodies-${crypto.randomUUID()}`, ...headers }, body);

const codeOf = ({ status, text }: RawAnswer): string =>
  `${status} ${(JSON.parse(text) as { code?: string }).code ?? ''}`;
const casesOf = async (): Promise<number> =>
  (await scene.as('ukr-requester-1').listCases({ query: { view: 'own', limit: '50' } })).cases.length;

/** The request with members written as they stand, behind all others. */
const withText = (members: string): string => JSON.stringify(request()).replace(/\}$/, `,${members}}`);
const withMember = (members: object): string => JSON.stringify({ ...request(), ...members });
const deep = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);

/** Each: what is sent to POST /v1/cases, the answer. None of them makes a case. */
const BODIES: readonly (readonly [string, string | (() => string), string])[] = [
  ['row 12: the same member twice', withText('"recipients":["can-recipient-1"]'), '400 DUPLICATE_KEY'],
  ['row 12: the same member twice, once escaped', withText('"t\\u0069tle":"Other"'), '400 DUPLICATE_KEY'],
  ['row 12: the same member twice, deeper', withText('"x":{"a":1,"a":2}'), '400 DUPLICATE_KEY'],
  ['row 13: __proto__', withText('"__proto__":{"nation":"CAN"}'), '400 FORBIDDEN_KEY'],
  ['row 13: __proto__, escaped', withText('"__pr\\u006fto__":{"nation":"CAN"}'), '400 FORBIDDEN_KEY'],
  ['row 13: constructor', withText('"constructor":{"prototype":{"nation":"CAN"}}'), '400 INVALID_INPUT'],
  ['row 13: toString', withText('"toString":"x"'), '400 INVALID_INPUT'],
  ...[
    'nation',
    'agency',
    'requestingAgency',
    'recipientNation',
    'originatingNation',
    'personId',
    'exercise',
    'caseId',
    'phase',
    'registerNumber',
    'actor',
    'at',
  ].map((name): [string, string, string] => [
    `row 8, row 14: the member ${name}`,
    withText(`"${name}":"CAN"`),
    '400 INVALID_INPUT',
  ]),
  [
    'row 8: a level of a nation',
    withMember({ levelSought: { axis: 'protected', mark: 'PROTECTED A', nation: 'CAN' } }),
    '400 INVALID_INPUT',
  ],
  ['no JSON', 'title=Tender', '400 MALFORMED_JSON'],
  ['two values', `${JSON.stringify(request())}{}`, '400 MALFORMED_JSON'],
  ['a comment', `/* */${JSON.stringify(request())}`, '400 MALFORMED_JSON'],
  ['NaN', withText('"x":NaN'), '400 MALFORMED_JSON'],
  ['null', 'null', '400 INVALID_INPUT'],
  ['a list', '[]', '400 INVALID_INPUT'],
  ['a text', '"x"', '400 INVALID_INPUT'],
  ['nothing', '', '400 INVALID_INPUT'],
  ['row 15: a thousand levels', () => withText(`"x":${deep(1000)}`), '400 BODY_TOO_DEEP'],
  ['row 15: a hundred thousand levels', () => withText(`"x":${deep(100_000)}`), '400 BODY_TOO_DEEP'],
  ['row 15: a million levels', () => deep(1_000_000), '413 BODY_TOO_LARGE'],
  ['row 15: a million bytes', () => withMember({ description: 'x'.repeat(1_000_000) }), '413 BODY_TOO_LARGE'],
  ['row 15: a million members', () => `[${'1,'.repeat(1_000_000)}1]`, '413 BODY_TOO_LARGE'],
  ['row 15: eleven million bytes', () => withMember({ description: 'x'.repeat(11_000_000) }), '413 BODY_TOO_LARGE'],
  ['as many quotes as fit', () => `[${'"\\"",'.repeat(40_000)}1]`, '400 INVALID_INPUT'],
  ['another agreement', withMember({ agreementId: 'NO-SUCH' }), '400 AGREEMENT_UNKNOWN'],
  ['an agreement by path', withMember({ agreementId: '../CAN-UKR/1' }), '400 INVALID_INPUT'],
  ['a recipient of the other nation', withMember({ recipients: ['can-recipient-1'] }), '400 RECIPIENT_UNKNOWN'],
  ['a stranger as recipient', withMember({ recipients: ['ukr-nobody-1'] }), '400 RECIPIENT_UNKNOWN'],
  ['recipients by key', withMember({ recipients: ['PEOPLE#CAN'] }), '400 INVALID_INPUT'],
  ['twenty-one recipients', withMember({ recipients: Array(21).fill('ukr-recipient-1') }), '400 INVALID_INPUT'],
  ['a mark in the title', withMember({ title: 'The SECRET file' }), '400 TITLE_CARRIES_MARK'],
  ['a mark in full width', withMember({ title: 'The ＳＥＣＲＥＴ file' }), '400 TITLE_CARRIES_MARK'],
  ['a mark in other spaces', withMember({ title: 'A TOP\u2003SECRET file' }), '400 TITLE_CARRIES_MARK'],
  ['the other nation’s mark', withMember({ title: 'Документи, цілком  таємно' }), '400 TITLE_CARRIES_MARK'],
  ['a mark in letters of another script', withMember({ title: 'The SЕСRЕT file' }), '400 TITLE_CARRIES_MARK'],
  ['an earlier case that does not exist', withMember({ previousCase: 'f'.repeat(32) }), '404 NOT_FOUND'],
];

it('the body that all others here differ from is accepted', async () => {
  expect((await send(JSON.stringify(request()))).status).toBe(201);
});

it.each(BODIES)('%s is answered as it should be, and makes no case', async (_, body, expected) => {
  const before = await casesOf();
  expect(codeOf(await send(typeof body === 'string' ? body : body()))).toBe(expected);
  expect(await casesOf()).toBe(before);
});

/** Characters that hide, turn or break text, or that are written in two ways. */
const CHARACTERS: readonly (readonly [string, string])[] = [
  ['NUL', '\u0000'],
  ['escape', '\u001b[31m'],
  ['a C1 control', '\u0085'],
  ['a lone high surrogate', '\ud800'],
  ['a lone low surrogate', '\udc00'],
  ['a right-to-left override', '\u202e'],
  ['an isolate', '\u2066'],
  ['a zero-width space', '\u200b'],
  ['a zero-width joiner', '\u200d'],
  ['a byte order mark', '\ufeff'],
  ['a soft hyphen', '\u00ad'],
  ['a line separator', '\u2028'],
  ['a tag', '\u{e0041}'],
  ['a variation selector', '\ufe00'],
  ['a supplementary variation selector', '\u{e0100}'],
  ['a Hangul filler', '\u3164'],
  ['a combining grapheme joiner', '\u034f'],
  ['a blank Braille pattern', '\u2800'],
  ['a private character', '\ue000'],
  ['a noncharacter', '\uffff'],
  ['a decomposed letter', 'e\u0301'],
];

/** Every place where a caller writes text, with a text in it. */
const places = (text: string): readonly (readonly [string, string, string, string, object])[] => {
  const path = `/v1/cases/${caseId}`;
  const document = {
    depositId: '0'.repeat(32),
    title: 'One',
    marking: { axis: 'protected', mark: 'PROTECTED A' },
    pages: 1,
  };
  const proposed = {
    documents: [document],
    recipients: [{ personId: 'ukr-recipient-1', keyFingerprint: `sha256:${'0'.repeat(64)}` }],
    conditions: [],
    notAfter: new Date(scene.runtime.clock.now() + DAY).toISOString(),
    copies: 1,
  };
  const directory = '/v1/directory/changes';
  const [requester, desk, officer] = ['ukr-requester-1', 'can-desk-1', 'can-directory-1'];
  return [
    ['title', requester, 'POST', '/v1/cases', { ...request(), title: text }],
    ['description', requester, 'POST', '/v1/cases', { ...request(), description: text }],
    ['justification', requester, 'POST', '/v1/cases', { ...request(), justification: text }],
    ['reference', requester, 'POST', '/v1/cases', { ...request(), reference: text }],
    ['level', requester, 'POST', '/v1/cases', { ...request(), levelSought: { axis: 'protected', mark: text } }],
    ['question', desk, 'POST', `${path}/clarifications`, { question: text }],
    ['answer', requester, 'POST', `${path}/clarifications`, { answer: text }],
    ['amendment', requester, 'POST', `${path}/clarifications`, { answer: 'Yes.', amendments: { title: text } }],
    ['reason', requester, 'POST', `${path}/withdrawal`, { reason: text }],
    ['document', desk, 'PUT', `${path}/proposal`, { ...proposed, documents: [{ ...document, title: text }] }],
    ['condition', desk, 'PUT', `${path}/proposal`, { ...proposed, conditions: [text] }],
    ['note', 'can-releasing-1', 'POST', `${path}/decisions`, { verdict: 'approve', note: text }],
    ['credential', officer, 'POST', directory, { person: { ...entry(), subjects: [text] } }],
    ['zone', officer, 'POST', directory, { person: { ...entry(), zone: text } }],
    ['mail', officer, 'POST', directory, { person: { ...entry(), mail: `${text}@valiza.example` } }],
    ['key', officer, 'POST', directory, { person: { ...entry(), publicKeys: [text] } }],
  ];
};

it.each(CHARACTERS)('row 16: %s is refused wherever a caller writes', async (_, character) => {
  // What the agency files its request under is the same however it is composed (row 17).
  const composes = `A${character}b`.normalize('NFC') !== `A${character}b`;
  const all = places(`A${character}b`).filter(([place]) => !(composes && place === 'reference'));
  const answers = await Promise.all(
    all.map(async ([place, as, method, path, body]) => {
      return `${place}: ${codeOf(await send(JSON.stringify(body), { as, method, path }))}`;
    }),
  );
  expect(answers).toEqual(all.map(([place]) => `${place}: 400 INVALID_INPUT`));
  expect((await scene.read(caseId)).phase).toBe('UNDER_REVIEW');
});

const entry = () => asProposed(PEOPLE.find(({ personId }) => personId === 'can-desk-1') ?? raise());
const raise = (): never => {
  throw new Error('The exercise has no such person.');
};

/** Instants that are none, or not of this use. */
it.each<[string, string | number | (() => string), string]>([
  ['no zone', '2027-01-01T00:00:00', '400 INVALID_INPUT'],
  ['an offset', '2027-01-01T00:00:00+02:00', '400 INVALID_INPUT'],
  ['an offset of nothing', '2027-01-01T00:00:00+00:00', '400 INVALID_INPUT'],
  ['a leap second', '2026-12-31T23:59:60Z', '400 INVALID_INPUT'],
  ['the hour 24', '2026-12-31T24:00:00Z', '400 INVALID_INPUT'],
  ['the 30th of February', '2027-02-30T00:00:00Z', '400 INVALID_INPUT'],
  ['the 29th of February 2027', '2027-02-29T00:00:00Z', '400 INVALID_INPUT'],
  ['the year 10000', '+010000-01-01T00:00:00Z', '400 INVALID_INPUT'],
  ['nanoseconds', '2027-01-01T00:00:00.000000001Z', '400 INVALID_INPUT'],
  ['a small z', '2027-01-01T00:00:00z', '400 INVALID_INPUT'],
  ['a space', '2027-01-01 00:00:00Z', '400 INVALID_INPUT'],
  ['Arabic digits', '٢٠٢٧-01-01T00:00:00Z', '400 INVALID_INPUT'],
  ['a number', 1_800_000_000, '400 INVALID_INPUT'],
  ['the past', '2020-01-01T00:00:00Z', '400 WINDOW_EMPTY'],
  ['the year 0', '0000-01-01T00:00:00Z', '400 WINDOW_EMPTY'],
  ['the year 9999', '9999-12-31T23:59:59Z', '400 WINDOW_TOO_LONG'],
  [
    'a second after a year',
    () => new Date(scene.runtime.clock.now() + 365 * DAY + 60_000).toISOString(),
    '400 WINDOW_TOO_LONG',
  ],
])('row 18: a window that ends at %s is refused', async (_, end, expected) => {
  const body = { ...(await proposal()), notAfter: typeof end === 'function' ? end() : end };
  expect(
    codeOf(await send(JSON.stringify(body), { as: 'can-desk-1', method: 'PUT', path: `/v1/cases/${caseId}/proposal` })),
  ).toBe(expected);
  expect((await scene.read(caseId)).proposalDigest).toBeUndefined();
});

let depositId: string | undefined;
async function proposal(): Promise<object> {
  depositId ??= await scene.deposit(caseId, Buffer.from('EXERCISE'));
  return {
    documents: [{ depositId, title: 'One', marking: { axis: 'protected', mark: 'PROTECTED A' }, pages: 1 }],
    recipients: [{ personId: 'ukr-recipient-1', keyFingerprint: await scene.fingerprintOf('ukr-recipient-1') }],
    conditions: [],
    copies: 1,
  };
}

it.each<[string, object]>([
  ['that begins in the year 0', { notBefore: '0000-01-01T00:00:00Z', notAfter: '9999-12-31T23:59:59Z' }],
  ['that begins and ends in the year 9999', { notBefore: '9999-01-01T00:00:00Z', notAfter: '9999-12-31T23:59:59Z' }],
  ['that ends before it begins', { notBefore: '2027-01-02T00:00:00Z', notAfter: '2027-01-01T00:00:00Z' }],
  ['of no length', { notBefore: '2027-01-02T00:00:00Z', notAfter: '2027-01-02T00:00:00Z' }],
])('row 18: a window %s is refused', async (_, window) => {
  const body = { ...(await proposal()), ...window };
  const answer = await send(JSON.stringify(body), {
    as: 'can-desk-1',
    method: 'PUT',
    path: `/v1/cases/${caseId}/proposal`,
  });
  expect(answer.status).toBe(400);
  expect((await scene.read(caseId)).proposalDigest).toBeUndefined();
});

it.each<[string, Record<string, string>, number]>([
  ['text/plain', { 'content-type': 'text/plain' }, 415],
  ['a form', { 'content-type': 'application/x-www-form-urlencoded' }, 415],
  ['a type that contains ours', { 'content-type': 'text/x; application/json' }, 415],
  ['ours twice', { 'content-type': 'application/json, text/plain' }, 415],
  ['nothing', { 'content-type': '' }, 415],
  ['capitals and a parameter', { 'content-type': 'Application/JSON; charset=utf-8' }, 201],
])('a body that says it is %s is answered %s', async (_, headers, status) => {
  expect((await send(JSON.stringify(request()), headers)).status).toBe(status);
});

it('a body that is not UTF-8 is refused', async () => {
  const { credential } = scene.exchange.connectionAs('ukr-requester-1');
  const answer = await fetch(`${scene.runtime.url}/v1/cases`, {
    method: 'POST',
    headers: { authorization: `Bearer ${await credential?.token()}`, 'content-type': 'application/json' },
    body: Buffer.from([0x7b, 0x22, 0xc3, 0x28, 0x22, 0x3a, 0x31, 0x7d]),
  });
  expect(answer.status).toBeGreaterThanOrEqual(400);
  expect(answer.status).toBeLessThan(500);
});

it('row 22: what looks like a formula or a script is kept as it is', async () => {
  const title = `=cmd|' /C calc'!A0 <script>alert(1)</script> \${7*7} %s`;
  const { caseId: made } = JSON.parse((await send(withMember({ title }))).text) as { caseId: string };
  expect((await scene.read(made, 'ukr-requester-1')).request.title).toBe(title);
});

it.each<[string, number]>([
  ['no length', 0],
  ['a negative length', -1],
  ['half a byte', 0.5],
  ['more than one upload takes', 5 * 1024 ** 3 + 1],
  ['more than a number holds', 2 ** 60],
])('a deposit of %s is refused', async (_, length) => {
  const body = JSON.stringify({ digest: sha256(Buffer.from('x')), length });
  const answer = await send(body, { as: 'can-desk-1', path: `/v1/cases/${caseId}/deposits` });
  expect(answer.status).toBe(400);
});

it('nothing that was sent here was answered as a fault of ours', () => {
  const lines = scene.runtime.services.lambda.logs().map(({ message }) => message);
  expect(lines.some((line) => line.includes('API_PROBLEM'))).toBe(true);
  expect(lines.filter((line) => /"status":5\d\d/.test(line))).toEqual([]);
});

import { apiOf, call, type Connection } from '../../../bin/client/api.ts';
import { ProblemError } from '../../../bin/client/errors.ts';
import { EXIT } from '../../../bin/client/exit-codes.ts';
import { safeAddress } from '../../../bin/client/addresses.ts';
import { CASE_ID, caseView, digest } from './case-fixture.ts';
import { fakeExchange, problem, type Given } from './harness.ts';

const exchange = fakeExchange();
const pauses: number[] = [];
const connection = (over: Partial<Connection> = {}): Connection => ({
  exchange: exchange.address,
  credential: { token: async () => 'a-token' },
  pause: async (milliseconds) => void pauses.push(milliseconds),
  ...over,
});
const decisions = `/v1/cases/${CASE_ID}/decisions`;
const decide = () =>
  apiOf(connection()).castDecision({
    params: { caseId: CASE_ID },
    body: { verdict: 'approve' },
    proposalDigest: digest('c'),
  });
/** Answers in this order; the last one from then on. */
const inTurn = (...answers: Given[]) => {
  let index = 0;
  return (): Given => answers[Math.min(index++, answers.length - 1)] ?? {};
};

beforeEach(() => void pauses.splice(0));

test('a call carries what its route asks for', async () => {
  exchange.answers.set(`POST ${decisions}`, () => ({ status: 201, body: caseView() }));
  const answer = await decide();
  expect(answer.caseId).toBe(CASE_ID);
  const [seen] = exchange.requests('POST', decisions);
  expect(seen?.headers).toMatchObject({
    authorization: 'Bearer a-token',
    'content-type': 'application/json',
    'if-match': `"${digest('c')}"`,
  });
  expect(seen?.headers['idempotency-key']).toMatch(/^[A-Za-z0-9_-]{8,80}$/);
  expect(JSON.parse(String(seen?.body))).toEqual({ verdict: 'approve' });
});

test('path parameters and the query are encoded, and what is not given is left out', async () => {
  exchange.answers.set('GET /v1/cases', () => ({ body: { cases: [], next: null } }));
  await apiOf(connection()).listCases({ query: { phase: 'A&B', cursor: undefined } });
  expect(exchange.seen[0]?.path).toBe('/v1/cases?phase=A%26B');
  await expect(apiOf(connection()).readCase({ params: { caseId: '../healthz' } })).rejects.toThrow('NOT_FOUND');
  expect(exchange.seen[1]?.path).toBe('/v1/cases/..%2Fhealthz');
});

test.each([
  ['503', { status: 503, body: problem(503, 'BUSY') }],
  ['429', { status: 429, body: problem(429, 'THROTTLED') }],
  ['a lost connection', { hangUp: true }],
])('after %s the same act is sent again, under the same key', async (_name, failure) => {
  exchange.answers.set(`POST ${decisions}`, inTurn(failure, failure, { status: 201, body: caseView() }));
  await decide();
  const sent = exchange.requests('POST', decisions);
  expect(sent).toHaveLength(3);
  expect(new Set(sent.map((row) => row.headers['idempotency-key'])).size).toBe(1);
  expect(pauses).toHaveLength(2);
});

test('it gives up after four attempts, and waits as long as it is asked to', async () => {
  exchange.answers.set(`POST ${decisions}`, () => ({
    status: 503,
    headers: { 'retry-after': '3' },
    body: problem(503, 'BUSY'),
  }));
  await expect(decide()).rejects.toMatchObject({ exit: EXIT.unavailable, code: 'BUSY' });
  expect(exchange.requests('POST', decisions)).toHaveLength(4);
  expect(pauses.every((row) => row >= 3000 && row <= 8000)).toBe(true);
});

test('what may not be sent twice is sent once, and says that its outcome is not known', async () => {
  const resumption = decisions.replace('/decisions', '/suspension');
  exchange.answers.set(`DELETE ${resumption}`, () => ({ status: 503, body: problem(503, 'BUSY') }));
  const resume = () => apiOf(connection()).resumeRelease({ params: { caseId: CASE_ID } });
  await expect(resume()).rejects.toMatchObject({ code: 'BUSY' });
  expect(exchange.requests('DELETE', resumption)).toHaveLength(1);
  exchange.answers.set(`DELETE ${resumption}`, () => ({ hangUp: true }));
  await expect(resume()).rejects.toThrow('it is not known whether it was done');
});

test('too many calls end with an exit code of their own', async () => {
  exchange.answers.set(`POST ${decisions}`, () => ({ status: 429, body: problem(429, 'THROTTLED') }));
  await expect(decide()).rejects.toMatchObject({ exit: EXIT.tryAgain, code: 'THROTTLED' });
});

test('two acts have two keys', async () => {
  exchange.answers.set(`POST ${decisions}`, () => ({ status: 201, body: caseView() }));
  await decide();
  await decide();
  const [first, second] = exchange.requests('POST', decisions);
  expect(first?.headers['idempotency-key']).not.toBe(second?.headers['idempotency-key']);
});

test.each([
  [400, EXIT.usage],
  [401, EXIT.notPermitted],
  [403, EXIT.denied],
  [404, EXIT.failed],
  [409, EXIT.tryAgain],
  [412, EXIT.tryAgain],
  [422, EXIT.usage],
  [428, EXIT.usage],
  [500, EXIT.failed],
  [504, EXIT.unavailable],
])('a problem with status %i ends with exit code %i, and is sent once', async (status, exit) => {
  exchange.answers.set(`POST ${decisions}`, () => ({ status, body: problem(status, 'SOME_CODE') }));
  const error: unknown = await decide().catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(ProblemError);
  expect(error).toMatchObject({ exit, code: 'SOME_CODE', message: 'What was wrong: SOME_CODE.', next: 'What to do.' });
  expect(exchange.requests('POST', decisions)).toHaveLength(1);
});

test('an answer that is none of this API is told as such', async () => {
  exchange.answers.set(`POST ${decisions}`, () => ({ status: 201, body: { caseId: 7 } }));
  await expect(decide()).rejects.toMatchObject({ code: 'UNEXPECTED_ANSWER' });
  exchange.answers.set(`POST ${decisions}`, () => ({ status: 500, body: Buffer.from('<html>') }));
  await expect(decide()).rejects.toMatchObject({ code: 'HTTP_500', exit: EXIT.failed });
});

test('a credential that can be renewed is, once', async () => {
  const tokens = ['old', 'new'];
  exchange.answers.set('GET /v1/agreements', ({ headers }) =>
    headers.authorization === 'Bearer new'
      ? { body: { agreements: [] } }
      : { status: 401, body: problem(401, 'TOKEN_EXPIRED') },
  );
  const credential = { token: async () => 'old', renew: async () => tokens.pop() ?? '' };
  await expect(apiOf(connection({ credential })).listAgreements()).resolves.toEqual({ agreements: [] });
  const stubborn = { token: async () => 'old', renew: async () => 'old' };
  await expect(apiOf(connection({ credential: stubborn })).listAgreements()).rejects.toMatchObject({ exit: 77 });
});

test('a credential goes where it was meant for: not to routes that ask for none, not along a redirection', async () => {
  await apiOf(connection()).readHealth();
  expect(exchange.seen[0]?.headers.authorization).toBeUndefined();
  exchange.answers.set('GET /v1/agreements', () => ({ status: 302, headers: { location: 'http://127.0.0.1:1/' } }));
  await expect(apiOf(connection()).listAgreements()).rejects.toMatchObject({ exit: EXIT.unavailable });
});

test('what has not changed is not sent again', async () => {
  exchange.answers.set(`GET /v1/cases/${CASE_ID}`, ({ headers }) =>
    headers['if-none-match'] === '"5"' ? { status: 304 } : { headers: { etag: '"5"' }, body: caseView() },
  );
  const first = await call(connection(), 'readCase', { params: { caseId: CASE_ID } });
  expect(first.answer?.sequence).toBe(5);
  const etag = first.headers.get('etag') ?? undefined;
  const second = await call(connection(), 'readCase', { params: { caseId: CASE_ID }, ifNoneMatch: etag });
  expect(second.answer).toBeUndefined();
});

test('nothing secret travels unprotected', () => {
  expect(safeAddress('http://127.0.0.1:4610', 'The exchange').port).toBe('4610');
  expect(safeAddress('https://exchange.example', 'The exchange').protocol).toBe('https:');
  for (const address of ['http://exchange.example', 'ftp://127.0.0.1', 'http://127.0.0.1.example', 'nonsense']) {
    expect(() => safeAddress(address, 'The exchange')).toThrow();
  }
});

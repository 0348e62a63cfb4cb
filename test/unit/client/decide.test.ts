import { CASE_ID, caseView, digest, PROPOSAL } from './case-fixture.ts';
import { fakeExchange, valiza } from './harness.ts';

const exchange = fakeExchange();
const casePath = `/v1/cases/${CASE_ID}`;
const bodyOf = (path: string): unknown => JSON.parse(String(exchange.requests('POST', path)[0]?.body));

describe('decide', () => {
  const decisions = `${casePath}/decisions`;
  const computed = caseView().proposalDigest ?? '';
  beforeEach(() => {
    exchange.answers.set(`GET ${casePath}`, () => ({ body: caseView() }));
    exchange.answers.set(`POST ${decisions}`, () => ({ status: 201, body: caseView() }));
  });
  const nothingSent = (): void => expect(exchange.requests('POST', decisions)).toEqual([]);

  test('shows the proposal, and takes the vote once the digest has been typed', async () => {
    const answer = computed.slice('sha256:'.length, 'sha256:'.length + 8);
    const { exit, stderr } = await valiza(exchange, ['decide', CASE_ID, 'approve'], { answer });
    expect(exit).toBe(0);
    for (const part of ['Part 1', 'PROTECTED A', digest('1'), 'ukr-recipient-1', digest('f'), 'Read it in', computed]) {
      expect(stderr).toContain(part);
    }
    expect(exchange.requests('POST', decisions)[0]?.headers['if-match']).toBe(`"${computed}"`);
    expect(bodyOf(decisions)).toEqual({ verdict: 'approve' });
  });

  test.each(['', 'yes', 'sha256:', '00000000', computed.slice(7, 14)])(
    'the answer %j decides nothing',
    async (answer) => {
      expect((await valiza(exchange, ['decide', CASE_ID, 'approve'], { answer })).exit).toBe(2);
      nothingSent();
    },
  );

  test('with --yes the digest is given whole, and must be the present one', async () => {
    const decide = (...more: string[]) => valiza(exchange, ['decide', CASE_ID, 'approve', ...more]);
    expect((await decide('--yes')).exit).toBe(2);
    expect((await decide('--yes', '--digest', digest('0'))).exit).toBe(2);
    expect((await decide('--yes', '--digest', computed.slice(0, 15))).exit).toBe(2);
    nothingSent();
    expect((await decide('--yes', '--digest', computed)).exit).toBe(0);
  });

  test('where nobody can be asked, nothing is decided', async () => {
    expect((await valiza(exchange, ['decide', CASE_ID, 'approve'])).exit).toBe(2);
    expect((await valiza(exchange, ['decide', CASE_ID, 'approve', '--no-input'], { answer: 'x' })).exit).toBe(2);
    expect((await valiza(exchange, ['decide', CASE_ID, 'approve', '--json'], { answer: 'x' })).exit).toBe(2);
    nothingSent();
  });

  test.each([
    ['a document', { ...PROPOSAL, documents: PROPOSAL.documents.map((row) => ({ ...row, pages: 5 })) }],
    ['a recipient', { ...PROPOSAL, recipients: [{ personId: 'ukr-recipient-1', keyFingerprint: digest('e') }] }],
    ['a condition', { ...PROPOSAL, conditions: [] }],
    ['the window', { ...PROPOSAL, notAfter: '2027-12-04T00:00:00.000Z' }],
    ['the case', { ...PROPOSAL, caseId: 'f'.repeat(32) }],
  ])('another value of %s than the digest stands for is seen, and nothing is decided', async (_name, proposal) => {
    exchange.answers.set(`GET ${casePath}`, () => ({ body: caseView({ proposal }) }));
    const { exit, stderr } = await valiza(exchange, ['decide', CASE_ID, 'approve', '--yes', '--digest', computed]);
    expect(exit).toBe(65);
    expect(stderr).toContain('Do not decide');
    nothingSent();
  });

  test('without a proposal there is nothing to decide', async () => {
    exchange.answers.set(`GET ${casePath}`, () => ({
      body: caseView({ proposal: undefined, proposalDigest: undefined }),
    }));
    expect((await valiza(exchange, ['decide', CASE_ID, 'approve', '--yes', '--digest', computed])).exit).toBe(75);
    nothingSent();
  });

  test('a refusal names its ground', async () => {
    const refuse = ['decide', CASE_ID, 'refuse', '--yes', '--digest', computed];
    expect((await valiza(exchange, refuse)).exit).toBe(2);
    nothingSent();
    expect((await valiza(exchange, [...refuse, '--ground', 'too-broad'])).exit).toBe(0);
    expect(bodyOf(decisions)).toEqual({ verdict: 'refuse', ground: 'too-broad' });
  });
});

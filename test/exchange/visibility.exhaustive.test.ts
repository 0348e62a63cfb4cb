import { PEOPLE } from '../../examples/exercise/people.ts';
import { isMutation, ROUTES, type OperationId, type Route } from '../../lambdas/contracts/routes.ts';
import { openScene, refusalOf, sha256, verifyWhole, type Scene } from '../support/exchange.ts';
import { examined } from '../support/examined.ts';

jest.setTimeout(120_000);

/** A requester of another agency of the asking nation. */
const OTHER_REQUESTER = 'ukr-security-1';
/** People whom the directory knows, and who have no part in a case of the first requester before it is approved. */
const STRANGERS = [OTHER_REQUESTER, 'ukr-desk-1', 'ukr-recipient-1', 'can-requester-1', 'can-directory-1'];

let scene: Scene;

beforeAll(async () => {
  scene = await openScene();
  await scene.change(OTHER_REQUESTER, { roles: ['requester'] });
});
afterEach(() => examined('visibility', 1));
afterAll(() => scene.close());

const digest = sha256(Buffer.from('EXERCISE'));

/** A valid body of each operation on a case. */
const BODIES: Partial<Record<OperationId, object>> = {
  clarify: { question: 'Which lot?' },
  openDeposit: { digest, length: 8 },
  completeDeposit: {},
  putProposal: {
    documents: [
      { depositId: '0'.repeat(32), title: 'Annex', marking: { axis: 'protected', mark: 'PROTECTED A' }, pages: 1 },
    ],
    recipients: [{ personId: 'ukr-recipient-1', keyFingerprint: digest }],
    conditions: [],
    notAfter: '2035-01-01T00:00:00Z',
    copies: 1,
  },
  castDecision: { verdict: 'approve' },
  giveAssurance: { verdict: 'give', proposalDigest: digest },
  grantAccess: {},
  acknowledgeReceipt: { accessId: '0'.repeat(32), digest },
  suspendRelease: { reason: 'x' },
  recallRelease: { reason: 'x' },
  withdrawRequest: { reason: 'x' },
};

const onCases = (Object.entries(ROUTES) as [OperationId, Route][]).filter(([, { path }]) => path.includes('{caseId}'));

describe('a case that is not one’s own', () => {
  let caseId: string;
  beforeAll(async () => {
    ({ caseId } = await scene.reach('PROPOSED'));
  });

  /** What a stranger is answered, but for the id of the answer. */
  const answerTo = async (by: string, operation: OperationId, route: Route, id: string) => {
    const headers = {
      ...(isMutation(route) ? { 'idempotency-key': 'a-stranger-asks' } : {}),
      ...(route.ifMatch === undefined ? {} : { 'if-match': `"${digest}"` }),
    };
    const path = route.path.replace('{caseId}', id).replace('{depositId}', '0'.repeat(32));
    const body = BODIES[operation];
    const answer = await scene.raw(
      by,
      route.method,
      path,
      headers,
      body === undefined ? undefined : JSON.stringify(body),
    );
    const { traceId } = JSON.parse(answer.text) as { traceId: string }; // every problem has one
    const names = [...answer.headers.keys()].sort();
    return { status: answer.status, names, text: answer.text.replace(traceId, 'TRACE'), length: answer.text.length };
  };

  test.each(onCases)('looks exactly like one that does not exist: %s', async (operation, route) => {
    if (route.body !== undefined) expect(BODIES).toHaveProperty(operation);
    const before = (await scene.read(caseId)).sequence;
    await Promise.all(
      STRANGERS.map(async (by) => {
        const forbidden = await answerTo(by, operation, route, caseId);
        expect([by, forbidden]).toEqual([by, await answerTo(by, operation, route, 'f'.repeat(32))]);
        expect([by, forbidden.status]).toEqual([by, 404]);
      }),
    );
    expect((await scene.read(caseId)).sequence).toBe(before);
  });

  test('also looks like an id that is none', async () => {
    const [operation, route] = ['readCase', ROUTES.readCase] as const;
    expect(await answerTo(OTHER_REQUESTER, operation, route, 'not-an-id')).toEqual(
      await answerTo(OTHER_REQUESTER, operation, route, caseId),
    );
  });
});

describe('lists', () => {
  let own: string[];
  let other: string;
  beforeAll(async () => {
    const cases = [];
    for (const number of [1, 2, 3]) cases.push(await scene.submit({ title: `Lot ${number}` }));
    own = cases.map(({ caseId }) => caseId);
    other = (await scene.submit({ title: 'Of another agency' }, OTHER_REQUESTER)).caseId;
  });

  const list = (by: string, query: { view?: string; phase?: string; limit?: string; cursor?: string } = {}) =>
    scene.as(by).listCases({ query });

  test('show the requests of one’s own agency, and of no other', async () => {
    const mine = (await list(scene.who.requester, { limit: '50' })).cases.map(({ caseId }) => caseId);
    expect(mine).toEqual(expect.arrayContaining(own));
    expect(mine).not.toContain(other);
    expect((await list(OTHER_REQUESTER)).cases.map(({ caseId }) => caseId)).toEqual([other]);
  });

  test('show nothing to those who ask for nothing', async () => {
    for (const by of ['ukr-desk-1', 'ukr-recipient-1', 'can-recipient-1', 'ukr-directory-1'])
      expect([by, (await list(by, { view: 'own' })).cases]).toEqual([by, []]);
  });

  test('of work are for those who have some', async () => {
    for (const by of [
      scene.who.requester,
      'ukr-desk-1',
      'ukr-releasing-1',
      'ukr-recipient-1',
      'can-requester-1',
      'can-directory-1',
    ])
      expect([by, await refusalOf(list(by, { view: 'queue' }))]).toEqual([by, '403 NO_QUEUE']);
    const queue = (await list(scene.who.desk, { limit: '50' })).cases.map(({ caseId }) => caseId);
    expect(queue).toEqual(expect.arrayContaining([...own, other]));
  });

  test('of work show each side what it is to do', async () => {
    const { caseId } = await scene.reach('AWAITING_ASSURANCE');
    const queueOf = async (by: string) => (await list(by, { view: 'queue', phase: 'AWAITING_ASSURANCE' })).cases;
    for (const by of [scene.who.recipientAuthority, scene.who.authority])
      expect([by, (await queueOf(by)).map((row) => row.caseId)]).toEqual([by, [caseId]]);
  });

  test('give every case once, page by page, and a page of at most what was asked for', async () => {
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await list(scene.who.requester, { limit: '2', ...(cursor === undefined ? {} : { cursor }) });
      expect(page.cases.length).toBeLessThanOrEqual(2);
      seen.push(...page.cases.map(({ caseId }) => caseId));
      cursor = page.next ?? undefined;
    } while (cursor !== undefined);
    expect(new Set(seen).size).toBe(seen.length);
    const whole = (await list(scene.who.requester, { limit: '50' })).cases.map(({ caseId }) => caseId);
    expect(seen).toEqual(whole);
  });

  test('do not open by the cursor of another list', async () => {
    const { next } = await list(scene.who.requester, { limit: '1' });
    expect(next).not.toBeNull();
    expect(await refusalOf(list(OTHER_REQUESTER, { cursor: next ?? '' }))).toBe('400 INVALID_QUERY');
    const queue = await list(scene.who.desk, { view: 'queue', limit: '1' });
    expect(await refusalOf(list(OTHER_REQUESTER, { cursor: queue.next ?? '' }))).toBe('400 INVALID_QUERY');
  });

  test.each([
    [{ cursor: 'AAAA' }],
    [{ cursor: Buffer.from('2026-11-23T00:00:00.000Z#../../HEAD').toString('base64url') }],
    [{ limit: '0' }],
    [{ limit: '51' }],
    [{ limit: '1e1' }],
    [{ view: 'everything' }],
  ])('refuse %j', async (query) => {
    expect(await refusalOf(list(scene.who.requester, query))).toBe('400 INVALID_QUERY');
  });

  test('of work refuse a phase that is none', async () => {
    expect(await refusalOf(list(scene.who.desk, { view: 'queue', phase: 'constructor' }))).toBe('400 INVALID_QUERY');
  });
});

describe('the case file', () => {
  const filed = async (caseId: string, by: string) => (await scene.as(by).readEvents({ params: { caseId } })).events;

  test('withholds drafts and votes from the requester, and keeps their places in the chain', async () => {
    const seen = await scene.reach('PROPOSED');
    const { caseId } = seen;
    await scene.approve(seen, scene.who.releasing);
    const whole = await filed(caseId, scene.who.desk);
    const theirs = await filed(caseId, scene.who.requester);
    expect(theirs.map(({ type }) => type)).toEqual([
      'RequestSubmitted',
      'RequestAssessed',
      'Withheld',
      'Withheld',
      'Withheld',
      'Withheld',
    ]);
    for (const event of theirs.slice(2)) {
      expect(Object.keys(event).sort()).toEqual(['actor', 'at', 'hash', 'previousHash', 'sequence', 'type']);
      expect(event.actor).toEqual({});
    }
    expect(theirs.map(({ hash, previousHash }) => [hash, previousHash])).toEqual(
      whole.map(({ hash, previousHash }) => [hash, previousHash]),
    );
    expect(() => verifyWhole(caseId, whole)).not.toThrow();
    expect(() => verifyWhole(caseId, theirs)).toThrow('broken at event 3');
    const view = await scene.read(caseId, scene.who.requester);
    for (const member of ['proposal', 'proposalDigest', 'decisions', 'rolesMissing', 'deposits'])
      expect(view).not.toHaveProperty(member);
  });

  test('of a release verifies whole, and names nobody of the originator to the recipient', async () => {
    const { caseId } = await scene.reach('RELEASED');
    await scene.as(scene.who.recipient).grantAccess({ params: { caseId }, body: {} });
    await scene.as(scene.who.authority).suspendRelease({ params: { caseId }, body: { reason: 'Unclear.' } });
    const whole = await filed(caseId, scene.who.authority);
    expect(() => verifyWhole(caseId, whole)).not.toThrow();
    const theirs = await filed(caseId, scene.who.recipient);
    const originators = PEOPLE.filter(({ nation }) => nation === 'CAN').map(({ personId }) => personId);
    expect(originators.filter((personId) => JSON.stringify(theirs).includes(personId))).toEqual([]);
    expect(theirs.at(-1)).toMatchObject({ type: 'ReleaseSuspended', actor: { kind: 'person', nation: 'CAN' } });
    expect(theirs.find(({ type }) => type === 'AccessGranted')?.payload).toMatchObject({ copy: 1 });
    // The requester of the case is not the recipient of the release.
    const asked = await filed(caseId, scene.who.requester);
    expect(asked.map(({ type }) => type)).not.toContain('AccessGranted');
  });
});

import { ROUTES, type OperationId, type Route } from '../../lambdas/contracts/routes.ts';
import { asProposed } from '../../bin/client/directory-entries.ts';
import { PEOPLE } from '../../examples/exercise/people.ts';
import { digestOf } from '../../lambdas/evidence/digest.ts';
import { issuerOf } from '../../examples/exercise/nations.ts';
import type { CaseView } from '../../lambdas/contracts/api-answers.ts';
import { DAY, openScene, refusalOf, sha256, type RawAnswer, type Scene } from '../support/exchange.ts';
import { examined } from '../support/examined.ts';

let scene: Scene;
/** A case that exists and is none of the strangers'. */
let foreign: CaseView;
let depositId: string;
const NOBODYS = 'f'.repeat(32);

beforeAll(async () => {
  scene = await openScene();
  await enter('ukr-requester-9', 'exercise-other-agency', ['requester']);
  await enter('ukr-recipient-9', 'exercise-other-agency', []);
  await enter('can-clerk-9', 'exercise-canadian-procurement-office', ['directory-officer', 'requester']);
  foreign = await scene.reach('PROPOSED', { endsIn: 5 * DAY });
  depositId = foreign.deposits?.[0]?.depositId ?? '';
}, 120_000);
afterEach(() => examined('attacks', 1));
afterAll(() => scene.close());

async function enter(
  personId: string,
  agency: string,
  roles: readonly ('requester' | 'directory-officer')[],
): Promise<void> {
  const nation = personId.startsWith('can') ? 'CAN' : 'UKR';
  const like = PEOPLE.find((row) => row.personId === `${nation.toLowerCase()}-requester-1`);
  if (like === undefined) throw new Error('The exercise has no such person.');
  const person = {
    ...asProposed(like),
    personId,
    agency,
    roles: [...roles],
    subjects: [`${issuerOf(nation)}|${personId}`],
  };
  const own = nation.toLowerCase();
  const { changeId } = await scene.as(`${own}-directory-1`).proposeChange({ body: { person } });
  await scene.as(`${own}-directory-2`).confirmChange({ params: { changeId }, body: {} });
}

/** People who have no part in the foreign case: of another agency, of no role, of a role that sees no case. */
const STRANGERS = [
  'ukr-requester-9',
  'ukr-recipient-9',
  'ukr-directory-1',
  'ukr-desk-1',
  'can-directory-1',
  'can-clerk-9',
  'can-requester-1',
  'can-recipient-1',
];

const GOOD_BODIES = (): Partial<Record<OperationId, unknown>> => ({
  clarify: { question: 'Which lot?' },
  openDeposit: { digest: sha256(Buffer.from('x')), length: 1 },
  completeDeposit: {},
  putProposal: {
    documents: [{ depositId, title: 'One', marking: { axis: 'protected', mark: 'PROTECTED A' }, pages: 1 }],
    recipients: [{ personId: 'ukr-recipient-1', keyFingerprint: `sha256:${'0'.repeat(64)}` }],
    conditions: [],
    notAfter: '2030-01-01T00:00:00Z',
    copies: 1,
  },
  castDecision: { verdict: 'approve' },
  giveAssurance: { verdict: 'give', proposalDigest: foreign.proposalDigest },
  grantAccess: {},
  acknowledgeReceipt: { accessId: '0'.repeat(32), digest: `sha256:${'0'.repeat(64)}` },
  suspendRelease: { reason: 'Why not.' },
  recallRelease: { reason: 'Why not.' },
  withdrawRequest: { reason: 'Why not.' },
});

const CASE_ROUTES = Object.entries(ROUTES as Readonly<Record<string, Route>>).filter(([, { path }]) =>
  path.includes('{caseId}'),
);

/** Ways to send a request to a route: whole, and with each part wrong or missing. */
const WAYS = {
  whole: (operation) => ({ headers: headers(), body: goodBody(operation) }),
  'without a body': () => ({ headers: headers(), body: undefined }),
  'with a body of another form': () => ({ headers: headers(), body: '{"nation":"CAN"}' }),
  'with a body that is not JSON': () => ({ headers: headers(), body: '{' }),
  'that is text': (operation) => ({
    headers: { ...headers(), 'content-type': 'text/plain' },
    body: goodBody(operation) ?? '{}',
  }),
  'without an idempotency key': (operation) => ({ headers: without('idempotency-key'), body: goodBody(operation) }),
  'without If-Match': (operation) => ({ headers: without('if-match'), body: goodBody(operation) }),
  'with another If-Match': (operation) => ({ headers: { ...headers(), 'if-match': '*' }, body: goodBody(operation) }),
} satisfies Record<string, (operation: string) => { headers: Record<string, string>; body: string | undefined }>;

const goodBody = (operation: string): string | undefined => {
  const body = GOOD_BODIES()[operation as OperationId]; // the name of a route
  return body === undefined ? undefined : JSON.stringify(body);
};

const headers = (): Record<string, string> => ({
  'idempotency-key': `strangers-${crypto.randomUUID()}`,
  'if-match': `"${foreign.proposalDigest}"`,
});
const without = (name: string): Record<string, string> => {
  const { [name]: _left, ...rest } = headers();
  return rest;
};

/** What a stranger learns from an answer: everything but what differs between any two answers. */
function seen({ status, headers: answered, text }: RawAnswer) {
  const ours = [...answered].filter(([name]) => !/^(date|x-amz|x-amzn)/.test(name));
  const body = { ...(JSON.parse(text) as Record<string, unknown>), traceId: '' };
  return { status, headers: Object.fromEntries(ours), body };
}

/** The answers about a case that exists and about one that does not. */
async function pair(
  stranger: string,
  route: Route,
  given: Record<string, string>,
  body: string | undefined,
): Promise<RawAnswer[]> {
  const paths = [foreign.caseId, NOBODYS].map((id) =>
    route.path.replace('{caseId}', id).replace('{depositId}', depositId),
  );
  const sent = route.method === 'GET' ? undefined : body;
  return Promise.all(paths.map((path) => scene.raw(stranger, route.method, path, given, sent)));
}

describe.each(CASE_ROUTES)('%s', (operation, route) => {
  it('row 9: tells no stranger whether a case exists', async () => {
    for (const stranger of STRANGERS) {
      const { headers: given, body } = WAYS.whole(operation);
      const [existing, missing] = (await pair(stranger, route, given, body)).map(seen);
      expect({ stranger, ...existing }).toEqual({ stranger, ...missing, status: 404 });
    }
  });

  it.each(Object.entries(WAYS))('does not tell it to a request %s either', async (_, make) => {
    const { headers: given, body } = make(operation);
    const [existing, missing] = (await pair('ukr-requester-9', route, given, body)).map(seen);
    expect(existing).toEqual(missing);
    expect([400, 404, 415, 428]).toContain(existing?.status);
  });
});

it('leaves the foreign case as it was', async () => {
  const now = await scene.read(foreign.caseId);
  expect([now.phase, now.sequence, now.proposalDigest]).toEqual([
    'UNDER_REVIEW',
    foreign.sequence,
    foreign.proposalDigest,
  ]);
});

it.each([
  'CASE#CAN',
  'NAT#CAN#1',
  '..',
  '../..',
  '%2e%2e',
  '%2e%2e%2fagreements',
  '..%2f..%2fv1%2fagreements',
  '%00',
  'f%00',
  '%C0%AF',
  '\u2215',
  '%E2%88%95',
  'F'.repeat(32),
  `${'f'.repeat(32)}/`,
  `/${'f'.repeat(32)}`,
  `${'f'.repeat(32)};x=1`,
  `${'f'.repeat(32)}%20`,
  'f'.repeat(31),
  'f'.repeat(33),
  'f'.repeat(4000),
  '__proto__',
  'HEAD',
  'REGISTER#CAN-2026',
])('row 10: the case id %s is nobody’s', async (id) => {
  const answer = await scene.raw('can-desk-1', 'GET', `/v1/cases/${id}`);
  expect(answer.status).toBeGreaterThanOrEqual(400);
  expect(answer.status).toBeLessThan(405);
  expect(answer.text).not.toContain(foreign.caseId);
});

describe('a list', () => {
  const list = async (as: string, query: string): Promise<{ status: number; cases: string[]; next: string | null }> => {
    const { status, text } = await scene.raw(as, 'GET', `/v1/cases${query}`);
    const body = JSON.parse(text) as { cases?: { caseId: string }[]; next?: string | null };
    return { status, cases: (body.cases ?? []).map(({ caseId }) => caseId), next: body.next ?? null };
  };
  const cursor = (text: string): string => Buffer.from(text).toString('base64url');

  it.each(STRANGERS)('shows %s no foreign case', async (stranger) => {
    for (const query of ['', '?view=own', '?view=queue', '?view=queue&phase=UNDER_REVIEW', '?limit=50']) {
      expect((await list(stranger, query)).cases).toEqual([]);
    }
  });

  it('row 11: goes on from no cursor but its own', async () => {
    await scene.submit();
    const { next } = await list('ukr-requester-1', '?view=own&limit=1');
    const { next: ofQueue } = await list('can-desk-1', '?view=queue&limit=1');
    expect([next, ofQueue]).toEqual([expect.any(String), expect.any(String)]);
    for (const taken of [
      next,
      ofQueue,
      cursor(`${foreign.openedAt}#${foreign.caseId}`),
      cursor(`0000-01-01T00:00:00.000Z#${NOBODYS}`),
    ]) {
      expect(await list('ukr-requester-9', `?view=own&cursor=${taken}`)).toMatchObject({ status: 400, cases: [] });
    }
  });

  it.each([
    ['cursor=x'],
    ['cursor='],
    [`cursor=${Buffer.from('{"pk":"CAN"}').toString('base64url')}`],
    [`cursor=${Buffer.from(`2026-01-01T00:00:00.000Z#${NOBODYS}\n`).toString('base64url')}`],
    [`cursor=${Buffer.from('2026-01-01T00:00:00.000Z#CAN#exercise').toString('base64url')}`],
    [`cursor=${'A'.repeat(3000)}`],
    ['limit=0'],
    ['limit=51'],
    ['limit=-1'],
    ['limit=1e1'],
    ['limit=٥'],
    ['limit=0x10'],
    ['limit='],
    ['view=all'],
    ['view=queue&phase=__proto__'],
    ['view=queue&phase=constructor'],
    ['view=queue&phase=UNDER_REVIEW%230'],
    ['view=queue&phase='],
  ])('with %s is refused', async (query) => {
    expect(
      (await scene.raw('can-desk-1', 'GET', `/v1/cases?${query.includes('view') ? '' : 'view=queue&'}${query}`)).status,
    ).toBe(400);
  });

  it.each(['ukr-requester-1', 'ukr-authority-1', 'can-clerk-9', 'can-directory-1'])(
    'of the other nation’s people is nobody’s, for %s',
    async (as) => {
      const other = as.startsWith('can') ? 'UKR' : 'CAN';
      expect(await refusalOf(scene.as(as).listChanges({ query: { nation: other } }))).toBe('404 NOT_FOUND');
    },
  );

  it.each(['UKR#', 'PEOPLE#UKR', '*', '', 'ukr', 'FRA'])('of the people of %j is empty or nobody’s', async (nation) => {
    const { status, text } = await scene.raw(
      'can-desk-1',
      'GET',
      `/v1/directory/changes?nation=${encodeURIComponent(nation)}`,
    );
    expect([status, ((JSON.parse(text) as { changes?: unknown[] }).changes ?? []).length]).toEqual([
      expect.any(Number),
      0,
    ]);
  });
});

describe('an earlier case', () => {
  it('cannot be named to learn whether it exists', async () => {
    const submit = (previousCase: string) =>
      scene.as('ukr-requester-9').submitRequest({
        body: {
          agreementId: 'CAN-UKR-EXERCISE',
          purpose: 'tender',
          justification: 'To bid.',
          title: 'Tender documents',
          description: 'The tender file.',
          levelSought: { axis: 'protected', mark: 'PROTECTED A' },
          recipients: ['ukr-recipient-9'],
          language: 'en',
          previousCase,
        },
      });
    expect([await refusalOf(submit(foreign.caseId)), await refusalOf(submit(NOBODYS))]).toEqual([
      '404 NOT_FOUND',
      '404 NOT_FOUND',
    ]);
  });
});

describe('the hash of what is withheld', () => {
  type Shown = Awaited<ReturnType<ReturnType<Scene['as']>['readEvents']>>['events'][number];
  const eventsAs = async (as: string): Promise<Shown[]> =>
    (await scene.as(as).readEvents({ params: { caseId: foreign.caseId } })).events;
  /** The event as somebody would guess it who knows everything but who did it. */
  const guess = (event: Shown, place: object, personId: string, salt?: string): string => {
    const agency = PEOPLE.find((row) => row.personId === personId)?.agency;
    const actor = { kind: 'person', personId, nation: 'CAN', agency };
    const decision = { ...(event.payload?.['decision'] as object | undefined), personId };
    const payload = event.payload?.['decision'] === undefined ? event.payload : { ...event.payload, decision };
    const whole = { ...place, type: event.type, payload, actor, ...(salt === undefined ? {} : { salt }) };
    return digestOf(whole, 'valiza/case-file/event/1');
  };

  it('does not tell who decided, nor who asked', async () => {
    await scene.as('can-desk-1').clarify({ params: { caseId: foreign.caseId }, body: { question: 'Which lot?' } });
    await scene.as('ukr-requester-1').clarify({ params: { caseId: foreign.caseId }, body: { answer: 'The first.' } });
    const proposed = await scene.propose(foreign.caseId, { endsIn: 5 * DAY });
    await scene.approve(proposed, 'can-releasing-1');
    await scene.approve(proposed, 'can-security-1');
    const [theirs, ours] = [await eventsAs('ukr-requester-1'), await eventsAs('can-desk-1')];
    const people = PEOPLE.map(({ personId }) => personId).filter((personId) => personId.startsWith('can'));
    let tried = 0;
    for (const event of ours.filter(({ type }) => type === 'DecisionCast' || type === 'ClarificationSought')) {
      const known = theirs.find(({ sequence }) => sequence === event.sequence);
      const place = {
        caseId: foreign.caseId,
        sequence: event.sequence,
        schemaVersion: 1,
        at: event.at,
        previousHash: known?.previousHash,
      };
      const guesses = (salt?: string): string[] => people.map((personId) => guess(event, place, personId, salt));
      expect(known?.hash).toBe(event.hash);
      expect(guesses(known?.salt)).not.toContain(known?.hash);
      // The guess is a good one: whoever is shown the whole event finds it.
      expect(guesses(event.salt)).toContain(event.hash);
      tried += 1;
    }
    expect(tried).toBe(3);
  });
});

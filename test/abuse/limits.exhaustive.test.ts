import { connect } from 'node:net';
import { FUNCTIONS } from '../../infra/functions.ts';
import { ROUTES, type OperationId, type Route } from '../../lambdas/contracts/routes.ts';
import { examined } from '../support/examined.ts';
import { openScene, resourcesOf, SECOND, type RawAnswer, type Scene } from '../support/exchange.ts';
import { keptBy } from '../support/kept.ts';

jest.setTimeout(120_000);

/** Requests that the throttled exchange takes at once; its bucket is filled by one each second. */
const BURST = 25;

let scene: Scene;
let throttled: Scene;
beforeAll(async () => {
  scene = await openScene();
  throttled = await openScene({
    people: false,
    amend(_stack, template) {
      for (const [, { Type, Properties }] of resourcesOf(template)) {
        if (Type !== 'AWS::ApiGateway::Stage') continue;
        for (const setting of Properties['MethodSettings'] as Record<string, unknown>[]) {
          Object.assign(setting, { ThrottlingRateLimit: 1, ThrottlingBurstLimit: BURST });
        }
      }
    },
  });
}, 120_000);
afterAll(async () => {
  await scene.close();
  await throttled.close();
});
afterEach(() => examined('input', 1));

const codeOf = ({ status, text }: RawAnswer): string =>
  `${status} ${(JSON.parse(text) as { code?: string }).code ?? ''}`;

describe('If-Match', () => {
  let caseId: string;
  let digest: string;
  beforeAll(async () => {
    const seen = await scene.reach('PROPOSED');
    caseId = seen.caseId;
    digest = seen.proposalDigest ?? '';
    await scene.runtime.settled();
  });
  const vote = (match: string | undefined): Promise<RawAnswer> =>
    scene.raw(
      'can-releasing-1',
      'POST',
      `/v1/cases/${caseId}/decisions`,
      { 'idempotency-key': `limits-${crypto.randomUUID()}`, ...(match === undefined ? {} : { 'if-match': match }) },
      '{"verdict":"approve"}',
    );

  it.each<[string, () => string | undefined, string]>([
    ['that is missing', () => undefined, '428 PROPOSAL_DIGEST_MISSING'],
    ['that is empty', () => '', '428 PROPOSAL_DIGEST_MISSING'],
    ['of anything', () => '*', '428 PROPOSAL_DIGEST_MISSING'],
    ['of a weak tag', () => `W/"${digest}"`, '428 PROPOSAL_DIGEST_MISSING'],
    ['of a list with the right one', () => `"sha256:${'0'.repeat(64)}", "${digest}"`, '428 PROPOSAL_DIGEST_MISSING'],
    ['without quotes', () => digest, '428 PROPOSAL_DIGEST_MISSING'],
    ['of the case’s own ETag', () => '"5"', '428 PROPOSAL_DIGEST_MISSING'],
    ['in capitals', () => `"${digest.toUpperCase()}"`, '428 PROPOSAL_DIGEST_MISSING'],
    ['of another proposal', () => `"sha256:${'0'.repeat(64)}"`, '412 PROPOSAL_CHANGED'],
  ])('%s lets no decision through', async (_, match, expected) => {
    const before = await keptBy(scene);
    expect(codeOf(await vote(match()))).toBe(expected);
    expect(await keptBy(scene)).toBe(before);
  });

  it('of the proposal that was seen does, once it was replaced no longer', async () => {
    const stale = digest;
    const replaced = await scene.propose(caseId, { conditions: ['Another condition.'] });
    expect(codeOf(await vote(`"${stale}"`))).toBe('412 PROPOSAL_CHANGED');
    expect((await vote(`"${replaced.proposalDigest}"`)).status).toBe(201);
  });
});

describe('a cursor', () => {
  const list = async (as: string, query: string): Promise<{ status: number; cases: string[]; next: string | null }> => {
    const { status, text } = await scene.raw(as, 'GET', `/v1/cases?${query}`);
    const { cases = [], next = null } = JSON.parse(text) as { cases?: { caseId: string }[]; next?: string | null };
    // A problem has a `next` of its own, which says what to do.
    return { status, cases: cases.map(({ caseId }) => caseId), next: status === 200 ? next : null };
  };
  let next: string;
  beforeAll(async () => {
    for (let made = 0; made < 3; made += 1) await scene.submit();
    next = (await list('ukr-requester-1', 'view=own&limit=1')).next ?? '';
  });

  it('row 11: that was changed in any place is refused', async () => {
    expect((await list('ukr-requester-1', `view=own&cursor=${next}`)).status).toBe(200);
    const letters = [...next];
    const changed = letters.flatMap((letter, index) =>
      index % 3 === 0 ? [letters.with(index, letter === 'A' ? 'B' : 'A').join('')] : [],
    );
    const others = [next.slice(0, -1), `${next}A`, `${next}=`, next.toUpperCase(), next.replace(/^./, '')];
    for (const cursor of [...changed, ...others]) {
      expect([cursor, await list('ukr-requester-1', `view=own&cursor=${cursor}`)]).toEqual([
        cursor,
        { status: 400, cases: [], next: null },
      ]);
    }
  });

  it.each([
    [
      'another list of the same caller',
      'can-authority-1',
      'view=queue&phase=UNDER_REVIEW',
      'can-authority-1',
      'view=queue&phase=RELEASED',
    ],
    ['a colleague’s queue', 'can-desk-1', 'view=queue', 'can-releasing-1', 'view=queue'],
    ['the other nation', 'can-desk-1', 'view=queue', 'ukr-authority-1', 'view=queue&phase=UNDER_REVIEW'],
    ['an agency', 'can-desk-1', 'view=queue', 'ukr-requester-1', 'view=own'],
  ])('row 11: leads into no list but its own: %s', async (_, by, query, taker, wanted) => {
    const { next: given } = await list(by, `${query}&limit=1`);
    expect(given).not.toBeNull();
    expect(await list(taker, `${wanted}&cursor=${given}`)).toEqual({ status: 400, cases: [], next: null });
  });

  it('gives each case once, and none after the last', async () => {
    const seen: string[] = [];
    let query = 'view=queue&limit=1';
    for (;;) {
      const page = await list('can-desk-1', query);
      expect(page.cases).toHaveLength(1);
      seen.push(...page.cases);
      if (page.next === null) break;
      query = `view=queue&limit=1&cursor=${page.next}`;
    }
    expect(seen).toEqual((await list('can-desk-1', 'view=queue&limit=50')).cases);
    expect(new Set(seen).size).toBe(seen.length);
  });
});

describe('what stands twice', () => {
  it.each<[string, string, Record<string, string>[]]>([
    ['a query parameter', '/v1/cases?limit=1&limit=50', []],
    ['a query parameter with one value', '/v1/cases?limit=1&limit=1', []],
  ])('is refused: %s', async (_, path) => {
    expect(codeOf(await scene.raw('can-desk-1', 'GET', path))).toBe('400 REPEATED');
  });

  it.each(['idempotency-key', 'if-match', 'content-type'])('is refused: the header %s', async (name) => {
    const token = (await scene.exchange.connectionAs('can-releasing-1').credential?.token()) ?? '';
    const head = [
      'POST /v1/cases/0123456789abcdef0123456789abcdef/decisions HTTP/1.1',
      'Host: 127.0.0.1',
      `Authorization: Bearer ${token}`,
      'Content-Length: 2',
      'Connection: close',
      'Content-Type: application/json',
      'Idempotency-Key: once-and-only',
      'If-Match: "x"',
      `${name}: application/json`,
    ];
    expect(await talk(`${head.join('\r\n')}\r\n\r\n{}`)).toMatch(/^HTTP\/1\.1 400 [\s\S]*"code":"REPEATED"/);
  });
});

/** Sends bytes as they are, and gives what came back until the connection was closed. */
const talk = (bytes: string, cut = false): Promise<string> =>
  new Promise((resolve) => {
    let text = '';
    const socket = connect({ host: '127.0.0.1', port: Number(new URL(scene.runtime.url).port) }, () => {
      socket.write(bytes, () => cut && socket.destroy());
    });
    socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
    socket.once('error', () => undefined);
    socket.once('close', () => resolve(text));
  });

describe('the rate', () => {
  const health = (): Promise<Response> => fetch(`${throttled.runtime.url}/v1/healthz`);

  it('beyond what the stage takes is answered 429, with when to come again, and reaches no function', async () => {
    const answers = await Promise.all(Array.from({ length: BURST * 3 }, health));
    const late = answers.filter(({ status }) => status === 429);
    expect(answers.filter(({ status }) => status === 200).length).toBeGreaterThanOrEqual(BURST);
    expect(late.length).toBeGreaterThan(0);
    for (const answer of late) {
      expect([answer.headers.get('retry-after'), answer.headers.get('content-type')]).toEqual([
        '1',
        'application/problem+json',
      ]);
      expect(await answer.json()).toMatchObject({
        status: 429,
        code: 'THROTTLED',
        traceId: expect.any(String) as string,
      });
    }
    // A signed-in call is throttled before its token is looked at: what is flooded is not the authorizer.
    const invoked = throttled.runtime.meter.read()['lambda']?.['Invoke'];
    const refused = await fetch(`${throttled.runtime.url}/v1/agreements`, { headers: { authorization: 'Bearer x' } });
    expect([429, 401]).toContain(refused.status);
    if (refused.status === 429) expect(throttled.runtime.meter.read()['lambda']?.['Invoke']).toBe(invoked);
  });

  it('is let in again once time has passed', async () => {
    await throttled.runtime.clock.advance(BURST * SECOND);
    expect((await health()).status).toBe(200);
  });
});

describe('the size', () => {
  const submit = (body: string, headers: Record<string, string> = {}): Promise<RawAnswer> =>
    scene.raw(
      'ukr-requester-1',
      'POST',
      '/v1/cases',
      { 'idempotency-key': `limits-${crypto.randomUUID()}`, ...headers },
      body,
    );
  const sized = (bytes: number): string => `{"x":"${'x'.repeat(bytes - 8)}"}`;
  const deep = (levels: number): string => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;

  it.each<[string, () => string, string]>([
    ['256 KiB', () => sized(256 * 1024), '400 INVALID_INPUT'],
    ['a byte more', () => sized(256 * 1024 + 1), '413 BODY_TOO_LARGE'],
    ['256 KiB and one in letters of three bytes', () => `{"x":"${'є'.repeat(128 * 1024)}"}`, '413 BODY_TOO_LARGE'],
    ['10 MiB', () => sized(10 * 1024 * 1024), '413 BODY_TOO_LARGE'],
    ['a byte more than the gateway takes', () => sized(10 * 1024 * 1024 + 1), '413 BODY_TOO_LARGE'],
    ['sixteen levels', () => deep(16), '400 INVALID_INPUT'],
    ['a level more', () => deep(17), '400 BODY_TOO_DEEP'],
    [
      'a hundred thousand empty members',
      () => `{${Array.from({ length: 20_000 }, (_, index) => `"${index}":0`).join()}}`,
      '400 INVALID_INPUT',
    ],
    ['a number of a hundred thousand digits', () => `{"x":${'9'.repeat(100_000)}}`, '400 INVALID_INPUT'],
  ])('of a body is bounded: %s', async (_, body, expected) => {
    const before = await keptBy(scene);
    expect(codeOf(await submit(body()))).toBe(expected);
    expect(await keptBy(scene)).toBe(before);
  });

  it.each([10_240, 40_000])('of headers is bounded: %s bytes', async (length) => {
    expect(codeOf(await submit('{}', { 'x-long': 'x'.repeat(length) }))).toBe('413 BODY_TOO_LARGE');
  });

  it('of an answer’s time is bounded by the function before the gateway gives up', () => {
    // https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html: 29 seconds
    const names = ['api', 'grant-access', 'authenticate-caller'] as const;
    expect(names.map((name) => FUNCTIONS[name].timeoutSeconds < 29)).toEqual([true, true, true]);
  });
});

const WITH_BODY = (Object.keys(ROUTES) as OperationId[]).filter(
  (operation) => (ROUTES[operation] as Route).body !== undefined,
);

it.each(WITH_BODY)('a body that is cut off reaches no function, and changes nothing: %s', async (operation) => {
  const { caseId, proposalDigest } = await known();
  const { method, path }: Route = ROUTES[operation];
  const token = (await scene.exchange.connectionAs('can-desk-1').credential?.token()) ?? '';
  const before = await keptBy(scene);
  const invoked = scene.runtime.callers.read()[scene.roleNamed('apiRole')]?.['dynamodb'];
  const head = [
    `${method} ${path.replace(/\{\w+\}/g, caseId)} HTTP/1.1`,
    'Host: 127.0.0.1',
    `Authorization: Bearer ${token}`,
    'Content-Type: application/json',
    'Idempotency-Key: cut-off-in-the-middle',
    `If-Match: "${proposalDigest}"`,
  ];
  // Each is a whole JSON value so far, so that only its length says that there was to be more.
  await talk(`${[...head, 'Content-Length: 1000'].join('\r\n')}\r\n\r\n{"reason":"x"}`, true);
  await talk(`${[...head, 'Transfer-Encoding: chunked'].join('\r\n')}\r\n\r\ne\r\n{"reason":"x"}\r\n`, true);
  // A later answer shows that what was cut off has been seen to its end.
  expect((await fetch(`${scene.runtime.url}/v1/healthz`)).status).toBe(200);
  await scene.runtime.settled();
  expect(scene.runtime.callers.read()[scene.roleNamed('apiRole')]?.['dynamodb']).toEqual(invoked);
  expect(await keptBy(scene)).toBe(before);
});

let one: { readonly caseId: string; readonly proposalDigest: string } | undefined;
async function known(): Promise<{ readonly caseId: string; readonly proposalDigest: string }> {
  if (one === undefined) {
    const { caseId, proposalDigest = '' } = await scene.reach('PROPOSED');
    one = { caseId, proposalDigest };
    await scene.runtime.settled();
  }
  return one;
}

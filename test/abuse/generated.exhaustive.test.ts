import fc from 'fast-check';
import { Agent, request as httpRequest } from 'node:http';
import { asProposed } from '../../bin/client/directory-entries.ts';
import { PEOPLE } from '../../examples/exercise/people.ts';
import { problem } from '../../lambdas/contracts/api-answers.ts';
import document from '../../lambdas/contracts/openapi.json' with { type: 'json' };
import { ROUTES, type OperationId, type Route } from '../../lambdas/contracts/routes.ts';
import { examined } from '../support/examined.ts';
import { DAY, openScene, type Scene } from '../support/exchange.ts';
import { GENERATED_PHASES, requestsOf, type Generated } from '../support/generated-requests.ts';
import { keptBy } from '../support/kept.ts';

jest.setTimeout(600_000);

/** Another one, or that of a run that failed: SEED=7 TESTS=exhaustive npx jest test/abuse/generated */
const SEED = Number(process.env['SEED'] ?? 20_261_123);
const REQUESTS = 5000;
/** Requests that are sent at once. */
const AT_ONCE = 32;
/** Requests after which cases are brought back into their phases. */
const ROUND = 512;

type Facts = Readonly<Record<string, string>>;
interface Answered {
  readonly sent: Generated;
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
}

let scene: Scene;
const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
/** What is known of the case that stands in a phase. */
const facts = new Map<string, Facts>();
const tokens = new Map<string, { readonly token: string; readonly until: number }>();
let shared: Facts = {};

beforeAll(async () => {
  scene = await openScene();
  shared = {
    keyFingerprint: await scene.fingerprintOf('ukr-recipient-1'),
    publicKey: (await scene.keyOf('ukr-recipient-1')).publicKey,
  };
}, 120_000);
afterAll(async () => {
  agent.destroy();
  await scene.close();
});

/** A case in each phase, new where the old one has moved on. */
async function refill(): Promise<void> {
  kept = undefined;
  await scene.runtime.settled();
  for (const phase of GENERATED_PHASES) {
    const known = facts.get(phase)?.['caseId'];
    if (known !== undefined && (await phaseOf(known)) === phase) continue;
    facts.set(phase, await newCase(phase));
  }
  const change = await scene.as('can-directory-1').proposeChange({ body: { person: deskEntry() } });
  const now = scene.runtime.clock.now();
  shared = {
    ...shared,
    changeId: change.changeId,
    now: new Date(now + 60_000).toISOString(),
    tomorrow: new Date(now + DAY).toISOString(),
  };
}

/** The desk officer's entry as it stands: a change that changes nothing, which can be confirmed. */
function deskEntry() {
  const person = PEOPLE.find(({ personId }) => personId === 'can-desk-1');
  if (person === undefined) throw new Error('The exercise has no such person.');
  return asProposed(person);
}

async function phaseOf(caseId: string): Promise<string> {
  const { phase, proposal } = await scene.read(caseId);
  return phase === 'UNDER_REVIEW' && proposal !== undefined ? 'PROPOSED' : phase;
}

async function newCase(phase: (typeof GENERATED_PHASES)[number]): Promise<Facts> {
  const reached = await scene.reach(phase === 'WITHDRAWN' ? 'UNDER_REVIEW' : phase, { endsIn: 20 * DAY, copies: 100 });
  const { caseId } = reached;
  if (phase === 'WITHDRAWN') {
    await scene.as('ukr-requester-1').withdrawRequest({ params: { caseId }, body: { reason: 'No longer needed.' } });
  }
  const opened =
    phase === 'RELEASED' ? await scene.as('ukr-recipient-1').grantAccess({ params: { caseId }, body: {} }) : undefined;
  return {
    caseId,
    depositId:
      phase === 'UNDER_REVIEW'
        ? await scene.deposit(caseId, Buffer.from('EXERCISE'))
        : (reached.deposits?.[0]?.depositId ?? '0'.repeat(32)),
    proposalDigest: reached.proposalDigest ?? `sha256:${'0'.repeat(64)}`,
    accessId: opened?.accessId ?? '0'.repeat(32),
    digest: opened?.ciphertextDigest ?? `sha256:${'1'.repeat(64)}`,
  };
}

async function tokenOf(caller: string): Promise<string | undefined> {
  if (caller === 'nobody') return undefined;
  const now = Date.now();
  const known = tokens.get(caller);
  if (known !== undefined && known.until > now) return known.token;
  const token = (await scene.exchange.connectionAs(caller).credential?.token()) ?? '';
  tokens.set(caller, { token, until: now + 60_000 });
  return token;
}

async function send(sent: Generated): Promise<Answered> {
  const values: Facts = { ...shared, ...facts.get(sent.phase) };
  const filled = (text: string): string => text.replace(/\{\{(\w+)\}\}/g, (all, name: string) => values[name] ?? all);
  const token = await tokenOf(sent.caller);
  const body = sent.body === undefined ? undefined : Buffer.from(filled(sent.body));
  const named = new Set(sent.headers.map(([name]) => name));
  const { port } = new URL(scene.runtime.url);
  const headers = [
    ['host', `127.0.0.1:${port}`],
    ...(token === undefined || named.has('authorization') ? [] : [['authorization', `Bearer ${token}`]]),
    ...(body === undefined ? [] : [['content-length', String(body.length)]]),
    ...sent.headers.map(([name, value]) => [name, filled(value)]),
  ].flat();
  return new Promise((resolve, reject) => {
    const going = httpRequest(
      { agent, host: '127.0.0.1', port, method: sent.method, path: filled(sent.path), headers },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('end', () =>
          resolve({
            sent,
            status: answer.statusCode ?? 0,
            headers: answer.headers,
            text: Buffer.concat(chunks).toString(),
          }),
        );
      },
    );
    going.on('error', (error) => {
      // The server closed an idle connection as it was taken up again: nothing was read. https://nodejs.org/api/http.html#requestreusedsocket
      if (going.reusedSocket) resolve(send(sent));
      else reject(error);
    });
    going.end(body);
  });
}

/** The operation that a request reaches, as the gateway reads its path. */
function reached({ method, path }: Generated): OperationId | undefined {
  const [whole = ''] = path.split('?');
  let segments: string[];
  try {
    segments = whole.split('/').map((part) => decodeURIComponent(part.replace(/^\{\{\w+\}\}$/, 'x')));
  } catch {
    return undefined;
  }
  return (Object.keys(ROUTES) as OperationId[]).find((operation) => {
    const pattern = ROUTES[operation].path.split('/');
    const fits =
      pattern.length === segments.length &&
      pattern.every((part, index) => part.startsWith('{') || part === segments[index]);
    return fits && ROUTES[operation].method === method;
  });
}

type Described = Readonly<
  Record<string, { readonly responses: Readonly<Record<string, { readonly content: object }>> }>
>;
const responsesOf = (operation: OperationId): Readonly<Record<string, { readonly content: object }>> => {
  const { path, method }: Route = ROUTES[operation];
  return (document.paths[path as keyof typeof document.paths] as Described)[method.toLowerCase()]?.responses ?? {};
};

/** What is wrong with an answer; undefined: nothing. */
function faultOf({ sent, status, headers, text }: Answered): string | undefined {
  const operation = reached(sent);
  const mediaType = String(headers['content-type'] ?? '').split(';')[0] ?? '';
  if (operation === undefined && (status < 400 || status >= 500)) return `${status} where there is no operation`;
  if (operation !== undefined && !(status in responsesOf(operation)))
    return `${status} is not declared for ${operation}`;
  // Nothing is broken here, so that a service is busy with another request is the one reason not to answer now.
  if (status >= 500 && !(status === 503 && text.includes('"TRY_AGAIN"')))
    return `${status} from ${operation ?? 'none'}`;
  if (sent.method === 'HEAD') return undefined;
  if (operation !== undefined && !(mediaType in (responsesOf(operation)[String(status)]?.content ?? {})))
    return `${mediaType} is not declared`;
  if (headers['cache-control'] !== 'no-store') return 'it may be kept by a cache';
  const body: unknown = parsed(text);
  if (status < 300) {
    const answer = ROUTES[operation ?? 'readHealth'].answer.safeParse(body);
    return answer.success ? undefined : `the answer is not as declared: ${answer.error.message}`;
  }
  const told = problem.safeParse(body);
  if (mediaType !== 'application/problem+json' || !told.success) return 'no problem document';
  if (told.data.status !== status) return `the problem says ${told.data.status}`;
  const { code, detail, next, traceId } = told.data;
  if (!/^[A-Z][A-Z_]+$/.test(code) || detail === '' || next === '' || traceId === '')
    return 'a problem with an empty member';
  return undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const told = ({ sent, status, text }: Answered): string =>
  JSON.stringify(
    { seed: SEED, status, answer: text.slice(0, 500), sent: { ...sent, body: sent.body?.slice(0, 2000) } },
    undefined,
    1,
  );

/** What was wrong, each kind with the first request that showed it. */
const faults = new Map<string, string>();

/** What is kept, as it was after the last request; undefined: since something was accepted it has not been looked at. */
let kept: string | undefined;

/** Counts of what came back, so that a run that only ever got 404 does not pass for a search. */
const seen = new Map<string, number>();

/**
 * Sends requests at once, and looks whether those that were refused left anything behind: as they are sent beside others that are accepted,
 * they are sent again without those, until nothing else can have been the cause.
 */
async function examine(requests: readonly Generated[]): Promise<void> {
  if (requests.length === 0) return;
  const before = (kept ??= await keptBy(scene));
  const answers = await Promise.all(requests.map(send));
  for (const answer of answers) {
    const fault = faultOf(answer);
    if (fault !== undefined && !faults.has(fault)) faults.set(fault, told(answer));
    const key = `${reached(answer.sent) ?? 'none'} ${answer.status}`;
    seen.set(key, (seen.get(key) ?? 0) + 1);
  }
  const refused = answers.filter(({ status }) => status >= 400);
  // What only reads changes nothing either, whatever it is answered.
  if (answers.every(({ sent, status }) => status >= 400 || sent.method === 'GET')) {
    kept = await keptBy(scene);
    if (kept === before) return;
    if (requests.length === 1)
      throw new Error(`Something was changed by a refused request: ${answers.map(told).join()}`);
    for (const request of requests) await examine([request]);
    throw new Error(`One of these requests changed something: ${answers.map(told).join('\n')}`);
  }
  kept = undefined;
  await scene.runtime.settled();
  await examine(refused.map(({ sent }) => sent));
}

/** Every operation the same number of times, in an order of chance. */
function generated(): Generated[] {
  const operations = Object.keys(ROUTES) as OperationId[];
  const each = Math.ceil(REQUESTS / operations.length);
  const all = operations.flatMap((operation, index) =>
    fc.sample(requestsOf(operation), { seed: SEED + index, numRuns: each }),
  );
  const [shuffled = []] = fc.sample(fc.shuffledSubarray(all, { minLength: all.length }), { seed: SEED, numRuns: 1 });
  return shuffled;
}

it(`five thousand generated requests (SEED=${SEED}) find no 5xx, nothing undeclared, and no change after a refusal`, async () => {
  const requests = generated();
  expect(requests.length).toBeGreaterThanOrEqual(REQUESTS);
  for (let from = 0; from < requests.length; from += AT_ONCE) {
    if (from % ROUND === 0) await refill();
    await examine(requests.slice(from, from + AT_ONCE));
    examined('input', Math.min(AT_ONCE, requests.length - from));
  }
  expect([...faults]).toEqual([]);
  // Each operation was reached both ways: what is only ever refused, or never, has not been examined.
  const untouched = (Object.keys(ROUTES) as OperationId[]).flatMap((operation) => {
    const accepted = seen.get(`${operation} ${ROUTES[operation].status}`) ?? 0;
    const refused = [...seen].some(([key, count]) => key.startsWith(`${operation} 4`) && count > 0);
    return accepted > 0 && refused ? [] : [operation];
  });
  expect(untouched).toEqual([]);
});

it('none of them is in the log as a fault of ours', () => {
  const lines = scene.runtime.services.lambda.logs().map(({ message }) => message);
  expect(lines.some((line) => line.includes('API_PROBLEM'))).toBe(true);
  expect(lines.filter((line) => /FUNCTION_FAILED|"status":500/.test(line))).toEqual([]);
});

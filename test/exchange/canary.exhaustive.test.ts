import { canaryReport, CANARY_STEPS, type CanaryReport } from '../../lambdas/contracts/canary-report.ts';
import { valizaOn, type Ran } from '../support/client.ts';
import { examined } from '../support/examined.ts';
import { MINUTE, openScene, resourcesOf, until, type Scene } from '../support/exchange.ts';

jest.setTimeout(120_000);

let scene: Scene | undefined;
afterEach(() => examined('canary runs', 1));
afterEach(async () => {
  // What was told to end is still ending.
  await scene?.runtime.settled();
  await scene?.close();
  scene = undefined;
});

type Resource = ReturnType<typeof resourcesOf>[number][1];

/** Boots an exchange without people of its own, in whose templates something is changed. */
async function openChanged(change: (id: string, resource: Resource) => boolean): Promise<Scene> {
  let changed = 0;
  scene = await openScene({
    people: false,
    amend(_stack, template) {
      for (const [id, resource] of resourcesOf(template)) if (change(id, resource)) changed += 1;
    },
  });
  expect(changed).toBe(1);
  return scene;
}

const smoke = (of: Scene, ...options: readonly string[]): Promise<Ran> =>
  valizaOn(of.runtime.url, 'ops', 'smoke', ...options);

async function report(of: Scene, ...options: readonly string[]): Promise<Ran & { readonly report: CanaryReport }> {
  const ran = await smoke(of, '--json', ...options);
  const { environment: _, ...rest } = JSON.parse(ran.stdout) as { environment: string }; // as the command prints it
  return { ...ran, report: canaryReport.parse(rest) };
}

/** What the canary has logged, by code. */
const logged = ({ runtime }: Scene, code: string): Record<string, unknown>[] =>
  runtime.services.lambda
    .logs()
    .filter(({ functionName, message }) => functionName.endsWith('-run-canary') && message.includes(`"${code}"`))
    .map(({ message }) => JSON.parse(message) as Record<string, unknown>);

test('the schedule runs it, and it ends what a run that was killed has left', async () => {
  const exchange = await openChanged((_, { Type, Properties }) => {
    const its = Type === 'AWS::Events::Rule' && String(Properties['Name']).endsWith('-canary');
    if (its) Properties['State'] = 'ENABLED';
    return its;
  });
  const { runtime } = exchange;
  // While the case is being sealed, its canary waits; then it is no more.
  runtime.faults.plan = ({ operation, moment }) => {
    if (operation === 'GenerateDataKey' && moment === 'before')
      runtime.services.lambda.crash(exchange.roleNamed('CanaryRole'));
    return undefined;
  };
  const killed = await smoke(exchange, '--json');
  expect(killed).toMatchObject({ exit: 1, stdout: '' });
  expect(JSON.parse(killed.stderr)).toMatchObject({ error: { code: 'NOT_ANSWERED' } });
  runtime.faults.plan = undefined;
  await runtime.settled();
  const inFlight = async (): Promise<{ phase: string }[]> =>
    (JSON.parse((await valizaOn(runtime.url, 'ops', 'doctor', '--json')).stdout) as { cases: { phase: string }[] })
      .cases;
  expect((await inFlight()).map(({ phase }) => phase)).toEqual(['RELEASED']);

  // Too young to have been left behind: another run may be under way.
  expect((await report(exchange)).report).toMatchObject({ ok: true, cleaned: 0 });
  expect(await inFlight()).toHaveLength(1);
  expect(logged(exchange, 'CANARY_OK').map((line) => line['count'])).toEqual([0]);

  await runtime.clock.advance(30 * MINUTE);
  await until('the canary has run by itself', async () => {
    await runtime.settled();
    return logged(exchange, 'CANARY_OK')[1];
  });
  expect(logged(exchange, 'CANARY_OK').map((line) => line['count'])).toEqual([0, 1]);
  expect(logged(exchange, 'CANARY_FAILED')).toEqual([]);
  expect(await inFlight()).toEqual([]);
});

test('people are told in a table', async () => {
  scene = await openScene({ people: false, environment: 'ukr-local' });
  const { exit, stdout } = await smoke(scene, '--wait', '60');
  expect(exit).toBe(0);
  const lines = stdout.trimEnd().split('\n');
  expect(lines).toHaveLength(CANARY_STEPS.length + 1);
  for (const [index, step] of CANARY_STEPS.entries())
    expect(lines[index]).toMatch(new RegExp(`^ok +${step} +\\d+ ms$`));
  expect(lines.at(-1)).toMatch(/^case [0-9a-f]{32}$/);
  expect((await smoke(scene, '--wait', '0')).exit).toBe(2);
});

interface Statement {
  readonly Sid?: string;
  Action: string | string[];
}

const statementsOf = (document: unknown): Statement[] => (document as { Statement: Statement[] }).Statement; // as policies have

/** Takes an action away from a role's own policy. */
const without =
  (role: string, action: string) =>
  (id: string, { Type, Properties }: Resource): boolean => {
    if (Type !== 'AWS::IAM::Policy' || !id.startsWith(`${role}DefaultPolicy`)) return false;
    const document = Properties['PolicyDocument'] as { Statement: Statement[] }; // likewise
    const before = JSON.stringify(document);
    for (const statement of document.Statement)
      statement.Action = [statement.Action].flat().filter((name) => name !== action);
    document.Statement = document.Statement.filter(({ Action }) => Action.length > 0);
    return JSON.stringify(document) !== before;
  };

/** Takes a statement out of a key's policy. */
const withoutOfKey =
  (key: string, sid: string) =>
  (id: string, { Type, Properties }: Resource): boolean => {
    if (Type !== 'AWS::KMS::Key' || !id.startsWith(key)) return false;
    const left = statementsOf(Properties['KeyPolicy']).filter(({ Sid }) => Sid !== sid);
    Properties['KeyPolicy'] = { ...(Properties['KeyPolicy'] as object), Statement: left };
    return true;
  };

/** Has a function's code do nothing but fail. */
const failing =
  (name: string) =>
  (_: string, { Type, Properties }: Resource): boolean => {
    if (Type !== 'AWS::Lambda::Function' || !String(Properties['FunctionName']).endsWith(name)) return false;
    Properties['Handler'] = 'index.nothing';
    return true;
  };

/** What is broken, and the step, code and status that name it; whether the case of the run could be ended. */
const BROKEN: readonly (readonly [
  what: string,
  change: (id: string, resource: Resource) => boolean,
  failed: CanaryReport['failed'],
  ended: boolean,
])[] = [
  [
    'the canary may not sign',
    withoutOfKey('CanaryKey', 'CanarySigns'),
    { step: 'sign-in', code: 'NOT_SIGNED', status: null },
    true,
  ],
  [
    'those who authenticate may not read its key',
    without('authenticatecallerRole', 'kms:GetPublicKey'),
    { step: 'clean-up', code: 'NOT_AUTHENTICATED', status: 401 },
    true,
  ],
  [
    'no execution is started',
    without('resumeworkflowRole', 'states:StartExecution'),
    { step: 'review', code: 'STILL_SUBMITTED', status: null },
    true,
  ],
  [
    'nothing can be deposited',
    without('apiRole', 's3:PutObject'),
    { step: 'deposit', code: 'UPLOAD_REFUSED', status: 403 },
    true,
  ],
  [
    'sealing may not read deposits',
    without('SealingRole', 's3:GetObject'),
    { step: 'release', code: 'STILL_SEALING', status: null },
    true,
  ],
  [
    'the function that opens releases fails',
    failing('-open-release'),
    { step: 'release', code: 'STILL_SEALING', status: null },
    true,
  ],
  [
    'the function that opens packages fails',
    failing('-grant-access'),
    { step: 'open', code: 'UNAVAILABLE', status: 503 },
    true,
  ],
  [
    'packages cannot be opened',
    withoutOfKey('PackageKey', 'ReleaseAccessOpensThem'),
    { step: 'open', code: 'KEY_REFUSED', status: 403 },
    true,
  ],
  [
    'packages cannot be destroyed',
    without('closereleaseRole', 's3:DeleteObject'),
    { step: 'close', code: 'STILL_CLOSING', status: null },
    true,
  ],
];

test.each(BROKEN)('%s: the canary says where and with which code', async (_, change, failed, ended) => {
  const exchange = await openChanged(change);
  const { exit, stderr, report: seen } = await report(exchange, '--wait', '5');
  expect(seen).toMatchObject({ ok: false, failed, ended });
  expect(seen.steps.map(({ step }) => step)).toEqual(CANARY_STEPS.slice(0, seen.steps.length));
  expect(exit).toBe(1);
  expect(JSON.parse(stderr)).toMatchObject({
    error: { code: 'CANARY_FAILED', message: expect.stringContaining(`${failed?.step} with ${failed?.code}`) },
  });
  expect(logged(exchange, 'CANARY_FAILED')).toHaveLength(1);
  expect(logged(exchange, 'CANARY_OK')).toEqual([]);
});

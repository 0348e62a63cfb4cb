import { MINUTE, openScene, type Scene } from '../support/exchange.ts';
import { valizaOn } from '../support/client.ts';
import { release } from '../support/releases.ts';

jest.setTimeout(120_000);

let scene: Scene;
beforeAll(async () => {
  scene = await openScene();
});
afterAll(() => scene.close());

const valiza = (...argv: string[]) => valizaOn(scene.runtime.url, ...argv);

test('the doctor finds nothing in flight in a new exchange', async () => {
  const { exit, stdout, stderr } = await valiza('ops', 'doctor');
  expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' });
  expect(stdout).toMatch(/^No case is in flight \(/);
});

test('the doctor lists what is in flight, by phase, attempt and workflow, and nothing of what it is about', async () => {
  const title = 'Canary of the doctor';
  const first = await scene.submit({ title });
  const second = await scene.reach('AWAITING_ASSURANCE');
  const inadmissible = await scene.submit({ agreementId: 'CAN-UKR', title });
  expect(inadmissible.phase).toBe('INADMISSIBLE');
  const { exit, stdout } = await valiza('ops', 'doctor', '--json');
  const seen = JSON.parse(stdout) as Record<string, unknown> & { cases: Record<string, unknown>[] };
  expect(exit).toBe(0);
  expect(seen['environment']).toBe('can-local');
  const execution = { startedAt: expect.any(String), revision: expect.stringMatching(/^[0-9a-f-]{32,36}$/) };
  expect(seen.cases).toHaveLength(2);
  expect(seen.cases).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ caseId: first.caseId, phase: 'UNDER_REVIEW', attempt: 1, failures: 0, execution }),
      expect.objectContaining({ caseId: second.caseId, phase: 'AWAITING_ASSURANCE', attempt: 1, execution }),
    ]),
  );
  const [revision, ...others] = Object.values(seen['revisions'] as object) as { functions: string[] }[];
  expect(others).toEqual([]);
  expect(revision?.functions.map((name) => name.replace(/:.*/, ''))).toEqual(
    ['assess-request', 'await-party', 'close-release', 'open-release', 'record-failure', 'seal-package'].map(
      (name) => `valiza-can-local-${name}`,
    ),
  );
  expect(stdout).not.toContain(title);
});

test('a case that no execution carries is listed as such, until one does', async () => {
  const { faults, clock } = scene.runtime;
  faults.plan = ({ operation, moment }) =>
    operation === 'StartExecution' && moment === 'before' ? 'throttle' : undefined;
  const caseId = await scene.ask();
  const line = async (): Promise<string | undefined> =>
    (await valiza('ops', 'doctor')).stdout.split('\n').find((row) => row.includes(caseId));
  expect(await line()).toMatch(/^SUBMITTED +[0-9a-f]{32}  attempt 1  no execution/);
  faults.plan = undefined;
  await clock.advance(5 * MINUTE);
  await scene.waitFor(caseId, 'UNDER_REVIEW');
  expect(await line()).toMatch(/^UNDER_REVIEW +[0-9a-f]{32}  attempt \d  workflow [0-9a-f]{8}  +due /);
});

test('the doctor finds nothing against deploying again what is deployed', async () => {
  const { exit, stdout } = await valiza('ops', 'doctor', '--next', scene.exchange.assembly);
  expect(exit).toBe(0);
  expect(stdout).toMatch(/The release strands no case and loses nothing that is kept\.$/m);
});

test('the doctor refuses a release that would delete versions under a case in flight, and says what to do', async () => {
  // What is deployed does not keep its versions; the next release, which is that of before, has others.
  await scene.runtime.deploy({ assembly: scene.exchange.assembly, amend: release('B', { loses: /./ }) });
  await scene.submit();
  const { exit, stdout, stderr } = await valiza('ops', 'doctor', '--json', '--next', scene.exchange.assembly);
  expect(exit).toBe(1);
  const { findings } = JSON.parse(stdout) as { findings: { code: string; next: string }[] };
  expect(findings.map(({ code }) => code)).toEqual(Array.from({ length: 6 }, () => 'VERSION_LOST'));
  expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'NOT_TO_BE_DEPLOYED', exit: 1 } });
});

test.each([
  ['a folder without an assembly', ['--next', '/nonexistent'], 2, 'USAGE'],
  ['an environment that is not there', ['--env', 'ukr-production'], 77, 'NO_OPERATOR'],
])('the doctor says what is wrong with %s', async (_, options, code, name) => {
  const { exit, stdout, stderr } = await valiza('ops', 'doctor', '--json', ...options);
  expect([exit, stdout]).toEqual([code, '']);
  expect(JSON.parse(stderr)).toMatchObject({ error: { code: name, next: expect.stringMatching(/./) } });
});

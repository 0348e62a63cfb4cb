import { canaryReport, CANARY_STEPS } from '../../lambdas/contracts/canary-report.ts';
import { CANARY_SEED, CANARY_RECIPIENT_KEY } from '../../lambdas/evidence/canary-key.ts';
import { recipientKeyFrom } from '../../lambdas/evidence/sealed-key.ts';
import { valizaOn } from '../support/client.ts';
import { openScene, refusalOf, type Scene } from '../support/exchange.ts';

jest.setTimeout(120_000);

let scene: Scene;
beforeAll(async () => {
  // The founding officers: nobody else is needed, and nobody else is there.
  scene = await openScene({ people: false });
});
afterAll(() => scene.close());

it('the key that it opens with is the one that the directory has', async () => {
  expect((await recipientKeyFrom(CANARY_SEED)).publicKey).toBe(CANARY_RECIPIENT_KEY.publicKey);
});

it('carries a case through for an operator who asks, and bothers nobody', async () => {
  const { exit, stdout, stderr } = await valizaOn(scene.runtime.url, 'ops', 'smoke', '--json');
  expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' });
  const { environment, ...rest } = JSON.parse(stdout) as { environment: string }; // as the command prints it
  expect(environment).toBe('can-local');
  const report = canaryReport.parse(rest);
  expect(report).toMatchObject({ ok: true, failed: null, cleaned: 0, ended: true });
  expect(report.steps.map(({ step }) => step)).toEqual(CANARY_STEPS);
  const caseId = String(report.caseId);

  await scene.runtime.settled();
  const told = scene.runtime.services.ses.outbox.list();
  expect(told.length).toBeGreaterThan(5);
  expect(new Set(told.flatMap(({ to }) => to))).toEqual(new Set(['success@simulator.amazonses.com']));
  for (const { subject } of told) expect(subject).toContain('EXERCISE');
  // Nor is anything left of it, in the buckets or among what waits.
  expect(await scene.objectsOf(caseId, 'deposits')).toEqual([]);
  expect(await scene.objectsOf(caseId, 'packages')).toEqual([]);
  const doctor = await valizaOn(scene.runtime.url, 'ops', 'doctor');
  expect(doctor.stdout).toMatch(/^No case is in flight/);
  for (const officer of [scene.who.authority, scene.who.recipientAuthority]) {
    const api = scene.as(officer);
    expect(await refusalOf(api.readCase({ params: { caseId } }))).toBe('404 NOT_FOUND');
    expect(await refusalOf(api.readEvents({ params: { caseId } }))).toBe('404 NOT_FOUND');
    expect((await api.listCases({ query: { view: 'queue' } })).cases).toEqual([]);
  }
});

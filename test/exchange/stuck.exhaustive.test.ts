import type { Fault, FaultPoint } from '../../local/faults.ts';
import { examined } from '../support/examined.ts';
import { DAY, MINUTE, openScene, problemOf, until, type Scene } from '../support/exchange.ts';
import { valizaOn, type Ran } from '../support/client.ts';

jest.setTimeout(240_000);

const TITLE = 'Canary of the operators';
let scene: Scene;
let looked = 0;

beforeAll(async () => {
  scene = await openScene();
});
afterAll(() => scene.close());
afterAll(() => examined('operations', looked));

const ops = (...argv: readonly string[]): Promise<Ran> => valizaOn(scene.runtime.url, 'ops', ...argv);

interface Row {
  readonly caseId: string;
  readonly because: readonly string[];
  readonly failed: { readonly step: string; readonly error: string } | null;
}
const stuck = async (): Promise<Row[]> => {
  const { exit, stdout } = await ops('stuck', '--json');
  expect(exit).toBe(0);
  expect(stdout).not.toContain(TITLE);
  const { cases } = JSON.parse(stdout) as { cases: Row[] };
  looked += cases.length;
  return cases;
};
const redriven = async (...argv: readonly string[]): Promise<string[]> => {
  const { exit, stdout, stderr } = await ops('redrive', ...argv, '--yes', '--json');
  expect([exit, stderr]).toEqual([0, '']);
  return (JSON.parse(stdout) as { cases: { did: string }[] }).cases.map(({ did }) => did);
};

const wait = async (milliseconds: number): Promise<void> => {
  await scene.runtime.settled();
  await scene.runtime.clock.advance(milliseconds);
  await scene.runtime.settled();
};
const during = async (plan: (point: FaultPoint) => Fault | undefined, work: () => Promise<void>): Promise<void> => {
  scene.runtime.faults.plan = (point) => (point.moment === 'before' ? plan(point) : undefined);
  try {
    await work();
  } finally {
    scene.runtime.faults.plan = undefined;
  }
};
const failing =
  (service: string, role: string, fault: Fault = 'crash') =>
  ({ service: of, caller }: FaultPoint): Fault | undefined =>
    of === service && caller === scene.roleNamed(role) ? fault : undefined;

/** A request whose execution cannot begin. */
const submitStranded = (): Promise<string> => scene.ask({ title: TITLE });

test('an exchange at work is held up nowhere', async () => {
  await scene.reach('AWAITING_ASSURANCE', { endsIn: 300 * DAY });
  await wait(10 * MINUTE);
  expect(await stuck()).toEqual([]);
  expect((await ops('stuck')).stdout).toMatch(/^No case is held up \(/);
  expect(await redriven('--all')).toEqual([]);
});

test('a case without an execution gets one at once, when somebody confirms it', async () => {
  let caseId = '';
  await during(
    ({ operation }) => (operation === 'StartExecution' ? 'crash' : undefined),
    async () => {
      caseId = await submitStranded();
      await wait(4 * MINUTE);
    },
  );
  expect(await stuck()).toMatchObject([{ caseId, because: ['no-execution'], failed: null }]);
  const unconfirmed = await ops('redrive', caseId);
  expect([unconfirmed.exit, unconfirmed.stderr]).toEqual([2, expect.stringContaining('--yes')]);
  expect(await redriven(caseId)).toEqual(['restarted']);
  // By the clock of the exchange nothing has passed.
  await scene.waitFor(caseId, 'UNDER_REVIEW');
  expect(await stuck()).toEqual([]);
});

test('a case whose attempts fail is named with step and error, and redriven without the patience of the sweep', async () => {
  const proposed = await scene.reach('AWAITING_ASSURANCE', { endsIn: 300 * DAY });
  const { caseId } = proposed;
  await during(failing('kms', 'SealingRole', 'throttle'), async () => {
    await scene.assure(proposed);
    for (let tries = 0; tries < 30 && (await stuck()).every(({ failed }) => failed === null); tries += 1) {
      await wait(5 * MINUTE);
    }
  });
  const [row] = await stuck();
  expect(row).toMatchObject({ caseId, failed: { step: 'Seal package', error: expect.stringMatching(/^[A-Za-z.]+$/) } });
  const { stdout } = await ops('stuck');
  expect(stdout).toMatch(new RegExp(`^SEALING +${caseId} .*attempt failed \\(\\d+ so far\\): Seal package, `, 'm'));
  expect(await redriven(caseId)).toEqual(['restarted']);
  await scene.waitFor(caseId, 'RELEASED');
  expect(await stuck()).toEqual([]);
});

test('what was not told is told again', async () => {
  let caseId = '';
  await during(failing('events', 'announceRole'), async () => {
    ({ caseId } = await scene.reach('UNDER_REVIEW'));
    await wait(4 * MINUTE);
    expect((await stuck()).find((row) => row.caseId === caseId)?.because).toEqual(['untold']);
  });
  expect(await redriven(caseId)).toEqual(['redelivered']);
  await until('everything has been told', async () => {
    await scene.runtime.settled();
    return (await stuck()).length === 0 ? true : undefined;
  });
});

test('redriving all decides nothing: a release whose window is over is closed, and opens for nobody', async () => {
  const { caseId } = await scene.reach('RELEASED', { endsIn: 10 * MINUTE });
  let other = '';
  await during(
    (point) => failing('s3', 'closereleaseRole')(point) ?? (point.operation === 'StartExecution' ? 'crash' : undefined),
    async () => {
      other = await submitStranded();
      await wait(30 * MINUTE);
    },
  );
  expect((await stuck()).map((row) => row.caseId).sort()).toEqual([caseId, other].sort());
  expect((await redriven('--all')).length).toBe(2);
  await scene.waitFor(caseId, 'CLOSED');
  await scene.waitFor(other, 'UNDER_REVIEW');
  const opening = problemOf(scene.as(scene.who.recipient).grantAccess({ params: { caseId }, body: {} }));
  expect((await opening).status).toBeGreaterThanOrEqual(403);
  expect(await scene.objectsOf(caseId, 'packages')).toEqual([]);
});

test.each([
  ['neither a case nor all', ['redrive'], 2, /Name one case, or --all/],
  ['both', ['redrive', 'c'.repeat(32), '--all'], 2, /Name one case, or --all/],
  ['what is no id', ['redrive', '../x', '--yes'], 2, /must be 32 lower-case/],
  ['a case that does not exist', ['redrive', 'c'.repeat(32), '--yes'], 1, /There is no such case/],
])('redrive refuses %s', async (_, argv, exit, words) => {
  const ran = await ops(...argv);
  expect([ran.exit, ran.stdout]).toEqual([exit, '']);
  expect(ran.stderr).toMatch(words);
});

import { DAY, HOUR, MINUTE, SECOND, openScene, refusalOf, type Scene } from '../support/exchange.ts';

jest.setTimeout(120_000);

/** Timers count whole seconds from when they were set, and only make someone look at the clock. */
const LATE = 30 * SECOND;

let scene: Scene;

beforeAll(async () => {
  scene = await openScene();
});
afterAll(() => scene.close());

const mailed = (caseId: string): string[] =>
  scene.runtime.services.ses.outbox
    .list()
    .filter(({ text }) => text?.includes(caseId))
    .map(({ to, subject }) => `${to.join()} ${subject.replace(/: [0-9a-f]{8}$/, '')}`);

/** Moves time to a distance from an instant. */
const moveTo = async (instant: string | null, distance: number): Promise<void> => {
  await scene.runtime.settled();
  await scene.runtime.clock.advanceTo(Date.parse(instant ?? '') + distance);
  await scene.runtime.settled();
};

const typesOf = async (caseId: string): Promise<string[]> =>
  (await scene.as(scene.who.desk).readEvents({ params: { caseId } })).events.map(({ type }) => type);

test('a missing decision is escalated once, and then the request lapses', async () => {
  const seen = await scene.reach('PROPOSED');
  const { caseId } = seen;
  await moveTo(seen.dueAt, -MINUTE);
  // Whoever it waits for was reminded, and nothing else happened.
  expect(await typesOf(caseId)).toHaveLength(seen.sequence + 1);
  expect((await typesOf(caseId)).at(-1)).toBe('Reminded');
  await moveTo(seen.dueAt, LATE);
  const escalated = await scene.read(caseId);
  expect([escalated.phase, escalated.clock?.escalations]).toEqual(['UNDER_REVIEW', 1]);
  expect(
    mailed(caseId)
      .filter((mail) => /overdue|retard/.test(mail))
      .sort(),
  ).toEqual([
    'can-authority-1@exercise.valiza.example [EXERCICE (EXERCISE)] Une décision est en retard et a été portée à l’échelon supérieur',
    'can-releasing-1@exercise.valiza.example [EXERCISE] A decision is overdue and has been escalated',
    'can-releasing-2@exercise.valiza.example [EXERCICE (EXERCISE)] Une décision est en retard et a été portée à l’échelon supérieur',
    'can-security-1@exercise.valiza.example [EXERCICE (EXERCISE)] Une décision est en retard et a été portée à l’échelon supérieur',
  ]);
  await moveTo(escalated.dueAt, LATE);
  const lapsed = await scene.read(caseId, scene.who.requester);
  expect(lapsed.outcome).toEqual({ ended: 'LAPSED', statement: 'decision' });
  expect((await typesOf(caseId)).slice(-3)).toEqual(['DecisionEscalated', 'CaseLapsed', 'DepositsDestroyed']);
  expect(await scene.objectsOf(caseId, 'deposits')).toEqual([]);
  expect(await refusalOf(scene.approve(seen, scene.who.releasing))).toBe('409 PHASE_FORBIDS');
  expect(scene.statesEntered(caseId).map((states) => states.at(-1))).toEqual(['Lapsed']);
});

test('an approval at the very instant at which the decision was due is too late', async () => {
  // The window of the proposal ends with it, so that nothing of the workflow runs at that instant.
  const seen = await scene.reach('PROPOSED', { endsIn: HOUR });
  await moveTo(seen.proposal?.notAfter ?? '', 0);
  expect(await refusalOf(scene.approve(seen, scene.who.releasing))).toBe('409 DEADLINE_PASSED');
});

test('a clarification that is not answered lets the request lapse, and not the decision clock, which stands still', async () => {
  const seen = await scene.reach('AWAITING_CLARIFICATION');
  expect(Date.parse(seen.dueAt ?? '') - Date.parse(seen.clock?.startedAt ?? '')).toBe(10 * DAY);
  await moveTo(seen.dueAt, -MINUTE);
  expect((await scene.read(seen.caseId)).phase).toBe('AWAITING_CLARIFICATION');
  await moveTo(seen.dueAt, LATE);
  expect((await scene.read(seen.caseId)).outcome).toEqual({ ended: 'LAPSED', statement: 'clarification' });
});

test('an assurance that is not given lets the request lapse, before any package is made', async () => {
  const seen = await scene.reach('AWAITING_ASSURANCE', { endsIn: 90 * DAY });
  expect(Date.parse(seen.dueAt ?? '') - Date.parse(seen.clock?.startedAt ?? '')).toBe(5 * DAY);
  await moveTo(seen.dueAt, -MINUTE);
  expect((await scene.read(seen.caseId)).phase).toBe('AWAITING_ASSURANCE');
  await moveTo(seen.dueAt, LATE);
  expect((await scene.read(seen.caseId)).outcome).toEqual({ ended: 'LAPSED', statement: 'assurance' });
  expect(await scene.objectsOf(seen.caseId, 'deposits')).toEqual([]);
  expect(await refusalOf(scene.assure(seen))).toBe('409 PHASE_FORBIDS');
});

test('a release that waits 90 days ends on time, in the execution that opened it', async () => {
  const seen = await scene.reach('RELEASED', { endsIn: 90 * DAY });
  await moveTo(seen.dueAt, -MINUTE);
  expect((await scene.read(seen.caseId)).phase).toBe('RELEASED');
  await moveTo(seen.dueAt, LATE);
  expect((await scene.read(seen.caseId)).outcome).toEqual({ ended: 'CLOSED', statement: 'expired' });
  expect(await scene.objectsOf(seen.caseId, 'packages')).toEqual([]);
  expect(scene.statesEntered(seen.caseId)).toHaveLength(1);
});

test('a release of 310 days outlives its execution: the next attempt holds it, and it ends on time', async () => {
  const seen = await scene.reach('RELEASED', { endsIn: 310 * DAY });
  await moveTo(seen.openedAt, 300 * DAY + HOUR);
  const held = await scene.read(seen.caseId);
  expect([held.phase, held.dueAt]).toEqual(['RELEASED', seen.dueAt]);
  const [first = [], second = [], ...others] = scene.statesEntered(seen.caseId);
  expect(others).toEqual([]);
  expect(first.at(-1)).toBe('To be continued by the next attempt');
  expect(second.at(-1)).toBe('Hold until expiry or recall');
  await moveTo(seen.dueAt, -MINUTE);
  expect((await scene.read(seen.caseId)).phase).toBe('RELEASED');
  await moveTo(seen.dueAt, LATE);
  expect((await scene.read(seen.caseId)).outcome).toEqual({ ended: 'CLOSED', statement: 'expired' });
  expect((await typesOf(seen.caseId)).filter((type) => type === 'ReleaseExpired')).toHaveLength(1);
  expect(scene.statesEntered(seen.caseId).map((states) => states.at(-1))).toEqual([
    'To be continued by the next attempt',
    'Closed',
  ]);
});

test('a release never lasts longer than the agreement allows', async () => {
  expect(await refusalOf(scene.reach('PROPOSED', { endsIn: 365 * DAY + MINUTE }))).toBe('400 WINDOW_TOO_LONG');
});

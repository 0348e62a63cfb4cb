import { ERRORS, LONGEST_WAIT, NEXT, type Next } from '../../lambdas/contracts/names.ts';
import { callbackInput, failureInput, stepInput } from '../../lambdas/contracts/step.ts';
import {
  answer,
  CASE,
  FIRST_SYNTHESIS,
  startCaseWorkflows,
  type Answers,
  type CaseWorkflows,
  type Step,
  type Walk,
} from '../support/case-workflow.ts';
import { failing } from '../support/states-server.ts';

const ROUTER = 'Where does the case stand?';
const RECORD = 'Record the failure';
const FAILED = 'Stopped, recorded and to be resumed';

/** Where each edge leads. */
const LEADS: Readonly<Record<Next, string>> = {
  'await-decision': 'Await decision',
  'await-assurance': 'Await assurance',
  seal: 'Seal package',
  open: 'Open release',
  hold: 'Hold until expiry or recall',
  close: 'Close release',
  closed: 'Closed',
  refused: 'Refused',
  lapsed: 'Lapsed',
  withdrawn: 'Withdrawn',
  inadmissible: 'Inadmissible',
  'continue-later': 'To be continued by the next attempt',
  superseded: 'Superseded by a later attempt',
};

let workflows: CaseWorkflows;
let walk: CaseWorkflows['walk'];

beforeAll(async () => {
  workflows = await startCaseWorkflows();
  ({ walk } = workflows);
}, FIRST_SYNTHESIS);
afterEach(() => workflows.stopWaiting());
afterAll(() => workflows.close());

/** Answers of a step, one for each visit; the last one stays. */
const inTurn =
  (...answers: readonly unknown[]): ((visit: number) => unknown) =>
  (visit) =>
    answers[Math.min(visit, answers.length) - 1];

/** What was entered after the first time that `state` was. */
const after = (state: string, { entered }: Walk): string[] => {
  const names = entered();
  return names.slice(names.indexOf(state) + 1);
};

describe('the happy path', () => {
  it('enters exactly twelve states, in the order of the mission', async () => {
    const answers: Answers = {
      'assess-request': () => answer('await-decision'),
      'seal-package': () => answer('open'),
      'open-release': () => answer('hold', 3600),
      'close-release': () => answer('closed', 1),
    };
    const happy = await walk(answers);
    await happy.wake(answer('await-assurance'));
    await happy.wake(answer('seal', 1));
    await workflows.advance(3600);
    expect(happy.entered()).toEqual([
      'Assess request',
      ROUTER,
      'Await decision',
      ROUTER,
      'Await assurance',
      ROUTER,
      'Seal package',
      'Open release',
      'Hold until expiry or recall',
      'Close release',
      ROUTER,
      'Closed',
    ]);
    expect(await happy.outcome()).toEqual({
      status: 'SUCCEEDED',
      error: undefined,
      output: { next: 'closed', waitSeconds: 1 },
    });
    expect(happy.visits.map(({ step }) => step)).toEqual([
      'assess-request',
      'await-party',
      'await-party',
      'seal-package',
      'open-release',
      'await-party',
      'close-release',
    ]);
  });
});

/** How an execution comes to each state that has a way on, with the edge that it then takes. */
const WAYS: readonly (readonly [state: string, reach: (next: string) => Promise<Walk>])[] = [
  ['Assess request', (next) => walk({ 'assess-request': inTurn(answer(next), answer('superseded')) })],
  ['Await decision', (next) => woken('await-decision', next)],
  ['Await assurance', (next) => woken('await-assurance', next)],
  [
    'Close release',
    (next) =>
      walk({
        'assess-request': inTurn(answer('close'), answer('superseded')),
        'close-release': inTurn(answer(next), answer('superseded')),
      }),
  ],
];

async function woken(wait: string, next: string): Promise<Walk> {
  const walked = await walk({ 'assess-request': inTurn(answer(wait), answer('superseded')) });
  await walked.wake(answer(next));
  return walked;
}

describe.each(WAYS)('from "%s"', (state, reach) => {
  it.each(NEXT.map((next) => [next, LEADS[next]] as const))('%s leads to "%s"', async (next, target) => {
    expect(after(state, await reach(next)).slice(0, 2)).toEqual([ROUTER, target]);
  });

  it.each(['', 'sealed', 'Seal', 'CLOSED', 'open ', 'constructor'])(
    '%p is not believed: the failure is recorded, and the next attempt reads the case',
    async (next) => {
      const walked = await reach(next);
      expect(after(state, walked)).toEqual([ROUTER, 'An answer that leads nowhere', RECORD, FAILED]);
      const failure = { step: ROUTER, error: ERRORS.invariantBroken };
      expect(walked.visits.at(-1)).toEqual({ step: 'record-failure', payload: { ...CASE, failure } });
      expect(await walked.outcome()).toMatchObject({ status: 'FAILED', error: 'AttemptFailed' });
    },
  );
});

describe('between sealing and the end of a release', () => {
  it.each(NEXT)('an answer of %s takes no other way than open, hold, close', async (next) => {
    const walked = await walk({
      'assess-request': () => answer('seal'),
      'seal-package': () => answer(next),
      'open-release': () => answer(next),
    });
    await walked.wake(answer(next));
    expect(after('Seal package', walked)).toEqual([
      'Open release',
      'Hold until expiry or recall',
      'Close release',
      ROUTER,
      LEADS.superseded,
    ]);
  });
});

describe('an execution goes on from wherever the case stands', () => {
  it.each<[Next, Step]>([
    ['await-decision', 'await-party'],
    ['await-assurance', 'await-party'],
    ['seal', 'seal-package'],
    ['open', 'open-release'],
    ['hold', 'await-party'],
    ['close', 'close-release'],
  ])('%s begins with %s', async (next, step) => {
    const { visits } = await walk({ 'assess-request': () => answer(next) });
    expect(visits.slice(0, 2).map((visit) => visit.step)).toEqual(['assess-request', step]);
  });

  it.each<Next>(['closed', 'refused', 'lapsed', 'withdrawn', 'inadmissible', 'continue-later', 'superseded'])(
    '%s ends it quietly, with nothing recorded',
    async (next) => {
      const walked = await walk({ 'assess-request': () => answer(next, 1) });
      expect(walked.entered()).toEqual(['Assess request', ROUTER, LEADS[next]]);
      expect(await walked.outcome()).toMatchObject({ status: 'SUCCEEDED', output: { next, waitSeconds: 1 } });
      expect(walked.visits).toHaveLength(1);
    },
  );
});

/** What somebody who holds a token might send; none of it is a verdict. */
const FORGED: readonly (readonly [what: string, output: unknown])[] = [
  ['another case', { caseId: 'f'.repeat(32), attempt: CASE.attempt, next: 'seal', waitSeconds: 60 }],
  ['another attempt', { caseId: CASE.caseId, attempt: 99, next: 'seal', waitSeconds: 60 }],
  [
    'more than it should',
    { ...CASE, next: 'open', waitSeconds: 60, failure: { step: 'x', error: 'y' }, title: 'SECRET' },
  ],
  ['an edge that is none', { caseId: 'f'.repeat(32), next: 'release-everything', waitSeconds: 60 }],
  ['an edge in a list', { next: ['seal'], waitSeconds: 60 }],
  ['a wait without end', { next: 'await-assurance', waitSeconds: 10 ** 12 }],
  ['a wait of nothing', { next: 'await-assurance', waitSeconds: 0 }],
  ['a wait in words', { next: 'await-assurance', waitSeconds: 'for ever' }],
  ['no wait', { next: 'seal' }],
  ['no edge', { waitSeconds: 60 }],
  ['nothing', {}],
  ['null', 'null'],
  ['a text', '"seal"'],
  ['a list', '[]'],
  ['an expression', { next: "{% 'seal' %}", waitSeconds: '{% 1 %}' }],
];

describe('a forged answer to a wait', () => {
  it.each(FORGED)('with %s moves no step to another case or attempt', async (_, output) => {
    const walked = await walk({ 'assess-request': inTurn(answer('await-decision'), answer('superseded')) });
    await walked.wake(output);
    expect(walked.visits.length).toBeGreaterThan(2);
    for (const { step, payload } of walked.visits) {
      expect([step, payload['caseId'], payload['attempt']]).toEqual([step, CASE.caseId, CASE.attempt]);
    }
    expect(JSON.stringify(walked.visits)).not.toMatch(/f{32}|SECRET/);
    // It leads to a step that reads the case file, or to a recorded failure; it ends nothing as done by itself.
    const [first, second] = after('Await decision', walked);
    expect(first === RECORD || (first === ROUTER && second !== undefined && !['Closed', FAILED].includes(second))).toBe(
      true,
    );
  });

  it('with the end of a case ends this execution alone: the file still says where the case stands', async () => {
    const walked = await walk({ 'assess-request': () => answer('await-decision') });
    await walked.wake(answer('closed'));
    expect(await walked.outcome()).toMatchObject({ status: 'SUCCEEDED' });
    expect(walked.visits.map(({ step }) => step)).toEqual(['assess-request', 'await-party']);
  });
});

describe('what steps are given', () => {
  it('is what their contracts accept, and no member more', async () => {
    const walked = await walk({
      'assess-request': () => answer('await-decision'),
      'seal-package': () => answer('open'),
      'open-release': () => answer('hold'),
      'close-release': () => failing('TypeError')(),
    });
    await walked.wake(answer('seal'));
    await walked.wake(answer('close'));
    const contracts = {
      'assess-request': stepInput,
      'await-party': callbackInput,
      'seal-package': stepInput,
      'open-release': stepInput,
      'close-release': stepInput,
      'record-failure': failureInput,
    } as const;
    expect(new Set(walked.visits.map(({ step }) => step))).toEqual(new Set(Object.keys(contracts)));
    for (const { step, payload } of walked.visits) {
      expect([step, contracts[step].parse(payload)]).toEqual([step, payload]);
      expect(payload).toMatchObject(CASE);
    }
  });

  it('comes from the input of the execution that is running', async () => {
    const other = { caseId: 'a'.repeat(32), attempt: 1 };
    const { visits } = await walk({ 'assess-request': () => answer('superseded') }, other);
    expect(visits).toEqual([{ step: 'assess-request', payload: { ...other, startedAt: expect.any(String) } }]);
  });
});

describe('the end of a wait', () => {
  it.each([
    ['await-decision', 'Await decision', 'Assess request'],
    ['await-assurance', 'Await assurance', 'Assess request'],
    ['hold', 'Hold until expiry or recall', 'Close release'],
  ])('%s: nothing a second before, then the clock is looked at', async (next, wait, then) => {
    const walked = await walk({
      'assess-request': inTurn(answer(next, 3600), answer('superseded')),
    });
    expect(walked.entered().at(-1)).toBe(wait);
    await workflows.advance(3599);
    expect(walked.entered().at(-1)).toBe(wait);
    await workflows.advance(1);
    expect(after(wait, walked)).toEqual([then, ROUTER, LEADS.superseded]);
    expect(await walked.outcome()).toMatchObject({ status: 'SUCCEEDED' });
    expect(walked.visits.map(({ step }) => step)).not.toContain('record-failure');
  });

  it('may be 300 days away', async () => {
    const walked = await walk({
      'assess-request': inTurn(answer('await-decision', LONGEST_WAIT), answer('superseded')),
    });
    await workflows.advance(LONGEST_WAIT - 1);
    expect(walked.entered().at(-1)).toBe('Await decision');
    await workflows.advance(1);
    expect(await walked.outcome()).toMatchObject({ status: 'SUCCEEDED' });
  });

  it.each([0, -1, 1.5, 'soon', null, 10 ** 12])('of %p is a failure that is recorded', async (waitSeconds) => {
    const walked = await walk({ 'assess-request': () => answer('await-decision', waitSeconds) });
    expect(walked.entered().slice(-2)).toEqual([RECORD, FAILED]);
    expect(await walked.outcome()).toMatchObject({ status: 'FAILED', error: 'AttemptFailed' });
  });
});

/** How an execution comes to each task, with the step that then fails. */
const TASKS: readonly (readonly [state: string, step: Step, on: Answers])[] = [
  ['Assess request', 'assess-request', {}],
  ['Await decision', 'await-party', { 'assess-request': () => answer('await-decision') }],
  ['Await assurance', 'await-party', { 'assess-request': () => answer('await-assurance') }],
  ['Seal package', 'seal-package', { 'assess-request': () => answer('seal') }],
  ['Open release', 'open-release', { 'assess-request': () => answer('open') }],
  ['Hold until expiry or recall', 'await-party', { 'assess-request': () => answer('hold') }],
  ['Close release', 'close-release', { 'assess-request': () => answer('close') }],
];

const countOf = (step: Step, { visits }: Walk): number => visits.filter((visit) => visit.step === step).length;
/** Longer than all retries of one state take together. */
const ALL_RETRIES = 600;

describe.each(TASKS)('when the step of "%s" fails', (state, step, on) => {
  it.each([
    [ERRORS.transient, 7],
    ['Lambda.TooManyRequestsException', 7],
    ['Lambda.ServiceException', 7],
    [ERRORS.conflict, 6],
    [ERRORS.invariantBroken, 1],
    ['TypeError', 1],
    ['Refused', 1],
  ])('with %s it is tried %i times, then recorded, and the execution fails', async (error, times) => {
    const walked = await walk({ ...on, [step]: failing(error) });
    // Waits and retries both take time; a wait is not over before its hour.
    await workflows.advance(ALL_RETRIES);
    expect(countOf(step, walked)).toBe(times);
    expect(after(state, walked)).toEqual([RECORD, FAILED]);
    expect(walked.visits.at(-1)).toEqual({
      step: 'record-failure',
      payload: { ...CASE, failure: { step: state, error } },
    });
    expect(await walked.outcome()).toMatchObject({ status: 'FAILED', error: 'AttemptFailed' });
  });

  it('once with Transient, it goes on as if nothing had been', async () => {
    let tries = 0;
    const walked = await walk({
      ...on,
      [step]: () => {
        tries += 1;
        if (tries === 1) failing(ERRORS.transient)();
        return step === 'await-party' ? null : answer('superseded', 3600);
      },
    });
    await workflows.advance(30);
    expect(tries).toBe(2);
    expect(walked.entered()).not.toContain(RECORD);
  });
});

describe('recording a failure', () => {
  const broken: Answers = { 'assess-request': failing('TypeError') };

  it('that fails itself still ends the execution as failed, for the sweep to see', async () => {
    const walked = await walk({ ...broken, 'record-failure': failing(ERRORS.invariantBroken) });
    expect(walked.entered()).toEqual(['Assess request', RECORD, FAILED]);
    expect(await walked.outcome()).toMatchObject({ status: 'FAILED', error: 'AttemptFailed' });
  });

  it('is tried again when it may pass', async () => {
    const walked = await walk({
      ...broken,
      'record-failure': (visit) => (visit < 3 ? failing(ERRORS.conflict)() : null),
    });
    await workflows.advance(ALL_RETRIES);
    expect(countOf('record-failure', walked)).toBe(3);
    expect(await walked.outcome()).toMatchObject({ status: 'FAILED', error: 'AttemptFailed' });
  });

  it('gives up when it does not, and fails all the same', async () => {
    const walked = await walk({ ...broken, 'record-failure': failing(ERRORS.transient) });
    await workflows.advance(ALL_RETRIES);
    expect(countOf('record-failure', walked)).toBe(7);
    expect(await walked.outcome()).toMatchObject({ status: 'FAILED', error: 'AttemptFailed' });
  });

  it('keeps the name of the error short, and says nothing of its cause', async () => {
    const walked = await walk({ 'assess-request': failing('X'.repeat(300), 'the title of the request') });
    const recorded = walked.visits.at(-1)?.payload;
    expect(failureInput.parse(recorded).failure).toEqual({ step: 'Assess request', error: 'X'.repeat(256) });
    expect(JSON.stringify(await walked.outcome())).not.toContain('title');
  });

  it.each([null, 'closed', [], { next: 'closed' }, { waitSeconds: 60 }])(
    'happens when a step answers %j',
    async (said) => {
      const walked = await walk({ 'assess-request': () => said });
      expect(walked.entered()).toEqual(['Assess request', RECORD, FAILED]);
    },
  );
});

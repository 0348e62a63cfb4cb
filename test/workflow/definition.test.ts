import { FUNCTIONS } from '../../infra/functions.ts';
import { ERRORS, NEXT } from '../../lambdas/contracts/names.ts';
import {
  caseWorkflowDefinition,
  FIRST_SYNTHESIS,
  type Definition,
  type State,
  type Step,
} from '../support/case-workflow.ts';

/** The validator of the Amazon States Language comes without types. */
const validate = require('asl-validator') as (definition: object) => { isValid: boolean; errors: object[] };

let definition: Definition;
let tasks: (readonly [name: string, state: State])[];

beforeAll(async () => {
  definition = await caseWorkflowDefinition();
  tasks = Object.entries(definition.States).filter(([, { Type }]) => Type === 'Task');
}, FIRST_SYNTHESIS);

const isWait = ({ Resource }: State): boolean => Resource?.endsWith('.waitForTaskToken') === true;
const stepOf = (state: State): Step => state.Arguments?.FunctionName.split(':').at(-1) as Step; // the definition names its functions so

const ASSESS = 'Assess request';
const RECORD = 'Record the failure';
const UNKNOWN = 'An answer that leads nowhere';
const FAILED = 'Stopped, recorded and to be resumed';

it('is valid in the Amazon States Language', () => {
  expect(validate(definition)).toMatchObject({ isValid: true, errors: [] });
  expect(definition.QueryLanguage).toBe('JSONata');
});

it('would not be valid with a state that leads nowhere', () => {
  const broken = {
    ...definition,
    States: { ...definition.States, [ASSESS]: { ...definition.States[ASSESS], Next: 'Nowhere' } },
  };
  expect(validate(broken).isValid).toBe(false);
});

it('reads like the mission', () => {
  expect(definition.StartAt).toBe(ASSESS);
  expect(Object.keys(definition.States).toSorted()).toEqual(
    [
      ASSESS,
      'Where does the case stand?',
      'Await decision',
      'Await assurance',
      'Seal package',
      'Open release',
      'Hold until expiry or recall',
      'Close release',
      'Closed',
      'Inadmissible',
      'Refused',
      'Lapsed',
      'Withdrawn',
      'To be continued by the next attempt',
      'Superseded by a later attempt',
      UNKNOWN,
      RECORD,
      FAILED,
    ].toSorted(),
  );
});

it('gives every task a timeout: more than its function has, or as long as the case file said', () => {
  expect(tasks).toHaveLength(8);
  for (const [name, state] of tasks) {
    if (isWait(state)) expect([name, state.TimeoutSeconds]).toEqual([name, '{% $states.input.waitSeconds %}']);
    else {
      // A task that ends before its function would be tried again beside the first, which still works.
      expect(typeof state.TimeoutSeconds).toBe('number');
      expect(state.TimeoutSeconds).toBeGreaterThan(FUNCTIONS[stepOf(state)].timeoutSeconds);
    }
  }
});

it('tries again what may pass, from specific to general, and nothing else', () => {
  const transient = [
    ERRORS.transient,
    'Lambda.ClientExecutionTimeoutException',
    'Lambda.ServiceException',
    'Lambda.AWSLambdaException',
    'Lambda.SdkClientException',
    'Lambda.TooManyRequestsException',
  ];
  for (const [name, { Retry = [] }] of tasks) {
    expect([name, Retry.map(({ ErrorEquals }) => ErrorEquals)]).toEqual([name, [[ERRORS.conflict], transient]]);
    for (const retry of Retry) expect(retry).toMatchObject({ JitterStrategy: 'FULL', MaxAttempts: expect.any(Number) });
  }
  expect(JSON.stringify(tasks)).not.toContain(ERRORS.invariantBroken);
});

it('catches everything last, and records it; only the end of a wait is no failure', () => {
  const afterTimeout: Readonly<Record<string, string>> = {
    'Await decision': ASSESS,
    'Await assurance': ASSESS,
    'Hold until expiry or recall': 'Close release',
  };
  const failure = {
    failure: {
      step: '{% $states.context.State.Name %}',
      error: '{% $substring($states.errorOutput.Error, 0, 256) %}',
    },
  };
  for (const [name, { Catch = [] }] of tasks) {
    const quiet = afterTimeout[name];
    const everything =
      name === RECORD
        ? { ErrorEquals: ['States.ALL'], Next: FAILED, Output: {} }
        : { ErrorEquals: ['States.ALL'], Next: RECORD, Output: failure };
    const expected = quiet === undefined ? [] : [{ ErrorEquals: ['States.Timeout'], Next: quiet, Output: {} }];
    expect([name, Catch]).toEqual([name, [...expected, everything]]);
  }
  expect(definition.States[RECORD]?.Next).toBe(FAILED);
  expect(definition.States[FAILED]).toMatchObject({ Type: 'Fail', Error: 'AttemptFailed' });
});

it('gives steps ids only, and those from the input of the execution', () => {
  const which = {
    caseId: '{% $states.context.Execution.Input.caseId %}',
    attempt: '{% $states.context.Execution.Input.attempt %}',
  };
  for (const [name, state] of tasks) {
    const beside = isWait(state)
      ? { taskToken: '{% $states.context.Task.Token %}' }
      : name === RECORD
        ? { failure: '{% $states.input.failure %}' }
        : { startedAt: '{% $states.context.Execution.StartTime %}' };
    expect([name, state.Arguments?.Payload]).toEqual([name, { ...which, ...beside }]);
    expect(Object.keys(state.Arguments ?? {}).toSorted()).toEqual(['FunctionName', 'Payload']);
  }
});

it('hands its token to await-party alone, and to every wait', () => {
  expect(tasks.filter(([, state]) => isWait(state)).map(([name, state]) => [name, stepOf(state)])).toEqual([
    ['Await decision', 'await-party'],
    ['Await assurance', 'await-party'],
    ['Hold until expiry or recall', 'await-party'],
  ]);
  for (const [, state] of tasks) {
    const passesToken = JSON.stringify(state).includes('Task.Token');
    expect(passesToken).toBe(isWait(state));
    expect(stepOf(state) === 'await-party').toBe(isWait(state));
  }
});

it('carries from state to state where to go and how long to wait, and nothing else', () => {
  for (const [name, state] of Object.entries(definition.States)) {
    expect([name, state.Assign]).toEqual([name, undefined]);
    if (state.Type !== 'Task' && name !== UNKNOWN) expect([name, state.Output]).toEqual([name, undefined]);
  }
  for (const [name, state] of tasks) {
    const from = isWait(state) ? '$states.result' : '$states.result.Payload';
    const expected = name === RECORD ? {} : { next: `{% ${from}.next %}`, waitSeconds: `{% ${from}.waitSeconds %}` };
    expect([name, state.Output]).toEqual([name, expected]);
  }
});

it('routes every edge once, by its name, and leaves any other to the next attempt', () => {
  const router = definition.States['Where does the case stand?'];
  expect(router?.Default).toBe(UNKNOWN);
  expect(definition.States[UNKNOWN]).toMatchObject({
    Output: { failure: { step: 'Where does the case stand?', error: 'InvariantBroken' } },
    Next: RECORD,
  });
  expect((router?.Choices ?? []).map(({ Condition }) => Condition).toSorted()).toEqual(
    NEXT.map((next) => `{% $states.input.next = '${next}' %}`).toSorted(),
  );
});

it('knows no value that the service does not give', () => {
  const known = new Set([
    '$states.context.Execution.Input.caseId',
    '$states.context.Execution.Input.attempt',
    '$states.context.Execution.StartTime',
    '$states.context.State.Name',
    '$states.context.Task.Token',
    '$states.errorOutput.Error',
    '$states.input.failure',
    '$states.input.next',
    '$states.input.waitSeconds',
    '$states.result.next',
    '$states.result.waitSeconds',
    '$states.result.Payload.next',
    '$states.result.Payload.waitSeconds',
  ]);
  const used = [...JSON.stringify(definition).matchAll(/\$states[\w.]*/g)].map(([path]) => path);
  expect(new Set(used)).toEqual(known);
});

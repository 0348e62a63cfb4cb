import { evaluateExpression } from '../../local/services/states/expression.ts';
import { type Runs, runsIn, startStates, type StatesWorld } from '../support/states-server.ts';

/** JSONata as Step Functions has it. https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html */

let world: StatesWorld;
let start: Runs['start'];
let output: Runs['output'];

beforeEach(async () => {
  world = await startStates();
  ({ start, output } = runsIn(world));
});
afterEach(() => world.close());

/** What one expression returns. */
const value = (expression: string, input: unknown = {}): Promise<unknown> =>
  output({ A: { Type: 'Pass', Output: `{% ${expression} %}`, End: true } }, input);

describe('expressions', () => {
  it('fail the state when they are wrong, and say where', async () => {
    const undefinedValue = await output({
      A: { Type: 'Pass', Output: { x: ['{% $states.input.missing %}'] }, End: true },
    });
    expect(undefinedValue).toMatchObject({
      status: 'FAILED',
      error: 'States.QueryEvaluationError',
      cause:
        "An error occurred while executing the state 'A' (entered at the event id #2). The JSONata expression '$states.input.missing' specified for the field 'Output/x[0]' returned nothing (undefined).",
    });
    for (const expression of ["1 + 'a'", '$unknown', '$sum', '$notAFunction()', '$states.context.Task.Token']) {
      expect(await value(expression)).toMatchObject({ status: 'FAILED', error: 'States.QueryEvaluationError' });
    }
  });

  it('are stopped when they run away, and the process goes on', async () => {
    const runaways = {
      '($f := function($n) { 1 + $f($n + 1) }; $f(0))': 'nested',
      '($f := function($n) { $f($n + 1) }; $f(0))': 'took more',
      [`$match('${'a'.repeat(60)}!', /^(a+)+$/)`]: 'timed out',
    };
    for (const [expression, reason] of Object.entries(runaways)) {
      const cause = expect.stringContaining(reason) as string;
      expect(await value(expression)).toEqual({ status: 'FAILED', error: 'States.QueryEvaluationError', cause });
    }
    expect(await value('1 + 1')).toBe(2);
  });

  it('cannot reach $eval, even past the check of the definition', async () => {
    await expect(evaluateExpression("$eval('1')", {}, { now: 0 })).rejects.toMatchObject({ code: 'T1006' });
  });

  it('are only strings that are expressions as a whole, at any depth', async () => {
    const template = { a: [1, '{% 1 + 1 %}', { b: "{% 'x' & 'y' %}" }], c: 'an {% 1 %} inside', d: null, e: true };
    expect(await output({ A: { Type: 'Pass', Output: template, End: true } })).toEqual({
      ...template,
      a: [1, 2, { b: 'xy' }],
    });
  });

  it('flatten sequences of one as JSONata does', async () => {
    const one = { list: [{ who: 'a' }] };
    expect(await value('$states.input.list.who', one)).toBe('a');
    expect(await value('[$states.input.list.who]', one)).toEqual(['a']);
    expect(await value('$states.input.list[0]', one)).toEqual({ who: 'a' });
    expect(await value('$states.input.list.{"who": who}', { list: [...one.list, { who: 'b' }] })).toEqual([
      { who: 'a' },
      { who: 'b' },
    ]);
  });

  it('have the functions of Step Functions, and the virtual clock', async () => {
    await world.host.clock.advanceTo(Date.UTC(2040, 0, 2, 3, 4, 5));
    expect(await value('$substring($now(), 0, 16)')).toBe('2040-01-02T03:04');
    expect(await value("$now('[Y]-[M01]')")).toBe('2040-01');
    expect(await value("$fromMillis($toMillis('10:00', '[H01]:[m01]'), '[Y]')")).toBe('2040');
    expect(await value('$millis() > 2208988800000')).toBe(true);
    expect(await value('$uuid()')).toMatch(/^[0-9a-f-]{36}$/);
    expect(await value('$random(7) = $random(7) and $random() < 1')).toBe(true);
    expect(await value('$partition([1, 2, 3], 2)')).toEqual([[1, 2], [3]]);
    expect(await value('$range(0, 10, 5)')).toEqual([0, 5, 10]);
    expect(await value("$hash('a', 'SHA-256')")).toMatch(/^ca978112/);
    expect(await value('$parse(\'{"a":1}\').a')).toBe(1);
    expect(await value("$hash('a', 'CRC')")).toMatchObject({ error: 'States.QueryEvaluationError' });
    expect(await value("$parse('{')")).toMatchObject({ error: 'States.QueryEvaluationError' });
  });

  it('see the context object', async () => {
    const { arn, outcome } = await start({ A: { Type: 'Pass', Output: '{% $states.context %}', End: true } }, { a: 1 });
    const name = arn.split(':').pop();
    const { output: text = '' } = await outcome();
    const context = JSON.parse(text) as { Execution: { StartTime: string } };
    expect(context).toEqual({
      Execution: {
        Id: arn,
        Input: { a: 1 },
        Name: name,
        RoleArn: expect.stringContaining(':role/machine'),
        StartTime: expect.any(String),
        RedriveCount: 0,
      },
      State: { Name: 'A', EnteredTime: expect.any(String), RetryCount: 0 },
      StateMachine: { Id: expect.stringMatching(/:stateMachine:machine$/), Name: 'machine' },
    });
    expect(context.Execution.StartTime).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z$/);
  });
});

describe('variables', () => {
  it('take effect in the next state, and not in Output', async () => {
    const states = {
      A: { Type: 'Pass', Assign: { x: 5 }, Next: 'B' },
      B: { Type: 'Pass', Assign: { x: 42, old: '{% $x %}' }, Output: { seen: '{% $x %}' }, Next: 'C' },
      C: { Type: 'Succeed', Output: { seen: '{% $states.input.seen %}', x: '{% $x %}', old: '{% $old %}' } },
    };
    expect(await output(states)).toEqual({ seen: 5, x: 42, old: 5 });
  });

  it('are limited in size', async () => {
    const big = { Type: 'Pass', Assign: { x: "{% $pad('', 300000, 'x') %}" }, End: true };
    expect(await output({ A: big })).toMatchObject({ error: 'States.DataLimitExceeded' });
  });
});

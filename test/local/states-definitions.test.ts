import type { Properties } from '../../local/resource.ts';
import { parseDefinition } from '../../local/services/states/parse-definition.ts';
import { callbackTask, invokeTask, MACHINE_ROLE, startStates, type StatesWorld } from '../support/states-server.ts';

/** What is refused when the template is loaded. https://docs.aws.amazon.com/step-functions/latest/dg/concepts-amazon-states-language.html */

const END = { Type: 'Succeed' };
const states = (first: object, more: Readonly<Record<string, object>> = {}): object => ({
  StartAt: 'A',
  States: { A: first, ...more },
});
const parse = (definition: object): unknown =>
  parseDefinition(JSON.stringify({ QueryLanguage: 'JSONata', ...definition }));
const pass = (output: unknown): object => states({ Type: 'Pass', Output: output, End: true });

describe('a definition is refused', () => {
  const task = (fields: object): object => states(invokeTask('f', { End: true, ...fields }), {});
  const caught = (fields: object): object =>
    states(invokeTask('f', { Catch: [{ ErrorEquals: ['States.ALL'], Next: 'B', ...fields }], End: true }), { B: END });
  const retried = (...retriers: object[]): object => task({ Retry: retriers });

  it.each<[string, RegExp, object]>([
    ['JSONPath, the default', /JSONata/, { QueryLanguage: undefined, ...states(END) }],
    ['JSONPath in one state', /JSONata/, states({ ...END, QueryLanguage: 'JSONPath' })],
    ['a JSONPath field', /InputPath/, states({ Type: 'Pass', InputPath: '$.x', End: true })],
    ['Map', /Map/, states({ Type: 'Map', End: true })],
    ['Parallel', /Parallel/, states({ Type: 'Parallel', Branches: [], End: true })],
    [
      'another resource',
      /dynamodb:putItem/,
      states({ Type: 'Task', Resource: 'arn:aws:states:::dynamodb:putItem', End: true }),
    ],
    ['a function as resource', /function:f/, task({ Resource: 'arn:aws:lambda:ca-central-1:111122223333:function:f' })],
    ['an unknown top-level field', /Wrong/, { Wrong: 1, ...states(END) }],
    [
      'an unknown parameter of invoke',
      /InvocationType/,
      task({ Arguments: { FunctionName: 'f', InvocationType: 'Event' } }),
    ],
    ['invoke without function', /FunctionName/, task({ Arguments: { Payload: {} } })],
    ['credentials', /Credentials/, task({ Credentials: { RoleArn: 'x' } })],
    ['an unknown start', /StartAt/, { StartAt: 'X', States: { A: END } }],
    ['a dangling Next', /leads to X/, states({ Type: 'Pass', Next: 'X' })],
    ['a dangling Catch', /leads to X/, caught({ Next: 'X' })],
    [
      'a dangling Default',
      /leads to X/,
      states({ Type: 'Choice', Choices: [{ Condition: true, Next: 'A' }], Default: 'X' }),
    ],
    ['an unreachable state', /no transition leads to B/, states(END, { B: END })],
    ['no end', /no state ends/, states({ Type: 'Pass', Next: 'A' })],
    ['neither Next nor End', /either Next or End/, states({ Type: 'Pass' })],
    ['both Next and End', /either Next or End/, states({ Type: 'Pass', Next: 'A', End: true })],
    ['a Choice that ends', /End/, states({ Type: 'Choice', Choices: [{ Condition: true, Next: 'A' }], End: true })],
    ['a Choice without rules', /non-empty/, states({ Type: 'Choice', Choices: [] })],
    [
      'a condition that is no expression',
      /Condition/,
      states({ Type: 'Choice', Choices: [{ Condition: 'yes', Next: 'A' }] }),
    ],
    [
      'a JSONPath rule',
      /Variable/,
      states({ Type: 'Choice', Choices: [{ Variable: '$.x', IsNull: true, Next: 'A' }] }),
    ],
    ['a Wait without time', /exactly one/, states({ Type: 'Wait', End: true })],
    [
      'a Wait with two times',
      /exactly one/,
      states({ Type: 'Wait', Seconds: 1, Timestamp: '2030-01-01T00:00:00Z', End: true }),
    ],
    ['a wrong timestamp', /RFC 3339/, states({ Type: 'Wait', Timestamp: '2030-01-01', End: true })],
    ['a wrong number of seconds', /Seconds/, states({ Type: 'Wait', Seconds: -1, End: true })],
    ['a timeout of zero', /TimeoutSeconds/, task({ TimeoutSeconds: 0 })],
    ['a timeout beyond the limit', /TimeoutSeconds/, task({ TimeoutSeconds: 100_000_000 })],
    ['a heartbeat that is not shorter', /smaller/, task({ TimeoutSeconds: 60, HeartbeatSeconds: 60 })],
    ['a timeout of the whole that is not a number', /TimeoutSeconds/, { TimeoutSeconds: '60', ...states(END) }],
    ['a variable named states', /states/, states({ Type: 'Pass', Assign: { states: 1 }, End: true })],
    ['a variable that is no identifier', /a-b/, states({ Type: 'Pass', Assign: { 'a-b': 1 }, End: true })],
    ['Assign in a Succeed state', /Assign/, states({ ...END, Assign: { a: 1 } })],
    ['States.ALL with others', /States.ALL/, caught({ ErrorEquals: ['States.ALL', 'E'] })],
    ['States.ALL not last', /States.ALL/, retried({ ErrorEquals: ['States.ALL'] }, { ErrorEquals: ['E'] })],
    ['no error names', /ErrorEquals/, retried({ ErrorEquals: [] })],
    ['a backoff below one', /BackoffRate/, retried({ ErrorEquals: ['E'], BackoffRate: 0.5 })],
    ['an unknown jitter', /JitterStrategy/, retried({ ErrorEquals: ['E'], JitterStrategy: 'SOME' })],
    ['an interval of zero', /IntervalSeconds/, retried({ ErrorEquals: ['E'], IntervalSeconds: 0 })],
    ['a broken expression', /not valid/, pass('{% 1 + %}')],
    ['a blank outside the delimiters', /start with/, pass('{% 1 %} ')],
    ['$$', /input document/, pass('{% $$.a %}')],
    ['$ at the top', /input document/, pass('{% $.a %}')],
    ['an unqualified name at the top', /input document/, pass("{% {'x': a} %}")],
    ['$eval', /\$parse/, pass("{% $eval('1') %}")],
    [
      '$states.result before there is one',
      /no value here/,
      task({ Arguments: { FunctionName: 'f', Payload: '{% $states.result %}' } }),
    ],
    ['$states.result outside a Task', /no value here/, pass('{% $states.result %}')],
    ['$states.errorOutput outside a Catch', /no value here/, task({ Output: '{% $states.errorOutput.Error %}' })],
    ['$states.result in a Catch', /no value here/, caught({ Output: '{% $states.result %}' })],
    ['a name of more than 80 characters', /80/, { StartAt: 'A'.repeat(81), States: { ['A'.repeat(81)]: END } }],
  ])('for %s', (_, message, definition) => {
    expect(() => parse(definition)).toThrow(message);
  });

  it('when it is not JSON', () => {
    expect(() => parseDefinition('{')).toThrow(/not JSON/);
  });
});

it('accepts what the language allows', () => {
  const definition = {
    Comment: 'c',
    Version: '1.0',
    TimeoutSeconds: 60,
    ...states(
      callbackTask('f', {
        Comment: 'c',
        QueryLanguage: 'JSONata',
        TimeoutSeconds: '{% $states.input.seconds %}',
        HeartbeatSeconds: 10,
        Retry: [{ ErrorEquals: ['E'] }, { ErrorEquals: ['States.ALL'], MaxAttempts: 0 }],
        Catch: [{ ErrorEquals: ['States.ALL'], Next: 'B', Output: '{% $states.errorOutput %}' }],
        Output: "{% $states.result.list[status = 'open'].{'id': id} %}",
        Next: 'B',
      }),
      { B: { Type: 'Fail', Error: 'E', Cause: '{% $states.input.Cause %}' } },
    ),
  };
  expect(() => parse(definition)).not.toThrow();
});

describe('resources', () => {
  let world: StatesWorld;
  beforeAll(async () => {
    world = await startStates();
  });
  afterAll(() => world.close());

  const machine = (properties: Properties): Promise<unknown> => world.machine(states(END), properties);

  it.each<[string, RegExp, Properties]>([
    ['EXPRESS', /STANDARD/, { StateMachineType: 'EXPRESS' }],
    ['no role', /RoleArn/, { RoleArn: undefined }],
    ['no definition', /DefinitionString/, { DefinitionString: undefined }],
    [
      'a definition that is refused',
      /Resource: StartAt/,
      { DefinitionString: '{"QueryLanguage":"JSONata","StartAt":"A","States":{}}' },
    ],
    ['an unknown log level', /Level/, { LoggingConfiguration: { Level: 'SOME' } }],
    ['a log setting of a wrong type', /IncludeExecutionData/, { LoggingConfiguration: { IncludeExecutionData: 'no' } }],
    ['a tracing setting of a wrong type', /Enabled/, { TracingConfiguration: { Enabled: 1 } }],
    ['a customer key without id', /KmsKeyId/, { EncryptionConfiguration: { Type: 'CUSTOMER_MANAGED_KMS_KEY' } }],
    ['an AWS key with id', /AWS_OWNED_KEY/, { EncryptionConfiguration: { Type: 'AWS_OWNED_KEY', KmsKeyId: 'k' } }],
    [
      'a reuse period beyond the limit',
      /KmsDataKeyReusePeriodSeconds/,
      {
        EncryptionConfiguration: { Type: 'CUSTOMER_MANAGED_KMS_KEY', KmsKeyId: 'k', KmsDataKeyReusePeriodSeconds: 901 },
      },
    ],
  ])('refuse a state machine with %s', async (_, message, properties) => {
    await expect(machine(properties)).rejects.toThrow(message);
  });

  it('list no property for definitions from elsewhere', () => {
    const [type] = world.service.types;
    expect(type?.properties).not.toContain('DefinitionS3Location');
    expect(type?.properties).not.toContain('Definition');
  });

  it('give a machine its name, substitutions and a revision that follows its content', async () => {
    const properties = {
      RoleArn: MACHINE_ROLE,
      DefinitionString:
        '{"QueryLanguage":"JSONata","StartAt":"A","States":{"A":{"Type":"Succeed","Output":"${what}"}}}',
      DefinitionSubstitutions: { what: 'substituted' },
    };
    const create = (more: Properties = {}): ReturnType<typeof world.create> =>
      world.create('AWS::StepFunctions::StateMachine', { ...properties, ...more });
    const first = await create();
    expect(first).toEqual({
      ref: 'arn:aws:states:ca-central-1:111122223333:stateMachine:unnamed',
      attributes: { Arn: first.ref, Name: 'unnamed', StateMachineRevisionId: expect.any(String) },
    });
    expect(await create()).toEqual(first);
    const changed = await create({ DefinitionSubstitutions: { what: 'other' } });
    expect(changed.ref).toBe(first.ref);
    expect(changed.attributes['StateMachineRevisionId']).not.toBe(first.attributes['StateMachineRevisionId']);
  });

  it('refuse versions and aliases of what does not exist', async () => {
    const StateMachineArn = await world.machine(states(END));
    const version = (properties: Properties): Promise<unknown> =>
      world.create('AWS::StepFunctions::StateMachineVersion', properties);
    await expect(version({ StateMachineArn: `${StateMachineArn}x` })).rejects.toThrow(/no state machine/);
    await expect(version({ StateMachineArn, StateMachineRevisionId: 'other' })).rejects.toThrow(/revision/);
    const StateMachineVersionArn = `${StateMachineArn}:1`;
    const alias = (properties: Properties): Promise<unknown> =>
      world.create('AWS::StepFunctions::StateMachineAlias', { Name: 'live', ...properties });
    const atOnce = { StateMachineVersionArn, Type: 'ALL_AT_ONCE' };
    await expect(alias({ DeploymentPreference: atOnce })).rejects.toThrow(/does not exist/);
    await version({ StateMachineArn });
    await expect(alias({})).rejects.toThrow(/either/);
    await expect(alias({ DeploymentPreference: { ...atOnce, Type: 'LINEAR' } })).rejects.toThrow(/ALL_AT_ONCE/);
    await expect(alias({ RoutingConfiguration: [{ StateMachineVersionArn, Weight: 50 }] })).rejects.toThrow(
      /weight 100/,
    );
    await expect(alias({ Name: '7', DeploymentPreference: atOnce })).rejects.toThrow(/alias/);
    expect(await alias({ RoutingConfiguration: [{ StateMachineVersionArn, Weight: 100 }] })).toEqual({
      ref: `${StateMachineArn}:live`,
      attributes: { Arn: `${StateMachineArn}:live` },
    });
  });

  it('publish the same revision as the same version', async () => {
    const StateMachineArn = await world.machine(states(END), { StateMachineName: 'published' });
    const version = async (): Promise<string> =>
      (await world.create('AWS::StepFunctions::StateMachineVersion', { StateMachineArn })).ref;
    expect([await version(), await version()]).toEqual([`${StateMachineArn}:1`, `${StateMachineArn}:1`]);
    await world.machine(states(END, {}), { StateMachineName: 'published', RoleArn: `${MACHINE_ROLE}2` });
    expect(await version()).toBe(`${StateMachineArn}:2`);
  });
});

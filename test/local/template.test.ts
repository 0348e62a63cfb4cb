import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { load, type Loaded, scratch, type StackFixture, writeAssembly } from '../support/local-assembly.ts';

let directory: ReturnType<typeof scratch>;
beforeEach(() => {
  directory = scratch();
});
afterEach(() => {
  directory.clean();
});

const loadStacks = (
  stacks: Readonly<Record<string, StackFixture>>,
  parameters: Readonly<Record<string, string>> = {},
): Promise<Loaded> => load(writeAssembly(directory.path, stacks), parameters);

const thing = (Value?: unknown, more: object = {}): object => ({
  Type: 'Test::Thing',
  Properties: Value === undefined ? {} : { Value },
  ...more,
});

/** The resolved `Value` of one thing in a template with the given other sections. */
async function resolved(
  Value: unknown,
  sections: object = {},
  parameters: Record<string, string> = {},
): Promise<unknown> {
  const Resources = { Other: thing(), Subject: thing(Value) };
  const { things } = await loadStacks({ One: { template: { Resources, ...sections } } }, parameters);
  return things.find(({ id }) => id === 'Subject')?.properties['Value'];
}

const sections = {
  Parameters: {
    Stage: { Type: 'String', Default: 'dev', AllowedValues: ['dev', 'prod'] },
    Zones: { Type: 'CommaDelimitedList', Default: 'a, b' },
    BootstrapVersion: { Type: 'AWS::SSM::Parameter::Value<String>', Default: '/cdk-bootstrap/version' },
  },
  Mappings: { Sizes: { dev: { Memory: 128 }, prod: { Memory: 1024 } } },
  Conditions: {
    IsProd: { 'Fn::Equals': [{ Ref: 'Stage' }, 'prod'] },
    NotProd: { 'Fn::Not': [{ Condition: 'IsProd' }] },
    Never: { 'Fn::And': [{ Condition: 'IsProd' }, { Condition: 'NotProd' }] },
    Always: { 'Fn::Or': [{ Condition: 'IsProd' }, { Condition: 'NotProd' }] },
  },
};

describe('intrinsic functions', () => {
  test.each<[string, unknown, unknown]>([
    ['plain values', { a: [1, true, null, 'x'] }, { a: [1, true, null, 'x'] }],
    ['Ref of a resource', { Ref: 'Other' }, 'ref-Other'],
    ['Ref of a parameter', { Ref: 'Stage' }, 'dev'],
    ['Ref of a list', { Ref: 'Zones' }, ['a', 'b']],
    ['the account', { Ref: 'AWS::AccountId' }, '000000000000'],
    ['the region', { Ref: 'AWS::Region' }, 'ca-central-1'],
    ['the partition', { Ref: 'AWS::Partition' }, 'aws'],
    ['the suffix', { Ref: 'AWS::URLSuffix' }, 'amazonaws.com'],
    ['the stack', { Ref: 'AWS::StackName' }, 'One'],
    ['GetAtt', { 'Fn::GetAtt': ['Other', 'Arn'] }, 'arn:aws:test:::Other'],
    ['GetAtt as text', { 'Fn::GetAtt': 'Other.Arn' }, 'arn:aws:test:::Other'],
    ['a stable name', { 'Fn::GetAtt': ['Other', 'Name'] }, 'One-Other'],
    ['Join', { 'Fn::Join': ['-', ['a', { Ref: 'Stage' }, 1]] }, 'a-dev-1'],
    ['Join of a list', { 'Fn::Join': ['+', { Ref: 'Zones' }] }, 'a+b'],
    [
      'Sub',
      { 'Fn::Sub': '${Other}/${Other.Arn}/${AWS::Region}/${!kept}' },
      'ref-Other/arn:aws:test:::Other/ca-central-1/${kept}',
    ],
    ['Sub with variables', { 'Fn::Sub': ['${x}-${Stage}', { x: { Ref: 'Other' } }] }, 'ref-Other-dev'],
    ['Select and Split', { 'Fn::Select': [1, { 'Fn::Split': [':', 'a:b:c'] }] }, 'b'],
    ['Select with an index as text', { 'Fn::Select': ['0', { Ref: 'Zones' }] }, 'a'],
    ['FindInMap', { 'Fn::FindInMap': ['Sizes', { Ref: 'Stage' }, 'Memory'] }, 128],
    ['If', { 'Fn::If': ['IsProd', 'yes', { Ref: 'Stage' }] }, 'dev'],
    ['If without value', { a: { 'Fn::If': ['IsProd', 1, { Ref: 'AWS::NoValue' }] }, b: 2 }, { b: 2 }],
    ['NoValue in a list', ['a', { Ref: 'AWS::NoValue' }, { 'Fn::If': ['Never', 'b', { Ref: 'AWS::NoValue' }] }], ['a']],
    ['nested conditions', { 'Fn::If': ['Always', { 'Fn::If': ['NotProd', 'in', 'out'] }, 'out'] }, 'in'],
    ['an object that only looks like one', { Condition: 'x' }, { Condition: 'x' }],
  ])('%s', async (_, value, expected) => {
    expect(await resolved(value, sections)).toEqual(expected);
  });

  test.each<[string, unknown, RegExp]>([
    ['an unknown one', { 'Fn::Base64': 'x' }, /Stack One: Subject \(Test::Thing\): the intrinsic function Fn::Base64/],
    ['a Transform', { 'Fn::Transform': {} }, /Fn::Transform/],
    ['Ref of nothing', { Ref: 'Nothing' }, /nothing named Nothing/],
    ['GetAtt of nothing', { 'Fn::GetAtt': ['Nothing', 'Arn'] }, /no resource Nothing/],
    ['GetAtt of an unknown attribute', { 'Fn::GetAtt': ['Other', 'Url'] }, /Other has no attribute Url/],
    ['Join of an object', { 'Fn::Join': ['', [{}]] }, /Fn::Join needs text/],
    ['Join of text', { 'Fn::Join': ['', 'a'] }, /needs a list/],
    ['Select beyond the end', { 'Fn::Select': [2, ['a']] }, /no element 2/],
    ['a missing mapping', { 'Fn::FindInMap': ['Sizes', 'dev', 'Disk'] }, /no mapping Sizes.dev.Disk/],
    ['If of an unknown condition', { 'Fn::If': ['Maybe', 1, 2] }, /Maybe/],
    ['a missing import', { 'Fn::ImportValue': 'absent' }, /absent, which no earlier stack exports/],
    ['a missing output', { 'Fn::GetStackOutput': { StackName: 'Two', OutputName: 'O' } }, /Two.O/],
    [
      'an output of another region',
      { 'Fn::GetStackOutput': { StackName: 'Two', OutputName: 'O', Region: 'eu-west-1' } },
      /eu-west-1/,
    ],
    [
      'an output by another role',
      { 'Fn::GetStackOutput': { StackName: 'Two', OutputName: 'O', RoleArn: 'x' } },
      /RoleArn/,
    ],
    ['a dynamic reference', '{{resolve:ssm:/x}}', /dynamic reference/],
  ])('refuses %s', async (_, value, message) => {
    await expect(resolved(value, sections)).rejects.toThrow(message);
  });
});

describe('parameters', () => {
  test('are given by name', async () => {
    expect(
      await resolved({ 'Fn::FindInMap': ['Sizes', { Ref: 'Stage' }, 'Memory'] }, sections, { Stage: 'prod' }),
    ).toBe(1024);
  });

  test.each<[string, object, Record<string, string>, RegExp]>([
    ['without value', { Type: 'String' }, {}, /parameter P has no value/],
    ['not among those allowed', { Type: 'String', AllowedValues: ['a'] }, { P: 'b' }, /none of a/],
    ['against its pattern', { Type: 'String', AllowedPattern: '[a-z]+' }, { P: 'a1' }, /does not match/],
    ['too short', { Type: 'String', MinLength: 2 }, { P: 'a' }, /shorter/],
    ['too long', { Type: 'String', MaxLength: 2 }, { P: 'aaa' }, /longer/],
    ['no number', { Type: 'Number' }, { P: 'x' }, /not a number/],
    ['too small', { Type: 'Number', MinValue: 2 }, { P: '1' }, /less than 2/],
    ['too large', { Type: 'Number', MaxValue: 2 }, { P: '3' }, /more than 2/],
    ['of the parameter store', { Type: 'AWS::SSM::Parameter::Value<String>', Default: '/x' }, {}, /SSM::Parameter/],
  ])('%s is refused', async (_, definition, given, message) => {
    await expect(resolved('x', { Parameters: { P: definition } }, given)).rejects.toThrow(message);
  });
});

describe('order', () => {
  const order = async (Resources: object, more: object = {}): Promise<readonly string[]> =>
    (await loadStacks({ One: { template: { Resources, ...more } } })).things.map(({ id }) => id);

  test('follows Ref, GetAtt, Sub and DependsOn', async () => {
    const Resources = {
      A: thing({ Ref: 'B' }),
      B: thing([{ deep: { 'Fn::GetAtt': ['C', 'Arn'] } }]),
      C: thing({ 'Fn::Sub': ['${D.Arn}${x}', { x: { Ref: 'E' } }] }),
      D: thing('d', { DependsOn: 'F' }),
      E: thing('e', { DependsOn: ['F', 'D'] }),
      F: thing('f'),
    };
    expect(await order(Resources)).toEqual(['F', 'D', 'E', 'C', 'B', 'A']);
  });

  test('a cycle is named', async () => {
    const Resources = { A: thing({ Ref: 'B' }), B: thing({ 'Fn::Sub': '${C}' }), C: thing(1, { DependsOn: 'A' }) };
    await expect(order(Resources)).rejects.toThrow('depend on each other: A -> B -> C -> A');
  });

  test('what is conditional is left out, with what only it needs', async () => {
    const Conditions = { No: { 'Fn::Equals': ['a', 'b'] } };
    const Resources = { A: thing({ 'Fn::If': ['No', { Ref: 'B' }, 'x'] }), B: thing('b', { Condition: 'No' }) };
    expect(await order(Resources, { Conditions })).toEqual(['A']);
  });

  test('a condition that depends on itself is refused', async () => {
    const Conditions = { Loop: { 'Fn::Not': [{ Condition: 'Loop' }] } };
    await expect(order({ A: thing(1) }, { Conditions })).rejects.toThrow('Loop depends on itself');
  });
});

describe('several stacks', () => {
  const consumer = (Value: unknown): StackFixture => ({
    template: { Resources: { Reader: thing(Value) } },
    dependencies: ['Producer'],
  });
  const producer: StackFixture = {
    template: {
      Resources: { Source: thing() },
      Outputs: {
        Weak: { Value: { 'Fn::GetAtt': ['Source', 'Arn'] } },
        Strong: { Value: { Ref: 'Source' }, Export: { Name: { 'Fn::Sub': '${AWS::StackName}:source' } } },
      },
    },
  };

  test.each([false, true])(
    'refer to each other, whatever their order in the manifest (in a stage: %s)',
    async (nested) => {
      const value = [
        { 'Fn::GetStackOutput': { StackName: 'Producer', OutputName: 'Weak', Region: 'ca-central-1' } },
        { 'Fn::ImportValue': 'Producer:source' },
      ];
      const path = writeAssembly(directory.path, { Consumer: consumer(value), Producer: producer }, nested);
      const { things, outputs } = await load(path);
      expect(things[1]?.properties['Value']).toEqual(['arn:aws:test:::Source', 'ref-Source']);
      expect(outputs['Producer']).toEqual({ Weak: 'arn:aws:test:::Source', Strong: 'ref-Source' });
    },
  );

  test('two exports of one name are refused', async () => {
    const same = { Outputs: { O: { Value: 'x', Export: { Name: 'n' } } }, Resources: {} };
    await expect(loadStacks({ One: { template: same }, Two: { template: same } })).rejects.toThrow('export n exists');
  });
});

describe('what a laptop cannot run is refused by name', () => {
  const subject = (resource: object, template: object = {}): Promise<Loaded> =>
    loadStacks({ One: { template: { Resources: { Subject: resource }, ...template } } });

  test.each<[string, object, object, RegExp]>([
    ['a type', { Type: 'AWS::EC2::Instance' }, {}, /Stack One: Subject \(AWS::EC2::Instance\)/],
    ['a custom resource', { Type: 'Custom::Thing' }, {}, /Custom::Thing/],
    ['a property', { Type: 'Test::Thing', Properties: { Unknown: 1 } }, {}, /Subject \(Test::Thing\): .* Unknown/],
    ['a resource attribute', { Type: 'Test::Thing', CreationPolicy: {} }, {}, /CreationPolicy/],
    ['a section', thing(1), { Transform: 'AWS::LanguageExtensions' }, /Transform/],
    ['a rule', thing(1), { Rules: { Mine: {} } }, /Mine/],
    [
      'a malformed policy, wherever it stands',
      {
        Type: 'Test::Thing',
        Properties: { Value: [{ Deep: { Version: '2012-10-17', Statement: [{ Effect: 'Allow' }] } }] },
      },
      {},
      /Subject \(Test::Thing\): statement 0/,
    ],
  ])('%s', async (_, resource, template, message) => {
    await expect(subject(resource, template)).rejects.toThrow(message);
  });

  test('types that do nothing are accepted with whatever they hold', async () => {
    const { outputs } = await loadStacks({
      One: {
        template: {
          Resources: {
            Group: { Type: 'AWS::Logs::LogGroup', Properties: { LogGroupName: '/a', RetentionInDays: 7 } },
            Alarm: { Type: 'AWS::CloudWatch::Alarm', Properties: { Threshold: 1, Metrics: [] } },
            Topic: { Type: 'AWS::SNS::Topic' },
          },
          Outputs: {
            Group: { Value: { 'Fn::GetAtt': ['Group', 'Arn'] } },
            Alarm: { Value: { Ref: 'Alarm' } },
            Topic: { Value: { Ref: 'Topic' } },
          },
        },
      },
    });
    expect(outputs['One']).toEqual({
      Group: 'arn:aws:logs:ca-central-1:000000000000:log-group:/a:*',
      Alarm: 'One-Alarm',
      Topic: 'arn:aws:sns:ca-central-1:000000000000:One-Topic',
    });
  });
});

describe('assets', () => {
  const assets = {
    files: {
      abc: { source: { path: 'asset.abc', packaging: 'zip' }, destinations: { here: { objectKey: 'abc.zip' } } },
    },
  };
  const fn = (Code: object): StackFixture => ({
    template: { Resources: { F: { Type: 'AWS::Lambda::Function', Properties: { Code } } } },
    assets,
  });
  const bucket = { 'Fn::Sub': 'cdk-assets-${AWS::AccountId}' };

  test('become the directory of the code', async () => {
    mkdirSync(join(directory.path, 'asset.abc'));
    const { things } = await loadStacks({ One: fn({ S3Bucket: bucket, S3Key: 'abc.zip' }) });
    expect(things[0]?.properties['Code']).toEqual({ LocalPath: join(directory.path, 'asset.abc') });
  });

  test('that are not there, or no directory, are refused', async () => {
    await expect(loadStacks({ One: fn({ S3Bucket: bucket, S3Key: 'other.zip' }) })).rejects.toThrow('no asset');
    await expect(loadStacks({ One: fn({ S3Bucket: bucket, S3Key: 'abc.zip' }) })).rejects.toThrow('not a directory');
    writeFileSync(join(directory.path, 'asset.abc'), 'zip');
    await expect(loadStacks({ One: fn({ S3Bucket: bucket, S3Key: 'abc.zip' }) })).rejects.toThrow('not a directory');
  });
});

test('long names are cut and stay different', async () => {
  const Resources = { [`${'L'.repeat(70)}1`]: thing(), [`${'L'.repeat(70)}2`]: thing() };
  const { things } = await loadStacks({ One: { template: { Resources } } });
  const names = things.map(({ context }) => context.physicalName(32));
  expect(new Set(names).size).toBe(2);
  expect(names.every((name) => name.length === 32)).toBe(true);
});

import { AccessDenied, type AccessRequest, type Caller, type PolicyDocument } from '../../local/iam/policy.ts';
import { PolicyProblem, validatePolicy } from '../../local/iam/validate.ts';
import { ACCOUNT, allow, identity, policy, type Identity } from '../support/local-identity.ts';

const TABLE = 'arn:aws:dynamodb:ca-central-1:000000000000:table/Cases';
const BUCKET_OBJECT = 'arn:aws:s3:::packages/case/one';
const KEY = 'arn:aws:kms:ca-central-1:000000000000:key/1111';
const ROLE_ARN = `arn:aws:iam::${ACCOUNT}:role/Clerk`;
const SESSION_ARN = `arn:aws:sts::${ACCOUNT}:assumed-role/Clerk/one`;

const document = (...statements: readonly object[]): PolicyDocument =>
  policy(...statements) as unknown as PolicyDocument;

interface Setup {
  readonly identityPolicies?: readonly object[];
  readonly sessionPolicy?: PolicyDocument;
  readonly role?: object;
}

function clerk({ identityPolicies = [], sessionPolicy, role = {} }: Setup): { world: Identity; caller: Caller } {
  const world = identity();
  const created = world.role('Clerk', {
    ...(identityPolicies.length === 0
      ? {}
      : { Policies: [{ PolicyName: 'inline', PolicyDocument: policy(...identityPolicies) }] }),
    ...role,
  });
  const session = world.sessions.issue({ role: created, name: 'one', seconds: 3600, sessionPolicy });
  return { world, caller: session.caller };
}

const decide = (setup: Setup, request: Omit<AccessRequest, 'caller'>): string => {
  const { world, caller } = clerk(setup);
  try {
    world.host.authorize({ ...request, caller });
    return 'allowed';
  } catch (error) {
    if (error instanceof AccessDenied) return error.message.replace(/^.* because /, '');
    throw error;
  }
};

const put = { action: 'dynamodb:PutItem', resource: TABLE };

describe('identity policies', () => {
  test('nothing is allowed by default, and the refusal names who, what, where and why', () => {
    const { world, caller } = clerk({});
    expect(() => {
      world.host.authorize({ ...put, caller });
    }).toThrow(
      `User: ${SESSION_ARN} is not authorized to perform: dynamodb:PutItem on resource: ${TABLE} because no identity-based policy allows the dynamodb:PutItem action`,
    );
    expect(world.denials.read()).toEqual([
      {
        time: expect.any(String),
        caller: 'Clerk',
        action: 'dynamodb:PutItem',
        resource: TABLE,
        reason: 'no identity-based policy allows the dynamodb:PutItem action',
      },
    ]);
  });

  test.each([
    ['the exact action', allow('dynamodb:PutItem', TABLE), 'allowed'],
    ['an action without regard to case', allow('DynamoDB:putitem', TABLE), 'allowed'],
    ['a wildcard action', allow('dynamodb:Put*', TABLE), 'allowed'],
    ['a question mark', allow('dynamodb:P?tItem', TABLE), 'allowed'],
    ['another action', allow('dynamodb:GetItem', TABLE), 'no identity-based policy'],
    ['a prefix without wildcard', allow('dynamodb:Put', TABLE), 'no identity-based policy'],
    ['another table', allow('dynamodb:PutItem', `${TABLE}2`), 'no identity-based policy'],
    ['the index of the table only', allow('dynamodb:PutItem', `${TABLE}/index/*`), 'no identity-based policy'],
    ['a wildcard region and account', allow('dynamodb:PutItem', 'arn:aws:dynamodb:*:*:table/Cases'), 'allowed'],
    [
      'a pattern whose wildcard would have to cross a colon',
      allow('dynamodb:PutItem', 'arn:aws:dynamodb:ca-*:table/Cases'),
      'no identity-based policy',
    ],
    ['an incomplete ARN', allow('dynamodb:PutItem', 'arn:aws:dynamodb'), 'allowed'],
    [
      'NotAction that leaves it out',
      { Effect: 'Allow', NotAction: 'dynamodb:PutItem', Resource: '*' },
      'no identity-based policy',
    ],
    ['NotAction that names another', { Effect: 'Allow', NotAction: 'dynamodb:GetItem', Resource: '*' }, 'allowed'],
    [
      'NotResource that leaves it out',
      { Effect: 'Allow', Action: '*', NotResource: TABLE },
      'no identity-based policy',
    ],
    ['NotResource that names another', { Effect: 'Allow', Action: '*', NotResource: `${TABLE}2` }, 'allowed'],
  ])('%s', (_, statement, expected) => {
    expect(decide({ identityPolicies: [statement] }, put)).toContain(expected);
  });

  test('an explicit deny wins over every allow, and is named', () => {
    const deny = { Sid: 'NoWrites', Effect: 'Deny', Action: 'dynamodb:P*', Resource: '*' };
    expect(decide({ identityPolicies: [allow('*'), deny] }, put)).toBe(
      'of an explicit deny in the identity-based policy inline, statement NoWrites',
    );
  });

  test('a deny whose wildcard may cross a colon denies', () => {
    const deny = { Effect: 'Deny', Action: '*', Resource: 'arn:aws:dynamodb:ca-*:table/Cases' };
    expect(decide({ identityPolicies: [allow('*'), deny] }, put)).toContain('explicit deny');
  });
});

describe('session policies and boundaries', () => {
  const all = { identityPolicies: [allow('*')] };

  test('a session policy limits', () => {
    expect(decide({ ...all, sessionPolicy: document(allow('dynamodb:GetItem')) }, put)).toContain('no session policy');
    expect(decide({ ...all, sessionPolicy: document(allow('dynamodb:PutItem')) }, put)).toBe('allowed');
  });

  test('a session policy never adds', () => {
    expect(decide({ sessionPolicy: document(allow('*')) }, put)).toContain('no identity-based policy');
  });

  test('a deny in the session policy wins', () => {
    const sessionPolicy = document(allow('*'), { Sid: 'Late', Effect: 'Deny', Action: '*', Resource: '*' });
    expect(decide({ ...all, sessionPolicy }, put)).toBe('of an explicit deny in the session policy, statement Late');
  });

  test('a permissions boundary limits', () => {
    const world = identity();
    const boundary = world.create('AWS::IAM::ManagedPolicy', 'Limit', { PolicyDocument: policy(allow('s3:*')) }).ref;
    const role = world.role('Bound', {
      PermissionsBoundary: boundary,
      Policies: [{ PolicyName: 'all', PolicyDocument: policy(allow('*')) }],
    });
    const { caller } = world.sessions.issue({ role, name: 'one', seconds: 900 });
    expect(() => {
      world.host.authorize({ ...put, caller });
    }).toThrow('no permissions boundary allows');
    world.host.authorize({ action: 's3:GetObject', resource: BUCKET_OBJECT, caller });
  });
});

describe('resource policies', () => {
  const get = { action: 's3:GetObject', resource: BUCKET_OBJECT };
  const bucketPolicy = (principal: unknown, effect = 'Allow', more = {}): { resourcePolicy: PolicyDocument } => ({
    resourcePolicy: document({
      Sid: 'S',
      Effect: effect,
      Principal: principal,
      Action: 's3:*',
      Resource: '*',
      ...more,
    }),
  });
  const nothing = document(allow('kms:ListKeys'));

  test.each([
    ['another role', { AWS: `arn:aws:iam::${ACCOUNT}:role/Other` }, 'no identity-based policy'],
    ['the account, which only delegates', { AWS: `arn:aws:iam::${ACCOUNT}:root` }, 'no identity-based policy'],
    ['a service', { Service: 's3.amazonaws.com' }, 'no identity-based policy'],
    ['the role', { AWS: ROLE_ARN }, 'allowed'],
    ['the session', { AWS: SESSION_ARN }, 'allowed'],
    ['everyone', '*', 'allowed'],
  ])('naming %s', (_, principal, expected) => {
    expect(decide({}, { ...get, ...bucketPolicy(principal) })).toContain(expected);
  });

  test('a session policy limits what is granted to the role, not what is granted to the session', () => {
    expect(decide({ sessionPolicy: nothing }, { ...get, ...bucketPolicy({ AWS: ROLE_ARN }) })).toContain(
      'no session policy',
    );
    expect(decide({ sessionPolicy: nothing }, { ...get, ...bucketPolicy({ AWS: SESSION_ARN }) })).toBe('allowed');
  });

  test('a deny to the account reaches every role of it', () => {
    const denied = bucketPolicy({ AWS: ACCOUNT }, 'Deny');
    expect(decide({ identityPolicies: [allow('*')] }, { ...get, ...denied })).toBe(
      'of an explicit deny in the resource-based policy, statement S',
    );
  });

  test('NotPrincipal spares only who is named with account, role and session', () => {
    const deny = (names: readonly string[]): { resourcePolicy: PolicyDocument } => ({
      resourcePolicy: document({ Effect: 'Deny', NotPrincipal: { AWS: names }, Action: '*', Resource: '*' }),
    });
    const all = { identityPolicies: [allow('*')] };
    expect(decide(all, { ...get, ...deny([ROLE_ARN]) })).toContain('explicit deny');
    expect(decide(all, { ...get, ...deny([ROLE_ARN, SESSION_ARN, ACCOUNT]) })).toBe('allowed');
  });

  test('a service is judged by the resource policy alone, by principal and source', () => {
    const { world } = clerk({});
    const caller: Caller = {
      kind: 'service',
      account: ACCOUNT,
      principal: 'events.amazonaws.com',
      sourceArn: 'arn:aws:events:ca-central-1:000000000000:rule/sweep',
    };
    const ask = (resourcePolicy?: PolicyDocument): void => {
      const request: AccessRequest = {
        caller,
        action: 'lambda:InvokeFunction',
        resource: 'arn:aws:lambda:f',
        mode: 'required',
      };
      world.host.authorize(resourcePolicy === undefined ? request : { ...request, resourcePolicy });
    };
    const permission = (service: string, source: string): PolicyDocument =>
      document({
        Effect: 'Allow',
        Principal: { Service: service },
        Action: 'lambda:InvokeFunction',
        Resource: '*',
        Condition: { ArnLike: { 'AWS:SourceArn': source }, StringEquals: { 'aws:SourceAccount': ACCOUNT } },
      });
    expect(() => ask()).toThrow('no resource-based policy');
    expect(() => ask(permission('s3.amazonaws.com', '*'))).toThrow('no resource-based policy');
    expect(() => ask(permission('events.amazonaws.com', 'arn:aws:events:*:*:rule/other'))).toThrow(
      'no resource-based policy',
    );
    ask(permission('events.amazonaws.com', 'arn:aws:events:*:*:rule/sweep'));
  });
});

describe('key policies', () => {
  const decrypt = { action: 'kms:Decrypt', resource: KEY, mode: 'key' as const };
  const keyPolicy = (principal: unknown): { resourcePolicy: PolicyDocument } => ({
    resourcePolicy: document({ Effect: 'Allow', Principal: principal, Action: 'kms:*', Resource: '*' }),
  });
  const mine = { identityPolicies: [allow('kms:Decrypt', KEY)] };

  test.each([
    ['no statement for the caller', mine, { AWS: `arn:aws:iam::${ACCOUNT}:role/Other` }, 'no key policy'],
    ['delegation without an identity policy', {}, { AWS: `arn:aws:iam::${ACCOUNT}:root` }, 'no identity-based policy'],
    ['delegation with an identity policy', mine, { AWS: `arn:aws:iam::${ACCOUNT}:root` }, 'allowed'],
    ['the role by name', {}, { AWS: ROLE_ARN }, 'allowed'],
  ])('%s', (_, setup, principal, expected) => {
    expect(decide(setup, { ...decrypt, ...keyPolicy(principal) })).toContain(expected);
  });
});

describe('conditions', () => {
  const withCondition = (Condition: object, context: AccessRequest['context'] = {}): string =>
    decide({ identityPolicies: [{ Effect: 'Allow', Action: '*', Resource: '*', Condition }] }, { ...put, context });
  const NO = 'no identity-based policy';

  test.each<[string, object, AccessRequest['context'], string]>([
    ['StringEquals, equal', { StringEquals: { 'x:k': ['a', 'b'] } }, { 'x:K': 'b' }, 'allowed'],
    ['StringEquals, different case', { StringEquals: { 'x:k': 'a' } }, { 'x:k': 'A' }, NO],
    ['StringEquals knows no wildcard', { StringEquals: { 'x:k': 'a*' } }, { 'x:k': 'ab' }, NO],
    ['StringEquals, absent', { StringEquals: { 'x:k': 'a' } }, {}, NO],
    ['StringEqualsIfExists, absent', { StringEqualsIfExists: { 'x:k': 'a' } }, {}, 'allowed'],
    ['StringEqualsIfExists, different', { StringEqualsIfExists: { 'x:k': 'a' } }, { 'x:k': 'b' }, NO],
    ['StringNotEquals, absent', { StringNotEquals: { 'x:k': 'a' } }, {}, 'allowed'],
    ['StringNotEquals, one of them', { StringNotEquals: { 'x:k': ['a', 'b'] } }, { 'x:k': 'b' }, NO],
    ['StringEqualsIgnoreCase', { StringEqualsIgnoreCase: { 'x:k': 'a' } }, { 'x:k': 'A' }, 'allowed'],
    ['StringLike', { StringLike: { 'x:k': 'a*c?' } }, { 'x:k': 'abbcd' }, 'allowed'],
    ['StringNotLike', { StringNotLike: { 'x:k': 'a*' } }, { 'x:k': 'abb' }, NO],
    ['ArnLike', { ArnLike: { 'x:k': 'arn:aws:s3:::b*' } }, { 'x:k': 'arn:aws:s3:::bucket' }, 'allowed'],
    ['ArnNotEquals', { ArnNotEquals: { 'aws:PrincipalArn': ROLE_ARN } }, {}, NO],
    ['Bool', { Bool: { 'aws:SecureTransport': 'true' } }, {}, 'allowed'],
    ['Bool, other', { Bool: { 'aws:SecureTransport': 'false' } }, {}, NO],
    ['Null true, present', { Null: { 'x:k': 'true' } }, { 'x:k': 'v' }, NO],
    ['Null false, present', { Null: { 'x:k': 'false' } }, { 'x:k': 'v' }, 'allowed'],
    ['NumericLessThanEquals', { NumericLessThanEquals: { 'x:n': '10' } }, { 'x:n': '10' }, 'allowed'],
    ['NumericLessThanEquals, more', { NumericLessThanEquals: { 'x:n': 10 } }, { 'x:n': '10.5' }, NO],
    ['NumericEquals, not a number', { NumericEquals: { 'x:n': 0 } }, { 'x:n': '' }, NO],
    ['DateLessThan, the past', { DateLessThan: { 'aws:CurrentTime': '2020-01-01T00:00:00Z' } }, {}, NO],
    ['DateLessThan, the future', { DateLessThan: { 'aws:CurrentTime': '2999-01-01T00:00:00Z' } }, {}, 'allowed'],
    ['DateGreaterThan, epoch seconds', { DateGreaterThan: { 'aws:EpochTime': '1600000000' } }, {}, 'allowed'],
    ['IpAddress', { IpAddress: { 'aws:SourceIp': '127.0.0.0/8' } }, {}, 'allowed'],
    ['NotIpAddress', { NotIpAddress: { 'aws:SourceIp': '127.0.0.1' } }, {}, NO],
    [
      'ForAllValues, all inside',
      { 'ForAllValues:StringEquals': { 'x:l': ['a', 'b'] } },
      { 'x:l': ['a', 'b'] },
      'allowed',
    ],
    ['ForAllValues, one outside', { 'ForAllValues:StringEquals': { 'x:l': ['a', 'b'] } }, { 'x:l': ['a', 'c'] }, NO],
    ['ForAllValues, absent', { 'ForAllValues:StringEquals': { 'x:l': 'a' } }, {}, 'allowed'],
    ['ForAnyValue, one inside', { 'ForAnyValue:StringEquals': { 'x:l': 'a' } }, { 'x:l': ['a', 'c'] }, 'allowed'],
    ['ForAnyValue, absent', { 'ForAnyValue:StringEquals': { 'x:l': 'a' } }, {}, NO],
    ['two keys, one of them wrong', { StringEquals: { 'x:k': 'a', 'x:l': 'b' } }, { 'x:k': 'a', 'x:l': 'c' }, NO],
  ])('%s', (_, condition, context, expected) => {
    expect(withCondition(condition, context)).toContain(expected);
  });

  test('a key with several values needs a set operator', () => {
    expect(() => withCondition({ StringEquals: { 'x:l': 'a' } }, { 'x:l': ['a', 'b'] })).toThrow('ForAllValues');
  });

  test('time in conditions is the virtual one', async () => {
    const { world, caller } = clerk({
      identityPolicies: [
        {
          Effect: 'Allow',
          Action: '*',
          Resource: '*',
          Condition: { DateLessThan: { 'aws:CurrentTime': '2090-01-01T00:00:00Z' } },
        },
      ],
    });
    world.host.authorize({ ...put, caller });
    await world.host.clock.advanceTo(Date.parse('2090-01-01T00:00:00Z'));
    expect(() => {
      world.host.authorize({ ...put, caller });
    }).toThrow('no identity-based policy');
    world.host.clock.stop();
  });
});

describe('policy variables', () => {
  const own = { identityPolicies: [allow('dynamodb:PutItem', 'arn:aws:dynamodb:*:*:table/${aws:PrincipalTag/team}')] };

  test('are filled from the caller', () => {
    expect(decide({ ...own, role: { Tags: [{ Key: 'team', Value: 'Cases' }] } }, put)).toBe('allowed');
    expect(decide({ ...own, role: { Tags: [{ Key: 'team', Value: 'Other' }] } }, put)).toContain('no identity-based');
  });

  test('match nothing without a value, and bring in no wildcard', () => {
    expect(decide(own, put)).toContain('no identity-based');
    expect(decide({ ...own, role: { Tags: [{ Key: 'team', Value: '*' }] } }, put)).toContain('no identity-based');
  });
});

describe('what is refused when loading', () => {
  const base = { Effect: 'Allow', Action: 's3:GetObject', Resource: '*' };
  test.each<[string, unknown]>([
    ['a list', []],
    ['no version', { Statement: [base] }],
    ['an old version', { Version: '2008-10-17', Statement: [base] }],
    ['no statement', { Version: '2012-10-17', Statement: [] }],
    ['an unknown key', { ...policy(base), Extra: 1 }],
    ['an unknown element', policy({ ...base, Resources: '*' })],
    ['no effect', policy({ Action: 's3:GetObject', Resource: '*' })],
    ['an effect in lower case', policy({ ...base, Effect: 'allow' })],
    ['an action without service', policy({ ...base, Action: 'GetObject' })],
    ['an action with two colons', policy({ ...base, Action: 's3:Get:Object' })],
    ['Action and NotAction', policy({ ...base, NotAction: 's3:PutObject' })],
    ['no resource', policy({ Effect: 'Allow', Action: 's3:GetObject' })],
    ['a resource that is no ARN', policy({ ...base, Resource: 'bucket/*' })],
    ['a wildcard for the service', policy({ ...base, Resource: 'arn:aws:*:::bucket' })],
    ['a principal', policy({ ...base, Principal: '*' })],
    ['an unknown operator', policy({ ...base, Condition: { StringMatches: { 'x:k': 'a' } } })],
    ['BinaryEquals', policy({ ...base, Condition: { BinaryEquals: { 'x:k': 'YQ==' } } })],
    ['Null with IfExists', policy({ ...base, Condition: { NullIfExists: { 'x:k': 'true' } } })],
    ['a number that is none', policy({ ...base, Condition: { NumericEquals: { 'x:k': 'ten' } } })],
    ['a date that is none', policy({ ...base, Condition: { DateLessThan: { 'x:k': 'tomorrow' } } })],
    ['an address that is none', policy({ ...base, Condition: { IpAddress: { 'x:k': '10.0.0.0/40' } } })],
    ['an unknown variable', policy({ ...base, Resource: 'arn:aws:s3:::b/${aws:username}' })],
    ['two statements of one Sid', policy({ ...base, Sid: 'A' }, { ...base, Sid: 'A' })],
  ])('identity policy with %s', (_, value) => {
    expect(() => validatePolicy(value, 'identity')).toThrow(PolicyProblem);
  });

  test.each<[string, object]>([
    ['no principal', base],
    ['a principal in lower case', { ...base, Principal: { aws: '*' } }],
    ['a wildcard inside a principal', { ...base, Principal: { AWS: `arn:aws:iam::${ACCOUNT}:role/*` } }],
    ['a federated principal', { ...base, Principal: { Federated: 'x' } }],
    ['NotPrincipal with Allow', { ...base, NotPrincipal: { AWS: ACCOUNT } }],
  ])('resource policy with %s', (_, statement) => {
    expect(() => validatePolicy(policy(statement), 'resource')).toThrow(PolicyProblem);
  });

  test('a trust policy with a resource', () => {
    const statement = { ...base, Action: 'sts:AssumeRole', Principal: { AWS: ACCOUNT } };
    expect(() => validatePolicy(policy(statement), 'trust')).toThrow('must not have a Resource');
  });

  test('a managed policy that is not in the template', () => {
    const arns = ['arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole'];
    expect(() => identity().role('R', { ManagedPolicyArns: arns })).toThrow('AWSLambdaBasicExecutionRole');
  });

  test('a policy for a role that does not exist', () => {
    const properties = { PolicyName: 'P', PolicyDocument: policy(base), Roles: ['Nobody'] };
    expect(() => identity().create('AWS::IAM::Policy', 'P', properties)).toThrow('Nobody');
  });

  test('a resource policy made while running is checked before it is believed', () => {
    const resourcePolicy = document({ ...base, Principal: '*', Condition: { Unknown: { a: 'b' } } });
    expect(() => decide({}, { action: 's3:GetObject', resource: BUCKET_OBJECT, resourcePolicy })).toThrow(
      PolicyProblem,
    );
  });
});

test('customer-managed policies reach the roles that name them and the roles that they name', () => {
  const world = identity();
  world.role('Second');
  const arn = world.create('AWS::IAM::ManagedPolicy', 'Shared', {
    PolicyDocument: policy(allow('dynamodb:PutItem')),
    Roles: ['Second'],
  }).ref;
  world.role('First', { ManagedPolicyArns: [arn] });
  for (const name of ['First', 'Second']) {
    const role = world.roles.find(name);
    expect(role?.policies.map((attached) => attached.name)).toEqual(['Test-Shared']);
  }
});

describe('permissions that are taken away until something misses them', () => {
  const TWO = allow(['dynamodb:PutItem', 'dynamodb:GetItem'], [TABLE, `${TABLE}2`]);
  const judged = (setup: Setup) => {
    const { world, caller } = clerk(setup);
    world.probation.begin();
    const may = (request: Omit<AccessRequest, 'caller'>): boolean => {
      try {
        world.host.authorize({ ...request, caller });
        return true;
      } catch (error) {
        if (error instanceof AccessDenied) return false;
        throw error;
      }
    };
    const missed = () => world.probation.missed().map(({ owner, action, resource }) => [owner, action, resource]);
    return { world, may, missed };
  };

  test('each is refused once, and then given back alone', () => {
    const { world, may, missed } = judged({ identityPolicies: [TWO] });
    expect(world.probation.grants()).toHaveLength(4);
    expect([may(put), may(put), may({ ...put, resource: `${TABLE}2` })]).toEqual([false, true, false]);
    expect(missed()).toEqual([
      ['Clerk', 'dynamodb:PutItem', TABLE],
      ['Clerk', 'dynamodb:PutItem', `${TABLE}2`],
    ]);
    expect(world.probation.missed()[0]?.refused).toEqual({ caller: 'Clerk', action: put.action, resource: TABLE });
  });

  test('of two that allow the same, one is never missed', () => {
    const { may, missed } = judged({
      identityPolicies: [allow('dynamodb:PutItem', TABLE), allow('dynamodb:*', TABLE)],
    });
    expect([may(put), may(put), missed()]).toEqual([false, true, [['Clerk', 'dynamodb:PutItem', TABLE]]]);
  });

  test('what nothing allows, or something denies, is missed by nobody', () => {
    const deny = { Effect: 'Deny', Action: 'dynamodb:GetItem', Resource: '*' };
    const { may, missed } = judged({ identityPolicies: [TWO, deny] });
    const get = { action: 'dynamodb:GetItem', resource: TABLE };
    const scan = { action: 'dynamodb:Scan', resource: TABLE };
    expect([may(get), may(get), may(scan), may(scan), missed()]).toEqual([false, false, false, false, []]);
  });

  test('where two policies must allow, each is missed in its turn', () => {
    const { may, missed } = judged({ identityPolicies: [allow('kms:Decrypt', KEY)] });
    const resourcePolicy = document({
      Effect: 'Allow',
      Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` },
      Action: 'kms:Decrypt',
      Resource: '*',
    });
    const decrypt = { action: 'kms:Decrypt', resource: KEY, resourcePolicy, mode: 'key' as const };
    expect([may(decrypt), may(decrypt), may(decrypt)]).toEqual([false, false, true]);
    expect(missed()).toEqual([
      [KEY, 'kms:Decrypt', '*'],
      ['Clerk', 'kms:Decrypt', KEY],
    ]);
  });
});

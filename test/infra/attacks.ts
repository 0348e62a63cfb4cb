import { AccessDenied, type AccessRequest, type Caller, type PolicyDocument } from '../../local/iam/policy.ts';
import { ACCOUNT, allow, identity, policy, REGION } from '../support/local-identity.ts';
import type { Templates } from '../support/template.ts';

type Json = Readonly<Record<string, unknown>>;
type Condition = Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;

/** A statement with names in place of what CloudFormation will put there. */
interface Raw {
  readonly Sid?: string;
  readonly Effect: 'Allow' | 'Deny';
  readonly Principal?: '*' | Readonly<Record<string, string | readonly string[]>>;
  readonly Action: string | readonly string[];
  readonly Resource?: string | readonly string[];
  readonly Condition?: Condition;
}

interface Found {
  /** Logical id without the hash, and the Sid or the index of the statement. */
  readonly where: string;
  readonly kind: 'identity' | 'resource' | 'trust';
  readonly statement: Raw;
}

const named = (id: string): string => id.replace(/[0-9A-F]{8}$/, '');
const list = <T>(value: T | readonly T[] | undefined): readonly T[] =>
  value === undefined ? [] : Array.isArray(value) ? (value as readonly T[]) : [value as T];

const ARNS: Readonly<Record<string, (name: string) => string>> = {
  'AWS::IAM::Role': (name) => `arn:aws:iam::${ACCOUNT}:role/${name}`,
  'AWS::S3::Bucket': (name) => `arn:aws:s3:::${name.toLowerCase()}`,
};

const DOCUMENTS: Readonly<Record<string, readonly [member: string, kind: Found['kind']]>> = {
  'AWS::IAM::Policy': ['PolicyDocument', 'identity'],
  'AWS::IAM::Role': ['AssumeRolePolicyDocument', 'trust'],
  'AWS::KMS::Key': ['KeyPolicy', 'resource'],
  'AWS::S3::BucketPolicy': ['PolicyDocument', 'resource'],
  'AWS::SQS::QueuePolicy': ['PolicyDocument', 'resource'],
  'AWS::SNS::TopicPolicy': ['PolicyDocument', 'resource'],
};

/** Every statement of every policy, as the local evaluator reads them. */
function statementsOf(templates: Templates): Found[] {
  const { account, region } = templates.environment;
  const types = new Map(templates.resources.map(({ id, type }) => [id, type]));
  const filled = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(filled);
    if (typeof value !== 'object' || value === null) return literal(String(value));
    const [first = ''] = Object.keys(value);
    if (first === 'Ref' || first.startsWith('Fn::')) return literal(templates.text(value));
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, filled(member)]));
  };
  const literal = (text: string): string =>
    text
      .replace(/\$\{(\w+)(\.\w+)?\}/g, (_, id: string) => {
        const arn = ARNS[types.get(id) ?? ''];
        return arn?.(named(id)) ?? `arn:aws:any:${REGION}:${ACCOUNT}:${named(id)}`;
      })
      .replaceAll(account, ACCOUNT)
      .replaceAll(region, REGION);
  return templates.resources.flatMap(({ id, type, properties }) => {
    if (type === 'AWS::Lambda::Permission') {
      const { Action, Principal, SourceArn, FunctionName } = filled(properties) as Record<string, string>;
      // A service that invokes; a role of the account is named whole. Lambda compares with ArnLike.
      // https://docs.aws.amazon.com/lambda/latest/dg/permissions-function-services.html
      if (Principal === undefined || !Principal.endsWith('.amazonaws.com')) return [];
      const statement: Raw = {
        Effect: 'Allow',
        Principal: { Service: Principal },
        Action: String(Action),
        Resource: String(FunctionName),
        Condition: { ArnLike: { 'aws:SourceArn': String(SourceArn) } },
      };
      return [{ where: named(id), kind: 'resource' as const, statement }];
    }
    const [member, kind] = DOCUMENTS[type] ?? [];
    if (member === undefined || kind === undefined) return [];
    const { Statement } = filled(properties[member]) as { Statement: Raw[] }; // as every policy has one
    return Statement.map((statement, index) => ({
      where: `${named(id)} ${statement.Sid ?? index}`,
      kind,
      statement,
    }));
  });
}

const world = identity();
let made = 0;

/** A session of a new role with these statements. */
function caller(name: string, ...statements: readonly object[]): Caller {
  const Policies = [{ PolicyDocument: policy(...statements), PolicyName: 'one' }];
  return world.sessions.issue({ role: world.role(name, { Policies }), name: 'attacker', seconds: 3600 }).caller;
}

const mightyOnes = new Map<string, Caller>();
/** Somebody whose own policies allow everything, so that only what is under test can refuse. */
function mighty(name: string): Caller {
  const one = mightyOnes.get(name) ?? caller(name, allow('*'));
  mightyOnes.set(name, one);
  return one;
}

/** Why a request is refused; nothing when it is allowed. */
function refusal(request: AccessRequest): string | undefined {
  try {
    world.host.authorize(request);
    return undefined;
  } catch (error) {
    if (error instanceof AccessDenied) return error.message.replace(/^.* because /, '');
    throw error;
  }
}

/**
 * Per Deny: an attack that it alone stops, because everything else is allowed to everybody; and the same without what makes it an attack.
 * The attacks that go through the running exchange are in test/abuse/insiders.exhaustive.test.ts.
 */
const ATTACKS: readonly {
  readonly deny: RegExp;
  readonly as: string;
  readonly action: string;
  readonly context?: Record<string, string>;
  readonly rightly?: { readonly as?: string; readonly context?: Record<string, string> };
}[] = [
  { deny: /^PackageKey NobodyElseOpens$/, as: 'apiRole', action: 'kms:Decrypt', rightly: { as: 'ReleaseAccessRole' } },
  { deny: /^PackageKey NobodyLendsOrReseals$/, as: 'ReleaseAccessRole', action: 'kms:CreateGrant' },
  { deny: /^PackageKey NobodyLendsOrReseals$/, as: 'ReleaseAccessRole', action: 'kms:ReEncryptFrom' },
  { deny: /^CanaryKey NobodyElseSigns$/, as: 'apiRole', action: 'kms:Sign', rightly: { as: 'CanaryRole' } },
  { deny: /^CanaryKey NobodyLends$/, as: 'CanaryRole', action: 'kms:CreateGrant' },
  ...(
    [
      ['DepositsPolicy', 'apiRole', 's3:PutObject'],
      ['PackagesPolicy', 'ReleaseAccessRole', 's3:GetObject'],
      ['UndeliveredPolicy', 'announceRole', 'sqs:SendMessage'],
      ['OperatorsPolicy', 'announceRole', 'sns:Publish'],
    ] as const
  ).map(([where, as, action]) => ({
    // A call without TLS.
    deny: new RegExp(`^${where} `),
    as,
    action,
    context: { 'aws:SecureTransport': 'false' },
    rightly: { context: { 'aws:SecureTransport': 'true' } },
  })),
];

const anyone = { Sid: 'Anyone', Effect: 'Allow', Principal: { AWS: '*' }, Action: '*', Resource: '*' };
const resourceOf = (statement: Raw): string =>
  (list(statement.Resource).at(-1) ?? '*').replace(/^\*$/, 'arn:aws:any:::any').replaceAll('*', 'any');

/** A request that meets a condition, and one that does not. */
function contextsFor(
  operator: string,
  expected: readonly string[],
): { meets: string | string[]; fails: string | string[] | undefined } {
  const value = (expected[0] ?? '').replace(/\$\{[^}]*\}/g, 'tagged').replaceAll('*', 'any');
  if (operator === 'Null') return { meets: 'there', fails: undefined };
  if (operator.startsWith('ForAllValues:')) return { meets: [value], fails: [value, 'other'] };
  return { meets: value, fails: operator.startsWith('Arn') ? 'arn:aws:other:::other' : 'other' };
}

/** Declares the tests of what each Deny stops, and each condition of an Allow. */
export function attacksOn(templates: Templates): void {
  const statements = statementsOf(templates);
  const denies = statements.filter(({ statement }) => statement.Effect === 'Deny');

  it('has an attack for each Deny, and only the Deny stops it', () => {
    expect(denies.length).toBeGreaterThan(5);
    for (const { where, statement } of denies) {
      const attacks = ATTACKS.filter(({ deny }) => deny.test(where));
      expect([where, attacks.length > 0]).toEqual([where, true]);
      for (const { as, action, context = {}, rightly } of attacks) {
        const documentWith = (...of: readonly object[]): PolicyDocument => policy(...of) as unknown as PolicyDocument;
        const request = (more: { as?: string; context?: Record<string, string> }, ...of: readonly object[]) =>
          refusal({
            caller: mighty(more.as ?? as),
            action,
            resource: resourceOf(statement),
            resourcePolicy: documentWith(anyone, ...of),
            context: more.context ?? context,
          });
        expect([where, request({}, statement)]).toEqual([where, expect.stringContaining('explicit deny')]);
        expect([where, request({})]).toEqual([where, undefined]);
        if (rightly !== undefined) expect([where, request(rightly, statement)]).toEqual([where, undefined]);
      }
    }
  });

  it('has no condition of an Allow that stops nothing', () => {
    let examined = 0;
    for (const { where, kind, statement } of statements) {
      const conditions = Object.entries(statement.Condition ?? {}).flatMap(([operator, keys]) =>
        Object.entries(keys).map(([key, value]) => ({ operator, key, ...contextsFor(operator, list(value)) })),
      );
      if (statement.Effect === 'Deny' || conditions.length === 0) continue;
      const tags = Object.fromEntries(
        [...JSON.stringify(statement).matchAll(/\$\{(aws:PrincipalTag\/\w+)\}/g)].map(([, key]) => [key, 'tagged']),
      );
      // What another operator asks of a key is more than that it is there.
      const inOrder = conditions.toSorted(
        (one, other) => Number(other.operator === 'Null') - Number(one.operator === 'Null'),
      );
      const context: Json = Object.assign({}, tags, ...inOrder.map(({ key, meets }) => ({ [key]: meets })));
      const asked = (used: Raw, given: Json): string | undefined => refusalUnder(where, kind, used, given);
      expect([where, asked(statement, context)]).toEqual([where, undefined]);
      for (const { operator, key, fails } of conditions) {
        const { [key]: _, ...without } = context;
        const attack: Json = fails === undefined ? without : { ...context, [key]: fails };
        const { [key]: __, ...left } = statement.Condition?.[operator] ?? {};
        const widened: Raw = { ...statement, Condition: { ...statement.Condition, [operator]: left } };
        expect([where, operator, key, asked(statement, attack)]).toEqual([
          where,
          operator,
          key,
          expect.stringMatching(/^no .* allows/),
        ]);
        expect([where, operator, key, asked(widened, attack)]).toEqual([where, operator, key, undefined]);
        examined += 1;
      }
    }
    expect(examined).toBeGreaterThan(40);
  });
}

/** Judges the first action of one statement alone. */
function refusalUnder(where: string, kind: Found['kind'], statement: Raw, context: Json): string | undefined {
  const action = String(list(statement.Action)[0]).replaceAll('*', 'any');
  const resource = resourceOf(statement).replace(/\$\{[^}]*\}/g, 'tagged');
  const given = context as Record<string, string | string[]>; // as made above
  if (kind === 'identity') {
    made += 1;
    return refusal({ caller: caller(`One${made}`, statement), action, resource, context: given });
  }
  const resourcePolicy = policy(statement) as unknown as PolicyDocument;
  const principal = statement.Principal;
  if (principal === undefined || principal === '*') throw new Error(`${where} allows everybody.`);
  const [service] = list(principal['Service']);
  const [arn = ''] = list(principal['AWS']);
  const who: Caller =
    service === undefined
      ? mighty(arn.endsWith(':root') ? 'apiRole' : (arn.split('/').at(-1) ?? ''))
      : { kind: 'service', account: ACCOUNT, principal: service, sourceArn: '' };
  const mode = service === undefined ? ('key' as const) : ('required' as const);
  return refusal({ caller: who, action, resource, context: given, resourcePolicy, mode });
}

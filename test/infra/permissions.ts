import { allow, covers, type Statement, type Templates } from '../support/template.ts';

/** The functions that the workflow invokes, as their logical ids begin. */
const STEPS = ['assessrequest', 'awaitparty', 'sealpackage', 'openrelease', 'closerelease', 'recordfailure'];

/** Where policies of roles may name more than one thing, and why nothing narrower will do. `<…>` stands for the environment's values. */
const WILDCARDS: readonly (readonly [role: string, action: string, resource: string, why: string])[] = [
  ['resumeworkflowRole', 'states:SendTaskSuccess', '*', 'a task token has no ARN'],
  ['resumeworkflowRole', 'dynamodb:ListStreams', '*', 'streams are listed for the account'],
  ['announceRole', 'dynamodb:ListStreams', '*', 'streams are listed for the account'],
  ['sweepcasesRole', 'states:DescribeExecution', '<execution>:*', 'executions are named by random ids'],
  ['answeroperatorRole', 'states:DescribeExecution', '<execution>:*', 'executions are named by random ids'],
  [
    'answeroperatorRole',
    'states:DescribeStateMachineForExecution',
    '<execution>:*',
    'executions are named by random ids',
  ],
  ['OperatorRole', 'cloudformation:GetTemplate', '<vault stack>/*', 'the service chooses the last part of the ARN'],
  ['OperatorRole', 'cloudformation:GetTemplate', '<exchange stack>/*', 'the service chooses the last part of the ARN'],
  ...STEPS.map(
    (step) =>
      ['WorkflowRole', 'lambda:InvokeFunction', `<${step}>:*`, 'executions keep the version they began with'] as const,
  ),
  ['SealingRole', 's3:GetObject', '<deposits>/*', 'deposits are named by random ids'],
  ['SealingRole', 's3:PutObject', '<deposits>/*', 'deposits are named by random ids'],
  ['SealingRole', 's3:PutObject', '<packages>/*', 'packages are named by random ids'],
  ['SealingRole', 's3:DeleteObject', '<packages>/*', 'packages are named by random ids'],
  ['SealingRole', 's3:AbortMultipartUpload', '<packages>/*', 'packages are named by random ids'],
  ['closereleaseRole', 's3:PutObject', '<deposits>/*', 'deposits are named by random ids'],
  ['closereleaseRole', 's3:DeleteObject', '<packages>/*', 'packages are named by random ids'],
  ['closereleaseRole', 's3:AbortMultipartUpload', '<packages>/*', 'packages are named by random ids'],
  ['apiRole', 's3:PutObject', '<deposits>/*', 'deposits are named by random ids'],
  [
    'ReleaseAccessRole',
    's3:GetObject',
    '<packages>/${aws:PrincipalTag/case}/*',
    'each session is narrowed to one object',
  ],
  ...[
    'CreateLogGroup',
    'CreateLogStream',
    'DescribeLogGroups',
    'DescribeLogStreams',
    'FilterLogEvents',
    'GetLogEvents',
    'PutLogEvents',
  ].map((action) => ['ApiLogRole', `logs:${action}`, '*', 'API Gateway asks for these on every log group'] as const),
  ...[
    'CreateLogDelivery',
    'DeleteLogDelivery',
    'DescribeLogGroups',
    'DescribeResourcePolicies',
    'GetLogDelivery',
    'ListLogDeliveries',
    'PutResourcePolicy',
    'UpdateLogDelivery',
  ].map((action) => ['WorkflowRole', `logs:${action}`, '*', 'log delivery is granted for the account'] as const),
];

/** Who may do what: the roles that the identity policies allow an action, and no other. An empty list is a promise too. */
const WHO: readonly (readonly [action: string, resource: string, roles: readonly string[]])[] = [
  // What may be done with the package key, its own policy says (below); no role can lend, change or end a key.
  ['kms:*', '<PackageKey>', []],
  ['kms:GenerateDataKeyWithoutPlaintext', '*', []],
  ['kms:Encrypt', '*', []],
  ['kms:ReEncryptFrom', '*', []],
  ['kms:CreateGrant', '*', []],
  ['kms:PutKeyPolicy', '*', []],
  ['kms:ScheduleKeyDeletion', '*', []],
  ['kms:DisableKey', '*', []],
  ['kms:EnableKey', '*', []],
  ['kms:CreateKey', '*', []],
  ['kms:CreateAlias', '*', []],
  ['kms:Sign', '*', []],
  ['kms:UpdateAlias', '*', []],
  ['kms:TagResource', '*', []],
  ['kms:RevokeGrant', '*', []],
  ['kms:DeleteImportedKeyMaterial', '*', []],
  // One role may become another, and the other's trust says so (below).
  ['sts:AssumeRole', '*', []],
  ['iam:PassRole', '*', []],
  ['iam:PutRolePolicy', '*', []],
  // Only one consumer wakes and starts; nobody answers a task with a failure.
  ['states:StartExecution', '*', ['resumeworkflowRole']],
  ['states:SendTaskSuccess', '*', ['resumeworkflowRole']],
  ['states:SendTaskFailure', '*', []],
  ['states:SendTaskHeartbeat', '*', []],
  ['states:StopExecution', '*', []],
  ['states:RedriveExecution', '*', []],
  ['lambda:InvokeFunction', '*', ['OperatorRole', 'WorkflowRole', 'answeroperatorRole']],
  // Operators ask one function; they read no table, wake nothing and open nothing themselves.
  ['lambda:InvokeFunction', '<answer-operator>', ['OperatorRole']],
  ['lambda:InvokeFunction', '<sweep-cases>', ['answeroperatorRole']],
  // Deposits are read by sealing alone; packages are read by release access alone.
  ['s3:GetObject', '<deposits>/*', ['SealingRole']],
  // Whoever destroys a deposit writes nothing over it.
  ['s3:PutObject', '<deposits>/*', ['SealingRole', 'apiRole', 'closereleaseRole']],
  ['s3:DeleteObject', '<deposits>/*', []],
  ['s3:GetObject', '<packages>/*', ['ReleaseAccessRole']],
  ['s3:PutObject', '<packages>/*', ['SealingRole']],
  ['s3:PutBucketPolicy', '*', []],
  // Nobody takes anything out of a case file, the directory or an idempotency record.
  ['dynamodb:DeleteItem', '*', ['resumeworkflowRole']],
  ['dynamodb:DeleteItem', '<Cases>', []],
  ['dynamodb:BatchWriteItem', '*', []],
  ['dynamodb:Scan', '*', []],
  ['dynamodb:PutItem', '<Directory>', ['apiRole']],
  ['dynamodb:UpdateItem', '<Directory>', ['recordbounceRole']],
  ['dynamodb:UpdateItem', '<Tally>', []],
  ['dynamodb:GetItem', '<Tally>', ['sweepcasesRole']],
  ['dynamodb:PutItem', '<Tokens>', ['awaitpartyRole']],
  ['dynamodb:Query', '<Tokens>', ['resumeworkflowRole']],
  ['dynamodb:GetItem', '<Tokens>', []],
  ['dynamodb:PutItem', '<Idempotency>', ['apiRole']],
  ['events:PutEvents', '*', ['announceRole']],
  ['ses:SendEmail', '*', ['announceRole']],
  ['sqs:ReceiveMessage', '*', []],
];

/** Trusts and grants to AWS services without the source that they act for, and why. */
const WITHOUT_SOURCE: readonly (readonly [principal: string, why: string])[] = [
  ['lambda.amazonaws.com', 'Lambda names no source when it assumes the role of a function'],
  ['logs.<region>.amazonaws.com', 'held to the log groups of the account by the encryption context'],
];

/** Who may assume the roles that are not for a function; `<account>` stands for whoever the account's own policies allow. */
const TRUSTED: Readonly<Record<string, string>> = {
  OperatorRole: '<account>',
  ReleaseAccessRole: '${GrantAccessRole.Arn}',
  WorkflowRole: 'states.amazonaws.com',
  ApiLogRole: 'apigateway.amazonaws.com',
};

/** A logical id, or a reference to one, without the hash that the CDK adds. */
const named = (id: string): string => id.replace(/[0-9A-F]{8}(?=$|\.)/, '');

/** A rendered ARN with the environment's own values taken out, so that one list serves all. */
function generic(templates: Templates, value: string): string {
  const { name, account, region } = templates.environment;
  return value
    .replace(`arn:aws:s3:::valiza-${name}-deposits-${account}`, '<deposits>')
    .replace(`arn:aws:s3:::valiza-${name}-packages-${account}`, '<packages>')
    .replace(`arn:aws:states:${region}:${account}:execution:valiza-${name}-case`, '<execution>')
    .replace(
      new RegExp(`^arn:aws:cloudformation:${region}:${account}:stack/valiza-${name}-(vault|exchange)/\\*$`),
      '<$1 stack>/*',
    )
    .replace(/^\$\{answeroperatorFunction[0-9A-F]{8}\.Arn\}$/, '<answer-operator>')
    .replace(/^\$\{sweepcasesFunction[0-9A-F]{8}\.Arn\}$/, '<sweep-cases>')
    .replace(/^\$\{runcanaryFunction[0-9A-F]{8}\.Arn\}$/, '<run-canary>')
    .replace(/^\$\{(\w+)Function[0-9A-F]{8}\.Arn\}:\*$/, '<$1>:*')
    .replace(/^\$\{(PackageKey|CanaryKey|Cases|Tally|Directory|Tokens|Idempotency)[0-9A-F]{8}\.Arn\}/, '<$1>');
}

interface NamedRole {
  readonly role: string;
  readonly statements: readonly Statement[];
}

/** Every role with what its identity policies say, in generic words. */
const rolesOf = (templates: Templates): NamedRole[] =>
  templates.ofType('AWS::IAM::Role').map(({ id }) => ({
    role: named(id),
    statements: templates.roleStatements(id).map((statement) => ({
      ...statement,
      resources: statement.resources.map((resource) => generic(templates, resource)),
    })),
  }));

/** Every statement that gives anybody anything by a policy of a resource or by a trust, with where it stands. */
function resourceStatements(templates: Templates): { where: string; statement: Statement }[] {
  const documents: Readonly<Record<string, string>> = {
    'AWS::IAM::Role': 'AssumeRolePolicyDocument',
    'AWS::KMS::Key': 'KeyPolicy',
    'AWS::S3::BucketPolicy': 'PolicyDocument',
    'AWS::SQS::QueuePolicy': 'PolicyDocument',
    'AWS::SNS::TopicPolicy': 'PolicyDocument',
  };
  return templates.resources.flatMap(({ id, type, properties }) => {
    const member = documents[type];
    if (member === undefined) return [];
    return templates.statements(properties[member]).map((statement) => ({ where: named(id), statement }));
  });
}

/** Declares the tests of who may do what in an environment (promise S9). */
export function permissionsOf(templates: Templates): void {
  const { environment } = templates;
  const roles = rolesOf(templates);

  it('has a policy for every role, and attaches policies to nothing else', () => {
    expect(roles.filter(({ statements }) => statements.length === 0)).toEqual([]);
    const policies = templates.ofType('AWS::IAM::Policy');
    expect(policies.length).toBe(roles.length);
    for (const { properties } of templates.ofType('AWS::IAM::Role')) {
      expect(properties).not.toHaveProperty('ManagedPolicyArns');
      expect(properties).not.toHaveProperty('Policies');
    }
    for (const { properties } of policies) {
      expect(properties).not.toHaveProperty('Users');
      expect(properties).not.toHaveProperty('Groups');
      expect(templates.text((properties['Roles'] as unknown[])[0])).toMatch(/^\$\{\w+\}$/);
    }
  });

  it('names no wildcard but the listed ones, and uses each of those', () => {
    const found = roles.flatMap(({ role, statements }) =>
      statements.flatMap(({ actions, resources }) =>
        actions.flatMap((action) =>
          resources
            .filter((resource) => `${action}${resource}`.includes('*'))
            .map((resource) => [role, action, resource]),
        ),
      ),
    );
    const { name, account, region } = environment;
    const ownLog = new RegExp(
      `^arn:aws:logs:${region}:${account}:log-group:/aws/lambda/valiza-${name}-[a-z-]+:log-stream:\\*$`,
    );
    const ofLogs = found.filter(
      ([, action = '', resource = '']) => /^logs:(Create|Put)Log/.test(action) && ownLog.test(resource),
    );
    // Each function writes to the streams of its own log group: two actions a function, no group twice.
    const functions = templates.ofType('AWS::Lambda::Function').length;
    expect(ofLogs).toHaveLength(2 * functions);
    expect(new Set(ofLogs.map(([, , resource]) => resource)).size).toBe(functions);
    const rest = found.filter((entry) => !ofLogs.includes(entry)).map((entry) => entry.join(' '));
    expect(rest.toSorted()).toEqual(
      WILDCARDS.map(([role, action, resource]) => `${role} ${action} ${resource}`).toSorted(),
    );
  });

  it.each(WHO)('allows %s on %s to %j alone', (action, resource, expected) => {
    const able = roles.filter(({ statements }) => allow(statements, action, resource)).map(({ role }) => role);
    expect(able.toSorted()).toEqual([...expected].toSorted());
  });

  it('lets the canary alone sign as its people, those who authenticate read the public key, and nobody else do either', () => {
    const readers = roles.filter(({ statements }) => allow(statements, 'kms:GetPublicKey', '<CanaryKey>'));
    const statements = resourceStatements(templates).filter(({ where }) => where === 'CanaryKey');
    if (environment.canary === null) {
      expect([readers, statements, templates.ofType('AWS::KMS::Key').length]).toEqual([[], [], 2]);
      return;
    }
    expect(readers.map(({ role }) => role)).toEqual(['authenticatecallerRole']);
    expect(roles.find(({ role }) => role === 'CanaryRole')?.statements.flatMap(({ actions }) => actions)).toEqual([
      'logs:CreateLogStream',
      'logs:PutLogEvents',
      'kms:Decrypt',
    ]);
    const about = statements.flatMap(({ statement }) =>
      statement.actions.some((pattern) => covers(pattern, 'kms:Sign'))
        ? [[statement.allows, Object.values(statement.principals).flat().map(named), statement.conditions]]
        : [],
    );
    expect(about).toEqual([
      [
        true,
        ['${CanaryRole.Arn}'],
        { StringEquals: { 'kms:SigningAlgorithm': 'ECDSA_SHA_256', 'kms:MessageType': 'RAW' } },
      ],
      [false, ['*'], { ArnNotEquals: { 'aws:PrincipalArn': { 'Fn::GetAtt': ['CanaryRole4BD5F96A', 'Arn'] } } }],
    ]);
  });

  it('lets operators ask one function, run the canary where there is one, read what is deployed, and do nothing else', () => {
    const operator = roles.filter(({ role }) => role === 'OperatorRole').flatMap(({ statements }) => statements);
    expect(operator.map(({ actions, resources }) => [actions, resources])).toEqual([
      [['lambda:InvokeFunction'], ['<answer-operator>', ...(environment.canary === null ? [] : ['<run-canary>'])]],
      [['cloudformation:GetTemplate'], ['<exchange stack>/*', '<vault stack>/*']],
    ]);
  });

  it('shows the function that answers operators the listed attributes of a case, and nothing without naming them', () => {
    const reads = roles
      .filter(({ role }) => role === 'answeroperatorRole')
      .flatMap(({ statements }) => statements)
      .filter(({ actions }) => actions.some((action) => covers('dynamodb:*', action)));
    expect(reads.map(({ actions, conditions }) => [actions, conditions])).toEqual([
      [['dynamodb:Query'], {}],
      [
        ['dynamodb:BatchGetItem'],
        {
          'ForAllValues:StringEquals': {
            'dynamodb:Attributes':
              'caseId sk phase attempt failures changedAt dueAt deposits eventSchema sequence failedStep failedWith through'.split(
                ' ',
              ),
          },
          Null: { 'dynamodb:Attributes': 'false' },
          StringEqualsIfExists: { 'dynamodb:Select': 'SPECIFIC_ATTRIBUTES' },
        },
      ],
    ]);
  });

  it('lets a function write to no log but its own', () => {
    for (const { id, properties } of templates.ofType('AWS::Lambda::Function')) {
      const roleId = templates.text(properties['Role']).slice(2, -'.Arn}'.length);
      const groups = templates
        .roleStatements(roleId)
        .filter(({ actions }) => actions.includes('logs:PutLogEvents'))
        .flatMap(({ resources }) => resources);
      expect([id, groups]).toEqual([
        id,
        [expect.stringContaining(`:/aws/lambda/${String(properties['FunctionName'])}:`)],
      ]);
    }
  });

  it('gives no key to anyone but those it names', () => {
    const statementsOf = (key: string): Statement[] =>
      resourceStatements(templates).flatMap(({ where, statement }) => (where === key ? [statement] : []));
    const whoMay = (key: string, action: string): string[] =>
      statementsOf(key)
        .filter(({ allows, actions }) => allows && actions.some((pattern) => covers(pattern, action)))
        .flatMap(({ principals }) => Object.values(principals).flat())
        .map(named);
    expect(whoMay('PackageKey', 'kms:Decrypt')).toEqual(['${ReleaseAccessRole.Arn}']);
    expect(whoMay('PackageKey', 'kms:GenerateDataKey')).toEqual(['${SealingRole.Arn}']);
    for (const action of ['kms:Encrypt', 'kms:ReEncryptFrom', 'kms:ReEncryptTo', 'kms:CreateGrant', 'kms:Sign']) {
      expect([action, whoMay('PackageKey', action)]).toEqual([action, []]);
    }
    const administrators = [`arn:aws:iam::${environment.account}:root`];
    for (const key of ['PackageKey', 'VaultKey']) {
      for (const action of ['kms:PutKeyPolicy', 'kms:ScheduleKeyDeletion', 'kms:DisableKey']) {
        expect([key, action, whoMay(key, action)]).toEqual([key, action, administrators]);
      }
    }
    // Whatever else may be written there one day, a deny outlives it.
    const denied = statementsOf('PackageKey').filter(({ allows }) => !allows);
    expect(
      denied.some(({ actions, principals }) => actions.includes('kms:Decrypt') && principals['AWS']?.includes('*')),
    ).toBe(true);
  });

  it('lets administrators use the vault key through services only', () => {
    const uses = ['kms:Decrypt', 'kms:Encrypt', 'kms:GenerateDataKey', 'kms:CreateGrant', 'kms:ReEncryptFrom'];
    const ofRoot = resourceStatements(templates).filter(
      ({ where, statement }) =>
        where === 'VaultKey' &&
        statement.allows &&
        statement.principals['AWS'] !== undefined &&
        statement.actions.some((pattern) => uses.some((action) => covers(pattern, action))),
    );
    expect(ofRoot.length).toBeGreaterThan(0);
    for (const { statement } of ofRoot) {
      const condition = JSON.stringify(statement.conditions);
      expect([statement.sid, /kms:ViaService|kms:EncryptionContext:/.test(condition)]).toEqual([statement.sid, true]);
    }
  });

  it('grants nothing to everybody', () => {
    for (const { where, statement } of resourceStatements(templates)) {
      const everybody = Object.values(statement.principals).some((who) => who.includes('*'));
      if (statement.allows) expect([where, statement.sid, everybody]).toEqual([where, statement.sid, false]);
    }
  });

  it('holds every service to the source that it acts for, but for the listed ones', () => {
    const unheld = resourceStatements(templates).flatMap(({ statement }) =>
      statement.allows && !/aws:Source(Arn|Account)/.test(JSON.stringify(statement.conditions))
        ? (statement.principals['Service'] ?? [])
        : [],
    );
    const listed = WITHOUT_SOURCE.map(([principal]) => principal.replace('<region>', environment.region));
    expect([...new Set(unheld)].toSorted()).toEqual(listed.toSorted());
    const permissions = templates.ofType('AWS::Lambda::Permission');
    expect(permissions.length).toBeGreaterThan(0);
    for (const { id, properties } of permissions)
      expect([id, properties]).toEqual([id, expect.objectContaining({ SourceArn: expect.anything() })]);
  });

  it('lets a role be assumed by one principal', () => {
    for (const { id, properties } of templates.ofType('AWS::IAM::Role')) {
      const trusted = templates
        .statements(properties['AssumeRolePolicyDocument'])
        .flatMap(({ principals }) => Object.values(principals).flat());
      const expected = TRUSTED[named(id)] ?? 'lambda.amazonaws.com';
      const said = trusted.map((who) =>
        who === `arn:aws:iam::${environment.account}:root` ? '<account>' : named(who),
      );
      expect([id, said]).toEqual([id, [expected]]);
    }
  });
}

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { environmentSchema } from '../../infra/environments/schema.ts';
import type { Templates } from '../support/template.ts';

const LAMBDAS = join(__dirname, '..', '..', 'lambdas');

/** Reading and changing cases, which several do. */
const CHANGING = 'dynamodb:PutItem dynamodb:Query dynamodb:UpdateItem';
/** What every function does. */
const FUNCTION = 'kms:Decrypt logs:CreateLogStream logs:PutLogEvents';
const STREAM = 'dynamodb:DescribeStream dynamodb:GetRecords dynamodb:GetShardIterator dynamodb:ListStreams';

/**
 * Row 80 of the abuse list: every action of every role, as it was reviewed. Whoever adds one says here that it is meant, and in
 * test/exchange/probation.exhaustive.test.ts what fails without it; on what, and for whom alone, is in permissions.ts beside this.
 */
const ACTIONS: Readonly<Record<string, string>> = {
  SealingRole: `${FUNCTION} ${CHANGING} kms:GenerateDataKey s3:AbortMultipartUpload s3:DeleteObject s3:GetObject s3:ListBucket s3:ListBucketMultipartUploads s3:PutObject`,
  GrantAccessRole: `${FUNCTION} ${CHANGING}`,
  ReleaseAccessRole: 'kms:Decrypt s3:GetObject',
  CanaryRole: FUNCTION,
  assessrequestRole: `${FUNCTION} ${CHANGING}`,
  awaitpartyRole: `${FUNCTION} ${CHANGING}`,
  openreleaseRole: `${FUNCTION} ${CHANGING} s3:ListBucket`,
  closereleaseRole: `${FUNCTION} ${CHANGING} kms:GenerateDataKey s3:AbortMultipartUpload s3:DeleteObject s3:ListBucket s3:ListBucketMultipartUploads s3:PutObject`,
  recordfailureRole: `${FUNCTION} ${CHANGING}`,
  apiRole: `${FUNCTION} ${CHANGING} dynamodb:BatchGetItem dynamodb:GetItem kms:GenerateDataKey s3:ListBucket s3:PutObject`,
  authenticatecallerRole: FUNCTION,
  resumeworkflowRole: `${FUNCTION} ${STREAM} dynamodb:DeleteItem dynamodb:GetItem dynamodb:Query kms:GenerateDataKey sqs:SendMessage states:SendTaskSuccess states:StartExecution`,
  announceRole: `${FUNCTION} ${STREAM} dynamodb:Query dynamodb:UpdateItem events:PutEvents kms:GenerateDataKey ses:SendEmail sqs:SendMessage`,
  sweepcasesRole: `${FUNCTION} ${CHANGING} dynamodb:BatchGetItem dynamodb:GetItem states:DescribeExecution`,
  recordbounceRole: `${FUNCTION} ${CHANGING}`,
  answeroperatorRole: `${FUNCTION} dynamodb:BatchGetItem dynamodb:Query lambda:InvokeFunction states:DescribeExecution states:DescribeStateMachineForExecution`,
  OperatorRole: 'cloudformation:GetTemplate lambda:InvokeFunction',
  WorkflowRole:
    'kms:Decrypt kms:GenerateDataKey lambda:InvokeFunction logs:CreateLogDelivery logs:DeleteLogDelivery logs:DescribeLogGroups logs:DescribeResourcePolicies logs:GetLogDelivery logs:ListLogDeliveries logs:PutResourcePolicy logs:UpdateLogDelivery',
  ApiLogRole:
    'logs:CreateLogGroup logs:CreateLogStream logs:DescribeLogGroups logs:DescribeLogStreams logs:FilterLogEvents logs:GetLogEvents logs:PutLogEvents',
};

/** Only where the canary is. */
const WITH_CANARY: Readonly<Record<string, string>> = { authenticatecallerRole: 'kms:GetPublicKey' };

/** What keeps data; that each is encrypted with the vault key, stateful.ts says. */
const KEEPS =
  /^AWS::(DynamoDB::GlobalTable|S3::Bucket|SQS::Queue|SNS::Topic|Logs::LogGroup|Lambda::Function|StepFunctions::StateMachine)$/;

/** What keeps nothing of its own. */
const KEEPS_NOTHING =
  /^AWS::(IAM::|KMS::Key$|S3::BucketPolicy$|SQS::QueuePolicy$|SNS::TopicPolicy$|SNS::Subscription$|SES::|Lambda::(Version|Permission|EventSourceMapping)$|Events::Rule$|ApiGateway::|CloudWatch::|Logs::MetricFilter$|Events::EventBus$)/;

/** Grants to AWS services by the account alone, because no ARN comes with the call that could be compared. */
const BY_ACCOUNT: readonly (readonly [where: string, why: string])[] = [
  ['ApiLogRole', 'https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html'],
  ['VaultKey LogDelivery', 'https://docs.aws.amazon.com/step-functions/latest/dg/encryption-at-rest.html'],
  ['VaultKey AlarmsToOperators', 'https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html'],
];

const named = (id: string): string => id.replace(/[0-9A-F]{8}$/, '');

/** Any Region of AWS, wherever it stands in a text. */
const REGION =
  /\b(?:us|eu|ca|ap|sa|me|af|il|mx|cn)(?:-gov|-iso[a-z]?)?-(?:north|south|east|west|central)(?:east|west)?-\d\b/g;

/** Declares the tests of what protects an environment besides who may do what. */
export function protectionOf(templates: Templates): void {
  const { environment } = templates;

  it('keeps data in nothing that nobody has thought of encrypting', () => {
    const types = [...new Set(templates.resources.map(({ type }) => type))];
    expect(types.filter((type) => KEEPS.test(type))).toHaveLength(7);
    // A kind that is in neither list is to be put into one, and if it keeps data into stateful.ts.
    expect(types.filter((type) => KEEPS.test(type) === KEEPS_NOTHING.test(type))).toEqual([]);
    for (const { properties } of templates.ofType('AWS::DynamoDB::GlobalTable'))
      expect(properties['Replicas']).toEqual([expect.objectContaining({ Region: environment.region })]);
  });

  it('row 78: names no Region but its own, in any ARN, endpoint or setting', () => {
    const found = [...JSON.stringify(templates.whole).matchAll(REGION)].map(([region]) => region);
    expect(found.length).toBeGreaterThan(20);
    expect([...new Set(found)]).toEqual([environment.region]);
  });

  it('row 79: holds every AWS service to the ARN that it acts for, or where there is none to the account', () => {
    const kinds = [
      ['AWS::IAM::Role', 'AssumeRolePolicyDocument'],
      ['AWS::KMS::Key', 'KeyPolicy'],
      ['AWS::SQS::QueuePolicy', 'PolicyDocument'],
      ['AWS::SNS::TopicPolicy', 'PolicyDocument'],
      ['AWS::S3::BucketPolicy', 'PolicyDocument'],
    ] as const;
    const loose = kinds.flatMap(([type, member]) =>
      templates.ofType(type).flatMap(({ id, properties }) =>
        templates.statements(properties[member]).flatMap(({ allows, sid, principals, conditions }) => {
          const [service] = principals['Service'] ?? [];
          const text = JSON.stringify(conditions);
          if (!allows || service === undefined || text.includes('aws:SourceArn')) return [];
          return [[`${named(id)} ${sid}`.trim(), service, text.includes('aws:SourceAccount')] as const];
        }),
      ),
    );
    const byAccount = loose.filter(([, , account]) => account).map(([where]) => where);
    expect(byAccount.toSorted()).toEqual(BY_ACCOUNT.map(([where]) => where).toSorted());
    // What is left is told apart otherwise, and listed with its reason in permissions.ts.
    for (const [where, service, account] of loose)
      expect([where, account || /^(lambda|logs\.[a-z0-9-]+)\.amazonaws\.com$/.test(service)]).toEqual([where, true]);
  });

  it('row 80: lets each role do what was reviewed, and nothing new', () => {
    const found = Object.fromEntries(
      templates.ofType('AWS::IAM::Role').map(({ id }) => {
        const actions = templates.roleStatements(id).flatMap((statement) => statement.actions);
        return [named(id), [...new Set(actions)].toSorted()];
      }),
    );
    const canary = environment.canary !== null;
    const reviewed = Object.fromEntries(
      Object.entries(ACTIONS)
        .filter(([role]) => canary || role !== 'CanaryRole')
        .map(([role, actions]) => {
          const all = `${actions} ${canary ? (WITH_CANARY[role] ?? '') : ''}`.trim().split(' ');
          return [role, [...new Set(all)].toSorted()];
        }),
    );
    expect(found).toEqual(reviewed);
  });
}

/** Declares the tests that are the same in every environment. */
export function pinsOf(templates: Templates): void {
  it.each(['us-east-1', 'eu-west-2', 'ca-central-2', 'CA-CENTRAL-1', '', undefined])(
    'row 78: an environment in the Region %s is refused',
    (region) => {
      const { environment } = templates;
      expect(environmentSchema.safeParse(environment).success).toBe(true);
      const { success, error } = environmentSchema.safeParse({ ...environment, region });
      expect([success, error?.issues.map(({ path }) => path)]).toEqual([false, [['region']]]);
    },
  );

  it('row 78: no client of the SDK is told a Region or an address: the function’s own is the only one', () => {
    const files = readdirSync(LAMBDAS, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
    const clients = files.flatMap((file) =>
      [...readFileSync(join(LAMBDAS, file), 'utf8').matchAll(/new (\w+Client)\(([^)]*)\)/g)].map(
        ([, client, settings = '']) => [file, client, settings] as const,
      ),
    );
    expect(clients.length).toBeGreaterThan(6);
    for (const [file, client, settings] of clients)
      expect([file, client, /region|endpoint/i.test(settings)]).toEqual([file, client, false]);
    for (const file of files)
      expect([file, readFileSync(join(LAMBDAS, file), 'utf8').match(REGION)]).toEqual([file, null]);
  });
}

import type { Resource, Templates } from '../support/template.ts';

/**
 * What outlives a deployment, by the logical id under which CloudFormation knows it, and what a change of that id would lose. An id here
 * changes only together with a migration of what it holds.
 */
const COMMITTED: Readonly<Record<string, readonly [type: string, orphans: string]>> = {
  SealingRole95CF3F8A: ['AWS::IAM::Role', 'the right to seal: KMS stores the id of the role, not its name'],
  GrantAccessRoleE1811FB1: ['AWS::IAM::Role', 'the trust of the release-access role: IAM stores the id of the role'],
  ReleaseAccessRole8C667B47: ['AWS::IAM::Role', 'every live release: KMS stores the id of the role, not its name'],
  VaultKey6B75F33E: ['AWS::KMS::Key', 'every table, object, queue, log and execution'],
  PackageKey4CA3DF1B: ['AWS::KMS::Key', 'every package: its data key could not be unwrapped again'],
  Cases80582F3E: ['AWS::DynamoDB::GlobalTable', 'every case file'],
  Tally69D2973A: [
    'AWS::DynamoDB::GlobalTable',
    'the memory of how far each case file has got: every case would be read-only',
  ],
  Directory98167B95: ['AWS::DynamoDB::GlobalTable', 'the directory, with every confirmed key'],
  Tokens1180AAEA: ['AWS::DynamoDB::GlobalTable', 'the tokens of executions that wait'],
  IdempotencyC15CBC33: ['AWS::DynamoDB::GlobalTable', 'the memory of requests that may be sent again'],
  Deposits30BC3C58: ['AWS::S3::Bucket', 'documents that are not sealed yet'],
  Packages660AFF77: ['AWS::S3::Bucket', 'every sealed package'],
};

/** What an environment with a canary keeps besides. */
const OF_CANARY: typeof COMMITTED = {
  CanaryRole4BD5F96A: ['AWS::IAM::Role', "the right to sign as the canary's people: KMS stores the id of the role"],
  CanaryKey53D2D0D1: ['AWS::KMS::Key', "the key whose signatures the exchange takes for its canary's"],
};

const committedIn = ({ environment }: Templates): typeof COMMITTED =>
  environment.canary === null ? COMMITTED : { ...COMMITTED, ...OF_CANARY };

/** The types of which a resource holds something that a new one would not have. */
const STATEFUL = ['AWS::KMS::Key', 'AWS::DynamoDB::GlobalTable', 'AWS::DynamoDB::Table', 'AWS::S3::Bucket'];

const isStateful = ({ stack, type }: Resource): boolean =>
  STATEFUL.includes(type) || (stack === 'vault' && type === 'AWS::IAM::Role');

/** What has happened to the committed ids, in words. */
function changesOf(templates: Templates): string[] {
  const committed = committedIn(templates);
  const lost = Object.entries(committed).flatMap(([id, [type, orphans]]) =>
    templates.resources.some((resource) => resource.id === id && resource.type === type && resource.stack === 'vault')
      ? []
      : [`${id} (${type}) is gone or renamed; deployed, that would orphan ${orphans}.`],
  );
  const unknown = templates.resources
    .filter((resource) => isStateful(resource) && committed[resource.id] === undefined)
    .map(({ id, type, stack }) => `${id} (${type} of the ${stack} stack) keeps something and is not on the list.`);
  return [...lost, ...unknown];
}

/** Declares the tests of what an environment keeps: under which names, how long, and encrypted with what. */
export function stateOf(templates: Templates): void {
  const { environment } = templates;
  const isVaultKey = (value: unknown): boolean => templates.text(value) === '${VaultKey6B75F33E.Arn}';

  it('knows what it keeps by the committed logical ids', () => {
    expect(changesOf(templates)).toEqual([]);
  });

  it('says what a changed logical id would orphan', () => {
    const renamed = templates.resources.map((resource) =>
      resource.id === 'PackageKey4CA3DF1B' ? { ...resource, id: 'PackageKey00000000' } : resource,
    );
    expect(changesOf({ ...templates, resources: renamed })).toEqual([
      'PackageKey4CA3DF1B (AWS::KMS::Key) is gone or renamed; deployed, that would orphan every package: its data key could not be unwrapped again.',
      'PackageKey00000000 (AWS::KMS::Key of the vault stack) keeps something and is not on the list.',
    ]);
  });

  it(environment.retain ? 'keeps it when its stack goes' : 'keeps nothing beyond its stack', () => {
    const kept = templates.resources.filter(isStateful);
    expect(kept).toHaveLength(Object.keys(committedIn(templates)).length);
    expect(kept.filter(({ retained }) => retained !== environment.retain).map(({ id }) => id)).toEqual([]);
    const logs = templates.ofType('AWS::Logs::LogGroup');
    expect(logs.filter(({ retained }) => retained !== environment.retain).map(({ id }) => id)).toEqual([]);
    for (const { id, properties } of templates.ofType('AWS::DynamoDB::GlobalTable')) {
      const [replica] = properties['Replicas'] as { DeletionProtectionEnabled: boolean }[];
      expect([id, replica?.DeletionProtectionEnabled]).toEqual([id, environment.retain]);
    }
  });

  it('rotates its keys, and keeps tables in its own Region with their history where they have one', () => {
    for (const { id, properties } of templates.ofType('AWS::KMS::Key')) {
      // https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html: key pairs cannot be.
      const rotates = properties['KeyUsage'] === 'SIGN_VERIFY' ? undefined : true;
      expect([id, properties['EnableKeyRotation']]).toEqual([id, rotates]);
    }
    const history = Object.fromEntries(
      templates.ofType('AWS::DynamoDB::GlobalTable').map(({ id, properties }) => {
        const replicas = properties['Replicas'] as {
          Region: string;
          PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: boolean };
        }[];
        expect(replicas.map(({ Region }) => Region)).toEqual([environment.region]);
        return [id, replicas[0]?.PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled];
      }),
    );
    // A tally, a task token or an idempotency record must not come back from a backup.
    expect(history).toEqual({
      Cases80582F3E: true,
      Directory98167B95: true,
      Tally69D2973A: false,
      Tokens1180AAEA: false,
      IdempotencyC15CBC33: false,
    });
  });

  it('keeps buckets private, unversioned and unreplicated, and takes no request without TLS', () => {
    const policies = templates.ofType('AWS::S3::BucketPolicy');
    for (const { id, properties } of templates.ofType('AWS::S3::Bucket')) {
      // What is deleted must be gone: no version, no replica, no lock keeps it.
      expect(Object.keys(properties).toSorted()).toEqual([
        'BucketEncryption',
        'BucketName',
        'LifecycleConfiguration',
        'OwnershipControls',
        'PublicAccessBlockConfiguration',
        'Tags',
      ]);
      expect(properties['PublicAccessBlockConfiguration']).toEqual({
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      });
      const policy = policies.find((candidate) => templates.text(candidate.properties['Bucket']) === `\${${id}}`);
      expect(templates.statements(policy?.properties['PolicyDocument'])).toContainEqual(
        expect.objectContaining({
          allows: false,
          actions: ['s3:*'],
          principals: { AWS: ['*'] },
          conditions: { Bool: { 'aws:SecureTransport': 'false' } },
        }),
      );
    }
  });

  it('encrypts everything that holds anything with the vault key', () => {
    /** Where each type of resource says with which key it is encrypted. */
    const keyOf: Readonly<Record<string, (properties: Resource['properties']) => unknown>> = {
      'AWS::Logs::LogGroup': (properties) => properties['KmsKeyId'],
      'AWS::SQS::Queue': (properties) => properties['KmsMasterKeyId'],
      'AWS::SNS::Topic': (properties) => properties['KmsMasterKeyId'],
      'AWS::Lambda::Function': (properties) => properties['KmsKeyArn'],
      'AWS::StepFunctions::StateMachine': (properties) =>
        (properties['EncryptionConfiguration'] as { KmsKeyId: unknown }).KmsKeyId,
      'AWS::DynamoDB::GlobalTable': (properties) =>
        (properties['Replicas'] as { SSESpecification: { KMSMasterKeyId: unknown } }[])[0]?.SSESpecification
          .KMSMasterKeyId,
      'AWS::S3::Bucket': (properties) =>
        (
          properties['BucketEncryption'] as {
            ServerSideEncryptionConfiguration: { ServerSideEncryptionByDefault: { KMSMasterKeyID: unknown } }[];
          }
        ).ServerSideEncryptionConfiguration[0]?.ServerSideEncryptionByDefault.KMSMasterKeyID,
    };
    for (const [type, key] of Object.entries(keyOf)) {
      const resources = templates.ofType(type);
      expect([type, resources.length > 0]).toEqual([type, true]);
      const open = resources.filter(({ properties }) => key(properties) === undefined || !isVaultKey(key(properties)));
      expect([type, open.map(({ id }) => id)]).toEqual([type, []]);
    }
  });

  it('keeps logs for as long as it says, and writes no payload into them', () => {
    for (const { id, properties } of templates.ofType('AWS::Logs::LogGroup')) {
      expect([id, properties['RetentionInDays']]).toEqual([id, environment.logDays]);
    }
    for (const { properties } of templates.ofType('AWS::StepFunctions::StateMachine')) {
      expect(properties['LoggingConfiguration']).toMatchObject({ IncludeExecutionData: false, Level: 'ERROR' });
    }
  });
}

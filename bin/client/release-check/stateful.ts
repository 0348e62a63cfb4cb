import { changedProperties, isKept, listOf, rendered, same, type Change, type Finding } from './template.ts';

/**
 * What keeps something, and which of its properties may be changed without another taking its place. Whatever is not listed is refused: a
 * property that is new to this list is first looked up, under "Update requires".
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-globaltable.html
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-s3-bucket.html
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-kms-key.html
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iam-role.html
 */
const CHANGEABLE: Readonly<Record<string, readonly string[]>> = {
  'AWS::DynamoDB::GlobalTable': [
    'AttributeDefinitions',
    'BillingMode',
    'GlobalSecondaryIndexes',
    'Replicas',
    'TimeToLiveSpecification',
    'WriteOnDemandThroughputSettings',
    'WriteProvisionedThroughputSettings',
  ],
  'AWS::S3::Bucket': ['BucketEncryption', 'OwnershipControls', 'PublicAccessBlockConfiguration', 'Tags'],
  'AWS::KMS::Key': [
    'Description',
    'EnableKeyRotation',
    'KeyPolicy',
    'PendingWindowInDays',
    'RotationPeriodInDays',
    'Tags',
  ],
  'AWS::IAM::Role': [
    'AssumeRolePolicyDocument',
    'Description',
    'ManagedPolicyArns',
    'MaxSessionDuration',
    'PermissionsBoundary',
    'Policies',
    'Tags',
  ],
};

/** Roles of the vault are named by keys, which store the id of a role and not its name. */
const isStateful = ({ stack, before }: Change): boolean =>
  before.Type === 'AWS::IAM::Role' ? stack === 'vault' : CHANGEABLE[before.Type] !== undefined;

type Member = Readonly<Record<string, unknown>>;
const members = (value: unknown): readonly Member[] => listOf(value) as readonly Member[]; // lists of objects, by their types' documentation

function removed({ id, before }: Change): Finding {
  const kept = isKept(before);
  return {
    code: 'STATEFUL_REMOVED',
    resource: id,
    what: `${id} (${before.Type}) is in what is deployed and not in the next release.`,
    why: kept ? 'It would stay, out of the reach of every function.' : 'It would be deleted with everything it holds.',
    next: 'Leave it in, under its logical id; what it holds is moved in a release of its own.',
  };
}

function replaced(change: Change): Finding[] {
  const { id, before, after } = change;
  const allowed = CHANGEABLE[before.Type] ?? [];
  const forbidden = changedProperties(change).filter((name) => !allowed.includes(name));
  if (before.Type === after?.Type && forbidden.length === 0) return [];
  const what =
    before.Type === after?.Type
      ? `${forbidden.join(', ')} of ${id} (${before.Type}) would change.`
      : `${id} (${before.Type}) would become ${after?.Type ?? 'nothing'}.`;
  return [
    {
      code: 'STATEFUL_REPLACED',
      resource: id,
      what,
      why: 'That puts a new and empty one in its place, or is not known not to.',
      next: 'Leave it as it is deployed; what it holds is moved in a release of its own.',
    },
  ];
}

function unprotected({ id, before, after }: Change): Finding[] {
  const policies = ['DeletionPolicy', 'UpdateReplacePolicy'] as const;
  const lost = policies.filter((policy) => before[policy] === 'Retain' && after?.[policy] !== 'Retain');
  const replicas = (resource: typeof after): readonly Member[] => members(resource?.Properties?.['Replicas']);
  for (const replica of replicas(before)) {
    const still = replicas(after).find((row) => same(row['Region'], replica['Region'])) ?? {};
    const recovers = (row: Member): boolean =>
      (row['PointInTimeRecoverySpecification'] as Member | undefined)?.['PointInTimeRecoveryEnabled'] === true;
    if (replica['DeletionProtectionEnabled'] === true && still['DeletionProtectionEnabled'] !== true)
      (lost as string[]).push('DeletionProtectionEnabled');
    if (recovers(replica) && !recovers(still)) (lost as string[]).push('PointInTimeRecoveryEnabled');
  }
  return lost.map((name) => ({
    code: 'RETENTION_REMOVED',
    resource: id,
    what: `${id} would lose ${name}.`,
    why: 'The next mistake would delete what it holds.',
    next: 'Leave it in.',
  }));
}

/** Lists and the sweep go by indexes; a key attribute of another type, or a replica less, is another table. */
function tableFindings({ id, before, after }: Change): Finding[] {
  const of = (name: string) => [members(before.Properties?.[name]), members(after?.Properties?.[name])];
  const lacking = (list: string, key: string, parts: readonly string[]): Member[] => {
    const [was = [], is = []] = of(list);
    return was.filter((row) => {
      const still = is.find((candidate) => same(candidate[key], row[key]));
      return still === undefined || parts.some((part) => !same(still[part], row[part]));
    });
  };
  const indexes = lacking('GlobalSecondaryIndexes', 'IndexName', ['KeySchema', 'Projection']);
  const others = [
    ...lacking('AttributeDefinitions', 'AttributeName', ['AttributeType']).map((row) => row['AttributeName']),
    ...lacking('Replicas', 'Region', ['SSESpecification']).map((row) => `its replica in ${rendered(row['Region'])}`),
  ];
  return [
    ...indexes.map((row) => ({
      code: 'INDEX_REMOVED',
      resource: id,
      what: `The index ${rendered(row['IndexName'])} of ${id} would go, or be another.`,
      why: 'Functions of the deployed release, which executions under way keep, list by it.',
      next: 'Add a new index beside it, and take this one away once no function reads it.',
    })),
    ...others.map((what) => ({
      code: 'STATEFUL_REPLACED',
      resource: id,
      what: `${rendered(what)} of ${id} would go, or be another.`,
      why: 'That is another table, or is not known not to be.',
      next: 'Leave it as it is deployed.',
    })),
  ];
}

/** Who a key's policy lets use it, as far as roles of the templates go. */
const rolesIn = (policy: unknown): readonly string[] =>
  members((policy as Member | undefined)?.['Statement']).flatMap((statement) => {
    const principal = statement['Principal'];
    const allowed = statement['Effect'] === 'Allow' && typeof principal === 'object' && principal !== null;
    return allowed
      ? listOf((principal as Member)['AWS'])
          .map(rendered)
          .filter((who) => who.includes('${'))
      : [];
  });

function keyFindings({ id, before, after }: Change): Finding[] {
  const still = rolesIn(after?.Properties?.['KeyPolicy']);
  const lost = rolesIn(before.Properties?.['KeyPolicy']).filter((role) => !still.includes(role));
  return [...new Set(lost)].map((role) => ({
    code: 'KEY_LOSES_ROLE',
    resource: id,
    what: `The policy of ${id} would no longer name ${role}.`,
    why: 'What was sealed or stored for it could not be opened by it again.',
    next: 'Leave the role in the policy.',
  }));
}

/** What of a change would lose something that is kept. */
export function statefulFindings(change: Change): readonly Finding[] {
  if (!isStateful(change)) return [];
  if (change.after === undefined) return [removed(change)];
  const { Type } = change.before;
  return [
    ...replaced(change),
    ...unprotected(change),
    ...(Type === 'AWS::DynamoDB::GlobalTable' ? tableFindings(change) : []),
    ...(Type === 'AWS::KMS::Key' ? keyFindings(change) : []),
  ];
}

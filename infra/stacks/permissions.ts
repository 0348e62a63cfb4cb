import { PolicyStatement, type Conditions, type Role } from 'aws-cdk-lib/aws-iam';
import type { TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import type { FunctionName } from '../functions.ts';
import { throughServices } from './vault-keys.ts';
import { acknowledgeObjects, type VaultStack } from './vault.ts';

type Grant = (role: Role, vault: VaultStack) => void;

const allow = (role: Role, actions: readonly string[], ...resources: readonly string[]): void => {
  role.addToPrincipalPolicy(new PolicyStatement({ actions: [...actions], resources: [...resources] }));
};

const allowIf = (role: Role, actions: readonly string[], resource: string, conditions: Conditions): void => {
  role.addToPrincipalPolicy(new PolicyStatement({ actions: [...actions], resources: [resource], conditions }));
};

const onTable =
  (table: (vault: VaultStack) => TableV2, ...actions: readonly string[]): Grant =>
  (role, vault) =>
    allow(
      role,
      actions.map((action) => `dynamodb:${action}`),
      table(vault).tableArn,
    );

const onIndex =
  (index: string): Grant =>
  (role, vault) =>
    allow(role, ['dynamodb:Query'], `${vault.cases.tableArn}/index/${index}`);

const cases = (vault: VaultStack): TableV2 => vault.cases;
const directory = (vault: VaultStack): TableV2 => vault.directory;
const tokens = (vault: VaultStack): TableV2 => vault.tokens;
const idempotency = (vault: VaultStack): TableV2 => vault.idempotency;

const tally = (vault: VaultStack): TableV2 => vault.tally;

/** Loading a case and committing events to it. */
const changeCases: Grant = (role, vault) => {
  onTable(cases, 'Query', 'PutItem', 'UpdateItem')(role, vault);
  onTable(tally, 'PutItem')(role, vault);
};

/**
 * Notes beside the case files, by attribute: such a function writes no event, and nothing of a head that an event says.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
 */
const note =
  (...attributes: readonly string[]): Grant =>
  (role, vault) =>
    allowIf(role, ['dynamodb:UpdateItem'], vault.cases.tableArn, {
      'ForAllValues:StringEquals': { 'dynamodb:Attributes': ['caseId', 'sk', ...attributes] },
      Null: { 'dynamodb:Attributes': 'false' },
    });

/**
 * Some attributes of heads and no other: a read that names none asks for all, and is refused.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
 */
const readOnly =
  (...attributes: readonly string[]): Grant =>
  (role, vault) =>
    allowIf(role, ['dynamodb:BatchGetItem'], vault.cases.tableArn, {
      'ForAllValues:StringEquals': { 'dynamodb:Attributes': ['caseId', 'sk', ...attributes] },
      Null: { 'dynamodb:Attributes': 'false' },
      StringEqualsIfExists: { 'dynamodb:Select': 'SPECIFIC_ATTRIBUTES' },
    });

/** A note beside a person's entry: nothing of an entry, a change or a credential can be written with it. */
const noteDeadAddress: Grant = (role, vault) =>
  allowIf(role, ['dynamodb:UpdateItem'], vault.directory.tableArn, {
    'ForAllValues:StringEquals': { 'dynamodb:Attributes': ['pk', 'sk', 'deadAddress'] },
    Null: { 'dynamodb:Attributes': 'false' },
  });
const readDirectory = onTable(directory, 'Query');

const inBucket =
  (bucket: 'deposits' | 'packages', objects: readonly string[], whole: readonly string[] = []): Grant =>
  (role, vault) => {
    if (whole.length > 0) allow(role, whole, vault[bucket].arn);
    if (objects.length === 0) return;
    allow(role, objects, `${vault[bucket].arn}/*`);
    acknowledgeObjects(
      role,
      vault[bucket],
      'Objects are named by random ids; the function works on those of any case.',
    );
  };

/** The vault key, for whoever touches an encrypted table, bucket or environment; it opens no package. */
const vaultKey =
  (...actions: readonly ('Decrypt' | 'GenerateDataKey')[]): Grant =>
  (role, vault) =>
    allowIf(
      role,
      actions.map((action) => `kms:${action}`),
      vault.vaultKey.keyArn,
      // The key's policy also lets the workflow's role call KMS itself; no function is to do the same.
      throughServices(vault.region),
    );

/** The public half of the key with which the canary signs, where there is one. */
const readCanaryKey: Grant = (role, { canary }) => {
  if (canary !== undefined) allow(role, ['kms:GetPublicKey'], canary.key.keyArn);
};

/**
 * What each function may do, and nothing else (promise S9). A line here is a line in a review; each is proven needed by a test that takes it away.
 * Rights on the workflow, the bus, the mail identity and the stream are given where those are made.
 */
export const PERMISSIONS: Readonly<Record<FunctionName, readonly Grant[]>> = {
  'assess-request': [changeCases, readDirectory, vaultKey('Decrypt')],
  'await-party': [onTable(cases, 'Query'), note('nudges'), onTable(tokens, 'PutItem'), vaultKey('Decrypt')],
  'seal-package': [
    changeCases,
    // A deposit is destroyed by writing over it.
    inBucket('deposits', ['s3:GetObject', 's3:PutObject']),
    inBucket(
      'packages',
      ['s3:PutObject', 's3:AbortMultipartUpload', 's3:DeleteObject'],
      ['s3:ListBucket', 's3:ListBucketMultipartUploads'],
    ),
    // The package key's own policy lets this role make data keys.
    vaultKey('Decrypt', 'GenerateDataKey'),
  ],
  'open-release': [changeCases, readDirectory, inBucket('deposits', [], ['s3:ListBucket']), vaultKey('Decrypt')],
  'close-release': [
    changeCases,
    inBucket('deposits', ['s3:PutObject'], ['s3:ListBucket']),
    inBucket(
      'packages',
      ['s3:DeleteObject', 's3:AbortMultipartUpload'],
      ['s3:ListBucket', 's3:ListBucketMultipartUploads'],
    ),
    vaultKey('Decrypt', 'GenerateDataKey'),
  ],
  'record-failure': [changeCases, vaultKey('Decrypt')],
  api: [
    changeCases,
    onTable(cases, 'BatchGetItem'),
    onIndex('open-by-phase'),
    onIndex('by-agency'),
    onTable(directory, 'Query', 'PutItem'),
    onTable(idempotency, 'GetItem', 'PutItem'),
    inBucket('deposits', ['s3:PutObject'], ['s3:ListBucket']),
    vaultKey('Decrypt', 'GenerateDataKey'),
  ],
  // May also assume the release-access role, whose trust says so, and which alone opens packages.
  'grant-access': [changeCases, readDirectory, vaultKey('Decrypt')],
  'authenticate-caller': [vaultKey('Decrypt'), readCanaryKey],
  'resume-workflow': [
    onTable(cases, 'GetItem'),
    onTable(tokens, 'Query', 'DeleteItem'),
    vaultKey('Decrypt', 'GenerateDataKey'),
  ],
  announce: [onTable(cases, 'Query'), note('through'), readDirectory, vaultKey('Decrypt', 'GenerateDataKey')],
  'sweep-cases': [
    changeCases,
    onTable(cases, 'BatchGetItem'),
    readDirectory,
    onTable(tally, 'GetItem'),
    onIndex('by-due'),
    onIndex('open-by-phase'),
    vaultKey('Decrypt'),
  ],
  // Where a case stands, by these attributes; what it is about is not its operators' to read (promise S7).
  'answer-operator': [
    onIndex('by-due'),
    readOnly(
      'phase',
      'attempt',
      'failures',
      'changedAt',
      'dueAt',
      'deposits',
      'eventSchema',
      'sequence',
      'failedStep',
      'failedWith',
      'through',
    ),
    vaultKey('Decrypt'),
  ],
  // May sign tokens with its key (that key's own policy); everything else it does as the people that the tokens name.
  'run-canary': [vaultKey('Decrypt')],
  'record-bounce': [changeCases, noteDeadAddress, vaultKey('Decrypt')],
};

import { Aws, type RemovalPolicy, type Stack } from 'aws-cdk-lib';
import {
  AccountRootPrincipal,
  AnyPrincipal,
  ArnPrincipal,
  Effect,
  PolicyDocument,
  PolicyStatement,
  ServicePrincipal,
  type Role,
} from 'aws-cdk-lib/aws-iam';
import { Key, KeySpec, KeyUsage } from 'aws-cdk-lib/aws-kms';
import { ENCRYPTION_CONTEXT_KEYS } from '../../lambdas/contracts/names.ts';

/** What an account administrator may do with a key: everything that keeps it, nothing that uses it. */
const KEEPING = [
  'kms:CancelKeyDeletion',
  'kms:CreateAlias',
  'kms:DeleteAlias',
  'kms:Describe*',
  'kms:Disable*',
  'kms:Enable*',
  'kms:Get*',
  'kms:List*',
  'kms:PutKeyPolicy',
  'kms:ScheduleKeyDeletion',
  'kms:TagResource',
  'kms:UntagResource',
  'kms:UpdateKeyDescription',
];

/** A key policy that leaves administrators the keeping and nothing else; without it CDK would delegate every use to IAM policies. */
const keptByAdministrators = (): PolicyDocument =>
  new PolicyDocument({
    statements: [
      new PolicyStatement({
        sid: 'AdministratorsKeep',
        principals: [new AccountRootPrincipal()],
        actions: KEEPING,
        resources: ['*'],
      }),
    ],
  });

/** Only on behalf of the services that keep something under the vault key. */
export const throughServices = (region: string): { StringEquals: { 'kms:ViaService': string[] } } => ({
  StringEquals: {
    'kms:ViaService': ['dynamodb', 's3', 'sqs', 'lambda', 'states'].map((name) => `${name}.${region}.amazonaws.com`),
  },
});

/** Encrypts tables, buckets, queues, logs, the workflow; usable only through those services, so that whoever holds it opens no package with it. */
export function makeVaultKey(stack: Stack, keep: RemovalPolicy): Key {
  const key = new Key(stack, 'VaultKey', {
    description: 'Valiza: tables, buckets, queues, workflow and logs of the exchange',
    enableKeyRotation: true,
    removalPolicy: keep,
    policy: keptByAdministrators(),
  });
  const use = [
    'kms:Decrypt',
    'kms:Encrypt',
    'kms:GenerateDataKey*',
    'kms:ReEncrypt*',
    'kms:DescribeKey',
    'kms:CreateGrant',
  ];
  key.addToResourcePolicy(
    new PolicyStatement({
      sid: 'ThroughServicesOnly',
      principals: [new AccountRootPrincipal()],
      actions: use,
      resources: ['*'],
      conditions: throughServices(stack.region),
    }),
  );
  // The role of a workflow calls KMS itself, with the machine's ARN in the encryption context.
  // https://docs.aws.amazon.com/step-functions/latest/dg/encryption-at-rest.html
  key.addToResourcePolicy(
    new PolicyStatement({
      sid: 'WorkflowData',
      principals: [new AccountRootPrincipal()],
      actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
      resources: ['*'],
      conditions: {
        ArnLike: {
          'kms:EncryptionContext:aws:states:stateMachineArn': `arn:${Aws.PARTITION}:states:${stack.region}:${stack.account}:stateMachine:valiza-*`,
        },
      },
    }),
  );
  // https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
  key.addToResourcePolicy(
    new PolicyStatement({
      sid: 'Logs',
      principals: [new ServicePrincipal(`logs.${stack.region}.amazonaws.com`)],
      actions: ['kms:Encrypt', 'kms:Decrypt', 'kms:ReEncrypt*', 'kms:GenerateDataKey*', 'kms:Describe*'],
      resources: ['*'],
      conditions: {
        ArnLike: {
          'kms:EncryptionContext:aws:logs:arn': `arn:${Aws.PARTITION}:logs:${stack.region}:${stack.account}:log-group:*`,
        },
      },
    }),
  );
  // A rule delivers what it could not deliver to an encrypted queue.
  // https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
  key.addToResourcePolicy(
    new PolicyStatement({
      sid: 'UndeliveredEvents',
      principals: [new ServicePrincipal('events.amazonaws.com')],
      actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
      resources: ['*'],
      conditions: {
        StringEquals: { 'aws:SourceAccount': stack.account },
        ArnLike: { 'aws:SourceArn': `arn:${Aws.PARTITION}:events:${stack.region}:${stack.account}:rule/valiza-*` },
      },
    }),
  );
  // Logs of the workflow travel through the log delivery service, alarms through CloudWatch to an encrypted topic.
  // https://docs.aws.amazon.com/step-functions/latest/dg/encryption-at-rest.html
  // https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
  for (const [sid, service, ...actions] of [
    ['LogDelivery', 'delivery.logs.amazonaws.com', 'kms:Decrypt'],
    ['AlarmsToOperators', 'cloudwatch.amazonaws.com', 'kms:Decrypt', 'kms:GenerateDataKey'],
  ] as const) {
    key.addToResourcePolicy(
      new PolicyStatement({
        sid,
        principals: [new ServicePrincipal(service)],
        actions: [...actions],
        resources: ['*'],
        conditions: { StringEquals: { 'aws:SourceAccount': stack.account } },
      }),
    );
  }
  return key;
}

/** Signs the tokens of the canary's people: one role may, in the one way that such a token is signed. */
export function makeCanaryKey(stack: Stack, canary: Role, keep: RemovalPolicy): Key {
  const key = new Key(stack, 'CanaryKey', {
    description: 'Valiza: tokens of the canary',
    keySpec: KeySpec.ECC_NIST_P256,
    keyUsage: KeyUsage.SIGN_VERIFY,
    removalPolicy: keep,
    policy: keptByAdministrators(),
  });
  // https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-signing-algorithm
  key.addToResourcePolicy(
    new PolicyStatement({
      sid: 'CanarySigns',
      principals: [new ArnPrincipal(canary.roleArn)],
      actions: ['kms:Sign'],
      resources: ['*'],
      conditions: { StringEquals: { 'kms:SigningAlgorithm': 'ECDSA_SHA_256', 'kms:MessageType': 'RAW' } },
    }),
  );
  key.addToResourcePolicy(
    new PolicyStatement({
      sid: 'NobodyElseSigns',
      effect: Effect.DENY,
      principals: [new AnyPrincipal()],
      actions: ['kms:Sign'],
      resources: ['*'],
      conditions: { ArnNotEquals: { 'aws:PrincipalArn': canary.roleArn } },
    }),
  );
  key.addToResourcePolicy(
    new PolicyStatement({
      sid: 'NobodyLends',
      effect: Effect.DENY,
      principals: [new AnyPrincipal()],
      actions: ['kms:CreateGrant'],
      resources: ['*'],
    }),
  );
  return key;
}

/** Wraps the data keys of packages: one role may make them, one role may open them, each only with a full encryption context. */
export function makePackageKey(stack: Stack, sealing: Role, releaseAccess: Role, keep: RemovalPolicy): Key {
  const key = new Key(stack, 'PackageKey', {
    description: 'Valiza: data keys of packages',
    enableKeyRotation: true,
    removalPolicy: keep,
    policy: keptByAdministrators(),
  });
  const context = Object.fromEntries(ENCRYPTION_CONTEXT_KEYS.map((name) => [`kms:EncryptionContext:${name}`, 'false']));
  // A session opens the one package that it is tagged with; one without tags opens none.
  const tagged = Object.fromEntries(
    ENCRYPTION_CONTEXT_KEYS.map((name) => [`kms:EncryptionContext:${name}`, `\${aws:PrincipalTag/${name}}`]),
  );
  key.addToResourcePolicy(
    new PolicyStatement({
      sid: 'SealingMakesDataKeys',
      principals: [new ArnPrincipal(sealing.roleArn)],
      actions: ['kms:GenerateDataKey'],
      resources: ['*'],
      conditions: { Null: context },
    }),
  );
  key.addToResourcePolicy(
    new PolicyStatement({
      sid: 'ReleaseAccessOpensThem',
      principals: [new ArnPrincipal(releaseAccess.roleArn)],
      actions: ['kms:Decrypt'],
      resources: ['*'],
      conditions: { StringEquals: tagged },
    }),
  );
  // Whatever a policy may say one day: nobody else opens, and nobody lends the key onwards.
  key.addToResourcePolicy(
    new PolicyStatement({
      sid: 'NobodyElseOpens',
      effect: Effect.DENY,
      principals: [new AnyPrincipal()],
      actions: ['kms:Decrypt'],
      resources: ['*'],
      conditions: { ArnNotEquals: { 'aws:PrincipalArn': releaseAccess.roleArn } },
    }),
  );
  key.addToResourcePolicy(
    new PolicyStatement({
      sid: 'NobodyLendsOrReseals',
      effect: Effect.DENY,
      principals: [new AnyPrincipal()],
      actions: ['kms:ReEncrypt*', 'kms:CreateGrant'],
      resources: ['*'],
    }),
  );
  return key;
}

import { Aws, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import {
  AttributeType,
  Billing,
  ProjectionType,
  StreamViewType,
  TableEncryptionV2,
  TableV2,
} from 'aws-cdk-lib/aws-dynamodb';
import { ArnPrincipal, PolicyStatement, Role } from 'aws-cdk-lib/aws-iam';
import type { Key } from 'aws-cdk-lib/aws-kms';
import { BlockPublicAccess, Bucket, BucketEncryption, ObjectOwnership, type LifecycleRule } from 'aws-cdk-lib/aws-s3';
import { Duration } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { ENCRYPTION_CONTEXT_KEYS, INDEX } from '../../lambdas/contracts/names.ts';
import { acknowledge } from '../constructs/acknowledge.ts';
import { functionRole } from '../constructs/exchange-function.ts';
import type { Environment } from '../environments/schema.ts';
import { makeCanaryKey, makePackageKey, makeVaultKey } from './vault-keys.ts';

/** The case that a session of the release-access role is for. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html */
const CASE_OF_SESSION = '${aws:PrincipalTag/case}';

/** A bucket of the vault, by name and ARN. */
export interface VaultBucket {
  readonly bucketName: string;
  readonly arn: string;
}

interface VaultProps extends StackProps {
  readonly environment: Environment;
}

/**
 * The vault of a nation: its keys, tables and buckets, and every role that a key policy names. All of it is stateful: logical ids stay,
 * because KMS stores the unique id of a role, and a recreated one would orphan every live release (security.md §2).
 */
export class VaultStack extends Stack {
  readonly vaultKey: Key;
  readonly packageKey: Key;
  readonly cases: TableV2;
  readonly tally: TableV2;
  readonly directory: TableV2;
  readonly tokens: TableV2;
  readonly idempotency: TableV2;
  readonly deposits: VaultBucket;
  readonly packages: VaultBucket;
  readonly sealingRole: Role;
  readonly grantRole: Role;
  readonly releaseAccessRole: Role;
  /** The canary, where the environment has one: its role, and the key with which it alone signs. */
  readonly canary: { readonly role: Role; readonly key: Key } | undefined;

  constructor(scope: Construct, id: string, props: VaultProps) {
    super(scope, id, props);
    const { environment } = props;
    const keep = environment.retain ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY;

    this.sealingRole = functionRole(this, 'SealingRole');
    this.grantRole = functionRole(this, 'GrantAccessRole');
    // Assumed for one access at a time, by the access function alone, with a session policy for that access, and only with tags that say which
    // package it is for: what a session may open follows from them, even if it came without a policy. In one account the trust is enough, and a
    // second permission beside it would be one that nothing needs.
    // https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html
    // https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
    this.releaseAccessRole = new Role(this, 'ReleaseAccessRole', {
      assumedBy: new ArnPrincipal(this.grantRole.roleArn)
        .withConditions({
          Null: Object.fromEntries(ENCRYPTION_CONTEXT_KEYS.map((name) => [`aws:RequestTag/${name}`, 'false'])),
          'ForAllValues:StringEquals': { 'aws:TagKeys': [...ENCRYPTION_CONTEXT_KEYS] },
        })
        .withSessionTags(),
      maxSessionDuration: Duration.hours(1),
    });
    for (const role of [this.sealingRole, this.grantRole, this.releaseAccessRole]) role.applyRemovalPolicy(keep);

    this.vaultKey = makeVaultKey(this, keep);
    this.canary = environment.canary === null ? undefined : this.#canary(keep);
    this.packageKey = makePackageKey(this, this.sealingRole, this.releaseAccessRole, keep);
    this.cases = this.#table('Cases', ['caseId', 'sk'], environment, { stream: true, history: true });
    for (const [index, partition, sort] of [
      [INDEX.open, 'openKey', 'openSort'],
      [INDEX.agency, 'agencyKey', 'agencySort'],
      [INDEX.due, 'dueKey', 'dueSort'],
    ] as const) {
      this.cases.addGlobalSecondaryIndex({
        indexName: index,
        partitionKey: { name: partition, type: AttributeType.STRING },
        sortKey: { name: sort, type: AttributeType.STRING },
        projectionType: ProjectionType.KEYS_ONLY,
      });
    }
    this.tally = this.#table('Tally', ['caseId'], environment, {});
    acknowledge(
      this.tally,
      'AwsSolutions-DDB3',
      'Tells whether case files came back from a backup, so it must not come back from one itself.',
    );
    this.directory = this.#table('Directory', ['pk', 'sk'], environment, { history: true });
    this.tokens = this.#table('Tokens', ['caseId', 'attempt'], environment, { expires: true });
    this.idempotency = this.#table('Idempotency', ['key'], environment, { expires: true });
    for (const table of [this.tokens, this.idempotency]) {
      acknowledge(
        table,
        'AwsSolutions-DDB3',
        'Short-lived by design: a task token or an idempotency record must not come back from a backup.',
      );
    }
    this.deposits = this.#bucket('Deposits', environment, [
      // What takes the place of a destroyed deposit, after every upload address has ended; a deposit has at least one byte.
      // https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-filters.html
      { objectSizeLessThan: 1, expiration: Duration.days(1) },
    ]);
    this.packages = this.#bucket('Packages', environment);
    this.#releaseAccess();
  }

  #canary(keep: RemovalPolicy): NonNullable<VaultStack['canary']> {
    const role = functionRole(this, 'CanaryRole');
    role.applyRemovalPolicy(keep);
    return { role, key: makeCanaryKey(this, role, keep) };
  }

  #table(
    id: string,
    [partition, sort]: readonly [string, string?],
    environment: Environment,
    options: { readonly stream?: boolean; readonly history?: boolean; readonly expires?: boolean },
  ): TableV2 {
    return new TableV2(this, id, {
      partitionKey: { name: partition, type: AttributeType.STRING },
      ...(sort === undefined
        ? {}
        : { sortKey: { name: sort, type: sort === 'attempt' ? AttributeType.NUMBER : AttributeType.STRING } }),
      billing: Billing.onDemand(),
      encryption: TableEncryptionV2.customerManagedKey(this.vaultKey),
      deletionProtection: environment.retain,
      removalPolicy: environment.retain ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: options.history === true },
      ...(options.stream === true ? { dynamoStream: StreamViewType.NEW_AND_OLD_IMAGES } : {}),
      ...(options.expires === true ? { timeToLiveAttribute: 'expiresAt' } : {}),
    });
  }

  /** Unversioned and unreplicated: what is deleted is gone (security.md §4). */
  #bucket(id: string, environment: Environment, lifecycle: readonly LifecycleRule[] = []): VaultBucket {
    // Named, so that policies name it literally; the account makes the name unique.
    const bucketName = `valiza-${environment.name}-${id.toLowerCase()}-${environment.account}`;
    const bucket = new Bucket(this, id, {
      bucketName,
      encryption: BucketEncryption.KMS,
      encryptionKey: this.vaultKey,
      bucketKeyEnabled: false,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      enforceSSL: true,
      lifecycleRules: [{ abortIncompleteMultipartUploadAfter: Duration.days(1) }, ...lifecycle],
      removalPolicy: environment.retain ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    });
    acknowledge(
      bucket,
      'AwsSolutions-S1',
      'Object access is recorded by CloudTrail data events, which cannot be switched off by whoever owns the bucket.',
    );
    return { bucketName, arn: `arn:${Aws.PARTITION}:s3:::${bucketName}` };
  }

  /**
   * All that one access may need; each session is narrowed to one key, one object and one context. The package key is not here: its own
   * policy names this role, and in one account that is enough.
   * https://docs.aws.amazon.com/kms/latest/developerguide/policy-evaluation.html
   */
  #releaseAccess(): void {
    this.releaseAccessRole.addToPrincipalPolicy(
      new PolicyStatement({ actions: ['s3:GetObject'], resources: [`${this.packages.arn}/${CASE_OF_SESSION}/*`] }),
    );
    this.releaseAccessRole.addToPrincipalPolicy(
      new PolicyStatement({
        actions: ['kms:Decrypt'],
        resources: [this.vaultKey.keyArn],
        conditions: { StringEquals: { 'kms:ViaService': `s3.${this.region}.amazonaws.com` } },
      }),
    );
    acknowledge(
      this.releaseAccessRole,
      `AwsSolutions-IAM5[Resource::${this.packages.arn.replace(Aws.PARTITION, '<AWS::Partition>')}/<aws:PrincipalTag/case>/*]`,
      'The packages of the one case that the session is tagged with; each access session is narrowed to the one it is for.',
    );
  }
}

/** Accepts a right on every object of one bucket: the keys are random ids, made at run time. */
export const acknowledgeObjects = (role: Role, bucket: VaultBucket, reason: string): void =>
  acknowledge(role, `AwsSolutions-IAM5[Resource::${bucket.arn.replace(Aws.PARTITION, '<AWS::Partition>')}/*]`, reason);

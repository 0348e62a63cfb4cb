import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { KMSClient } from '@aws-sdk/client-kms';
import { S3Client } from '@aws-sdk/client-s3';
import { SFNClient } from '@aws-sdk/client-sfn';
import { AssumeRoleCommand, STSClient, type Tag } from '@aws-sdk/client-sts';
import type { Scene } from './exchange.ts';

/** SDK clients that sign as one role of the template: what somebody has who got hold of a function's credentials. */
export interface InsiderClients {
  readonly kms: KMSClient;
  readonly dynamodb: DynamoDBClient;
  readonly s3: S3Client;
  readonly states: SFNClient;
  readonly sts: STSClient;
}

const NAMES = {
  sealing: 'SealingRole',
  'grant-access': 'GrantAccessRole',
  'release-access': 'ReleaseAccessRole',
  'assess-request': 'assessrequestRole',
  'await-party': 'awaitpartyRole',
  'open-release': 'openreleaseRole',
  'close-release': 'closereleaseRole',
  'record-failure': 'recordfailureRole',
  api: 'apiRole',
  'authenticate-caller': 'authenticatecallerRole',
  'resume-workflow': 'resumeworkflowRole',
  announce: 'announceRole',
  'sweep-cases': 'sweepcasesRole',
  'record-bounce': 'recordbounceRole',
  'run-canary': 'CanaryRole',
  workflow: 'WorkflowRole',
} as const;
export type RoleWord = keyof typeof NAMES;
export const ROLE_WORDS = Object.keys(NAMES) as RoleWord[]; // the keys of the table above

/** What somebody inside the account would go for, and with what. */
export interface Insider {
  readonly cases: string;
  readonly directory: string;
  readonly tokens: string;
  readonly vaultKey: string;
  readonly packageKey: string;
  readonly canaryKey: string;
  readonly releaseAccessRole: string;
  readonly stateMachine: string;
  bucket(name: 'deposits' | 'packages'): string;
  as(role: RoleWord): InsiderClients;
  /** A session of the release-access role with these tags and no policy, as whoever has the access function would make one. */
  release(tags: Readonly<Record<string, string>>): Promise<InsiderClients>;
  close(): void;
}

/** What an insider knows of a running exchange, and clients with each role's credentials. */
export function insiderOf({ runtime, exchange, roleNamed }: Scene): Insider {
  const outputs = Object.assign({}, ...Object.values(runtime.outputs)) as Record<string, string>;
  const output = (part: RegExp): string => {
    const value = Object.entries(outputs).find(([name]) => part.test(name))?.[1];
    if (value === undefined) throw new Error(`No output is named like ${part.source}.`);
    return value;
  };
  const open: { destroy(): void }[] = [];
  const made = new Map<string, InsiderClients>();
  const clientsWith = (credentials: ReturnType<typeof runtime.credentialsFor>): InsiderClients => {
    const settings = {
      region: runtime.region,
      endpoint: runtime.url,
      credentials,
      maxAttempts: 1,
      systemClockOffset: runtime.clock.offset,
    };
    const clients = {
      kms: new KMSClient(settings),
      dynamodb: new DynamoDBClient(settings),
      s3: new S3Client({ ...settings, forcePathStyle: true, requestChecksumCalculation: 'WHEN_REQUIRED' }),
      states: new SFNClient(settings),
      sts: new STSClient(settings),
    };
    open.push(...Object.values(clients));
    return clients;
  };
  return {
    cases: output(/RefCases/),
    directory: output(/RefDirectory/),
    tokens: output(/RefTokens/),
    vaultKey: output(/GetAttVaultKey/),
    packageKey: output(/GetAttPackageKey/),
    canaryKey: output(/GetAttCanaryKey/),
    releaseAccessRole: output(/GetAttReleaseAccessRole/),
    stateMachine: output(/^StateMachineArn$/),
    bucket: (name) => `valiza-${exchange.environment}-${name}-${runtime.account}`,
    as(role) {
      // Signatures and sessions follow the exchange's clock: after it was moved, others are needed.
      const name = `${role}@${runtime.clock.offset}`;
      const known = made.get(name);
      if (known !== undefined) return known;
      const clients = clientsWith(runtime.credentialsFor(roleNamed(NAMES[role])));
      made.set(name, clients);
      return clients;
    },
    async release(tags) {
      const Tags = Object.entries(tags).map(([Key, Value]): Tag => ({ Key, Value }));
      const { Credentials: given } = await this.as('grant-access').sts.send(
        new AssumeRoleCommand({ RoleArn: this.releaseAccessRole, RoleSessionName: 'insider', Tags }),
      );
      return clientsWith({
        accessKeyId: given?.AccessKeyId ?? '',
        secretAccessKey: given?.SecretAccessKey ?? '',
        sessionToken: given?.SessionToken ?? '',
      });
    },
    close() {
      for (const client of open) client.destroy();
    },
  };
}

import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { KMSClient } from '@aws-sdk/client-kms';
import { S3Client } from '@aws-sdk/client-s3';
import { SFNClient } from '@aws-sdk/client-sfn';
import { STSClient } from '@aws-sdk/client-sts';
import type { Runtime } from '../../local/runtime.ts';

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
  workflow: 'WorkflowRole',
} as const;
export type RoleWord = keyof typeof NAMES;
export const ROLE_WORDS = Object.keys(NAMES) as RoleWord[]; // the keys of the table above

/** Takes the templates as they are loaded: the physical names of roles follow from them. */
export function roleNamesFrom(): {
  readonly amend: (stack: string, template: Record<string, unknown>) => void;
  readonly find: (word: RoleWord) => string;
} {
  const found: string[] = [];
  return {
    amend(stack, template) {
      for (const [id, resource] of Object.entries(template['Resources'] as Record<string, { Type: string }>)) {
        if (resource.Type === 'AWS::IAM::Role') found.push(`${stack}-${id}`);
      }
    },
    find(word) {
      const name = found.find((candidate) => new RegExp(`-${NAMES[word]}[0-9A-F]{8}$`).test(candidate));
      if (name === undefined) throw new Error(`The templates have no role for ${word}.`);
      return name;
    },
  };
}

/** What somebody inside the account would go for, and with what. */
export interface Insider {
  readonly cases: string;
  readonly directory: string;
  readonly vaultKey: string;
  readonly packageKey: string;
  readonly releaseAccessRole: string;
  readonly stateMachine: string;
  bucket(name: 'deposits' | 'packages'): string;
  as(role: RoleWord): InsiderClients;
  close(): void;
}

/** What an insider knows of a running exchange, and clients with each role's credentials. */
export function insiderOf(runtime: Runtime, environment: string, find: (word: RoleWord) => string): Insider {
  const outputs = Object.assign({}, ...Object.values(runtime.outputs)) as Record<string, string>;
  const output = (part: RegExp): string => {
    const value = Object.entries(outputs).find(([name]) => part.test(name))?.[1];
    if (value === undefined) throw new Error(`No output is named like ${part.source}.`);
    return value;
  };
  const open: { destroy(): void }[] = [];
  const made = new Map<RoleWord, InsiderClients>();
  return {
    cases: output(/RefCases/),
    directory: output(/RefDirectory/),
    vaultKey: output(/GetAttVaultKey/),
    packageKey: output(/GetAttPackageKey/),
    releaseAccessRole: output(/GetAttReleaseAccessRole/),
    stateMachine: output(/^StateMachineArn$/),
    bucket: (name) => `valiza-${environment}-${name}-${runtime.account}`,
    as(role) {
      const known = made.get(role);
      if (known !== undefined) return known;
      const settings = {
        region: runtime.region,
        endpoint: runtime.url,
        credentials: runtime.credentialsFor(find(role)),
        maxAttempts: 1,
      };
      const clients = {
        kms: new KMSClient(settings),
        dynamodb: new DynamoDBClient(settings),
        s3: new S3Client({ ...settings, forcePathStyle: true, requestChecksumCalculation: 'WHEN_REQUIRED' }),
        states: new SFNClient(settings),
        sts: new STSClient(settings),
      };
      open.push(...Object.values(clients));
      made.set(role, clients);
      return clients;
    },
    close() {
      for (const client of open) client.destroy();
    },
  };
}

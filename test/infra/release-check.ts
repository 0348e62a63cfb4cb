import type { InFlight } from '../../bin/client/in-flight.ts';
import { strandingFindings } from '../../bin/client/release-check/carried.ts';
import { statefulFindings } from '../../bin/client/release-check/stateful.ts';
import { changesOf, type Release } from '../../bin/client/release-check/template.ts';
import { EVENT_SCHEMA } from '../../lambdas/contracts/event-schema.ts';
import { EVENT_SCHEMA_METADATA } from '../../lambdas/contracts/names.ts';
import type { Templates } from '../support/template.ts';

interface Changeable {
  Type: string;
  Properties: Record<string, unknown>;
  DeletionPolicy?: string;
  UpdateReplacePolicy?: string;
}
type Resources = Record<string, Changeable>;
type Draft = Record<'vault' | 'exchange', { Metadata?: Record<string, unknown>; Resources: Resources }>;

const draftOf = ({ whole }: Templates): Draft => structuredClone(whole) as unknown as Draft; // templates, to be changed

/** The only resource whose logical id begins so. */
function one(resources: Resources, prefix: string): [string, Changeable] {
  const found = Object.entries(resources).filter(([id]) => new RegExp(`^${prefix}[0-9A-F]{8}(?![A-Z])`).test(id));
  if (found[0] === undefined || found.length > 1) throw new Error(`${found.length} resources begin with ${prefix}.`);
  return found[0];
}

/** Cases under way, on functions of one version; or none. */
function inFlight(environment: string, version: string | undefined, eventSchema = 1): InFlight {
  const steps = ['assess-request', 'await-party', 'seal-package', 'open-release', 'close-release', 'record-failure'];
  const functions = steps.map((step) => `valiza-${environment}-${step}:${version}`);
  const at = '2026-11-23T12:00:00.000Z';
  const row = { phase: 'UNDER_REVIEW', attempt: 1, failures: 0, changedAt: at, dueAt: at, eventSchema };
  const execution = { startedAt: at, revision: 'one' };
  return {
    asOf: at,
    // A case id has a form of its own, which nothing here looks at.
    cases:
      version === undefined ? [] : ([{ ...row, caseId: '0'.repeat(32), execution }] as unknown as InFlight['cases']),
    revisions: version === undefined ? {} : { one: { functions, role: 'WorkflowRole' } },
  };
}

const rename = (resources: Resources, id: string, to: string): void => {
  const resource = resources[id];
  delete resources[id];
  if (resource !== undefined) resources[to] = resource;
};
const versionOf = (resources: Resources, step: string): string =>
  Object.keys(resources).find((id) => id.startsWith(`${step}FunctionCurrentVersion`)) ?? '';

/** What a release changes, and the findings that it gets: with a case that runs on version 3, or with none in flight. */
const RELEASES: readonly (readonly [
  what: string,
  change: (draft: Draft, deployed: Draft) => void,
  findings: readonly string[],
  idle?: readonly string[],
])[] = [
  ['nothing', () => undefined, []],
  [
    'other versions of its steps, beside the old ones',
    ({ exchange }) => {
      const id = versionOf(exchange.Resources, 'awaitparty');
      rename(exchange.Resources, id, `${id.slice(0, -4)}0000`);
      one(exchange.Resources, 'awaitpartyFunction')[1].Properties['Timeout'] = 31;
    },
    [],
  ],
  [
    'a table under another id',
    ({ vault }) => rename(vault.Resources, one(vault.Resources, 'Cases')[0], 'CasesAnew'),
    ['STATEFUL_REMOVED'],
    ['STATEFUL_REMOVED'],
  ],
  [
    'a table with another key',
    ({ vault }) => {
      one(vault.Resources, 'Tokens')[1].Properties['KeySchema'] = [{ AttributeName: 'caseId', KeyType: 'HASH' }];
    },
    ['STATEFUL_REPLACED'],
    ['STATEFUL_REPLACED'],
  ],
  [
    'a table without a name of CloudFormation’s choice',
    ({ vault }) => {
      one(vault.Resources, 'Cases')[1].Properties['TableName'] = 'cases';
    },
    ['STATEFUL_REPLACED'],
    ['STATEFUL_REPLACED'],
  ],
  [
    'a table without its stream',
    ({ vault }) => {
      delete one(vault.Resources, 'Cases')[1].Properties['StreamSpecification'];
    },
    ['STATEFUL_REPLACED'],
    ['STATEFUL_REPLACED'],
  ],
  [
    'a table without an index',
    ({ vault }) => {
      const { Properties } = one(vault.Resources, 'Cases')[1];
      Properties['GlobalSecondaryIndexes'] = (Properties['GlobalSecondaryIndexes'] as object[]).slice(1);
    },
    ['INDEX_REMOVED'],
    ['INDEX_REMOVED'],
  ],
  [
    'one index more',
    ({ vault }) => {
      const { Properties } = one(vault.Resources, 'Cases')[1];
      const more = { IndexName: 'by-more', KeySchema: [], Projection: { ProjectionType: 'KEYS_ONLY' } };
      Properties['GlobalSecondaryIndexes'] = [...(Properties['GlobalSecondaryIndexes'] as object[]), more];
    },
    [],
  ],
  [
    'a table without protection against deletion',
    ({ vault }) => {
      const { Properties } = one(vault.Resources, 'Directory')[1];
      const [replica] = Properties['Replicas'] as { DeletionProtectionEnabled: boolean }[];
      if (replica !== undefined) replica.DeletionProtectionEnabled = false;
    },
    ['RETENTION_REMOVED'],
    ['RETENTION_REMOVED'],
  ],
  [
    'a bucket of another name',
    ({ vault }) => {
      one(vault.Resources, 'Packages')[1].Properties['BucketName'] = 'packages';
    },
    ['STATEFUL_REPLACED'],
    ['STATEFUL_REPLACED'],
  ],
  [
    'a key of another kind',
    ({ vault }) => {
      one(vault.Resources, 'PackageKey')[1].Properties['KeySpec'] = 'RSA_4096';
    },
    ['STATEFUL_REPLACED'],
    ['STATEFUL_REPLACED'],
  ],
  [
    'a key that is not kept',
    ({ vault }) => {
      const key = one(vault.Resources, 'PackageKey')[1];
      key.DeletionPolicy = 'Delete';
    },
    ['RETENTION_REMOVED'],
    ['RETENTION_REMOVED'],
  ],
  [
    'a key that forgets who opens packages',
    ({ vault }) => {
      const policy = one(vault.Resources, 'PackageKey')[1].Properties['KeyPolicy'] as { Statement: { Sid: string }[] };
      policy.Statement = policy.Statement.filter(({ Sid }) => Sid !== 'ReleaseAccessOpensThem');
    },
    ['KEY_LOSES_ROLE'],
    ['KEY_LOSES_ROLE'],
  ],
  [
    'a role of the vault under another name',
    ({ vault }) => {
      one(vault.Resources, 'SealingRole')[1].Properties['RoleName'] = 'sealing';
    },
    ['STATEFUL_REPLACED'],
    ['STATEFUL_REPLACED'],
  ],
  [
    'no step that executions wait in',
    ({ exchange }) => {
      delete exchange.Resources[one(exchange.Resources, 'awaitpartyFunction')[0]];
      delete exchange.Resources[versionOf(exchange.Resources, 'awaitparty')];
    },
    ['FUNCTION_LOST'],
    [],
  ],
  [
    'a step under another name',
    ({ exchange }) => {
      one(exchange.Resources, 'awaitpartyFunction')[1].Properties['FunctionName'] = 'waits';
    },
    ['FUNCTION_LOST'],
    [],
  ],
  [
    'no role that a step runs as',
    ({ exchange }) => {
      delete exchange.Resources[one(exchange.Resources, 'awaitpartyRole')[0]];
    },
    ['ROLE_LOST'],
    [],
  ],
  [
    'a version that the deployed release does not keep',
    ({ exchange }, deployed) => {
      const id = versionOf(exchange.Resources, 'sealpackage');
      delete exchange.Resources[id];
      const before = deployed.exchange.Resources[id];
      if (before !== undefined) before.DeletionPolicy = 'Delete';
    },
    ['VERSION_LOST'],
    [],
  ],
  [
    'a version that will not be kept',
    ({ exchange }) => {
      const version = exchange.Resources[versionOf(exchange.Resources, 'sealpackage')];
      if (version !== undefined) version.DeletionPolicy = 'Delete';
    },
    ['VERSION_NOT_KEPT'],
    [],
  ],
  [
    'a workflow that may invoke the versions of its own release alone',
    ({ exchange }) => {
      const policy = one(exchange.Resources, 'WorkflowRoleDefaultPolicy')[1];
      const { Statement } = policy.Properties['PolicyDocument'] as {
        Statement: { Action: string; Resource: object[] }[];
      };
      const invoke = Statement.find(({ Action }) => Action === 'lambda:InvokeFunction');
      if (invoke !== undefined) invoke.Resource = [{ Ref: versionOf(exchange.Resources, 'awaitparty') }];
    },
    Array.from({ length: 6 }, () => 'RIGHT_LOST'),
    [],
  ],
  [
    'a workflow under another name',
    ({ exchange }) => {
      one(exchange.Resources, 'CaseWorkflow')[1].Properties['StateMachineName'] = 'another';
    },
    ['WORKFLOW_LOST'],
    [],
  ],
];

/** Declares the tests of what `valiza ops doctor --next` says of a release of this environment. */
export function releaseChecksOf(templates: Templates): void {
  const { name } = templates.environment;
  const findingsOf = (next: Draft, deployed: Draft, seen: InFlight): string[] => {
    const [was, is] = [deployed, next] as unknown as [Release, Release]; // whole templates
    const findings = [...changesOf(was, is).flatMap(statefulFindings), ...strandingFindings(was, is, seen)];
    for (const { what, why, next: todo } of findings) expect([what, why, todo].join(' ')).toMatch(/^.+\. .+\. .+\.$/);
    return findings.map(({ code }) => code);
  };

  const rows = RELEASES.map(([what, change, busy, idle = busy]) => [what, change, busy, idle] as const);
  it.each(rows)('judges a release with %s', (_, change, busy, idle) => {
    const [deployed, next] = [draftOf(templates), draftOf(templates)];
    change(next, deployed);
    expect(findingsOf(next, deployed, inFlight(name, '3'))).toEqual(busy);
    expect(findingsOf(next, deployed, inFlight(name, undefined))).toEqual(idle);
  });

  it('refuses a release that does not understand the events of a case in flight', () => {
    const draft = draftOf(templates);
    const known = Number(draft.exchange.Metadata?.[EVENT_SCHEMA_METADATA]);
    expect(known).toBe(EVENT_SCHEMA);
    expect(findingsOf(draft, draft, inFlight(name, '3', known))).toEqual([]);
    expect(findingsOf(draft, draft, inFlight(name, '3', known + 1))).toEqual(['EVENT_SCHEMA_OLDER']);
  });
}

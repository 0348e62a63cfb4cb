import { EVENT_SCHEMA_METADATA } from '../../../lambdas/contracts/names.ts';
import type { InFlight } from '../in-flight.ts';
import {
  changesOf,
  isKept,
  listOf,
  rendered,
  same,
  type Change,
  type Finding,
  type Release,
  type Resource,
} from './template.ts';

/** What executions under way run with: functions by name, each with the versions that are used. */
function usedBy({ cases, revisions }: InFlight): ReadonlyMap<string, readonly string[]> {
  const used = new Map<string, string[]>();
  for (const id of new Set(cases.flatMap(({ execution }) => execution?.revision ?? [])))
    for (const name of revisions[id]?.functions ?? []) {
      const [fn = '', version = ''] = name.split(':');
      used.set(fn, [...(used.get(fn) ?? []), version]);
    }
  return used;
}

const STRANDS = 'Executions under way would fail at their next step; each case would then be begun anew by the sweep.';
const KEEP = 'Keep it until valiza ops doctor lists no case that runs with it.';

/** Properties whose change puts another resource in the place of the one that is used. */
const IDENTITY: Readonly<Record<string, readonly string[]>> = {
  'AWS::Lambda::Function': ['FunctionName', 'PackageType'],
  'AWS::IAM::Role': ['RoleName', 'Path'],
  'AWS::StepFunctions::StateMachine': ['StateMachineName', 'StateMachineType'],
};

/** What becomes of a resource that is used: undefined when it stays what it is. */
function loss({ before, after }: Change): string | undefined {
  if (after === undefined) return isKept(before) ? undefined : 'be deleted';
  if (after.Type !== before.Type) return `become ${after.Type}`;
  const other = (IDENTITY[before.Type] ?? []).find(
    (name) => !same(before.Properties?.[name], after.Properties?.[name]),
  );
  return other === undefined ? undefined : `be replaced: its ${other} would change`;
}

/** The logical id that a value refers to. */
const referredBy = (value: unknown): string => /^\$\{(\w+)/.exec(rendered(value))?.[1] ?? '';

/** Logical ids of everything that carries executions under way, and what each is. */
function carriers(changes: readonly Change[], used: ReadonlyMap<string, unknown>): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const { id, before } of changes) {
    const { Type, Properties = {} } = before;
    const isStep = Type === 'AWS::Lambda::Function' && used.has(String(Properties['FunctionName']));
    if (isStep) {
      found.set(id, 'function');
      found.set(referredBy(Properties['Role']), 'role');
    }
    if (Type === 'AWS::StepFunctions::StateMachine') {
      found.set(id, 'workflow');
      found.set(referredBy(Properties['RoleArn']), 'role');
    }
  }
  return found;
}

const lostCarrier = (change: Change, what: string): Finding[] => {
  const how = loss(change);
  const code = `${what.toUpperCase()}_LOST`;
  return how === undefined
    ? []
    : [{ code, resource: change.id, what: `The ${what} ${change.id} would ${how}.`, why: STRANDS, next: KEEP }];
};

/** Versions of used functions that would be deleted now, or at the release after the next. */
function lostVersions({ id, before, after }: Change): Finding[] {
  if (after === undefined && !isKept(before))
    return [
      {
        code: 'VERSION_LOST',
        resource: id,
        what: `The version ${id} of a step would be deleted: it was deployed without DeletionPolicy Retain.`,
        why: STRANDS,
        next: 'Wait until valiza ops doctor lists no case that runs with it; then deploy.',
      },
    ];
  if (after !== undefined && isKept(before) && !isKept(after))
    return [
      {
        code: 'VERSION_NOT_KEPT',
        resource: id,
        what: `The version ${id} of a step would lose its DeletionPolicy Retain.`,
        why: 'The release after the next would delete it under executions that still run with it.',
        next: 'Leave the policy on.',
      },
    ];
  return [];
}

type Statement = Readonly<Record<string, unknown>>;

/** What the policies of a role let it invoke, as patterns. */
function invocable(resources: Readonly<Record<string, Resource>>, roleId: string): readonly string[] {
  return Object.values(resources).flatMap(({ Type, Properties = {} }) => {
    const attached = listOf(Properties['Roles']).some((role) => rendered(role) === `\${${roleId}}`);
    if (Type !== 'AWS::IAM::Policy' || !attached) return [];
    const { Statement } = Properties['PolicyDocument'] as { Statement: Statement | readonly Statement[] };
    return (listOf(Statement) as readonly Statement[])
      .filter(({ Effect, Action }) => Effect === 'Allow' && listOf(Action).includes('lambda:InvokeFunction'))
      .flatMap(({ Resource: resource }) => listOf(resource).map(rendered));
  });
}

const covers = (pattern: string, arn: string): boolean =>
  pattern === arn || (pattern.endsWith('*') && arn.startsWith(pattern.slice(0, -1)));

/** Versions that the workflow's role may invoke now and could not any more. */
function lostRights(
  deployed: Release,
  next: Release,
  changes: readonly Change[],
  used: ReturnType<typeof usedBy>,
): Finding[] {
  const machine = changes.find(({ before }) => before.Type === 'AWS::StepFunctions::StateMachine');
  const role = referredBy(machine?.before.Properties?.['RoleArn']);
  const [had, has] = [deployed, next].map((release) => invocable(release.exchange.Resources ?? {}, role));
  const lost = changes.flatMap(({ id, before }) => {
    const versions = used.get(String(before.Properties?.['FunctionName'])) ?? [];
    if (before.Type !== 'AWS::Lambda::Function') return [];
    const arns = versions.map((version) => (version === '$LATEST' ? `\${${id}.Arn}` : `\${${id}.Arn}:${version}`));
    const could = (patterns: readonly string[] = [], arn: string) => patterns.some((pattern) => covers(pattern, arn));
    return arns.filter((arn) => could(had, arn) && !could(has, arn));
  });
  return lost.map((arn) => ({
    code: 'RIGHT_LOST',
    resource: role,
    what: `${role} could no longer invoke ${arn}.`,
    why: STRANDS,
    next: KEEP,
  }));
}

/** Events that the next release does not understand: it would refuse those cases, and lose nothing of them. */
function newerEvents({ cases }: InFlight, next: Release): Finding[] {
  const knows = Number(next.exchange.Metadata?.[EVENT_SCHEMA_METADATA] ?? 1);
  const newer = cases.filter(({ eventSchema }) => eventSchema > knows);
  if (newer.length === 0) return [];
  return [
    {
      code: 'EVENT_SCHEMA_OLDER',
      resource: 'events',
      what: `${newer.length} cases in flight have events of schema ${Math.max(...newer.map((row) => row.eventSchema))}; the next release knows ${knows}.`,
      why: 'It would refuse every command on them, until a release that knows them is deployed again.',
      next: 'Deploy a release that knows that schema.',
    },
  ];
}

/** What of a release would strand a case that is in flight. */
export function strandingFindings(deployed: Release, next: Release, seen: InFlight): readonly Finding[] {
  const used = usedBy(seen);
  if (used.size === 0) return newerEvents(seen, next);
  const changes = changesOf(deployed, next);
  const carrying = carriers(changes, used);
  const ofStep = ({ before }: Change): boolean =>
    carrying.get(referredBy(before.Properties?.['FunctionName'])) === 'function';
  return [
    ...changes.flatMap((change) => {
      const what = carrying.get(change.id);
      return what === undefined ? [] : lostCarrier(change, what);
    }),
    ...changes
      .filter((change) => change.before.Type === 'AWS::Lambda::Version' && ofStep(change))
      .flatMap(lostVersions),
    ...lostRights(deployed, next, changes, used),
    ...newerEvents(seen, next),
  ];
}

import { type AssemblyStack, localCode } from '../assembly.ts';
import type { ResourceContext } from '../resource.ts';
import type { Host } from '../service.ts';
import type { ResourceTypes } from '../types.ts';
import { evaluateConditions } from './conditions.ts';
import { resolve } from './intrinsics.ts';
import { creationOrder } from './order.ts';
import { BOOTSTRAP_VERSION, parameterValues } from './parameters.ts';
import { physicalName } from './physical-name.ts';
import { checkPolicies } from './policies.ts';
import { isRecord, TemplateProblem, within } from './problem.ts';
import type { Exports, Known, Scope } from './scope.ts';

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-anatomy.html */
const SECTIONS = [
  'AWSTemplateFormatVersion',
  'Conditions',
  'Description',
  'Mappings',
  'Metadata',
  'Outputs',
  'Parameters',
  'Resources',
  'Rules',
];
const RESOURCE_KEYS = [
  'Condition',
  'DeletionPolicy',
  'DependsOn',
  'Metadata',
  'Properties',
  'Type',
  'UpdatePolicy',
  'UpdateReplacePolicy',
];
/** The CDK's check of its own bootstrap stack. */
const IGNORED_RULE = `Check${BOOTSTRAP_VERSION}`;

export interface Loading {
  readonly host: Host;
  readonly types: ResourceTypes;
  readonly exports: Exports;
  readonly parameters: Readonly<Record<string, string>>;
}

type Resource = Readonly<Record<string, unknown>>;

const section = (template: Resource, name: string): Record<string, Resource> => {
  const value = template[name] ?? {};
  if (!isRecord(value)) throw new TemplateProblem(`the section ${name} is malformed`);
  // Each entry is an object by the anatomy of a template; what is read of it is checked where it is read.
  return value as Record<string, Resource>;
};

const onlyKnown = (value: Resource, known: readonly string[], what: string): void => {
  const unknown = Object.keys(value).find((key) => !known.includes(key));
  if (unknown !== undefined) throw new TemplateProblem(`the local runtime does not implement the ${what} ${unknown}`);
};

function scopeOf(stack: AssemblyStack, { host, exports, parameters }: Loading): Scope {
  const { template, name } = stack;
  onlyKnown(template, SECTIONS, 'template section');
  onlyKnown(section(template, 'Rules'), [IGNORED_RULE], 'rule');
  const scope: Scope = {
    stackName: name,
    account: host.account,
    region: host.region,
    parameters: parameterValues(section(template, 'Parameters'), parameters),
    mappings: section(template, 'Mappings') as Scope['mappings'],
    conditions: new Map(),
    resources: new Map(),
    exports,
  };
  return { ...scope, conditions: evaluateConditions(section(template, 'Conditions'), scope) };
}

const included = (entry: Resource, scope: Scope): boolean => {
  const name = entry['Condition'];
  if (name === undefined) return true;
  const value = scope.conditions.get(String(name));
  if (value === undefined) throw new TemplateProblem(`there is no condition ${String(name)}`);
  return value;
};

/** Only one thing is changed between template and service: where a function's code lies. */
function propertiesOf(resource: Resource, stack: AssemblyStack, scope: Scope): Record<string, unknown> {
  const properties = resource['Properties'] ?? {};
  if (!isRecord(properties)) throw new TemplateProblem('its Properties are malformed');
  const code = properties['Code'];
  const local =
    resource['Type'] === 'AWS::Lambda::Function' && isRecord(code) && 'S3Key' in code
      ? { Code: { LocalPath: localCode(stack, code) } }
      : {};
  return resolve({ ...properties, ...local }, scope) as Record<string, unknown>;
}

const contextOf = (id: string, stack: AssemblyStack, { host }: Loading, kept: boolean): ResourceContext => ({
  host,
  stackName: stack.name,
  logicalId: id,
  physicalName: (limit) => physicalName(stack.name, id, limit),
  assemblyDirectory: stack.directory,
  kept,
});

/** A resource as a template described it when it was last deployed. */
export interface Deployed {
  readonly type: string;
  readonly properties: Readonly<Record<string, unknown>>;
  readonly kept: boolean;
  readonly known: Known;
}

/** What a stack consists of, in the order in which it was created. */
export type DeployedStack = ReadonlyMap<string, Deployed>;

/** Creates a resource, or makes of the one that is there what the template says now. */
async function deployResource(
  id: string,
  resource: Resource,
  stack: AssemblyStack,
  scope: Scope,
  loading: Loading,
  before: Deployed | undefined,
): Promise<Deployed> {
  onlyKnown(resource, RESOURCE_KEYS, 'resource attribute');
  const type = String(resource['Type']);
  const properties = propertiesOf(resource, stack, scope);
  const kept = resource['DeletionPolicy'] === 'Retain';
  const as = (known: Known): Deployed => ({ type, properties, kept, known });
  if (before !== undefined && before.type !== type)
    throw new TemplateProblem(`it was of the type ${before.type}, and the local runtime puts none in another's place`);
  if (before !== undefined && JSON.stringify(before.properties) === JSON.stringify(properties)) return as(before.known);
  checkPolicies(type, properties);
  const context = contextOf(id, stack, loading, kept);
  if (before === undefined) return as(await loading.types.create(type, properties, context));
  return as(await loading.types.update(type, properties, context, before.properties));
}

function outputsOf(stack: AssemblyStack, scope: Scope): ReadonlyMap<string, unknown> {
  const outputs = new Map<string, unknown>();
  for (const [name, output] of Object.entries(section(stack.template, 'Outputs'))) {
    if (!included(output, scope)) continue;
    const value = resolve(output['Value'], scope);
    outputs.set(name, value);
    const exported = output['Export'];
    if (isRecord(exported)) scope.exports.export(String(resolve(exported['Name'], scope)), value);
  }
  scope.exports.add(stack.name, outputs);
  return outputs;
}

/** Takes away what a template no longer has, the last created first; whether it stays is for the policy that it was deployed with. */
async function removeOthers(
  stack: AssemblyStack,
  loading: Loading,
  before: DeployedStack,
  after: DeployedStack,
): Promise<void> {
  for (const [id, { type, properties, kept }] of [...before].reverse())
    if (!after.has(id))
      await within(`${id} (${type})`, () =>
        loading.types.remove(type, properties, contextOf(id, stack, loading, kept)),
      );
}

/**
 * Makes of a stack what its template says: creates everything in it or, given what is deployed, updates that.
 * @throws {TemplateProblem} naming stack, logical id and type of what cannot be created, changed or deleted
 */
export async function deployStack(
  stack: AssemblyStack,
  loading: Loading,
  before: DeployedStack = new Map(),
): Promise<{ readonly deployed: DeployedStack; readonly outputs: Record<string, string> }> {
  return within(`Stack ${stack.name}`, async () => {
    const known = new Map<string, Known>();
    const scope: Scope = { ...scopeOf(stack, loading), resources: known };
    const resources = Object.fromEntries(
      Object.entries(section(stack.template, 'Resources')).filter(([, resource]) => included(resource, scope)),
    );
    const deployed = new Map<string, Deployed>();
    for (const id of creationOrder(resources, scope)) {
      const resource = resources[id] ?? {};
      const one = await within(`${id} (${String(resource['Type'])})`, () =>
        deployResource(id, resource, stack, scope, loading, before.get(id)),
      );
      deployed.set(id, one);
      known.set(id, one.known);
    }
    await removeOthers(stack, loading, before, deployed);
    const outputs = Object.fromEntries([...outputsOf(stack, scope)].map(([name, value]) => [name, String(value)]));
    return { deployed, outputs };
  });
}

/**
 * What a deployment would do that the local runtime cannot, found before anything is done: resources that would be put in another's
 * place, changed or deleted. Only what follows from other resources' values is found on the way.
 */
export function impossibleIn(
  stack: AssemblyStack,
  types: ResourceTypes,
  before: DeployedStack,
  was: Resource,
): string[] {
  const now = section(stack.template, 'Resources');
  const earlier = section(was, 'Resources');
  const created = Object.entries(now).flatMap(([id, { Type }]) => {
    const { update, remove } = types.allows(String(Type));
    return before.has(id) || update || remove ? [] : [`${id} (${String(Type)}) of ${stack.name} would be created`];
  });
  const others = [...before].flatMap(([id, { type, kept }]) => {
    const allows = types.allows(type);
    const told = (what: string): string[] => [`${id} (${type}) of ${stack.name} would be ${what}`];
    if (now[id] === undefined) return allows.remove ? [] : told(kept ? 'orphaned' : 'deleted');
    if (now[id]['Type'] !== type) return told('replaced');
    const same = JSON.stringify(now[id]['Properties']) === JSON.stringify(earlier[id]?.['Properties']);
    return same || allows.update ? [] : told('changed');
  });
  return [...created, ...others];
}

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
/** Those that say what happens on updates and deletions have no effect here: the runtime only creates. */
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

async function createResource(
  id: string,
  resource: Resource,
  stack: AssemblyStack,
  scope: Scope,
  { host, types }: Loading,
): Promise<Known> {
  onlyKnown(resource, RESOURCE_KEYS, 'resource attribute');
  const type = String(resource['Type']);
  const properties = propertiesOf(resource, stack, scope);
  checkPolicies(type, properties);
  const context: ResourceContext = {
    host,
    stackName: stack.name,
    logicalId: id,
    physicalName: (limit) => physicalName(stack.name, id, limit),
    assemblyDirectory: stack.directory,
  };
  return await types.create(type, properties, context);
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

/**
 * Creates everything in a stack and returns its outputs.
 * @throws {TemplateProblem} naming stack, logical id and type of what cannot be created
 */
export async function createStack(stack: AssemblyStack, loading: Loading): Promise<Record<string, string>> {
  return within(`Stack ${stack.name}`, async () => {
    const known = new Map<string, Known>();
    const scope: Scope = { ...scopeOf(stack, loading), resources: known };
    const resources = Object.fromEntries(
      Object.entries(section(stack.template, 'Resources')).filter(([, resource]) => included(resource, scope)),
    );
    for (const id of creationOrder(resources, scope)) {
      const resource = resources[id] ?? {};
      known.set(
        id,
        await within(`${id} (${String(resource['Type'])})`, () => createResource(id, resource, stack, scope, loading)),
      );
    }
    return Object.fromEntries([...outputsOf(stack, scope)].map(([name, value]) => [name, String(value)]));
  });
}

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readAssembly } from '../../local/assembly.ts';
import { Roles } from '../../local/iam/roles.ts';
import type { Properties, ResourceContext, ResourceType } from '../../local/resource.ts';
import { Exports } from '../../local/template/scope.ts';
import { deployStack } from '../../local/template/stack.ts';
import { ResourceTypes } from '../../local/types.ts';
import { identity } from './local-identity.ts';

export interface CreatedThing {
  readonly id: string;
  readonly properties: Properties;
  readonly context: ResourceContext;
}

/** What became of an assembly: every `Test::Thing` in the order of its creation, and the outputs of each stack. */
export interface Loaded {
  readonly things: readonly CreatedThing[];
  readonly outputs: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

export interface StackFixture {
  readonly template: object;
  readonly dependencies?: readonly string[];
  readonly environment?: string;
  readonly assets?: object;
}

const writeJson = (directory: string, name: string, value: unknown): void => {
  writeFileSync(join(directory, name), JSON.stringify(value));
};

/** Writes an assembly as the CDK does; `nested` puts the stacks into a stage. */
export function writeAssembly(
  directory: string,
  stacks: Readonly<Record<string, StackFixture>>,
  nested = false,
): string {
  const inner = nested ? join(directory, 'assembly-Stage') : directory;
  mkdirSync(inner, { recursive: true });
  const artifacts: Record<string, unknown> = {};
  for (const [
    name,
    { template, dependencies = [], environment = 'aws://unknown-account/ca-central-1', assets },
  ] of Object.entries(stacks)) {
    writeJson(inner, `${name}.template.json`, template);
    if (assets !== undefined) {
      writeJson(inner, `${name}.assets.json`, assets);
      artifacts[`${name}.assets`] = { type: 'cdk:asset-manifest', properties: { file: `${name}.assets.json` } };
    }
    const properties = { templateFile: `${name}.template.json`, stackName: name };
    artifacts[name] = { type: 'aws:cloudformation:stack', environment, dependencies, properties };
  }
  writeJson(inner, 'manifest.json', { version: '55.0.0', artifacts });
  if (nested)
    writeJson(directory, 'manifest.json', {
      version: '55.0.0',
      artifacts: { 'assembly-Stage': { type: 'cdk:cloud-assembly', properties: { directoryName: 'assembly-Stage' } } },
    });
  return directory;
}

/** A type that accepts the properties `Value` and `Code`, and answers `Ref` with its id and `Arn`, `Name` as attributes. */
const thing = (type: string, created: CreatedThing[]): ResourceType => ({
  type,
  properties: ['Value', 'Code', 'PolicyDocument'],
  create: (properties, context) => {
    created.push({ id: context.logicalId, properties, context });
    return {
      ref: `ref-${context.logicalId}`,
      attributes: { Arn: `arn:aws:test:::${context.logicalId}`, Name: context.physicalName() },
    };
  },
});

/** Loads an assembly with two made-up types beside IAM's. */
export async function load(directory: string, parameters: Readonly<Record<string, string>> = {}): Promise<Loaded> {
  const { host } = identity();
  const things: CreatedThing[] = [];
  const types = new ResourceTypes([
    thing('Test::Thing', things),
    thing('AWS::Lambda::Function', things),
    ...new Roles().types,
  ]);
  const exports = new Exports();
  const outputs: Record<string, Record<string, string>> = {};
  for (const stack of readAssembly(directory))
    outputs[stack.name] = (await deployStack(stack, { host, types, exports, parameters })).outputs;
  return { things, outputs };
}

/** A directory that `clean` removes. */
export function scratch(): { readonly path: string; clean(): void } {
  const path = mkdtempSync(join(tmpdir(), 'local-assembly-'));
  return {
    path,
    clean: () => {
      rmSync(path, { recursive: true, force: true });
    },
  };
}

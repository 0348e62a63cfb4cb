import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Environment } from '../../infra/environments/schema.ts';

type Json = Readonly<Record<string, unknown>>;

export interface Resource {
  readonly stack: 'vault' | 'exchange';
  readonly id: string;
  readonly type: string;
  readonly properties: Json;
  readonly retained: boolean;
}

/** A statement of any policy, with its intrinsics rendered: `${VaultKey6B75F33E.Arn}` stands for what CloudFormation will put there. */
export interface Statement {
  readonly sid: string;
  readonly allows: boolean;
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  /** By kind: `Service`, `AWS`. */
  readonly principals: Readonly<Record<string, readonly string[]>>;
  readonly conditions: Json;
}

/** Both templates of an environment, as one set of resources. */
export interface Templates {
  readonly environment: Environment;
  readonly resources: readonly Resource[];
  /** The templates as they are, for whoever compares them. */
  readonly whole: Readonly<Record<'vault' | 'exchange', Json>>;
  readonly ofType: (type: string) => readonly Resource[];
  readonly resource: (id: string) => Resource;
  /** A value with its intrinsics rendered as text. */
  readonly text: (value: unknown) => string;
  readonly statements: (document: unknown) => readonly Statement[];
  /** What the identity policies of a role say. */
  readonly roleStatements: (roleId: string) => readonly Statement[];
}

/** The templates of an environment in a synthesised assembly. @param directory of the assembly */
export function templatesIn(directory: string, environment: Environment): Templates {
  const read = (stack: 'vault' | 'exchange'): Json =>
    JSON.parse(readFileSync(join(directory, `valiza-${environment.name}-${stack}.template.json`), 'utf8')) as Json;
  return readTemplates(environment, { vault: read('vault'), exchange: read('exchange') });
}

/** Both templates, ready to be asked. */
export function readTemplates(environment: Environment, whole: Templates['whole']): Templates {
  const resources = (['vault', 'exchange'] as const).flatMap((stack) =>
    Object.entries(whole[stack]['Resources'] as Record<string, Json>).map(([id, raw]): Resource => ({
      stack,
      id,
      type: String(raw['Type']),
      properties: (raw['Properties'] ?? {}) as Json,
      retained: raw['DeletionPolicy'] === 'Retain' && raw['UpdateReplacePolicy'] === 'Retain',
    })),
  );
  const outputs = whole.vault['Outputs'] as Record<string, { Value: unknown }>;
  const text = (value: unknown): string => rendered(value, outputs);
  const statements = (document: unknown): Statement[] => statementsIn(document, text);
  return {
    environment,
    resources,
    whole,
    text,
    statements,
    ofType: (type) => resources.filter((resource) => resource.type === type),
    resource: (id) => {
      const found = resources.find((resource) => resource.id === id);
      if (found === undefined) throw new Error(`${environment.name} has no resource ${id}.`);
      return found;
    },
    roleStatements: (roleId) =>
      resources.flatMap(({ type, properties }) => {
        const attached =
          type === 'AWS::IAM::Policy' && list(properties['Roles']).some((role) => text(role) === `\${${roleId}}`);
        return attached ? statements(properties['PolicyDocument']) : [];
      }),
  };
}

/** Renders what a value will be; refuses an intrinsic that it does not know, lest a test compare nonsense. */
function rendered(value: unknown, outputs: Readonly<Record<string, { Value: unknown }>>): string {
  if (typeof value === 'string' || typeof value === 'number') return String(value);
  const [[name, argument] = ['', undefined]] = Object.entries(value as Json);
  const parts = argument as readonly unknown[];
  if (name === 'Ref') return argument === 'AWS::Partition' ? 'aws' : `\${${String(argument)}}`;
  if (name === 'Fn::GetAtt') return `\${${parts.join('.')}}`;
  if (name === 'Fn::Join') {
    return (parts[1] as readonly unknown[]).map((part) => rendered(part, outputs)).join(String(parts[0]));
  }
  if (name === 'Fn::GetStackOutput') {
    return rendered(outputs[String((argument as Json)['OutputName'])]?.Value, outputs);
  }
  throw new Error(`A template of a test uses ${JSON.stringify(value)}, which it cannot render.`);
}

const list = (value: unknown): readonly unknown[] =>
  value === undefined ? [] : Array.isArray(value) ? value : [value];

function statementsIn(document: unknown, text: (value: unknown) => string): Statement[] {
  return list((document as Json)['Statement']).map((entry) => {
    const raw = entry as Json;
    const principal = raw['Principal'];
    return {
      sid: String(raw['Sid'] ?? ''),
      allows: raw['Effect'] === 'Allow',
      actions: list(raw['Action']).map(text),
      resources: list(raw['Resource']).map(text),
      principals:
        typeof principal === 'string'
          ? { AWS: [principal] }
          : Object.fromEntries(
              Object.entries((principal ?? {}) as Json).map(([kind, who]) => [kind, list(who).map(text)]),
            ),
      conditions: (raw['Condition'] ?? {}) as Json,
    };
  });
}

/** Whether a pattern of a policy, with its `*`, covers a value. */
export function covers(pattern: string, value: string): boolean {
  const parts = pattern.split('*').map((part) => part.replace(/[\\^$.|?+()[\]{}]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`, 'i').test(value);
}

/** Whether statements allow an action on a resource, or one that it covers; conditions are taken as met, the most that they could allow. */
export const allow = (statements: readonly Statement[], action: string, resource: string): boolean =>
  statements.some(
    (statement) =>
      statement.allows &&
      statement.actions.some((pattern) => covers(pattern, action) || covers(action, pattern)) &&
      statement.resources.some((pattern) => covers(pattern, resource) || covers(resource, pattern)),
  );

import { createHash } from 'node:crypto';
import type { Created, Properties, ResourceContext, ResourceType } from '../resource.ts';
import { notImplemented } from '../service.ts';
import type { PolicyDocument } from './policy.ts';
import { validatePolicy } from './validate.ts';

export interface NamedPolicy {
  readonly name: string;
  readonly document: PolicyDocument;
}

/** A role of the template with everything attached to it. */
export interface Role {
  readonly name: string;
  readonly arn: string;
  /** `AROA…`, the same on every start. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids */
  readonly id: string;
  readonly trust: PolicyDocument;
  readonly policies: NamedPolicy[];
  readonly boundary: NamedPolicy | undefined;
  /** Seconds, 3600 unless the template says otherwise. */
  readonly maxSessionDuration: number;
  readonly tags: Readonly<Record<string, string>>;
}

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** Upper-case letters and digits, as in IAM's identifiers. */
export const identifier = (bytes: Uint8Array, length: number): string =>
  Array.from(bytes.subarray(0, length), (byte) => BASE32[byte % BASE32.length]).join('');

const stableId = (prefix: string, text: string): string =>
  prefix + identifier(createHash('sha256').update(text).digest(), 17);

const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html: 1–64 characters. */
const NAME = /^[\w+=,.@-]{1,64}$/;

function checkedName(name: string, limit: number): string {
  if (!NAME.test(name.slice(0, 64)) || name.length > limit)
    throw notImplemented(`the name ${JSON.stringify(name)}: IAM allows ${limit} letters, digits and +=,.@_-`);
  return name;
}

function path(properties: Properties): string {
  const value = text(properties['Path'] ?? properties['ManagedPolicyPath']) ?? '/';
  if (!/^\/([\u0021-\u007e]+\/)?$/.test(value)) throw notImplemented(`the path ${value}: it begins and ends with /`);
  return value;
}

function tagsOf(properties: Properties): Record<string, string> {
  const pairs = list(properties['Tags']) as readonly { readonly Key: string; readonly Value: string }[];
  return Object.fromEntries(pairs.map(({ Key, Value }) => [Key, Value]));
}

/** The roles and policies of the templates: `AWS::IAM::Role`, `AWS::IAM::Policy`, `AWS::IAM::ManagedPolicy`. */
export class Roles {
  #roles = new Map<string, Role>();
  #managed = new Map<string, NamedPolicy>();

  /** A role by ARN or name. */
  find(arnOrName: string): Role | undefined {
    return this.#roles.get(arnOrName) ?? [...this.#roles.values()].find((role) => role.name === arnOrName);
  }

  all(): readonly Role[] {
    return [...this.#roles.values()];
  }

  readonly types: ResourceType[] = [
    {
      type: 'AWS::IAM::Role',
      properties: [
        'AssumeRolePolicyDocument',
        'Description',
        'ManagedPolicyArns',
        'MaxSessionDuration',
        'Path',
        'PermissionsBoundary',
        'Policies',
        'RoleName',
        'Tags',
      ],
      create: (properties, context) => this.#createRole(properties, context),
      remove: (properties, context) => {
        const role = this.find(text(properties['RoleName']) ?? context.physicalName(64));
        if (role !== undefined) this.#roles.delete(role.arn);
      },
    },
    {
      type: 'AWS::IAM::Policy',
      properties: ['PolicyDocument', 'PolicyName', 'Roles'],
      create: (properties, context) => {
        const name = text(properties['PolicyName']) ?? '';
        const policy = { name, document: validatePolicy(properties['PolicyDocument'], 'identity') };
        this.#attach(policy, properties['Roles']);
        return { ref: context.physicalName(128), attributes: {} };
      },
      update: (properties, context, before) => {
        const policy = {
          name: text(properties['PolicyName']) ?? '',
          document: validatePolicy(properties['PolicyDocument'], 'identity'),
        };
        this.#detach(before);
        this.#attach(policy, properties['Roles']);
        return { ref: context.physicalName(128), attributes: {} };
      },
      remove: (properties) => this.#detach(properties),
    },
    {
      type: 'AWS::IAM::ManagedPolicy',
      properties: ['Description', 'ManagedPolicyName', 'Path', 'PolicyDocument', 'Roles'],
      create: (properties, context) => this.#createManagedPolicy(properties, context),
    },
  ];

  #createRole(properties: Properties, context: ResourceContext): Created {
    const name = checkedName(text(properties['RoleName']) ?? context.physicalName(64), 64);
    const arn = `arn:aws:iam::${context.host.account}:role${path(properties)}${name}`;
    if (this.find(name) !== undefined) throw notImplemented(`a second role named ${name}`);
    const boundary = text(properties['PermissionsBoundary']);
    const inline = list(properties['Policies']) as readonly Properties[];
    const role: Role = {
      name,
      arn,
      id: stableId('AROA', arn),
      trust: validatePolicy(properties['AssumeRolePolicyDocument'], 'trust'),
      boundary: boundary === undefined ? undefined : this.#managedPolicy(boundary),
      maxSessionDuration: Number(properties['MaxSessionDuration'] ?? 3600),
      tags: tagsOf(properties),
      policies: [
        ...inline.map((policy) => ({
          name: text(policy['PolicyName']) ?? '',
          document: validatePolicy(policy['PolicyDocument'], 'identity'),
        })),
        ...list(properties['ManagedPolicyArns']).map((managed) => this.#managedPolicy(String(managed))),
      ],
    };
    if (!(role.maxSessionDuration >= 3600 && role.maxSessionDuration <= 43200))
      throw notImplemented(`MaxSessionDuration ${role.maxSessionDuration}: 3600 to 43200 seconds`);
    this.#roles.set(arn, role);
    return { ref: name, attributes: { Arn: arn, RoleId: role.id } };
  }

  #createManagedPolicy(properties: Properties, context: ResourceContext): Created {
    const name = checkedName(text(properties['ManagedPolicyName']) ?? context.physicalName(128), 128);
    const arn = `arn:aws:iam::${context.host.account}:policy${path(properties)}${name}`;
    const policy = { name, document: validatePolicy(properties['PolicyDocument'], 'identity') };
    this.#managed.set(arn, policy);
    this.#attach(policy, properties['Roles']);
    return { ref: arn, attributes: { PolicyArn: arn, PolicyId: stableId('ANPA', arn) } };
  }

  #attach(policy: NamedPolicy, roleNames: unknown): void {
    for (const roleName of list(roleNames)) {
      const role = this.find(String(roleName));
      if (role === undefined)
        throw notImplemented(`the policy ${policy.name} for ${String(roleName)}, not a role of the template`);
      role.policies.push(policy);
    }
  }

  #detach(properties: Properties): void {
    for (const roleName of list(properties['Roles'])) {
      const policies = this.find(String(roleName))?.policies ?? [];
      const index = policies.findIndex(({ name }) => name === properties['PolicyName']);
      if (index >= 0) policies.splice(index, 1);
    }
  }

  #managedPolicy(arn: string): NamedPolicy {
    const policy = this.#managed.get(arn);
    // AWS-managed policies change without notice and are not in the template, so they cannot be enforced.
    if (policy === undefined) throw notImplemented(`the managed policy ${arn}, which is not in the template`);
    return policy;
  }
}

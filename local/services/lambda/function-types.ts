import * as z from 'zod';
import type { Statement } from '../../iam/policy.ts';
import type { ResourceType } from '../../resource.ts';
import { notImplemented } from '../../service.ts';
import { inertProperty, resourceType } from '../template-properties.ts';
import { configurationOf, type FunctionConfiguration, functionProperties } from './function-configuration.ts';
import type { FunctionRegistry } from './function-registry.ts';

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-version.html */
const versionProperties = z.strictObject({ FunctionName: z.string(), Description: inertProperty });

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-alias.html */
const aliasProperties = z.strictObject({
  FunctionName: z.string(),
  FunctionVersion: z.string(),
  Name: z.string().regex(/^(?!\d+$)[A-Za-z0-9_-]{1,128}$/),
  Description: inertProperty,
});

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-permission.html */
const permissionProperties = z.strictObject({
  Action: z.string().regex(/^lambda:[A-Za-z*]+$/),
  FunctionName: z.string(),
  Principal: z.string(),
  SourceArn: z.string().optional(),
  SourceAccount: z.string().optional(),
});

const version = (registry: FunctionRegistry): ResourceType => ({
  ...resourceType('AWS::Lambda::Version', versionProperties, ({ FunctionName }, { logicalId, kept }) => {
    const { configuration } = registry.find(FunctionName).function;
    const Version = registry.versions.publish(configuration, logicalId, kept);
    const FunctionArn = `${configuration.arn}:${Version}`;
    return { ref: FunctionArn, attributes: { Version, FunctionArn } };
  }),
  remove: ({ FunctionName }, { logicalId }) => {
    const name = String(FunctionName);
    const deleted = registry.versions.withdraw(name, logicalId);
    // The function may be gone before it.
    if (deleted !== undefined) registry.lookup(name)?.function.pool.retire(deleted);
  },
});

const alias = (registry: FunctionRegistry): ResourceType =>
  resourceType('AWS::Lambda::Alias', aliasProperties, ({ FunctionName, FunctionVersion, Name }) => {
    const found = registry.find(FunctionName).function;
    const target = registry.find(`${found.configuration.name}:${FunctionVersion}`);
    found.aliases.set(Name, target.version);
    const arn = `${found.configuration.arn}:${Name}`;
    return { ref: arn, attributes: { AliasArn: arn } };
  });

const permission = (registry: FunctionRegistry): ResourceType => ({
  ...resourceType('AWS::Lambda::Permission', permissionProperties, (properties, context) => {
    const target = registry.find(properties.FunctionName);
    const statements = target.function.statements.get(target.qualifier) ?? [];
    statements.push({
      Sid: context.logicalId,
      Effect: 'Allow',
      Principal: principalOf(properties.Principal),
      Action: properties.Action,
      Resource: target.arn,
      ...conditionOf(properties),
    });
    target.function.statements.set(target.qualifier, statements);
    return { ref: context.logicalId, attributes: { Id: context.logicalId } };
  }),
  remove: ({ FunctionName }, { logicalId }) => {
    const target = registry.lookup(String(FunctionName));
    const left = target?.function.statements.get(target.qualifier)?.filter(({ Sid }) => Sid !== logicalId) ?? [];
    target?.function.statements.set(target.qualifier, left);
  },
});

/** Service principals contain a dot; roles and users come as ARN, accounts as number. */
function principalOf(principal: string): NonNullable<Statement['Principal']> {
  if (principal === '*') throw notImplemented('AWS::Lambda::Permission for everybody (Principal *)');
  return principal.startsWith('arn:') || /^\d{12}$/.test(principal) ? { AWS: principal } : { Service: principal };
}

/** https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html: SourceArn is compared with ArnLike. */
const conditionOf = ({
  SourceArn,
  SourceAccount,
}: z.output<typeof permissionProperties>): Pick<Statement, 'Condition'> =>
  SourceArn === undefined && SourceAccount === undefined
    ? {}
    : {
        Condition: {
          ...(SourceArn !== undefined && { ArnLike: { 'AWS:SourceArn': SourceArn } }),
          ...(SourceAccount !== undefined && { StringEquals: { 'AWS:SourceAccount': SourceAccount } }),
        },
      };

/** What a template's functions become, and how they are changed and taken away. */
export interface FunctionKeeping {
  add(configuration: FunctionConfiguration): void;
  change(configuration: FunctionConfiguration): void;
  remove(name: string): Promise<void>;
}

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-function.html: only another name replaces it. */
export function functionType({ add, change, remove }: FunctionKeeping): ResourceType {
  const made = (keep: (configuration: FunctionConfiguration) => void): ResourceType =>
    resourceType('AWS::Lambda::Function', functionProperties, (properties, context) => {
      const configuration = configurationOf(properties, context);
      keep(configuration);
      return { ref: configuration.name, attributes: { Arn: configuration.arn } };
    });
  return {
    ...made(add),
    update: made(change).create,
    replaces: (before, after) => before['FunctionName'] !== after['FunctionName'],
    remove: (properties, context) => remove(String(properties['FunctionName'] ?? context.physicalName(64))),
  };
}

/** Versions, aliases and permissions. */
export const functionTypes = (registry: FunctionRegistry): ResourceType[] => [
  version(registry),
  alias(registry),
  permission(registry),
];

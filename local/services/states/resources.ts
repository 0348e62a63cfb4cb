import type { Host } from '../../service.ts';
import type { Created, Properties, ResourceContext, ResourceType } from '../../resource.ts';
import type { Encryption, Machine, Machines } from './machines.ts';
import { parseDefinition } from './parse-definition.ts';
import { integer, InvalidDefinition, object, onlyFields, text } from './parse-fields.ts';

/** The resource types of Step Functions that the runtime creates, in `machines`. */
export const stateMachineTypes = (host: Host, machines: Machines): ResourceType[] => [
  {
    type: 'AWS::StepFunctions::StateMachine',
    properties: [
      'StateMachineName',
      'StateMachineType',
      'RoleArn',
      'DefinitionString',
      'DefinitionSubstitutions',
      'EncryptionConfiguration',
      'LoggingConfiguration',
      'TracingConfiguration',
      'Tags',
    ],
    create: (properties, context) => createMachine(properties, context, host, machines),
    // Executions that are under way keep the revision that they began with.
    update: (properties, context) => createMachine(properties, context, host, machines),
    replaces: (before, after) => before['StateMachineName'] !== after['StateMachineName'],
  },
  {
    type: 'AWS::StepFunctions::StateMachineVersion',
    properties: ['StateMachineArn', 'StateMachineRevisionId', 'Description'],
    create: (properties, context) => createVersion(properties, context, machines),
  },
  {
    type: 'AWS::StepFunctions::StateMachineAlias',
    properties: ['Name', 'Description', 'RoutingConfiguration', 'DeploymentPreference'],
    create: (properties, context) => createAlias(properties, context, machines),
  },
];

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-stepfunctions-statemachine.html */
function createMachine(properties: Properties, context: ResourceContext, host: Host, machines: Machines): Created {
  const where = context.logicalId;
  if ((properties['StateMachineType'] ?? 'STANDARD') !== 'STANDARD') {
    throw new InvalidDefinition(`${where}: only StateMachineType STANDARD is implemented`);
  }
  const name =
    properties['StateMachineName'] === undefined
      ? context.physicalName(80)
      : text(properties, 'StateMachineName', where);
  const source = substituted(text(properties, 'DefinitionString', where), properties['DefinitionSubstitutions'], where);
  checkLogging(properties['LoggingConfiguration'], `${where}: LoggingConfiguration`);
  checkTracing(properties['TracingConfiguration'], `${where}: TracingConfiguration`);
  const arn = `arn:aws:states:${host.region}:${host.account}:stateMachine:${name}`;
  const revision = {
    definition: parsed(source, where),
    source,
    roleArn: text(properties, 'RoleArn', where),
    since: host.clock.now(),
    encryption: encryption(properties['EncryptionConfiguration'], `${where}: EncryptionConfiguration`),
  };
  const machine = machines.put(arn, name, revision);
  return { ref: arn, attributes: { Arn: arn, Name: name, StateMachineRevisionId: machine.latest.id } };
}

function parsed(source: string, where: string): ReturnType<typeof parseDefinition> {
  try {
    return parseDefinition(source);
  } catch (error) {
    if (error instanceof InvalidDefinition) throw new InvalidDefinition(`${where}: ${error.message}`);
    throw error;
  }
}

/** Replaces `${name}`; values may be strings, numbers or booleans. */
function substituted(source: string, substitutions: unknown, where: string): string {
  let result = source;
  for (const [name, value] of Object.entries(object(substitutions ?? {}, `${where}: DefinitionSubstitutions`))) {
    result = result.replaceAll(`\${${name}}`, () => String(value));
  }
  return result;
}

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-stepfunctions-statemachine-encryptionconfiguration.html */
function encryption(value: unknown, where: string): Encryption | undefined {
  if (value === undefined) return undefined;
  const fields = object(value, where);
  onlyFields(fields, ['Type', 'KmsKeyId', 'KmsDataKeyReusePeriodSeconds'], where);
  const reuseSeconds = integer(fields, 'KmsDataKeyReusePeriodSeconds', 60, 900, 300, where);
  const type = text(fields, 'Type', where);
  if (type === 'CUSTOMER_MANAGED_KMS_KEY') return { keyId: text(fields, 'KmsKeyId', where), reuseSeconds };
  if (type === 'AWS_OWNED_KEY' && fields['KmsKeyId'] === undefined) return undefined;
  throw new InvalidDefinition(
    `${where}: Type must be CUSTOMER_MANAGED_KMS_KEY with a KmsKeyId, or AWS_OWNED_KEY without`,
  );
}

/** Has no effect here. https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-stepfunctions-statemachine-loggingconfiguration.html */
function checkLogging(value: unknown, where: string): void {
  if (value === undefined) return;
  const fields = object(value, where);
  onlyFields(fields, ['Destinations', 'IncludeExecutionData', 'Level'], where);
  if (!['ALL', 'ERROR', 'FATAL', 'OFF', undefined].includes(fields['Level'] as string | undefined)) {
    throw new InvalidDefinition(`${where}: Level must be ALL, ERROR, FATAL or OFF`);
  }
  checkBoolean(fields['IncludeExecutionData'], `${where}: IncludeExecutionData`);
}

/** Has no effect here. */
function checkTracing(value: unknown, where: string): void {
  if (value === undefined) return;
  const fields = object(value, where);
  onlyFields(fields, ['Enabled'], where);
  checkBoolean(fields['Enabled'], `${where}: Enabled`);
}

function checkBoolean(value: unknown, where: string): void {
  if (value !== undefined && typeof value !== 'boolean') throw new InvalidDefinition(`${where} must be true or false`);
}

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-stepfunctions-statemachineversion.html */
function createVersion(properties: Properties, { logicalId }: ResourceContext, machines: Machines): Created {
  const machine = machines.find(text(properties, 'StateMachineArn', logicalId));
  if (machine === undefined) throw new InvalidDefinition(`${logicalId}: StateMachineArn names no state machine`);
  const revision = properties['StateMachineRevisionId'];
  if (revision !== undefined && revision !== machine.latest.id) {
    throw new InvalidDefinition(`${logicalId}: StateMachineRevisionId is not the state machine's current revision`);
  }
  const arn = machines.publish(machine);
  return { ref: arn, attributes: { Arn: arn } };
}

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-stepfunctions-statemachinealias.html */
function createAlias(
  properties: Properties,
  { logicalId, physicalName }: ResourceContext,
  machines: Machines,
): Created {
  const { machine, version } = aliased(properties, logicalId, machines);
  const name = properties['Name'] === undefined ? physicalName(80) : text(properties, 'Name', logicalId);
  // All digits would be a version.
  if (!/^(?=.*[a-zA-Z_\-.])[a-zA-Z0-9_\-.]{1,80}$/.test(name))
    throw new InvalidDefinition(`${logicalId}: ${name} cannot be an alias`);
  machine.aliases.set(name, version);
  const arn = `${machine.arn}:${name}`;
  return { ref: arn, attributes: { Arn: arn } };
}

function aliased(properties: Properties, where: string, machines: Machines): { machine: Machine; version: number } {
  const arn = /^(.*):(\d+)$/.exec(versionArn(properties, where));
  const machine = machines.find(arn?.[1] ?? '');
  const version = Number(arn?.[2]);
  if (machine?.versions[version - 1] === undefined)
    throw new InvalidDefinition(`${where} names a version that does not exist`);
  return { machine, version };
}

/** Exactly one of the two properties, and one version that gets everything at once. */
function versionArn(properties: Properties, where: string): string {
  const { RoutingConfiguration: routing, DeploymentPreference: preference } = properties;
  if ((routing === undefined) === (preference === undefined)) {
    throw new InvalidDefinition(`${where} must have either RoutingConfiguration or DeploymentPreference`);
  }
  if (preference !== undefined) {
    const fields = object(preference, `${where}: DeploymentPreference`);
    onlyFields(fields, ['StateMachineVersionArn', 'Type', 'Alarms'], `${where}: DeploymentPreference`);
    if (fields['Type'] !== 'ALL_AT_ONCE')
      throw new InvalidDefinition(`${where}: only the deployment type ALL_AT_ONCE is implemented`);
    return text(fields, 'StateMachineVersionArn', where);
  }
  const [route, ...others] = Array.isArray(routing) ? (routing as unknown[]) : [];
  const fields = object(route, `${where}: RoutingConfiguration[0]`);
  onlyFields(fields, ['StateMachineVersionArn', 'Weight'], `${where}: RoutingConfiguration[0]`);
  if (others.length > 0 || fields['Weight'] !== 100) {
    throw new InvalidDefinition(`${where}: only a RoutingConfiguration of one version with weight 100 is implemented`);
  }
  return text(fields, 'StateMachineVersionArn', where);
}

import type { Caller } from '../../iam/policy.ts';
import { type Host, notImplemented } from '../../service.ts';
import { invalidArn, invalidExecutionInput, invalidName, invalidOutput, validation } from './api-errors.ts';
import type { Json } from './definition.ts';
import type { MachineEncryption } from './encryption.ts';
import type { Executions, Known } from './executions.ts';
import { eventOnTheWire } from './history.ts';
import type { ExecutionRecord } from './journal.ts';
import { type MachineArn, type Machines, parseMachineArn } from './machines.ts';
import { page } from './page.ts';
import type { Parameters } from './parameters.ts';
import { PAYLOAD_LIMIT, StateError } from './state-error.ts';
import type { TaskTokens } from './tokens.ts';

export interface OperationDeps {
  readonly host: Host;
  readonly machines: Machines;
  readonly executions: Executions;
  readonly tokens: TaskTokens;
  readonly encryption: MachineEncryption;
}

type Operation = (parameters: Parameters, caller: Caller, deps: OperationDeps) => Readonly<Record<string, unknown>>;

const LONGEST_ARN = 256;
const LONGEST_NAME = 80;
const LONGEST_TOKEN = 2048;
const LONGEST_ERROR = 256;
const LONGEST_CAUSE = 32_768;

/** https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html */
// oxlint-disable-next-line no-control-regex -- the documented list contains control characters
const FORBIDDEN_IN_NAME = /[\s<>{}[\]?*"#%\\^|~`$&,;:/\u0000-\u001f\u007f-\u009f\ufffe\uffff\ud800-\udfff]/;

const startExecution: Operation = (parameters, caller, deps) => {
  const arn = machineArn(parameters.text('stateMachineArn', 1, LONGEST_ARN), deps.host);
  const name = parameters.optionalText('name', 1, LONGEST_NAME);
  const input = parameters.optionalText('input', 0, PAYLOAD_LIMIT);
  parameters.assertAllRead();
  authorizeMachine('states:StartExecution', arn, caller, deps.host);
  if (name !== undefined && FORBIDDEN_IN_NAME.test(name)) throw invalidName(name);
  if (input !== undefined) parseJson(input, invalidExecutionInput);
  const record = deps.executions.start(deps.machines.resolve(arn), name, input);
  return { executionArn: record.arn, startDate: seconds(record.startDate) };
};

/** https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeExecution.html */
const describeExecution: Operation = (parameters, caller, deps) => {
  const arn = executionArn(parameters, deps.host);
  const metadataOnly = parameters.optionalChoice('includedData', ['ALL_DATA', 'METADATA_ONLY']) === 'METADATA_ONLY';
  parameters.assertAllRead();
  deps.host.authorize({ caller, action: 'states:DescribeExecution', resource: arn });
  const known = deps.executions.get(arn);
  if (metadataOnly) return summary(known.record);
  assertReadable(known, caller, deps);
  const { input, output, error, cause } = known.execution?.data ?? {};
  return {
    ...summary(known.record),
    input,
    inputDetails: { included: input !== undefined },
    output,
    outputDetails: known.record.status === 'SUCCEEDED' ? { included: output !== undefined } : undefined,
    error,
    cause,
  };
};

/**
 * The revision that the execution began with and keeps. Of the optional members only the key's are answered.
 * https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeStateMachineForExecution.html
 */
const describeStateMachineForExecution: Operation = (parameters, caller, deps) => {
  const arn = executionArn(parameters, deps.host);
  const metadataOnly = parameters.optionalChoice('includedData', ['ALL_DATA', 'METADATA_ONLY']) === 'METADATA_ONLY';
  parameters.assertAllRead();
  deps.host.authorize({ caller, action: 'states:DescribeStateMachineForExecution', resource: arn });
  const known = deps.executions.get(arn);
  if (known.execution === undefined)
    throw notImplemented('DescribeStateMachineForExecution of an execution that was started before the runtime was');
  if (!metadataOnly) assertReadable(known, caller, deps);
  const { machine, revision } = known.execution.target;
  return {
    stateMachineArn: machine.arn,
    name: machine.name,
    roleArn: revision.roleArn,
    revisionId: revision.id,
    updateDate: seconds(revision.since),
    ...(metadataOnly ? {} : { definition: revision.source }),
    encryptionConfiguration:
      revision.encryption === undefined
        ? { type: 'AWS_OWNED_KEY' }
        : {
            type: 'CUSTOMER_MANAGED_KMS_KEY',
            kmsKeyId: revision.encryption.keyId,
            kmsDataKeyReusePeriodSeconds: revision.encryption.reuseSeconds,
          },
  };
};

/** https://docs.aws.amazon.com/step-functions/latest/apireference/API_StopExecution.html */
const stopExecution: Operation = (parameters, caller, deps) => {
  const arn = executionArn(parameters, deps.host);
  const error = parameters.optionalText('error', 0, LONGEST_ERROR);
  const cause = parameters.optionalText('cause', 0, LONGEST_CAUSE);
  parameters.assertAllRead();
  deps.host.authorize({ caller, action: 'states:StopExecution', resource: arn });
  const known = deps.executions.get(arn);
  if (known.execution === undefined) {
    if (known.record.status === 'RUNNING') deps.executions.abortEarlier(known.record);
  } else {
    // Without error and cause nothing has to be encrypted, and the role needs no permission.
    if (!known.execution.closed && (error ?? cause) !== undefined) assertEncryptable(known.execution, deps);
    known.execution.close({ status: 'ABORTED', error, cause });
  }
  return { stopDate: seconds(known.record.stopDate) };
};

/** https://docs.aws.amazon.com/step-functions/latest/apireference/API_GetExecutionHistory.html */
const getExecutionHistory: Operation = (parameters, caller, deps) => {
  const arn = executionArn(parameters, deps.host);
  const reverseOrder = parameters.optionalBoolean('reverseOrder') ?? false;
  const includeExecutionData = parameters.optionalBoolean('includeExecutionData') ?? true;
  const request = { ...pageRequest(parameters), query: ['history', arn, reverseOrder, includeExecutionData] };
  parameters.assertAllRead();
  deps.host.authorize({ caller, action: 'states:GetExecutionHistory', resource: arn });
  const known = deps.executions.get(arn);
  assertReadable(known, caller, deps);
  if (known.execution === undefined) {
    throw notImplemented('GetExecutionHistory of an execution that was started before the runtime was');
  }
  const { events } = known.execution.history;
  const { items, nextToken } = page(reverseOrder ? events.toReversed() : events, request, deps.host.clock.now());
  return { events: items.map((event) => eventOnTheWire(event, includeExecutionData)), nextToken };
};

/** https://docs.aws.amazon.com/step-functions/latest/apireference/API_ListExecutions.html */
const listExecutions: Operation = (parameters, caller, deps) => {
  const arn = machineArn(parameters.text('stateMachineArn', 1, LONGEST_ARN), deps.host);
  const statuses = ['RUNNING', 'SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED'] as const;
  const statusFilter = parameters.optionalChoice('statusFilter', statuses);
  const request = { ...pageRequest(parameters), query: ['executions', arn, statusFilter ?? null] };
  parameters.assertAllRead();
  authorizeMachine('states:ListExecutions', arn, caller, deps.host);
  deps.machines.resolve(arn);
  const qualified = `${arn.unqualified}:${arn.qualifier ?? ''}`;
  const records = deps.executions
    .list()
    .filter(
      (record) =>
        record.machineArn === arn.unqualified &&
        (arn.qualifier === undefined || record.aliasArn === qualified || record.versionArn === qualified) &&
        (statusFilter === undefined || record.status === statusFilter),
    );
  const { items, nextToken } = page(records, request, deps.host.clock.now());
  return { executions: items.map(summary), nextToken };
};

/** https://docs.aws.amazon.com/step-functions/latest/apireference/API_SendTaskSuccess.html */
const sendTaskSuccess: Operation = (parameters, caller, deps) => {
  const token = parameters.text('taskToken', 1, LONGEST_TOKEN);
  const output = parameters.text('output', 0, PAYLOAD_LIMIT);
  parameters.assertAllRead();
  authorizeTask('states:SendTaskSuccess', caller, deps.host);
  const result = parseJson(output, invalidOutput);
  const task = deps.tokens.find(token);
  assertEncryptable(task.execution, deps);
  task.succeed(result);
  return {};
};

/** https://docs.aws.amazon.com/step-functions/latest/apireference/API_SendTaskFailure.html */
const sendTaskFailure: Operation = (parameters, caller, deps) => {
  const token = parameters.text('taskToken', 1, LONGEST_TOKEN);
  const error = parameters.optionalText('error', 0, LONGEST_ERROR);
  const cause = parameters.optionalText('cause', 0, LONGEST_CAUSE);
  parameters.assertAllRead();
  authorizeTask('states:SendTaskFailure', caller, deps.host);
  // Which error name a task then fails with is not documented.
  if (error === undefined) throw notImplemented('SendTaskFailure without error');
  const task = deps.tokens.find(token);
  assertEncryptable(task.execution, deps);
  task.fail(new StateError(error, cause));
  return {};
};

/** https://docs.aws.amazon.com/step-functions/latest/apireference/API_SendTaskHeartbeat.html */
const sendTaskHeartbeat: Operation = (parameters, caller, deps) => {
  const token = parameters.text('taskToken', 1, LONGEST_TOKEN);
  parameters.assertAllRead();
  authorizeTask('states:SendTaskHeartbeat', caller, deps.host);
  deps.tokens.find(token).heartbeat();
  return {};
};

/** What is implemented; everything else answers 501. */
export const operations: Readonly<Record<string, Operation>> = {
  StartExecution: startExecution,
  DescribeExecution: describeExecution,
  DescribeStateMachineForExecution: describeStateMachineForExecution,
  StopExecution: stopExecution,
  GetExecutionHistory: getExecutionHistory,
  ListExecutions: listExecutions,
  SendTaskSuccess: sendTaskSuccess,
  SendTaskFailure: sendTaskFailure,
  SendTaskHeartbeat: sendTaskHeartbeat,
};

/** Timestamps travel as seconds since the epoch. https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html */
const seconds = (milliseconds: number | undefined): number | undefined =>
  milliseconds === undefined ? undefined : milliseconds / 1000;

const summary = (record: ExecutionRecord): Readonly<Record<string, unknown>> => ({
  executionArn: record.arn,
  stateMachineArn: record.machineArn,
  stateMachineVersionArn: record.versionArn,
  stateMachineAliasArn: record.aliasArn,
  name: record.name,
  status: record.status,
  startDate: seconds(record.startDate),
  stopDate: seconds(record.stopDate),
  redriveCount: 0,
});

const machineArn = (arn: string, host: Host): MachineArn => parseMachineArn(arn, host.region, host.account);

function executionArn(parameters: Parameters, host: Host): string {
  const arn = parameters.text('executionArn', 1, LONGEST_ARN);
  if (arn.startsWith(`arn:aws:states:${host.region}:${host.account}:execution:`) && arn.split(':').length === 8)
    return arn;
  throw invalidArn(arn);
}

const pageRequest = (parameters: Parameters): { maxResults: number | undefined; nextToken: string | undefined } => ({
  maxResults: parameters.optionalNumber('maxResults'),
  nextToken: parameters.optionalText('nextToken', 1, 3096),
});

function parseJson(text: string, refusal: (reason: string) => Error): Json {
  if (Buffer.byteLength(text) > PAYLOAD_LIMIT) throw validation(`The JSON text is larger than ${PAYLOAD_LIMIT} bytes`);
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    throw refusal((error as SyntaxError).message);
  }
}

/**
 * The permission is about the unqualified ARN; a version or alias only shows in a condition key.
 * https://docs.aws.amazon.com/step-functions/latest/dg/auth-version-alias.html
 */
function authorizeMachine(action: string, { unqualified, qualifier }: MachineArn, caller: Caller, host: Host): void {
  const context = qualifier === undefined ? {} : { 'states:StateMachineQualifier': [qualifier] };
  host.authorize({ caller, action, resource: unqualified, context });
}

/** These actions have no resource types. https://docs.aws.amazon.com/service-authorization/latest/reference/list_stepfunctions.html */
function authorizeTask(action: string, caller: Caller, host: Host): void {
  host.authorize({ caller, action, resource: '*' });
}

/** What an API returns is decrypted for its caller. */
function assertReadable({ execution }: Known, caller: Caller, { encryption }: OperationDeps): void {
  if (execution === undefined) return;
  encryption.assertReadableByCaller(execution.target.machine.arn, execution.target.revision.encryption, caller);
}

/** What an API hands over is encrypted for the execution's role; its caller needs no permission for the key. */
function assertEncryptable(execution: NonNullable<Known['execution']>, { encryption }: OperationDeps): void {
  const { target, role } = execution;
  const { encryption: key } = target.revision;
  encryption.assertUsableByRole({
    machineArn: target.machine.arn,
    encryption: key,
    role,
    actions: ['kms:GenerateDataKey'],
  });
}

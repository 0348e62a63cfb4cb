import { checkGraph } from './check-graph.ts';
import type { ChoiceRule, ChoiceState, Definition, Json, State, TaskState, WaitState } from './definition.ts';
import { parseCatchers, parseRetriers } from './parse-errors.ts';
import {
  checkTemplate,
  expressionField,
  type Fields,
  flow,
  integer,
  InvalidDefinition,
  isObject,
  leaving,
  MOST_SECONDS,
  NOTHING,
  object,
  onlyFields,
  optionalText,
  RESULT,
  seconds,
  text,
} from './parse-fields.ts';
import { parseTimestamp } from './timestamp.ts';

/** https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html */
const LARGEST_DEFINITION = 1024 * 1024;
const LONGEST_NAME = 80;

/**
 * Parses and checks a `DefinitionString`. Throws {@link InvalidDefinition} for what Step Functions refuses, and for what is not
 * implemented here (JSONPath, Map, Parallel, resources other than Lambda), naming it.
 */
export function parseDefinition(source: string): Definition {
  if (Buffer.byteLength(source) > LARGEST_DEFINITION) throw new InvalidDefinition('the definition is larger than 1 MB');
  const machine = object(parseJson(source), 'the definition');
  onlyFields(machine, ['Comment', 'QueryLanguage', 'StartAt', 'States', 'TimeoutSeconds', 'Version'], 'the definition');
  if (machine['QueryLanguage'] !== 'JSONata') {
    throw new InvalidDefinition('only QueryLanguage JSONata is implemented, not JSONPath, which is the default');
  }
  if ((machine['Version'] ?? '1.0') !== '1.0') throw new InvalidDefinition('Version must be 1.0');
  const states = new Map<string, State>();
  for (const [name, fields] of Object.entries(object(machine['States'], 'States'))) {
    if ([...name].length > LONGEST_NAME)
      throw new InvalidDefinition(`the state name ${name} is longer than 80 characters`);
    states.set(name, parseState(object(fields, `state ${name}`), `state ${name}`));
  }
  const definition: Definition = {
    StartAt: text(machine, 'StartAt', 'the definition'),
    TimeoutSeconds: integer(machine, 'TimeoutSeconds', 1, MOST_SECONDS, undefined, 'the definition'),
    States: states,
  };
  checkGraph(definition);
  return definition;
}

function parseJson(source: string): unknown {
  try {
    return JSON.parse(source);
  } catch (error) {
    throw new InvalidDefinition(`the definition is not JSON: ${(error as SyntaxError).message}`);
  }
}

const COMMON = ['Type', 'Comment', 'QueryLanguage'];
const FLOWING = [...COMMON, 'Next', 'End', 'Output', 'Assign'];

function parseState(fields: Fields, where: string): State {
  if ((fields['QueryLanguage'] ?? 'JSONata') !== 'JSONata')
    throw new InvalidDefinition(`${where}: only JSONata is implemented`);
  const type = text(fields, 'Type', where);
  switch (type) {
    case 'Task':
      return parseTask(fields, where);
    case 'Choice':
      return parseChoice(fields, where);
    case 'Wait':
      return parseWait(fields, where);
    case 'Pass':
      onlyFields(fields, FLOWING, where);
      return { Type: 'Pass', Next: flow(fields, where), ...leaving(fields, NOTHING, where) };
    case 'Succeed': {
      onlyFields(fields, [...COMMON, 'Output'], where);
      return { Type: 'Succeed', ...leaving(fields, NOTHING, where) };
    }
    case 'Fail':
      onlyFields(fields, [...COMMON, 'Error', 'Cause'], where);
      return { Type: 'Fail', Error: optionalText(fields, 'Error', where), Cause: optionalText(fields, 'Cause', where) };
    default:
      throw new InvalidDefinition(`${where}: the state type ${type} is not implemented`);
  }
}

const LAMBDA_INVOKE = /^arn:aws[a-z-]*:states:::lambda:invoke(\.waitForTaskToken)?$/;

function parseTask(fields: Fields, where: string): TaskState {
  const timing = ['TimeoutSeconds', 'HeartbeatSeconds'];
  onlyFields(fields, [...FLOWING, ...timing, 'Resource', 'Arguments', 'Retry', 'Catch'], where);
  const resource = text(fields, 'Resource', where);
  const invoke = LAMBDA_INVOKE.exec(resource);
  if (invoke === null) throw new InvalidDefinition(`${where}: the resource ${resource} is not implemented`);
  const timeout = seconds(fields, 'TimeoutSeconds', 1, where) ?? MOST_SECONDS;
  const heartbeat = seconds(fields, 'HeartbeatSeconds', 1, where);
  if (typeof timeout === 'number' && typeof heartbeat === 'number' && heartbeat >= timeout) {
    throw new InvalidDefinition(`${where}: HeartbeatSeconds must be smaller than TimeoutSeconds`);
  }
  return {
    Type: 'Task',
    waitForTaskToken: invoke[1] !== undefined,
    ...taskArguments(fields, where),
    TimeoutSeconds: timeout,
    HeartbeatSeconds: heartbeat,
    Retry: parseRetriers(fields, where),
    Catch: parseCatchers(fields, where),
    Next: flow(fields, where),
    ...leaving(fields, RESULT, where),
  };
}

/** Parameters of Lambda's Invoke that are implemented. https://docs.aws.amazon.com/step-functions/latest/dg/connect-lambda.html */
export const INVOKE_PARAMETERS = ['FunctionName', 'Payload', 'Qualifier'];

function taskArguments(fields: Fields, where: string): { Arguments?: Json } {
  const value = fields['Arguments'];
  if (value === undefined) return {};
  checkTemplate(value, NOTHING, `${where}: Arguments`);
  if (isObject(value)) {
    onlyFields(value, INVOKE_PARAMETERS, `${where}: Arguments`);
    text(value, 'FunctionName', `${where}: Arguments`);
  } else if (typeof value !== 'string') {
    throw new InvalidDefinition(`${where}: Arguments must be an object or an expression`);
  }
  // Definitions are parsed from JSON text.
  return { Arguments: value as Json };
}

function parseChoice(fields: Fields, where: string): ChoiceState {
  onlyFields(fields, [...COMMON, 'Choices', 'Default', 'Output', 'Assign'], where);
  const choices = fields['Choices'];
  if (!Array.isArray(choices) || choices.length === 0)
    throw new InvalidDefinition(`${where}: Choices must be a non-empty array`);
  return {
    Type: 'Choice',
    Choices: choices.map((entry, index) =>
      parseRule(object(entry, `${where}: Choices[${index}]`), `${where}: Choices[${index}]`),
    ),
    Default: fields['Default'] === undefined ? undefined : text(fields, 'Default', where),
    ...leaving(fields, NOTHING, where),
  };
}

function parseRule(fields: Fields, where: string): ChoiceRule {
  onlyFields(fields, ['Condition', 'Next', 'Output', 'Assign', 'Comment'], where);
  const condition = fields['Condition'];
  return {
    Condition: typeof condition === 'boolean' ? condition : expressionField(fields, 'Condition', where),
    Next: text(fields, 'Next', where),
    ...leaving(fields, NOTHING, where),
  };
}

function parseWait(fields: Fields, where: string): WaitState {
  onlyFields(fields, [...FLOWING, 'Seconds', 'Timestamp'], where);
  if ((fields['Seconds'] === undefined) === (fields['Timestamp'] === undefined)) {
    throw new InvalidDefinition(`${where} must have exactly one of Seconds and Timestamp`);
  }
  const timestamp = optionalText(fields, 'Timestamp', where);
  if (timestamp !== undefined && !timestamp.startsWith('{%') && parseTimestamp(timestamp) === undefined) {
    throw new InvalidDefinition(`${where}: Timestamp must be an RFC 3339 timestamp`);
  }
  return {
    Type: 'Wait',
    Seconds: seconds(fields, 'Seconds', 0, where),
    Timestamp: timestamp,
    Next: flow(fields, where),
    ...leaving(fields, NOTHING, where),
  };
}

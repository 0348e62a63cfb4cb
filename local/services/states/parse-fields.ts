import { checkExpression, type ExpressionScope } from './check-expression.ts';
import type { Assignments, Json, Leaving } from './definition.ts';
import { expressionIn } from './expression.ts';

/** A definition that Step Functions would refuse to create a state machine from, or that this runtime does not implement. */
export class InvalidDefinition extends Error {
  override readonly name = 'InvalidDefinition';
}

export type Fields = Readonly<Record<string, unknown>>;

/** Largest number of seconds of a timeout, a heartbeat, a wait or a retry interval. */
export const MOST_SECONDS = 99_999_999;

export const NOTHING: ExpressionScope = { result: false, errorOutput: false };
export const RESULT: ExpressionScope = { result: true, errorOutput: false };
export const ERROR_OUTPUT: ExpressionScope = { result: false, errorOutput: true };

export const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export function object(value: unknown, where: string): Fields {
  if (isObject(value)) return value;
  throw new InvalidDefinition(`${where} must be an object`);
}

export function onlyFields(fields: Fields, allowed: readonly string[], where: string): void {
  const unknown = Object.keys(fields).filter((name) => !allowed.includes(name));
  if (unknown.length > 0)
    throw new InvalidDefinition(`${where} has fields that are not supported: ${unknown.join(', ')}`);
}

export function text(fields: Fields, name: string, where: string): string {
  const value = fields[name];
  if (typeof value === 'string') return value;
  throw new InvalidDefinition(`${where}: ${name} must be a string`);
}

/** An integer within bounds, or `absent` when the field is missing. */
export function integer<T>(
  fields: Fields,
  name: string,
  least: number,
  most: number,
  absent: T,
  where: string,
): number | T {
  const value = fields[name];
  if (value === undefined) return absent;
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value;
  throw new InvalidDefinition(`${where}: ${name} must be an integer from ${least} to ${most}`);
}

/** A number of seconds, written as such or as an expression. */
export function seconds(fields: Fields, name: string, least: number, where: string): number | string | undefined {
  const value = fields[name];
  if (typeof value !== 'string') return integer(fields, name, least, MOST_SECONDS, undefined, where);
  return expressionField(fields, name, where);
}

/** A string that must be an expression. */
export function expressionField(fields: Fields, name: string, where: string): string {
  const value = text(fields, name, where);
  if (expressionIn(value) === undefined)
    throw new InvalidDefinition(`${where}: ${name} must be an expression, {% … %}`);
  checkTemplate(value, NOTHING, `${where}: ${name}`);
  return value;
}

/** A string, literal or expression, that may be absent. */
export function optionalText(fields: Fields, name: string, where: string): string | undefined {
  if (fields[name] === undefined) return undefined;
  const value = text(fields, name, where);
  checkTemplate(value, NOTHING, `${where}: ${name}`);
  return value;
}

/** Checks every expression within a template. */
export function checkTemplate(template: unknown, scope: ExpressionScope, where: string): void {
  if (typeof template === 'string') {
    checkString(template, scope, where);
  } else if (Array.isArray(template)) {
    template.forEach((item, index) => checkTemplate(item, scope, `${where}[${index}]`));
  } else if (isObject(template)) {
    for (const [name, value] of Object.entries(template)) checkTemplate(value, scope, `${where}/${name}`);
  }
}

function checkString(value: string, scope: ExpressionScope, where: string): void {
  const source = expressionIn(value);
  if (source === undefined) {
    if (!value.startsWith('{%') && !value.endsWith('%}')) return;
    throw new InvalidDefinition(
      `${where}: an expression must start with {% and end with %}, without blanks around them`,
    );
  }
  const wrong = checkExpression(source, scope);
  if (wrong !== undefined) throw new InvalidDefinition(`${where}: the expression '${source}' is not valid: ${wrong}`);
}

/** `Output` and `Assign`, where they are present. */
export function leaving(fields: Fields, scope: ExpressionScope, where: string): Leaving {
  const output = fields['Output'];
  if (output !== undefined) checkTemplate(output, scope, `${where}: Output`);
  const assign = fields['Assign'] === undefined ? undefined : assignments(fields['Assign'], scope, `${where}: Assign`);
  return {
    // Definitions are parsed from JSON text.
    ...(output === undefined ? {} : { Output: output as Json }),
    ...(assign === undefined ? {} : { Assign: assign }),
  };
}

/** Variable names are Unicode identifiers of at most 80 characters. https://docs.aws.amazon.com/step-functions/latest/dg/workflow-variables.html */
const VARIABLE = /^\p{ID_Start}\p{ID_Continue}{0,79}$/u;

function assignments(value: unknown, scope: ExpressionScope, where: string): Assignments {
  const variables = object(value, where);
  for (const name of Object.keys(variables)) {
    if (!VARIABLE.test(name) || name === 'states')
      throw new InvalidDefinition(`${where}: ${name} cannot be a variable's name`);
  }
  checkTemplate(variables, scope, where);
  // Definitions are parsed from JSON text.
  return variables as Assignments;
}

/** `Next`, or undefined for `End: true`; exactly one of them must be there. */
export function flow(fields: Fields, where: string): string | undefined {
  const { Next: next, End: end } = fields;
  if (end !== undefined && typeof end !== 'boolean') throw new InvalidDefinition(`${where}: End must be true or false`);
  if ((next === undefined) === (end !== true))
    throw new InvalidDefinition(`${where} must have either Next or End: true`);
  return next === undefined ? undefined : text(fields, 'Next', where);
}

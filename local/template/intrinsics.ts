import { isRecord, TemplateProblem } from './problem.ts';
import { pseudoParameter, type Scope } from './scope.ts';

/**
 * Intrinsic functions. https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html
 * Fn::GetStackOutput: what the CDK emits for a weak reference to another stack.
 */
const NO_VALUE = 'AWS::NoValue';

type Intrinsic = (argument: unknown, scope: Scope) => unknown;

function fail(problem: string): never {
  throw new TemplateProblem(problem);
}

const text = (value: unknown, where: string): string => {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return fail(`${where} needs text, not ${JSON.stringify(value)}`);
};

const listArgument = (argument: unknown, name: string, length: number): readonly unknown[] =>
  Array.isArray(argument) && argument.length === length
    ? argument
    : fail(`${name} needs a list of ${length}, not ${JSON.stringify(argument)}`);

function resolveList(value: unknown, scope: Scope, where: string): readonly unknown[] {
  const resolved = resolve(value, scope);
  return Array.isArray(resolved) ? resolved : fail(`${where} needs a list, not ${JSON.stringify(resolved)}`);
}

function reference(name: string, scope: Scope): unknown {
  const value = pseudoParameter(name, scope) ?? scope.parameters.get(name) ?? scope.resources.get(name)?.ref;
  return value ?? fail(`there is nothing named ${name} to refer to`);
}

function attribute(logicalId: string, name: string, scope: Scope): string {
  const resource = scope.resources.get(logicalId) ?? fail(`there is no resource ${logicalId}`);
  return resource.attributes[name] ?? fail(`the resource ${logicalId} has no attribute ${name} here`);
}

/** `[id, attribute]` or `id.attribute`. */
export const attributeParts = (argument: unknown): readonly [string, string] => {
  const [id, name] =
    typeof argument === 'string'
      ? [argument.slice(0, argument.indexOf('.')), argument.slice(argument.indexOf('.') + 1)]
      : listArgument(argument, 'Fn::GetAtt', 2);
  return typeof id === 'string' && typeof name === 'string'
    ? [id, name]
    : fail(`Fn::GetAtt needs names, not ${JSON.stringify(argument)}`);
};

/** Text and variables of Fn::Sub; `${!x}` is a literal `${x}`. */
export const subParts = (argument: unknown): readonly [string, Readonly<Record<string, unknown>>] => {
  if (typeof argument === 'string') return [argument, {}];
  const [body, variables] = listArgument(argument, 'Fn::Sub', 2);
  return typeof body === 'string' && isRecord(variables)
    ? [body, variables]
    : fail(`Fn::Sub needs text and variables, not ${JSON.stringify(argument)}`);
};

export const SUB_VARIABLE = /\$\{(!?)([^}]*)\}/g;

function substitute(argument: unknown, scope: Scope): string {
  const [body, variables] = subParts(argument);
  return body.replace(SUB_VARIABLE, (_, bang: string, inside: string) => {
    const name = inside.trim();
    if (bang === '!') return `\${${inside}}`;
    if (Object.hasOwn(variables, name)) return text(resolve(variables[name], scope), `Fn::Sub ${name}`);
    if (!name.includes('.')) return text(reference(name, scope), `Fn::Sub ${name}`);
    return attribute(...attributeParts(name), scope);
  });
}

function stackOutput(argument: unknown, scope: Scope): unknown {
  if (!isRecord(argument)) return fail('Fn::GetStackOutput needs an object');
  const unknown = Object.keys(argument).find((key) => !['StackName', 'OutputName', 'Region'].includes(key));
  if (unknown !== undefined) return fail(`Fn::GetStackOutput with ${unknown} is not implemented`);
  const region = argument['Region'] === undefined ? scope.region : resolve(argument['Region'], scope);
  if (region !== scope.region)
    return fail(`Fn::GetStackOutput names the region ${String(region)}, not ${scope.region}`);
  const [stack, output] = [resolve(argument['StackName'], scope), resolve(argument['OutputName'], scope)];
  return scope.exports.output(text(stack, 'StackName'), text(output, 'OutputName'));
}

function findInMap(argument: unknown, scope: Scope): unknown {
  const keys = listArgument(argument, 'Fn::FindInMap', 3).map((key) => text(resolve(key, scope), 'Fn::FindInMap'));
  const [map = '', top = '', second = ''] = keys;
  return scope.mappings[map]?.[top]?.[second] ?? fail(`there is no mapping ${keys.join('.')}`);
}

const INTRINSICS: Readonly<Record<string, Intrinsic>> = {
  Ref: (argument, scope) => reference(text(argument, 'Ref'), scope),
  'Fn::GetAtt': (argument, scope) => attribute(...attributeParts(argument), scope),
  'Fn::Join': (argument, scope) => {
    const [delimiter, values] = listArgument(argument, 'Fn::Join', 2);
    return resolveList(values, scope, 'Fn::Join')
      .map((value) => text(value, 'Fn::Join'))
      .join(text(delimiter, 'Fn::Join'));
  },
  'Fn::Sub': substitute,
  'Fn::Select': (argument, scope) => {
    const [index, values] = listArgument(argument, 'Fn::Select', 2);
    const chosen = resolveList(values, scope, 'Fn::Select')[Number(resolve(index, scope))];
    return chosen ?? fail(`Fn::Select has no element ${JSON.stringify(index)}`);
  },
  'Fn::Split': (argument, scope) => {
    const [delimiter, value] = listArgument(argument, 'Fn::Split', 2);
    return text(resolve(value, scope), 'Fn::Split').split(text(delimiter, 'Fn::Split'));
  },
  'Fn::ImportValue': (argument, scope) => scope.exports.imported(text(resolve(argument, scope), 'Fn::ImportValue')),
  'Fn::GetStackOutput': stackOutput,
  'Fn::FindInMap': findInMap,
  'Fn::If': (argument, scope) => resolve(chosenBranch(argument, scope), scope),
};

/** The branch of an Fn::If that its condition selects. */
export function chosenBranch(argument: unknown, scope: Pick<Scope, 'conditions'>): unknown {
  const [name, whenTrue, whenFalse] = listArgument(argument, 'Fn::If', 3);
  const condition = typeof name === 'string' ? scope.conditions.get(name) : undefined;
  if (condition === undefined) return fail(`Fn::If names the condition ${JSON.stringify(name)}, which does not exist`);
  return condition ? whenTrue : whenFalse;
}

/** The intrinsic function that a value calls; undefined for plain values. */
export function intrinsicOf(value: unknown): readonly [name: string, argument: unknown] | undefined {
  if (!isRecord(value)) return undefined;
  const entries = Object.entries(value);
  const [name, argument] = entries[0] ?? ['', undefined];
  return entries.length === 1 && (name === 'Ref' || name.startsWith('Fn::')) ? [name, argument] : undefined;
}

const isNoValue = (value: unknown): boolean => isRecord(value) && value['Ref'] === NO_VALUE;

/** A value with every intrinsic function carried out. What is `AWS::NoValue` is left out. */
export function resolve(value: unknown, scope: Scope): unknown {
  if (typeof value === 'string' && value.includes('{{resolve:'))
    return fail(`the dynamic reference ${value} is not implemented`);
  if (Array.isArray(value)) return prune(value, scope).map((item) => resolve(item, scope));
  const intrinsic = intrinsicOf(value);
  if (intrinsic !== undefined) {
    const [name, argument] = intrinsic;
    const call = Object.hasOwn(INTRINSICS, name) ? INTRINSICS[name] : undefined;
    return call === undefined ? fail(`the intrinsic function ${name} is not implemented`) : call(argument, scope);
  }
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, inner]): [string, unknown] => [key, selected(inner, scope)])
      .filter(([, inner]) => !isNoValue(inner))
      .map(([key, inner]) => [key, resolve(inner, scope)]),
  );
}

/** Follows Fn::If to what it selects, so that `AWS::NoValue` can be seen. */
export function selected(value: unknown, scope: Pick<Scope, 'conditions'>): unknown {
  const intrinsic = intrinsicOf(value);
  return intrinsic?.[0] === 'Fn::If' ? selected(chosenBranch(intrinsic[1], scope), scope) : value;
}

const prune = (values: readonly unknown[], scope: Scope): unknown[] =>
  values.map((value) => selected(value, scope)).filter((value) => !isNoValue(value));

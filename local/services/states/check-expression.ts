import { compile } from './expression.ts';

/** What an expression of one field may refer to. */
export interface ExpressionScope {
  readonly result: boolean;
  readonly errorOutput: boolean;
}

/** A node of the parser's tree, seen only as a bag of members: its shape varies by type. */
type Node = Readonly<Record<string, unknown>>;

const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Members of a node that are evaluated against something else than the input of the node itself. */
const INNER = new Set(['predicate', 'stages', 'group', 'terms', 'pattern', 'update', 'delete']);

/**
 * Parses an expression and applies the rules that Step Functions checks when a state machine is created; returns what is wrong, or undefined.
 * There is no input document: `$$`, and `$` or unqualified names at the top level, are refused (https://states-language.net/spec.html#jsonata-restrictions).
 * `$states.result` and `$states.errorOutput` are refused where they have no value
 * (https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html#transforming-reserved-variable-states).
 */
export function checkExpression(source: string, scope: ExpressionScope): string | undefined {
  try {
    return fault(compile(source).ast(), true, scope);
  } catch (error) {
    // The parser throws plain objects with a message.
    return (error as { message?: string }).message ?? 'it cannot be parsed';
  }
}

function fault(value: unknown, top: boolean, scope: ExpressionScope): string | undefined {
  if (Array.isArray(value)) {
    for (const item of value) {
      const found = fault(item, top, scope);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  if (!isNode(value)) return undefined;
  return ownFault(value, top, scope) ?? faultBelow(value, top, scope);
}

function ownFault(node: Node, top: boolean, scope: ExpressionScope): string | undefined {
  if (node['type'] === 'variable') {
    if (node['value'] === '$') return '$$ refers to an input document, which there is not';
    if (node['value'] === '' && top) return '$ at the top level refers to an input document, which there is not';
    if (node['value'] === 'eval') return '$eval is not supported; use $parse';
  }
  if ((node['type'] === 'name' || node['type'] === 'wildcard' || node['type'] === 'descendant') && top) {
    return `${String(node['value'])} at the top level refers to an input document, which there is not`;
  }
  if (node['type'] !== 'path' || !Array.isArray(node['steps'])) return undefined;
  // A path's steps are nodes.
  const [first, second] = node['steps'] as (Node | undefined)[];
  if (first?.['type'] !== 'variable' || first['value'] !== 'states') return undefined;
  if (second?.['value'] === 'result' && !scope.result) return '$states.result has no value here';
  if (second?.['value'] === 'errorOutput' && !scope.errorOutput) return '$states.errorOutput has no value here';
  return undefined;
}

function faultBelow(node: Node, top: boolean, scope: ExpressionScope): string | undefined {
  for (const [member, child] of Object.entries(node)) {
    if (member === 'steps' && Array.isArray(child)) {
      // Only the first step is evaluated against the outer input; each other one against the step before it.
      const found = fault(child[0], top, scope) ?? fault(child.slice(1), false, scope);
      if (found !== undefined) return found;
      continue;
    }
    // The names of a lambda's parameters are variables of its own.
    if (member === 'arguments' && node['type'] === 'lambda') continue;
    const found = fault(child, top && !INNER.has(member), scope);
    if (found !== undefined) return found;
  }
  return undefined;
}

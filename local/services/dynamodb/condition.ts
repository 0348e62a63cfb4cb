import { compare } from 'dynalite/db/index.js';
import {
  equalValues,
  membersOf,
  typeOf,
  valueAt,
  type AttributeValue,
  type Item,
  type Path,
} from './attribute-value.ts';

/** A condition, filter or key condition as dynalite's parser leaves it, names and values already substituted. */
export interface Expression {
  readonly type: string;
  /** Of a function. */
  readonly name?: string;
  readonly args: readonly Operand[];
}

export type Operand = Path | AttributeValue | Expression;

export const isPath = (operand: Operand): operand is Path => Array.isArray(operand);
export const isExpression = (operand: Operand): operand is Expression => !isPath(operand) && 'type' in operand;

/**
 * Whether `item` (an empty one where none exists) fulfils a condition. Own evaluation because dynalite's compares maps and lists by identity.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html
 */
export function holds(expression: Expression, item: Item): boolean {
  const nested = (operand: Operand | undefined): boolean =>
    operand !== undefined && isExpression(operand) && holds(operand, item);
  switch (expression.type) {
    case 'and':
      return expression.args.every(nested);
    case 'or':
      return expression.args.some(nested);
    case 'not':
      return !nested(expression.args[0]);
  }
  const [first, ...others] = expression.args.map((operand) => resolve(operand, item));
  return expression.type === 'function'
    ? calls(expression.name, first, others[0])
    : compares(expression.type, first, others);
}

function resolve(operand: Operand, item: Item): AttributeValue | undefined {
  if (isPath(operand)) return valueAt(item, operand);
  if (!isExpression(operand)) return operand;
  // `size` is the only function that the parser lets stand for a value.
  const of = operand.args[0];
  const size = of === undefined ? undefined : sizeOf(resolve(of, item));
  return size === undefined ? undefined : { N: String(size) };
}

function sizeOf(value: AttributeValue | undefined): number | undefined {
  if (value === undefined) return undefined;
  if ('S' in value) return value.S.length;
  if ('B' in value) return Buffer.byteLength(value.B, 'base64');
  if ('L' in value) return value.L.length;
  if ('M' in value) return Object.keys(value.M).length;
  return membersOf(value)?.length;
}

function compares(
  operator: string,
  left: AttributeValue | undefined,
  others: readonly (AttributeValue | undefined)[],
): boolean {
  const [right, upper] = others;
  const equal = (other: AttributeValue | undefined): boolean =>
    left !== undefined && other !== undefined && equalValues(left, other);
  switch (operator) {
    case '=':
      return equal(right);
    case '<>':
      return !equal(right);
    case 'in':
      return others.some(equal);
    case 'between':
      return ordered('>=', left, right) && ordered('<=', left, upper);
    default:
      return ordered(operator, left, right);
  }
}

/** Order within numbers, strings (by their UTF-8 bytes) and binaries; anything else is not in order. */
function ordered(operator: string, left: AttributeValue | undefined, right: AttributeValue | undefined): boolean {
  if (left === undefined || right === undefined) return false;
  if ('N' in left && 'N' in right) return compare(operator, left, [right]);
  const order =
    'S' in left && 'S' in right
      ? Buffer.compare(Buffer.from(left.S), Buffer.from(right.S))
      : 'B' in left && 'B' in right
        ? Buffer.compare(Buffer.from(left.B, 'base64'), Buffer.from(right.B, 'base64'))
        : undefined;
  if (order === undefined) return false;
  switch (operator) {
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    case '>=':
      return order >= 0;
    default:
      throw new Error(`The expression parser produced an operator that is not known here: ${operator}.`);
  }
}

function calls(
  name: string | undefined,
  value: AttributeValue | undefined,
  argument: AttributeValue | undefined,
): boolean {
  switch (name) {
    case 'attribute_exists':
      return value !== undefined;
    case 'attribute_not_exists':
      return value === undefined;
    case 'attribute_type':
      return value !== undefined && argument !== undefined && 'S' in argument && typeOf(value) === argument.S;
    case 'begins_with':
      return value !== undefined && argument !== undefined && beginsWith(value, argument);
    case 'contains':
      return value !== undefined && argument !== undefined && contains(value, argument);
    default:
      throw new Error(`The expression parser produced a function that is not known here: ${name}.`);
  }
}

function beginsWith(value: AttributeValue, start: AttributeValue): boolean {
  if ('S' in value && 'S' in start) return value.S.startsWith(start.S);
  if (!('B' in value && 'B' in start)) return false;
  const bytes = Buffer.from(start.B, 'base64');
  return Buffer.from(value.B, 'base64').subarray(0, bytes.length).equals(bytes);
}

function contains(value: AttributeValue, part: AttributeValue): boolean {
  if ('L' in value) return value.L.some((member) => equalValues(member, part));
  if ('S' in part) return 'S' in value ? value.S.includes(part.S) : 'SS' in value && value.SS.includes(part.S);
  if ('N' in part) return 'NS' in value && value.NS.includes(part.N);
  if (!('B' in part)) return false;
  return 'B' in value
    ? Buffer.from(value.B, 'base64').includes(Buffer.from(part.B, 'base64'))
    : 'BS' in value && value.BS.includes(part.B);
}

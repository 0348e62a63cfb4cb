import { validateAttributeValue } from 'dynalite/validations/index.js';
import { membersOf, typeOf, valueAt, type AttributeValue, type Item, type Path } from './attribute-value.ts';
import { isExpression, isPath, type Expression, type Operand } from './condition.ts';
import { addDecimals, negateDecimal } from './decimal.ts';
import { invalid } from './errors.ts';

/** One action of an update expression as dynalite's parser leaves it. */
export interface UpdateAction {
  readonly type: 'set' | 'remove' | 'add' | 'delete';
  readonly path: Path;
  /** Of every type but `remove`. */
  readonly val?: Operand;
}

type Mutable = Record<string, AttributeValue>;
/** A hole marks a removed element, so that indexes keep their meaning until the end. */
type MutableList = (AttributeValue | undefined)[];

const WRONG_TYPE = 'An operand in the update expression has an incorrect data type';
const NO_SUCH_ATTRIBUTE = 'The provided expression refers to an attribute that does not exist in the item';
const NO_SUCH_PATH = 'The document path provided in the update expression is invalid for update';

/**
 * The item after an update expression. Every operand is read from the item as it was before, and list indexes are those of that item.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.UpdateExpressions.html
 */
export function updated(item: Item, actions: readonly UpdateAction[]): Item {
  const outcomes = actions.map((action) => outcomeOf(action, item));
  const next: Mutable = structuredClone(item);
  const touched = new Set<MutableList>();
  actions.forEach((action, index) => {
    place(next, action.path, structuredClone(outcomes[index]), touched);
  });
  for (const list of touched) {
    // Elements past the end are appended in the order of their index; what was removed closes up.
    const kept = Object.values(list).filter((member) => member !== undefined);
    list.splice(0, list.length, ...kept);
  }
  return next;
}

/** The value that an action leaves at its path; undefined removes it. */
function outcomeOf(action: UpdateAction, item: Item): AttributeValue | undefined {
  if (action.type === 'remove' || action.val === undefined) return undefined;
  const operand = evaluate(action.val, item);
  if (action.type === 'set') return operand;
  const current = valueAt(item, action.path);
  if (current !== undefined && typeOf(current) !== typeOf(operand)) throw invalid(WRONG_TYPE);
  if (action.type === 'delete') return current === undefined ? undefined : withoutMembers(current, operand);
  if ('N' in operand) return sum(current ?? { N: '0' }, operand);
  return withMembers(current, operand);
}

function evaluate(operand: Operand, item: Item): AttributeValue {
  if (!isPath(operand) && !isExpression(operand)) return operand;
  const value = isPath(operand) ? valueAt(item, operand) : call(operand, item);
  if (value === undefined) throw invalid(NO_SUCH_ATTRIBUTE);
  return value;
}

function call(expression: Expression, item: Item): AttributeValue {
  const [first, second] = expression.args;
  if (first === undefined || second === undefined)
    throw new Error('An update function without two operands passed the parser.');
  if (expression.name === 'if_not_exists') {
    return (isPath(first) ? valueAt(item, first) : undefined) ?? evaluate(second, item);
  }
  const left = evaluate(first, item);
  const right = evaluate(second, item);
  if (expression.name === 'list_append') {
    if (!('L' in left && 'L' in right)) throw invalid(WRONG_TYPE);
    return { L: [...left.L, ...right.L] };
  }
  if (!('N' in left && 'N' in right)) throw invalid(WRONG_TYPE);
  return sum(left, expression.type === 'subtract' ? { N: negateDecimal(right.N) } : right);
}

function sum(left: AttributeValue, right: AttributeValue): AttributeValue {
  if (!('N' in left && 'N' in right)) throw invalid(WRONG_TYPE);
  const result = { N: addDecimals(left.N, right.N) };
  const problem = validateAttributeValue(result);
  if (problem !== undefined) throw invalid(problem);
  return result;
}

function withMembers(current: AttributeValue | undefined, added: AttributeValue): AttributeValue {
  const members = [...new Set([...((current && membersOf(current)) ?? []), ...(membersOf(added) ?? [])])];
  return ofSameType(added, members);
}

function withoutMembers(current: AttributeValue, removed: AttributeValue): AttributeValue | undefined {
  const gone = new Set(membersOf(removed));
  const left = (membersOf(current) ?? []).filter((member) => !gone.has(member));
  return left.length === 0 ? undefined : ofSameType(current, left);
}

// The type name of a set with members of a set is a set of that type.
const ofSameType = (set: AttributeValue, members: readonly string[]): AttributeValue =>
  ({ [typeOf(set)]: members }) as AttributeValue;

function place(item: Mutable, path: Path, value: AttributeValue | undefined, touched: Set<MutableList>): void {
  const parent = valueAt(item, path.slice(0, -1));
  const last = path.at(-1);
  // `item` is a private copy, so its maps and lists may be written although their type is read-only.
  if (parent !== undefined && 'M' in parent && typeof last === 'string') {
    const map = parent.M as Mutable;
    if (value === undefined) delete map[last];
    else map[last] = value;
  } else if (parent !== undefined && 'L' in parent && typeof last === 'number') {
    const list = parent.L as MutableList;
    if (value !== undefined || last < list.length) list[last] = value;
    touched.add(list);
  } else throw invalid(NO_SUCH_PATH);
}

import { notImplemented, ServiceError } from '../../service.ts';

/** Whether an event matches. */
export type EventMatcher = (event: unknown) => boolean;

type Scalar = string | number | boolean | null;
type ValueMatcher = (value: Scalar | undefined) => boolean;

/**
 * Compiles an event pattern: nested objects down to lists of alternatives, each a value or one of the content filters exists,
 * prefix, anything-but and numeric. Others are refused by name. The same patterns filter stream records.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
 * https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html
 */
export function compilePattern(pattern: unknown): EventMatcher {
  if (!isObject(pattern) || Object.keys(pattern).length === 0)
    throw invalid('Event pattern is not a JSON object with at least one field.');
  return compileObject(pattern);
}

function compileObject(pattern: Readonly<Record<string, unknown>>): EventMatcher {
  const fields = Object.entries(pattern).map(([name, wanted]) => [name, compileField(name, wanted)] as const);
  return (event) => isObject(event) && fields.every(([name, matches]) => matches(event[name]));
}

function compileField(name: string, wanted: unknown): (value: unknown) => boolean {
  if (name === '$or') throw notImplemented('the event pattern operator $or');
  if (Array.isArray(wanted)) {
    if (wanted.length === 0) throw invalid(`Empty arrays are not allowed (${name}).`);
    const alternatives = wanted.map(compileAlternative);
    return (value) => scalarsOf(value).some((scalar) => alternatives.some((matches) => matches(scalar)));
  }
  if (!isObject(wanted)) throw invalid(`"${name}" must be an object or an array.`);
  const matches = compileObject(wanted);
  // A field that is absent can still satisfy { "exists": false } further down; a list of objects matches by any of them.
  return (value) => (Array.isArray(value) ? value.some(matches) : matches(isObject(value) ? value : {}));
}

/** What a list of alternatives is compared with. Objects have no value of their own: only leaves exist. */
function scalarsOf(value: unknown): readonly (Scalar | undefined)[] {
  if (Array.isArray(value)) return value.filter(isScalar);
  return [isScalar(value) ? value : undefined];
}

function compileAlternative(alternative: unknown): ValueMatcher {
  if (isScalar(alternative)) return (value) => value === alternative;
  if (!isObject(alternative) || Object.keys(alternative).length !== 1)
    throw invalid('An alternative is a value or an object with exactly one operator.');
  const [[operator, operand] = ['', undefined]] = Object.entries(alternative);
  switch (operator) {
    case 'exists':
      if (typeof operand !== 'boolean') throw invalid('exists takes true or false.');
      return (value) => (value !== undefined) === operand;
    case 'prefix':
      return compilePrefix(operand);
    case 'anything-but':
      return compileAnythingBut(operand);
    case 'numeric':
      return compileNumeric(operand);
    default:
      throw notImplemented(`the event pattern operator ${operator}`);
  }
}

function compilePrefix(operand: unknown): ValueMatcher {
  if (typeof operand !== 'string') throw notImplemented('a prefix that is not a text');
  return (value) => typeof value === 'string' && value.startsWith(operand);
}

function compileAnythingBut(operand: unknown): ValueMatcher {
  if (isObject(operand)) {
    if (Object.keys(operand).join() !== 'prefix')
      throw notImplemented('anything-but with another operator than prefix');
    const excluded = compilePrefix(operand['prefix']);
    return (value) => value !== undefined && !excluded(value);
  }
  const excluded: readonly unknown[] = Array.isArray(operand) ? operand : [operand];
  const comparable = excluded.filter((value) => typeof value === 'string' || typeof value === 'number');
  if (excluded.length === 0 || comparable.length < excluded.length)
    throw invalid('anything-but takes texts or numbers.');
  return (value) => value !== undefined && !excluded.includes(value);
}

const COMPARISONS: Readonly<Record<string, (value: number, bound: number) => boolean>> = {
  '<': (value, bound) => value < bound,
  '<=': (value, bound) => value <= bound,
  '=': (value, bound) => value === bound,
  '>=': (value, bound) => value >= bound,
  '>': (value, bound) => value > bound,
};

function compileNumeric(operand: unknown): ValueMatcher {
  if (!Array.isArray(operand) || ![2, 4].includes(operand.length))
    throw invalid('numeric takes one or two comparisons.');
  const tests = Array.from({ length: operand.length / 2 }, (_, index) => {
    const compare = COMPARISONS[String(operand[index * 2])];
    const bound: unknown = operand[index * 2 + 1];
    if (compare === undefined || typeof bound !== 'number') throw invalid('numeric takes comparisons of numbers.');
    return (value: number) => compare(value, bound);
  });
  return (value) => typeof value === 'number' && tests.every((test) => test(value));
}

const invalid = (because: string): ServiceError =>
  new ServiceError('InvalidEventPatternException', `Event pattern is not valid. Reason: ${because}`);

const isScalar = (value: unknown): value is Scalar =>
  value === null || ['string', 'number', 'boolean'].includes(typeof value);

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

import { isIPv4 } from 'node:net';
import { notImplemented } from '../service.ts';
import { inRange, type RequestContext } from './request-context.ts';
import { substitute } from './variables.ts';
import { matchesArn, matchesWildcard, plain } from './wildcard.ts';

/**
 * Condition operators. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
 */
type Comparison = (expected: string, actual: string) => boolean;

interface Base {
  readonly compare: Comparison;
  /** `NotEquals` and its kin: true when no value matches, and when the key is absent. */
  readonly negated: boolean;
  /** Whether policy variables are filled in the expected value. */
  readonly variables: boolean;
  /** Whether a value written in a policy can be compared at all. */
  readonly valid: (expected: string) => boolean;
}

const anything = (): boolean => true;
const isNumber = (text: string): boolean => text.trim() !== '' && Number.isFinite(Number(text));
const isBoolean = (text: string): boolean => /^(true|false)$/i.test(text);
const ISO = /^\d{4}(-\d{2}(-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2}))?)?)?$/;

/** Milliseconds since the epoch, of an ISO 8601 instant or of seconds since the epoch. */
const instant = (text: string): number => (/^\d{5,}(\.\d+)?$/.test(text) ? Number(text) * 1000 : Date.parse(text));
const isInstant = (text: string): boolean =>
  (/^\d{5,}(\.\d+)?$/.test(text) || ISO.test(text)) && Number.isFinite(instant(text));
const isRange = (text: string): boolean => {
  const [base = '', bits = '32', ...rest] = text.split('/');
  return isIPv4(base) && /^\d{1,2}$/.test(bits) && Number(bits) <= 32 && rest.length === 0;
};

const text = (compare: Comparison, negated = false): Base => ({ compare, negated, variables: true, valid: anything });
const typed = (compare: Comparison, valid: (expected: string) => boolean, negated = false): Base => ({
  compare,
  negated,
  variables: false,
  valid,
});
const numeric = (compare: (expected: number, actual: number) => boolean, negated = false): Base =>
  typed((expected, actual) => isNumber(actual) && compare(Number(expected), Number(actual)), isNumber, negated);
const date = (compare: (expected: number, actual: number) => boolean, negated = false): Base =>
  typed((expected, actual) => isInstant(actual) && compare(instant(expected), instant(actual)), isInstant, negated);

const equal: Comparison = (expected, actual) => plain(expected) === actual;
const equalIgnoringCase: Comparison = (expected, actual) => plain(expected).toLowerCase() === actual.toLowerCase();
const same = (expected: number, actual: number): boolean => expected === actual;

const BASES: Readonly<Record<string, Base>> = {
  StringEquals: text(equal),
  StringNotEquals: text(equal, true),
  StringEqualsIgnoreCase: text(equalIgnoringCase),
  StringNotEqualsIgnoreCase: text(equalIgnoringCase, true),
  StringLike: text(matchesWildcard),
  StringNotLike: text(matchesWildcard, true),
  // ArnEquals and ArnLike behave identically.
  ArnEquals: text(matchesArn),
  ArnLike: text(matchesArn),
  ArnNotEquals: text(matchesArn, true),
  ArnNotLike: text(matchesArn, true),
  Bool: typed((expected, actual) => expected.toLowerCase() === actual.toLowerCase(), isBoolean),
  NumericEquals: numeric(same),
  NumericNotEquals: numeric(same, true),
  NumericLessThan: numeric((expected, actual) => actual < expected),
  NumericLessThanEquals: numeric((expected, actual) => actual <= expected),
  NumericGreaterThan: numeric((expected, actual) => actual > expected),
  NumericGreaterThanEquals: numeric((expected, actual) => actual >= expected),
  DateEquals: date(same),
  DateNotEquals: date(same, true),
  DateLessThan: date((expected, actual) => actual < expected),
  DateLessThanEquals: date((expected, actual) => actual <= expected),
  DateGreaterThan: date((expected, actual) => actual > expected),
  DateGreaterThanEquals: date((expected, actual) => actual >= expected),
  IpAddress: typed(inRange, isRange),
  NotIpAddress: typed(inRange, isRange, true),
};

interface Operator {
  readonly set: 'ForAllValues' | 'ForAnyValue' | undefined;
  readonly base: Base | 'Null';
  readonly ifExists: boolean;
}

function parseOperator(name: string): Operator | undefined {
  const parts = /^(?:(ForAllValues|ForAnyValue):)?([A-Za-z]+?)(IfExists)?$/.exec(name);
  if (parts === null) return undefined;
  const ifExists = parts[3] !== undefined;
  // The expression admits only these two, or nothing.
  const set = parts[1] as Operator['set'];
  if (parts[2] === 'Null') return ifExists || set !== undefined ? undefined : { set, base: 'Null', ifExists };
  const base = Object.hasOwn(BASES, parts[2] ?? '') ? BASES[parts[2] ?? ''] : undefined;
  return base === undefined ? undefined : { set, base, ifExists };
}

/** Why a condition cannot be evaluated; undefined when it can. */
export function conditionProblem(name: string, expected: readonly string[]): string | undefined {
  const operator = parseOperator(name);
  if (operator === undefined) return `the condition operator ${name} is not known`;
  const valid = operator.base === 'Null' ? isBoolean : operator.base.valid;
  const wrong = expected.find((value) => !valid(value));
  return wrong === undefined ? undefined : `${name} cannot compare with ${JSON.stringify(wrong)}`;
}

/** Whether one line of a Condition block (operator, key, values) is met. The operator must have passed {@link conditionProblem}. */
export function conditionMet(name: string, key: string, expected: readonly string[], context: RequestContext): boolean {
  const operator = parseOperator(name);
  if (operator === undefined) throw notImplemented(`the condition operator ${name}`);
  const actual = context.values(key);
  const { base, set } = operator;
  if (base === 'Null') return expected.some((value) => (value.toLowerCase() === 'true') === (actual === undefined));
  if (actual === undefined) return operator.ifExists || set === 'ForAllValues' || (base.negated && set === undefined);
  if (set === undefined && actual.length > 1)
    throw notImplemented(`${name} on ${key}, which has several values here: use ForAllValues or ForAnyValue`);

  const matches = (value: string): boolean => {
    const found = expected.some((pattern) => {
      const filled = base.variables ? substitute(pattern, (variable) => context.single(variable)) : pattern;
      return filled !== undefined && base.compare(filled, value);
    });
    return found !== base.negated;
  };
  return set === 'ForAnyValue' ? actual.some(matches) : actual.every(matches);
}

import { performance } from 'node:perf_hooks';
import { createContext, Script } from 'node:vm';
import jsonata from 'jsonata';
import type { Json } from './definition.ts';
import { stepFunctionsLibrary } from './expression-library.ts';

/**
 * JSONata as Step Functions runs it: version 2.0.6 without `$eval`, with the functions that the service adds, and no input document.
 * https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html
 */

/** Real milliseconds after which an expression is given up; the service's own limit is not documented. */
const DEADLINE = 1000;
/** Nested evaluations after which an expression is given up. One call of a user-defined function nests three or four. */
const DEPTH = 2000;

/** The content of a `{% %}` string; undefined for any other string. No blanks may stand outside the delimiters. */
export const expressionIn = (text: string): string | undefined =>
  text.startsWith('{%') && text.endsWith('%}') && text.length >= 4 ? text.slice(2, -2).trim() : undefined;

const SLOW_MATCH = new Script('result = match()');

/** A regular expression whose backtracking ends with the deadline: the evaluator's own hooks cannot interrupt one. */
class BoundedRegExp extends RegExp {
  override exec(text: string): RegExpExecArray | null {
    const sandbox = createContext({ match: () => super.exec(text), result: null });
    SLOW_MATCH.runInContext(sandbox, { timeout: DEADLINE });
    // The script stored what `match` returned, which is this type.
    return sandbox['result'] as RegExpExecArray | null;
  }
}

/** Parses an expression. Throws what the parser throws, with `message` filled in. */
export function compile(source: string): jsonata.Expression {
  // The library's type asks for an instance although it calls the constructor, as its documentation says.
  return jsonata(source, { RegexEngine: BoundedRegExp as unknown as RegExp });
}

export interface Moment {
  /** Virtual time in milliseconds since the epoch: the value of `$millis()`. */
  readonly now: number;
}

/**
 * Evaluates an expression with variables (names without `$`). Resolves to undefined when it returns nothing.
 * Throws an `Error` with a `code` of JSONata, or a plain one when it runs too long or returns what JSON cannot hold.
 */
export async function evaluateExpression(
  source: string,
  variables: Readonly<Record<string, unknown>>,
  moment: Moment,
): Promise<Json | undefined> {
  const expression = compile(source);
  limit(expression, moment);
  expression.assign('eval', undefined);
  for (const [name, [implementation, signature]] of Object.entries(stepFunctionsLibrary(moment))) {
    expression.registerFunction(name, implementation, signature);
  }
  const result: unknown = await expression.evaluate(undefined, { ...variables });
  return result === undefined ? undefined : asJson(result);
}

/** Counts depth and time at each node; stops tail calls as well, which nest nothing. */
function limit(expression: jsonata.Expression, moment: Moment): void {
  const until = performance.now() + DEADLINE;
  const today = new Date(moment.now);
  let depth = 0;
  const enter = (_node: unknown, _input: unknown, environment: { timestamp: Date }): void => {
    // What a date picture leaves out is taken from this.
    environment.timestamp = today;
    depth += 1;
    if (depth > DEPTH)
      throw new Error(`Expression evaluation nested more than ${DEPTH} levels: check for infinite recursion`);
    if (performance.now() > until) {
      throw new Error(`Expression evaluation took more than ${DEADLINE} ms: check for infinite recursion`);
    }
  };
  const leave = (): void => {
    depth -= 1;
  };
  // Symbols are what the evaluator looks up; the type of `assign` only knows names.
  const bind = expression.assign as unknown as (name: symbol, value: unknown) => void;
  bind(Symbol.for('jsonata.__evaluate_entry'), enter);
  bind(Symbol.for('jsonata.__evaluate_exit'), leave);
}

/** A plain copy: sequences become arrays, and functions are refused. */
function asJson(value: unknown): Json {
  const text = JSON.stringify(value, (_key, inner: unknown) => {
    const marked = inner as { _jsonata_lambda?: boolean; _jsonata_function?: boolean } | null;
    if (typeof inner === 'function' || marked?._jsonata_lambda === true || marked?._jsonata_function === true) {
      throw new Error('returned a function, which JSON cannot represent');
    }
    return inner;
  });
  return JSON.parse(text) as Json;
}

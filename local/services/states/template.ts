import type { Json } from './definition.ts';
import { evaluateExpression, expressionIn, type Moment } from './expression.ts';
import { EvaluationError } from './state-error.ts';

/** What the expressions of a state see: `states` and the state machine's variables, by name without `$`. */
export type Variables = Readonly<Record<string, unknown>>;

/** Evaluates every `{% %}` string in `template`, however deeply nested. Throws {@link EvaluationError} naming the field. */
export async function evaluateTemplate(
  template: Json,
  field: string,
  variables: Variables,
  moment: Moment,
): Promise<Json> {
  if (typeof template === 'string') return evaluateString(template, field, variables, moment);
  if (Array.isArray(template)) {
    const items: Json[] = [];
    for (const [index, item] of (template as readonly Json[]).entries()) {
      items.push(await evaluateTemplate(item, `${field}[${index}]`, variables, moment));
    }
    return items;
  }
  if (typeof template !== 'object' || template === null) return template;
  const members: [string, Json][] = [];
  for (const [name, value] of Object.entries(template)) {
    members.push([name, await evaluateTemplate(value, `${field}/${name}`, variables, moment)]);
  }
  return Object.fromEntries(members);
}

async function evaluateString(text: string, field: string, variables: Variables, moment: Moment): Promise<Json> {
  const source = expressionIn(text);
  if (source === undefined) return text;
  let result: Json | undefined;
  try {
    result = await evaluateExpression(source, variables, moment);
  } catch (error) {
    // JSONata throws plain objects as well as errors.
    const { code, message } = error as { code?: unknown; message?: string };
    const reason = `${typeof code === 'string' ? `${code}: ` : ''}${message ?? 'unknown'}`;
    throw new EvaluationError(field, `${about(source, field)} threw an error during evaluation. ${reason}`);
  }
  if (result === undefined) throw new EvaluationError(field, `${about(source, field)} returned nothing (undefined).`);
  return result;
}

const about = (source: string, field: string): string =>
  `The JSONata expression '${source}' specified for the field '${field}'`;

/** A value of a field that takes one type only. Throws {@link EvaluationError} when `accepts` does not hold. */
export async function evaluateTyped<T extends Json>(
  template: Json,
  field: string,
  expected: string,
  accepts: (value: Json) => value is T,
  variables: Variables,
  moment: Moment,
): Promise<T> {
  const value = await evaluateTemplate(template, field, variables, moment);
  if (accepts(value)) return value;
  const source = typeof template === 'string' ? (expressionIn(template) ?? template) : JSON.stringify(template);
  throw new EvaluationError(
    field,
    `${about(source, field)} returned an unexpected result. Expected ${expected}, but was: ${JSON.stringify(value)}`,
  );
}

import { intrinsicOf, resolve } from './intrinsics.ts';
import { isRecord, TemplateProblem } from './problem.ts';
import type { Scope } from './scope.ts';

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference-conditions.html */
class Conditions {
  #definitions: Readonly<Record<string, unknown>>;
  #scope: Scope;
  #values = new Map<string, boolean>();
  #open = new Set<string>();

  constructor(definitions: Readonly<Record<string, unknown>>, scope: Scope) {
    this.#definitions = definitions;
    this.#scope = scope;
  }

  all(): ReadonlyMap<string, boolean> {
    for (const name of Object.keys(this.#definitions)) this.#named(name);
    return this.#values;
  }

  #named(name: string): boolean {
    const known = this.#values.get(name);
    if (known !== undefined) return known;
    if (!Object.hasOwn(this.#definitions, name)) throw new TemplateProblem(`there is no condition ${name}`);
    if (this.#open.has(name)) throw new TemplateProblem(`the condition ${name} depends on itself`);
    this.#open.add(name);
    const value = this.#evaluate(this.#definitions[name]);
    this.#values.set(name, value);
    return value;
  }

  #evaluate(expression: unknown): boolean {
    if (isRecord(expression) && typeof expression['Condition'] === 'string')
      return this.#named(expression['Condition']);
    const [name, argument] = intrinsicOf(expression) ?? ['', undefined];
    const operands: readonly unknown[] = Array.isArray(argument) ? argument : [];
    const evaluate = (operand: unknown): boolean => this.#evaluate(operand);
    if (name === 'Fn::And') return operands.every(evaluate);
    if (name === 'Fn::Or') return operands.some(evaluate);
    if (name === 'Fn::Not' && operands.length === 1) return !evaluate(operands[0]);
    if (name === 'Fn::Equals' && operands.length === 2) {
      const [left, right] = operands.map((operand) => JSON.stringify(resolve(operand, this.#scope)));
      return left === right;
    }
    throw new TemplateProblem(`the condition ${JSON.stringify(expression)} is not implemented`);
  }
}

/** Values of a template's conditions. They can refer to parameters and mappings only. */
export const evaluateConditions = (
  definitions: Readonly<Record<string, unknown>>,
  scope: Scope,
): ReadonlyMap<string, boolean> => new Conditions(definitions, scope).all();

import { isRecord, TemplateProblem } from './problem.ts';

/** Put there by the CDK for its own deployments; nothing on a laptop is bootstrapped. */
export const BOOTSTRAP_VERSION = 'BootstrapVersion';

const TEXT_TYPES = ['String', 'Number'];
const LIST_TYPES = ['CommaDelimitedList', 'List<Number>', 'List<String>'];

function check(name: string, value: string, definition: Readonly<Record<string, unknown>>): void {
  const refuse = (because: string): never => {
    throw new TemplateProblem(`the parameter ${name} has a value that ${because}`);
  };
  const { AllowedValues: allowed, AllowedPattern: pattern, MinLength: shortest, MaxLength: longest } = definition;
  if (Array.isArray(allowed) && !allowed.map(String).includes(value)) refuse(`is none of ${allowed.join(', ')}`);
  if (typeof pattern === 'string' && !new RegExp(`^(?:${pattern})$`).test(value)) refuse(`does not match ${pattern}`);
  if (shortest !== undefined && value.length < Number(shortest)) refuse(`is shorter than ${Number(shortest)}`);
  if (longest !== undefined && value.length > Number(longest)) refuse(`is longer than ${Number(longest)}`);
  if (definition['Type'] !== 'Number') return;
  const { MinValue: least, MaxValue: most } = definition;
  if (value.trim() === '' || !Number.isFinite(Number(value))) refuse('is not a number');
  if (least !== undefined && Number(value) < Number(least)) refuse(`is less than ${Number(least)}`);
  if (most !== undefined && Number(value) > Number(most)) refuse(`is more than ${Number(most)}`);
}

/**
 * Values of a template's parameters: what was given, else the default.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html
 */
export function parameterValues(
  definitions: Readonly<Record<string, unknown>>,
  given: Readonly<Record<string, string>>,
): ReadonlyMap<string, string | readonly string[]> {
  const values = new Map<string, string | readonly string[]>();
  for (const [name, definition] of Object.entries(definitions)) {
    if (name === BOOTSTRAP_VERSION) continue;
    if (!isRecord(definition)) throw new TemplateProblem(`the parameter ${name} is malformed`);
    const type = String(definition['Type']);
    if (!TEXT_TYPES.includes(type) && !LIST_TYPES.includes(type))
      throw new TemplateProblem(`the parameter ${name} has the type ${type}, which is not implemented`);
    const value = given[name] ?? definition['Default'];
    if (value === undefined) throw new TemplateProblem(`the parameter ${name} has no value and no default: give one`);
    check(name, String(value), definition);
    values.set(
      name,
      LIST_TYPES.includes(type)
        ? String(value)
            .split(',')
            .map((item) => item.trim())
        : String(value),
    );
  }
  return values;
}

import type { PolicyDocument, Statement } from '../../iam/policy.ts';
import { ServiceError } from '../../service.ts';
import { DurableJson } from '../durable-json.ts';
import type { FunctionConfiguration } from './function-configuration.ts';
import type { InstancePool } from './instance-pool.ts';

export interface RegisteredFunction {
  readonly configuration: FunctionConfiguration;
  readonly pool: InstancePool;
  /** Element 0: milliseconds by which this function's clock is off the runtime's. */
  readonly skew: Float64Array;
  readonly versions: Set<string>;
  /** Alias name to version. */
  readonly aliases: Map<string, string>;
  /** Statements by qualifier; the empty qualifier is the plain function. */
  readonly statements: Map<string, Statement[]>;
}

/** What an ARN or name means: a function, and the version that runs. */
export interface FunctionTarget {
  readonly function: RegisteredFunction;
  readonly version: string;
  /** As asked for: empty, a version or an alias. */
  readonly qualifier: string;
  /** The ARN with its qualifier, where it has one. */
  readonly arn: string;
}

const REFERENCE =
  /^(?:arn:aws:lambda:[a-z0-9-]+:\d{12}:function:)?([A-Za-z0-9_-]{1,64})(?::(\$LATEST|[A-Za-z0-9_-]+))?$/;

/** The functions of the template with their versions, aliases and resource policies. */
export class FunctionRegistry {
  readonly #functions = new Map<string, RegisteredFunction>();
  /** Version numbers by function and logical id: the same resource keeps its number over restarts, a new one gets the next. */
  readonly #numbers: DurableJson<Record<string, Record<string, number>>>;

  constructor(dataDirectory: string | undefined) {
    this.#numbers = new DurableJson(dataDirectory, 'lambda-versions.json', {});
  }

  add(registered: RegisteredFunction): void {
    this.#functions.set(registered.configuration.name, registered);
  }

  all(): IterableIterator<RegisteredFunction> {
    return this.#functions.values();
  }

  /** @param reference a function name or ARN, plain or qualified. Throws `ResourceNotFoundException`. */
  find(reference: string): FunctionTarget {
    const found = this.lookup(reference);
    if (found === undefined)
      throw new ServiceError('ResourceNotFoundException', `Function not found: ${reference}`, 404);
    return found;
  }

  /** As {@link find}; undefined for what does not exist. */
  lookup(reference: string): FunctionTarget | undefined {
    const [, name = '', qualifier = ''] = REFERENCE.exec(reference) ?? [];
    const found = this.#functions.get(name);
    const version = found && versionOf(found, qualifier);
    const plain = found?.configuration.arn ?? '';
    const arn = qualifier === '' ? plain : `${plain}:${qualifier}`;
    if (found === undefined || version === undefined || (reference.startsWith('arn:') && reference !== arn))
      return undefined;
    return { function: found, version, qualifier, arn };
  }

  /** Publishes what the template calls `logicalId`; returns the version's number. */
  publish(reference: string, logicalId: string): { version: string; arn: string } {
    const target = this.find(reference).function;
    const { name, arn } = target.configuration;
    const numbers = (this.#numbers.value[name] ??= {});
    const number = (numbers[logicalId] ??= Math.max(0, ...Object.values(numbers)) + 1);
    this.#numbers.save();
    target.versions.add(String(number));
    return { version: String(number), arn: `${arn}:${number}` };
  }

  /**
   * The policy that applies to exactly this function, version or alias: a permission on one is none on another.
   * https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html
   */
  policyOf(target: FunctionTarget): PolicyDocument {
    return { Version: '2012-10-17', Statement: target.function.statements.get(target.qualifier) ?? [] };
  }
}

function versionOf(found: RegisteredFunction, qualifier: string): string | undefined {
  if (qualifier === '' || qualifier === '$LATEST') return '$LATEST';
  return found.versions.has(qualifier) ? qualifier : found.aliases.get(qualifier);
}

import type { PolicyDocument, Statement } from '../../iam/policy.ts';
import { ServiceError } from '../../service.ts';
import type { FunctionConfiguration } from './function-configuration.ts';
import { FunctionVersions } from './function-versions.ts';
import type { InstancePool } from './instance-pool.ts';

export interface RegisteredFunction {
  /** Of `$LATEST`: what the templates say now. */
  configuration: FunctionConfiguration;
  readonly pool: InstancePool;
  /** Element 0: milliseconds by which this function's clock is off the runtime's. */
  readonly skew: Float64Array;
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
  readonly versions: FunctionVersions;

  constructor(dataDirectory: string | undefined) {
    this.versions = new FunctionVersions(dataDirectory);
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
    const version = found && this.#versionOf(found, qualifier);
    const plain = found?.configuration.arn ?? '';
    const arn = qualifier === '' ? plain : `${plain}:${qualifier}`;
    if (found === undefined || version === undefined || (reference.startsWith('arn:') && reference !== arn))
      return undefined;
    return { function: found, version, qualifier, arn };
  }

  /** What an instance of a version runs. */
  configurationOf({ configuration }: RegisteredFunction, version: string): FunctionConfiguration {
    return this.versions.find(configuration.name, version) ?? configuration;
  }

  /** Takes a function away, with every version of it. Returns what was there. */
  remove(name: string): RegisteredFunction | undefined {
    const found = this.#functions.get(name);
    this.#functions.delete(name);
    return found;
  }

  /**
   * The policy that applies to exactly this function, version or alias: a permission on one is none on another.
   * https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html
   */
  policyOf(target: FunctionTarget): PolicyDocument {
    return { Version: '2012-10-17', Statement: target.function.statements.get(target.qualifier) ?? [] };
  }

  #versionOf({ configuration, aliases }: RegisteredFunction, qualifier: string): string | undefined {
    if (qualifier === '' || qualifier === '$LATEST') return '$LATEST';
    return this.versions.find(configuration.name, qualifier) === undefined ? aliases.get(qualifier) : qualifier;
  }
}

import { checkTypes, checkValidations } from 'dynalite/validations/index.js';
import { notImplemented, ServiceError } from '../../service.ts';
import type { Item, Path } from './attribute-value.ts';
import type { Expression } from './condition.ts';
import { invalid } from './errors.ts';
import { LARGEST_ITEM } from './item-size.ts';
import type { UpdateAction } from './update.ts';

/** A parsed condition or filter. */
export interface Condition {
  readonly expression: Expression;
  /** Names of the attributes it speaks of. */
  readonly pathHeads: Readonly<Record<string, true>>;
  readonly nestedPaths: Readonly<Record<string, true>>;
}

export interface Projection {
  readonly paths: readonly Path[];
  readonly nestedPaths: Readonly<Record<string, true>>;
}

export interface Update {
  readonly sections: readonly UpdateAction[];
  readonly paths: readonly Path[];
  readonly nestedPaths: Readonly<Record<string, true>>;
}

/** Parameters of every operation on one table after validation; expressions as dynalite's parsers leave them. */
export interface Parameters {
  readonly TableName: string;
  readonly Key?: Item;
  readonly Item?: Item;
  readonly _condition?: Condition;
  readonly _filter?: Condition;
  readonly _projection?: Projection;
  readonly _updates?: Update;
}

/** One of dynalite's validation modules. */
export interface Rules {
  readonly types: object;
  readonly custom?: unknown;
}

/** An expression may have 4 KB. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html */
const LONGEST_EXPRESSION = 4096;

/** A JSON object, or SerializationException. */
export function asStructure(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ServiceError('SerializationException', 'Start of structure or map expected');
  }
  return value as Readonly<Record<string, unknown>>;
}

/** Legacy and unknown parameters are not implemented, rather than ignored. */
export function assertAccepted(
  operation: string,
  input: Readonly<Record<string, unknown>>,
  accepted: readonly string[],
): void {
  const unknown = Object.keys(input).find((name) => !accepted.includes(name));
  if (unknown !== undefined) throw notImplemented(`the parameter ${unknown} of dynamodb:${operation}`);
}

/** A table may be named by its ARN, which nothing here does. */
export function assertPlainName(operation: string, name: unknown): void {
  if (typeof name === 'string' && name.startsWith('arn:')) throw notImplemented(`a table ARN in dynamodb:${operation}`);
}

/**
 * Validates the parameters of an operation as DynamoDB does. Values inside `input` may be brought to the form that is stored.
 * @throws ValidationException, SerializationException
 */
export function validated<T extends object>(
  operation: string,
  input: unknown,
  accepted: readonly string[],
  rules: Rules,
): T {
  const given = asStructure(input);
  assertAccepted(operation, given, accepted);
  for (const [name, value] of Object.entries(given)) {
    if (name.endsWith('Expression') && typeof value === 'string' && Buffer.byteLength(value) > LONGEST_EXPRESSION) {
      throw invalid(
        `Invalid ${name}: Expression size has exceeded the maximum allowed size; expression size: ${Buffer.byteLength(value)}`,
      );
    }
  }
  assertPlainName(operation, given['TableName']);
  try {
    const data = checkTypes({ ...given }, rules.types);
    checkValidations(data, rules.types, rules.custom, { options: { maxItemSize: LARGEST_ITEM } });
    // The rules have just established the shape.
    return data as T;
  } catch (error) {
    throw asServiceError(error);
  }
}

export function asServiceError(error: unknown): unknown {
  if (!(error instanceof Error) || !('body' in error)) return error;
  // dynalite's errors carry the body that DynamoDB would answer.
  const body = error.body as { readonly __type: string; readonly message?: string; readonly Message?: string };
  return new ServiceError(body.__type.split('#').pop() ?? body.__type, body.message ?? body.Message ?? '');
}

/** A parameter that takes one of a few values and that dynalite does not know. */
export function oneOf<T extends string>(name: string, value: unknown, allowed: readonly T[]): T | undefined {
  if (value === undefined || value === null) return undefined;
  const found = allowed.find((one) => one === value);
  if (found !== undefined) return found;
  const parameter = name.charAt(0).toLowerCase() + name.slice(1);
  throw invalid(
    `1 validation error detected: Value '${String(value)}' at '${parameter}' failed to satisfy constraint: ` +
      `Member must satisfy enum value set: [${allowed.join(', ')}]`,
  );
}

import { notImplemented } from '../../service.ts';
import { missing, validation } from './api-errors.ts';

/** The members of a request, read one by one; a member that nobody reads is refused. */
export class Parameters {
  readonly #operation: string;
  readonly #members: Readonly<Record<string, unknown>>;
  #read = new Set<string>();

  /** Throws `ValidationException` when the body is not a JSON object. */
  constructor(operation: string, body: Buffer) {
    this.#operation = operation;
    const value = parse(body);
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw validation('The request is not a JSON object');
    this.#members = value as Readonly<Record<string, unknown>>;
  }

  /** Throws for the first member that was not read. */
  assertAllRead(): void {
    const unread = Object.keys(this.#members).find((name) => !this.#read.has(name) && this.#members[name] !== null);
    if (unread !== undefined) throw notImplemented(`${this.#operation} with ${unread}`);
  }

  /** A string of a length within bounds. */
  text(name: string, least: number, most: number): string {
    const value = this.optionalText(name, least, most);
    if (value === undefined) throw missing(name);
    return value;
  }

  optionalText(name: string, least: number, most: number): string | undefined {
    const value = this.#member(name);
    if (value === undefined) return undefined;
    if (typeof value === 'string' && value.length >= least && value.length <= most) return value;
    throw validation(
      `1 validation error detected: Value at '${name}' failed to satisfy constraint: Member must be a string of ${least} to ${most} characters`,
    );
  }

  optionalNumber(name: string): number | undefined {
    const value = this.#member(name);
    if (value === undefined || typeof value === 'number') return value;
    throw validation(`1 validation error detected: Value at '${name}' must be a number`);
  }

  optionalBoolean(name: string): boolean | undefined {
    const value = this.#member(name);
    if (value === undefined || typeof value === 'boolean') return value;
    throw validation(`1 validation error detected: Value at '${name}' must be a boolean`);
  }

  optionalChoice<T extends string>(name: string, allowed: readonly T[]): T | undefined {
    const value = this.#member(name);
    if (value === undefined) return undefined;
    const found = allowed.find((option) => option === value);
    if (found !== undefined) return found;
    throw validation(
      `1 validation error detected: Value '${String(value)}' at '${name}' failed to satisfy constraint: Member must satisfy enum value set: [${allowed.join(', ')}]`,
    );
  }

  /** A null member is an absent one. */
  #member(name: string): unknown {
    this.#read.add(name);
    return this.#members[name] ?? undefined;
  }
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    throw validation('The request is not JSON');
  }
}

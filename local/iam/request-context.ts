import { isIPv4 } from 'node:net';
import type { ConditionContext, OneOrMany } from './policy.ts';

export const listOf = <T>(value: OneOrMany<T> | undefined): readonly T[] =>
  value === undefined ? [] : Array.isArray(value) ? (value as readonly T[]) : [value as T];

/**
 * Condition keys of one request. Names are matched without regard to case; a key without a value is absent.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
 */
export class RequestContext {
  #values = new Map<string, readonly string[]>();

  constructor(...contexts: readonly ConditionContext[]) {
    for (const context of contexts)
      for (const [key, value] of Object.entries(context)) {
        const values = listOf(value);
        if (values.length > 0) this.#values.set(key.toLowerCase(), values);
      }
  }

  /** Values of a key; undefined when it is absent. */
  values(key: string): readonly string[] | undefined {
    return this.#values.get(key.toLowerCase());
  }

  /** The value of a key that has exactly one, as policy variables need. */
  single(key: string): string | undefined {
    const values = this.values(key);
    return values?.length === 1 ? values[0] : undefined;
  }
}

const asNumber = (address: string): number =>
  address.split('.').reduce((number, octet) => number * 256 + Number(octet), 0);

/** Whether an IPv4 address lies in a range (`203.0.113.0/24`, or one address). */
export function inRange(range: string, address: string): boolean {
  const [base = '', bits = '32'] = range.split('/');
  if (!isIPv4(base) || !isIPv4(address)) return false;
  const size = 2 ** (32 - Number(bits));
  return Math.floor(asNumber(base) / size) === Math.floor(asNumber(address) / size);
}

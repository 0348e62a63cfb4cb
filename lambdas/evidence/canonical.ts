import canonicalize from 'canonicalize';

/** A value that has no canonical JSON, or whose canonical JSON would silently say something else. */
export class NotCanonical extends TypeError {
  override readonly name = 'NotCanonical';
  /** JSON Pointer (RFC 6901) to the member at fault; empty for the value itself. */
  readonly pointer: string;

  constructor(pointer: string, problem: string) {
    super(
      `${pointer === '' ? 'The value' : pointer} ${problem}. Canonical JSON holds strings, finite numbers, booleans, null, arrays and plain objects.`,
    );
    this.pointer = pointer;
  }
}

/** With the `u` flag a surrogate pair is one code point, so only a surrogate without its partner is found. */
const LONE_SURROGATE = /\p{Cs}/u;

const escaped = (key: string): string => key.replaceAll('~', '~0').replaceAll('/', '~1');

/** Objects made by a literal or by JSON.parse, also of another realm: the prototype is missing or the root one. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function refuseInObject(value: object, pointer: string, above: readonly object[]): void {
  if (above.includes(value)) throw new NotCanonical(pointer, 'contains itself');
  const within = [...above, value];
  if (Array.isArray(value)) {
    // By index, so that a hole is seen; canonicalize would write nothing for it, and null for undefined.
    for (let index = 0; index < value.length; index += 1) refuse(value[index], `${pointer}/${index}`, within);
    return;
  }
  if (!isPlain(value)) throw new NotCanonical(pointer, `is a ${value.constructor.name}, not a plain object`);
  if (Object.getOwnPropertySymbols(value).length > 0) throw new NotCanonical(pointer, 'has a member named by a symbol');
  for (const [key, member] of Object.entries(value)) {
    const at = `${pointer}/${escaped(key)}`;
    if (LONE_SURROGATE.test(key)) throw new NotCanonical(at, 'has a name with a lone surrogate');
    if (member !== undefined) refuse(member, at, within);
  }
}

function refuse(value: unknown, pointer: string, above: readonly object[]): void {
  switch (typeof value) {
    case 'boolean':
      return;
    case 'string':
      // RFC 8785 §3.2.2.2: a lone surrogate ends the serialisation with an error.
      if (LONE_SURROGATE.test(value)) throw new NotCanonical(pointer, 'contains a lone surrogate');
      return;
    case 'number':
      // RFC 8785 §3.2.2.3: so do NaN and Infinity.
      if (!Number.isFinite(value)) throw new NotCanonical(pointer, `is ${value}`);
      return;
    case 'object':
      if (value !== null) refuseInObject(value, pointer, above);
      return;
    default:
      throw new NotCanonical(pointer, `is ${typeof value === 'undefined' ? 'undefined' : `a ${typeof value}`}`);
  }
}

/**
 * Canonical JSON (RFC 8785): the same value gives the same text in every language, so that its digest can be compared between nations.
 *
 * A member whose value is `undefined` is absent, deliberately: that is what an optional member left out is in JSON. Everything else
 * that JSON cannot hold is refused instead of changed: undefined in an array, NaN and infinities, bigint, functions, symbols, lone
 * surrogates, dates, maps, class instances, cycles. Minus zero is written `0`, as the RFC says (appendix B).
 * @throws NotCanonical naming the member at fault
 */
export function canonical(value: unknown): string {
  refuse(value, '', []);
  // Only undefined has no text, and it has been refused.
  return canonicalize(value) as string;
}

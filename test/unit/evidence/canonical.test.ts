import fc from 'fast-check';
import { NotCanonical, canonical } from '../../../lambdas/evidence/canonical.ts';

const fromBits = (hex: string): number => Buffer.from(hex, 'hex').readDoubleBE(0);

describe('what has no canonical JSON is refused, with its place', () => {
  class Ticket {
    readonly number = 1;
  }
  const cycle: Record<string, unknown> = {};
  cycle['self'] = { again: cycle };

  it.each<[string, unknown, string, RegExp]>([
    ['undefined', undefined, '', /is undefined/],
    ['undefined in an array', { list: [1, undefined] }, '/list/1', /is undefined/],
    // oxlint-disable-next-line no-sparse-arrays -- a hole is what is tested
    ['a hole in an array', [1, , 3], '/1', /is undefined/],
    ['NaN', { a: { b: Number.NaN } }, '/a/b', /is NaN/],
    ['infinity', [Number.POSITIVE_INFINITY], '/0', /is Infinity/],
    ['bigint', { big: 1n }, '/big', /is a bigint/],
    ['a function', { toJSON: () => 'something else' }, '/toJSON', /is a function/],
    ['a symbol', { s: Symbol('s') }, '/s', /is a symbol/],
    ['a member named by a symbol', { [Symbol('s')]: 1 }, '', /named by a symbol/],
    ['a date', { at: new Date(0) }, '/at', /is a Date/],
    ['a map', new Map(), '', /is a Map/],
    ['bytes', { bytes: new Uint8Array(2) }, '/bytes', /is a Uint8Array/],
    ['a class instance', { ticket: new Ticket() }, '/ticket', /is a Ticket/],
    ['a lone surrogate', { text: 'a\uD800' }, '/text', /lone surrogate/],
    ['a lone surrogate in a name', { '\uDC00': 1 }, '/\uDC00', /lone surrogate/],
    ['a cycle', cycle, '/self/again', /contains itself/],
    ['a place whose name needs escaping', { 'a/b~c': undefined, 'd/e~f': Number.NaN }, '/d~1e~0f', /is NaN/],
  ])('%s', (_, value, pointer, message) => {
    const attempt = () => canonical(value);
    expect(attempt).toThrow(NotCanonical);
    expect(attempt).toThrow(message);
    expect(attempt).toThrow(expect.objectContaining({ pointer, name: 'NotCanonical' }));
  });
});

it('leaves out members that are undefined, as an optional member left out', () => {
  expect(canonical({ b: undefined, a: { c: undefined } })).toBe('{"a":{}}');
});

it('takes the same value twice where it is no cycle', () => {
  const shared = { x: 1 };
  expect(canonical([shared, shared])).toBe('[{"x":1},{"x":1}]');
});

it('takes objects without a prototype', () => {
  expect(canonical(Object.assign(Object.create(null) as object, { a: 1 }))).toBe('{"a":1}');
});

describe('RFC 8785', () => {
  it('§3.2.2: primitives and escapes', () => {
    const value: unknown = JSON.parse(String.raw`{
      "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
      "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
      "literals": [null, true, false]
    }`);
    expect(canonical(value)).toBe(
      String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
    );
  });

  it('§3.2.4: the UTF-8 bytes of that example', () => {
    const value: unknown = JSON.parse(
      String.raw`{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}`,
    );
    expect(Buffer.from(canonical(value), 'utf8').toString('hex')).toBe(
      '7b226c69746572616c73223a5b6e756c6c2c747275652c66616c73655d2c226e756d62657273223a5b3333333333333333332e333333333333332c31652b33302c342e352c302e3030322c31652d32375d2c22737472696e67223a22e282ac245c75303030665c6e4127425c225c5c5c5c5c222f227d',
    );
  });

  it('§3.2.3: members are sorted by UTF-16 code units', () => {
    const value: unknown = JSON.parse(
      String.raw`{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One","\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"}`,
    );
    expect(Object.values(JSON.parse(canonical(value)) as object)).toEqual([
      'One', // an integer-like name comes first in any object of JavaScript
      'Carriage Return',
      'Control',
      'Latin Small Letter O With Diaeresis',
      'Euro Sign',
      'Emoji: Grinning Face',
      'Hebrew Letter Dalet With Dagesh',
    ]);
    expect(canonical(value).startsWith(String.raw`{"\r":"Carriage Return","1":"One",`)).toBe(true);
  });

  it.each([
    ['0000000000000000', '0'],
    ['8000000000000000', '0'],
    ['0000000000000001', '5e-324'],
    ['8000000000000001', '-5e-324'],
    ['7fefffffffffffff', '1.7976931348623157e+308'],
    ['ffefffffffffffff', '-1.7976931348623157e+308'],
    ['4340000000000000', '9007199254740992'],
    ['c340000000000000', '-9007199254740992'],
    ['4430000000000000', '295147905179352830000'],
    ['44b52d02c7e14af5', '9.999999999999997e+22'],
    ['44b52d02c7e14af6', '1e+23'],
    ['44b52d02c7e14af7', '1.0000000000000001e+23'],
    ['444b1ae4d6e2ef4e', '999999999999999700000'],
    ['444b1ae4d6e2ef4f', '999999999999999900000'],
    ['444b1ae4d6e2ef50', '1e+21'],
    ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
    ['3eb0c6f7a0b5ed8d', '0.000001'],
    ['41b3de4355555553', '333333333.3333332'],
    ['41b3de4355555554', '333333333.33333325'],
    ['41b3de4355555555', '333333333.3333333'],
    ['41b3de4355555556', '333333333.3333334'],
    ['41b3de4355555557', '333333333.33333343'],
    ['becbf647612f3696', '-0.0000033333333333333333'],
    ['43143ff3c1cb0959', '1424953923781206.2'],
  ])('appendix B: %s is %s', (bits, text) => {
    expect(canonical(fromBits(bits))).toBe(text);
  });

  it.each(['7fffffffffffffff', '7ff0000000000000'])('appendix B: %s is an error', (bits) => {
    expect(() => canonical(fromBits(bits))).toThrow(NotCanonical);
  });
});

it('gives one text for one value, whatever the order of members, and reads back as the value', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = canonical(value);
      expect(canonical(JSON.parse(text))).toBe(text);
      expect(canonical(reversed(value))).toBe(text);
    }),
  );
});

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, member]) => [key, reversed(member)]),
  );
}

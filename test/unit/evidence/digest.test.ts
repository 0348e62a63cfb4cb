import { digestOf, digestOfBytes } from '../../../lambdas/evidence/digest.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

it('is SHA-256 as FIPS 180-4 gives it for "abc"', () => {
  expect(digestOfBytes(bytes('abc'))).toBe('sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
});

it('is taken over canonical JSON', () => {
  expect(digestOf({ b: 'є', a: 1 })).toBe(digestOfBytes(bytes('{"a":1,"b":"є"}')));
  expect(digestOf({ a: 1, b: 'є' })).toBe(digestOf({ b: 'є', a: 1 }));
});

it('separates domains: the same value under another name, or none, has another digest', () => {
  const digests = [digestOf(1), digestOf(1, 'one'), digestOf(1, 'two'), digestOf(1, '')];
  expect(new Set(digests).size).toBe(4);
  expect(digestOf(1, 'one')).toBe(digestOfBytes(bytes('one\u00001')));
});

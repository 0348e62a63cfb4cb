import fc from 'fast-check';
import type { AttributeValue, Item } from '../../local/services/dynamodb/attribute-value.ts';
import { equalItems } from '../../local/services/dynamodb/attribute-value.ts';
import { holds } from '../../local/services/dynamodb/condition.ts';
import { addDecimals } from '../../local/services/dynamodb/decimal.ts';
import { itemSize } from '../../local/services/dynamodb/item-size.ts';
import { writeRequest } from '../../local/services/dynamodb/write-request.ts';
import { updated } from '../../local/services/dynamodb/update.ts';

type Values = Record<string, AttributeValue>;

/** Expressions go through the validation and the parser that requests go through. */
const parse = (expressions: object, values: Values = {}): ReturnType<typeof writeRequest>['parameters'] =>
  writeRequest(
    'Update',
    'UpdateItem',
    {
      TableName: 'cases',
      Key: {},
      ...expressions,
      ...(Object.keys(values).length > 0 && { ExpressionAttributeValues: values }),
      ...(JSON.stringify(expressions).includes('#c') && { ExpressionAttributeNames: { '#c': 'constructor' } }),
    },
    false,
  ).parameters;

const condition = (expression: string, values: Values, item: Item): boolean => {
  const parsed = parse({ ConditionExpression: expression }, values)._condition;
  if (parsed === undefined) throw new Error('The parser found no condition.');
  return holds(parsed.expression, item);
};
const update = (expression: string, values: Values, item: Item): Item =>
  updated(item, parse({ UpdateExpression: expression }, values)._updates?.sections ?? []);

const ITEM: Item = {
  n: { N: '10' },
  s: { S: 'їжак' },
  e: { S: '' },
  f: { BOOL: false },
  b: { B: '/w==' },
  ss: { SS: ['a', 'b'] },
  l: { L: [{ N: '1' }, { M: { x: { S: 'y' } } }] },
  m: { M: { x: { S: 'y' } } },
};

describe('conditions', () => {
  const v = (value: AttributeValue): Values => ({ ':v': value });

  it.each<[string, Values]>([
    ['absent = :v', v({ S: 'x' })],
    ['n = :v', v({ S: '10' })],
    ['n < :v', v({ N: '9' })],
    ['n > :v', v({ S: '1' })],
    ['m = :v', v({ M: { x: { S: 'z' } } })],
    ['attribute_exists(#c)', {}],
    ['attribute_not_exists(e)', {}],
    ['contains(s, :v)', v({ N: '1' })],
    ['begins_with(b, :v)', v({ S: '' })],
    ['NOT f = :v', v({ BOOL: false })],
    ['n = :v AND absent = :v', v({ N: '10' })],
    ['n BETWEEN :v AND :w', { ':v': { N: '11' }, ':w': { N: '12' } }],
    ['l[5] = :v', v({ N: '1' })],
  ])('%s does not hold', (expression, values) => {
    expect(condition(expression, values, ITEM)).toBe(false);
  });

  it.each<[string, Values]>([
    ['n = :v', v({ N: '10.0' })],
    ['absent <> :v', v({ S: 'x' })],
    ['n > :v', v({ N: '9.99999999999999999999999999999999999' })],
    ['m = :v', v({ M: { x: { S: 'y' } } })],
    ['l[1] = m', {}],
    ['l[1].x = :v', v({ S: 'y' })],
    ['ss = :v', v({ SS: ['b', 'a'] })],
    ['f IN (:v)', v({ BOOL: false })],
    ['attribute_exists(e) AND attribute_exists(f)', {}],
    ['attribute_type(f, :v)', v({ S: 'BOOL' })],
    ['size(s) = :v', v({ N: '4' })],
    ['size(e) = :v', v({ N: '0' })],
    ['contains(ss, :v)', v({ S: 'a' })],
    ['contains(l, :v)', v({ M: { x: { S: 'y' } } })],
    ['contains(s, :v) OR absent = :v', v({ S: 'жа' })],
    ['begins_with(s, :v)', v({ S: 'їж' })],
    ['n BETWEEN :v AND :w', { ':v': { N: '10' }, ':w': { N: '12' } }],
    ['s > :v', v({ S: 'z' })],
  ])('%s holds', (expression, values) => {
    expect(condition(expression, values, ITEM)).toBe(true);
  });
});

describe('updates', () => {
  const list = (...members: string[]): AttributeValue => ({ L: members.map((S) => ({ S })) });

  it.each<[string, Values]>([
    ['REMOVE absent.x', {}],
    ['SET n.x = :v', { ':v': { S: 'x' } }],
    ['SET s = s - :v', { ':v': { N: '1' } }],
    ['ADD ss :v', { ':v': { NS: ['1'] } }],
    ['SET l = list_append(l, n)', {}],
    ['ADD n :v', { ':v': { N: `1.${'1'.repeat(36)}` } }],
  ])('%s is refused', (expression, values) => {
    const before = { ...ITEM, n: { N: '1000000' } };
    const copy = structuredClone(before);
    expect(() => update(expression, values, before)).toThrow();
    expect(before).toEqual(copy);
  });

  it('removes list elements by the indexes they had', () => {
    expect(update('REMOVE l[0], l[2]', {}, { l: list('a', 'b', 'c', 'd') })).toEqual({ l: list('b', 'd') });
  });

  it('appends what is set past the end in the order of the indexes', () => {
    const values = { ':x': { S: 'x' }, ':y': { S: 'y' } };
    expect(update('SET l[9] = :y, l[7] = :x', values, { l: list('a') })).toEqual({ l: list('a', 'x', 'y') });
  });

  it('copies what it assigns', () => {
    const after = update('SET a = m, m.x = :v', { ':v': { S: 'new' } }, ITEM);
    expect(after).toMatchObject({ a: { M: { x: { S: 'y' } } }, m: { M: { x: { S: 'new' } } } });
  });

  it('swaps two attributes', () => {
    expect(update('SET a = b, b = a', {}, { a: { N: '1' }, b: { N: '2' } })).toEqual({ a: { N: '2' }, b: { N: '1' } });
  });

  it('adds to and deletes from sets, and drops the empty set', () => {
    expect(update('ADD ss :v', { ':v': { SS: ['b', 'c'] } }, { ss: { SS: ['a', 'b'] } })).toEqual({
      ss: { SS: ['a', 'b', 'c'] },
    });
    expect(update('DELETE ss :v', { ':v': { SS: ['a', 'b'] } }, { ss: { SS: ['a', 'b'] } })).toEqual({});
  });

  it('adds 38 digits exactly', () => {
    const nines = '9'.repeat(37);
    expect(update('ADD n :v', { ':v': { N: '1' } }, { n: { N: nines } })).toEqual({ n: { N: `1${'0'.repeat(37)}` } });
    fc.assert(
      fc.property(fc.bigInt(), fc.bigInt(), (a, b) => {
        expect(addDecimals(`${a}`, `${b}`)).toBe(`${a + b}`);
      }),
    );
    expect(addDecimals('0.1', '-0.35')).toBe('-0.25');
    expect(addDecimals('-1.5', '1.5')).toBe('0.0');
  });
});

describe('sizes and equality', () => {
  it('counts UTF-8 bytes of names and values', () => {
    expect(itemSize({ їж: { S: 'ї' } })).toBe(6);
    expect(itemSize({ n: { N: '-1200.50' }, b: { B: '/w==' }, t: { BOOL: true } })).toBe(1 + 4 + 1 + 1 + 1 + 1);
    expect(itemSize({ l: { L: [{ S: 'ab' }] }, m: { M: { k: { NULL: true } } } })).toBe(
      1 + 3 + 1 + 2 + 1 + 3 + 1 + 1 + 1,
    );
  });

  it('does not take an inherited name for an attribute', () => {
    expect(equalItems({ constructor: { S: 'x' } }, { other: { S: 'x' } })).toBe(false);
  });
});

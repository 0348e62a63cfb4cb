import { typeOf, type AttributeValue, type Item } from './attribute-value.ts';

/** An item may have 400 KB, attribute names included. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html */
export const LARGEST_ITEM = 400 * 1024;

/** Lists and maps nest at most 32 levels deep. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html */
export const DEEPEST_NESTING = 32;

/** Bytes of an item. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html */
export const itemSize = (item: Item): number =>
  Object.entries(item).reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + valueSize(value), 0);

/** Levels of lists and maps inside an item's attributes. */
export function nestingOf(item: Item): number {
  const depth = (value: AttributeValue): number => {
    if ('M' in value) return 1 + deepest(Object.values(value.M));
    if ('L' in value) return 1 + deepest(value.L);
    return 0;
  };
  const deepest = (values: readonly AttributeValue[]): number =>
    values.reduce((most, value) => Math.max(most, depth(value)), 0);
  return deepest(Object.values(item));
}

function valueSize(value: AttributeValue): number {
  if ('S' in value) return Buffer.byteLength(value.S);
  if ('N' in value) return numberSize(value.N);
  if ('B' in value) return bytesSize(value.B);
  if ('SS' in value) return total(value.SS, Buffer.byteLength);
  if ('NS' in value) return total(value.NS, numberSize);
  if ('BS' in value) return total(value.BS, bytesSize);
  // 3 bytes for a list or map whatever it holds, and 1 for each element.
  if ('L' in value) return 3 + total(value.L, (member) => 1 + valueSize(member));
  if ('M' in value) return 3 + Object.keys(value.M).length + itemSize(value.M);
  if (typeOf(value) === 'BOOL' || typeOf(value) === 'NULL') return 1;
  throw new Error(`An attribute value of an unknown type was stored: ${typeOf(value)}.`);
}

/** One byte for two significant digits and one more; leading and trailing zeros do not count. */
function numberSize(number: string): number {
  const digits = number.replace(/[-.]/g, '').replace(/^0+/, '').replace(/0+$/, '');
  return Math.ceil(digits.length / 2) + 1;
}

const bytesSize = (base64: string): number => Buffer.byteLength(base64, 'base64');

const total = <T>(values: readonly T[], size: (value: T) => number): number =>
  values.reduce((sum, value) => sum + size(value), 0);

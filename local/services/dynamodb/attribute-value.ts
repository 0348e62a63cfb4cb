/** A value as it stands on the wire. https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html */
export type AttributeValue =
  | { readonly S: string }
  | { readonly N: string }
  | { readonly B: string }
  | { readonly BOOL: boolean }
  | { readonly NULL: true }
  | { readonly SS: readonly string[] }
  | { readonly NS: readonly string[] }
  | { readonly BS: readonly string[] }
  | { readonly L: readonly AttributeValue[] }
  | { readonly M: Item };

export type Item = Readonly<Record<string, AttributeValue>>;

/** A document path: attribute name, then map keys and list indexes. */
export type Path = readonly (string | number)[];

/** `S`, `N`, … */
export const typeOf = (value: AttributeValue): string => Object.keys(value)[0] ?? '';

/** Members of a set, undefined for every other type. */
export const membersOf = (value: AttributeValue): readonly string[] | undefined =>
  'SS' in value ? value.SS : 'NS' in value ? value.NS : 'BS' in value ? value.BS : undefined;

/** The value at a path, or undefined. Own attributes only: an attribute may be called `constructor`. */
export const valueAt = (item: Item, path: Path): AttributeValue | undefined =>
  path.reduce<AttributeValue | undefined>(memberAt, { M: item });

function memberAt(value: AttributeValue | undefined, step: string | number): AttributeValue | undefined {
  if (value === undefined) return undefined;
  if (typeof step === 'number') return 'L' in value ? value.L[step] : undefined;
  return 'M' in value && Object.hasOwn(value.M, step) ? value.M[step] : undefined;
}

/** Equality as DynamoDB's `=`: same type and content; order matters in lists, not in sets and maps. Numbers are already in one form. */
export function equalValues(left: AttributeValue, right: AttributeValue): boolean {
  const type = typeOf(left);
  if (type !== typeOf(right)) return false;
  if ('M' in left && 'M' in right) return equalItems(left.M, right.M);
  if ('L' in left && 'L' in right) {
    const others = right.L;
    return left.L.length === others.length && left.L.every((member, index) => equalMembers(member, others[index]));
  }
  const members = membersOf(left);
  if (members !== undefined) {
    const others = new Set(membersOf(right));
    return members.length === others.size && members.every((member) => others.has(member));
  }
  return Object.values(left)[0] === Object.values(right)[0];
}

const equalMembers = (left: AttributeValue, right: AttributeValue | undefined): boolean =>
  right !== undefined && equalValues(left, right);

export function equalItems(left: Item | undefined, right: Item | undefined): boolean {
  if (left === undefined || right === undefined) return left === right;
  const names = Object.keys(left);
  return (
    names.length === Object.keys(right).length &&
    names.every((name) => {
      const value = left[name];
      return value !== undefined && Object.hasOwn(right, name) && equalMembers(value, right[name]);
    })
  );
}

/**
 * Wildcards of policy elements: `*` is any run of characters, `?` exactly one.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
 */

/** Stand for a literal `*` or `?` that came out of a policy variable (`${*}`, or a value): private-use characters occur in no ARN. */
const LITERALS: Readonly<Record<string, string>> = { '*': '\uE000', '?': '\uE001' };
const ORIGINALS: Readonly<Record<string, string>> = { '\uE000': '*', '\uE001': '?' };

/** Makes the wildcards in `text` match only themselves. */
export const literal = (text: string): string => text.replace(/[*?]/g, (character) => LITERALS[character] ?? character);

/** Undoes {@link literal}, for comparisons that know no wildcards. */
export const plain = (pattern: string): string =>
  pattern.replace(/[\uE000\uE001]/g, (character) => ORIGINALS[character] ?? character);

/** Whether `value` matches `pattern`, in time linear in practice and without regular expressions. */
export function matchesWildcard(pattern: string, value: string): boolean {
  let at = 0;
  let read = 0;
  let star = -1;
  let resume = 0;
  while (read < value.length) {
    const expected = pattern[at];
    if (expected === '*') {
      star = at++;
      resume = read;
    } else if (expected === '?' || (expected !== undefined && plain(expected) === value[read])) {
      at += 1;
      read += 1;
    } else if (star >= 0) {
      at = star + 1;
      read = ++resume;
    } else return false;
  }
  while (pattern[at] === '*') at += 1;
  return at === pattern.length;
}

const SEGMENTS = 6;

/** `arn:partition:service:region:account:resource`; colons after the fifth belong to the resource. */
const segments = (arn: string): string[] => {
  const parts = arn.split(':');
  return parts.length <= SEGMENTS ? parts : [...parts.slice(0, SEGMENTS - 1), parts.slice(SEGMENTS - 1).join(':')];
};

/**
 * Whether an ARN matches an ARN pattern, segment by segment: a wildcard never reaches across a colon of the first five. A pattern
 * with fewer than six segments is completed with wildcards; `*` alone matches everything.
 */
export function matchesArn(pattern: string, value: string): boolean {
  if (pattern === '*') return true;
  const expected = segments(pattern);
  const actual = segments(value);
  if (actual.length < SEGMENTS) return matchesWildcard(pattern, value);
  return actual.every((segment, index) => matchesWildcard(expected[index] ?? '*', segment));
}

/**
 * The widest reading of an ARN pattern. AWS documents that a `*` at the end of a segment "can expand to match beyond colon boundaries";
 * where that would deny, it counts here, and where it would allow, it does not.
 */
export const mayMatchArn = (pattern: string, value: string): boolean =>
  matchesArn(pattern, value) || matchesWildcard(pattern, value);

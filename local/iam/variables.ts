import { literal } from './wildcard.ts';

/**
 * Policy variables, `${key}` and `${key, 'default'}`, in Resource and in string and ARN conditions.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
 */
const VARIABLE = /\$\{([^}]*)\}/g;

const ESCAPES: Readonly<Record<string, string>> = { '*': literal('*'), '?': literal('?'), $: '$' };

/** Keys that may stand in a variable; the runtime knows their values for every request of a role. */
const SUPPORTED =
  /^(aws:(PrincipalArn|PrincipalAccount|PrincipalType|userid|SourceIdentity|RequestedRegion|PrincipalTag\/[\w+=,.@:/-]+)|sts:(RoleSessionName|SourceIdentity|ExternalId)|s3:prefix)$/i;

const split = (inside: string): { readonly key: string; readonly fallback: string | undefined } => {
  const parts = /^([^,]+?)\s*(?:,\s*'([^']*)'\s*)?$/.exec(inside.trim());
  return { key: parts?.[1] ?? inside, fallback: parts?.[2] };
};

/** The variables in `text` that the runtime cannot fill. */
export const unsupportedVariables = (text: string): string[] =>
  [...text.matchAll(VARIABLE)]
    .map((match) => match[1] ?? '')
    .filter((inside) => !(inside in ESCAPES) && !SUPPORTED.test(split(inside).key));

/** `text` with its variables filled; undefined when one has no value, in which case the element matches nothing. */
export function substitute(text: string, valueOf: (key: string) => string | undefined): string | undefined {
  if (!text.includes('${')) return text;
  let missing = false;
  const filled = text.replace(VARIABLE, (_, inside: string) => {
    const escaped = ESCAPES[inside];
    if (escaped !== undefined) return escaped;
    const { key, fallback } = split(inside);
    const value = valueOf(key) ?? fallback;
    if (value === undefined) missing = true;
    return literal(value ?? '');
  });
  return missing ? undefined : filled;
}

import { Problematic } from './problems.ts';

/** Deeper than any body of this API. */
const DEEPEST = 16;
const LONGEST_BODY = 256 * 1024;

const bad = (code: string, detail: string): Problematic =>
  new Problematic({
    status: code === 'BODY_TOO_LARGE' ? 413 : 400,
    code,
    detail,
    next: 'Correct the body and send it again.',
  });

/**
 * Object keys are looked at as they stand in the text, because `JSON.parse` keeps the last of two equal keys and says nothing: two readers
 * of one body must not see two bodies (RFC 8259 §4, rows 12, 13 and 15 of the abuse list). The text has been parsed before, so it is well formed.
 */
function refuseAmbiguity(text: string): void {
  const open: (Set<string> | undefined)[] = [];
  const tokens = /"(?:[^"\\]|\\.)*"(\s*:)?|[{}[\]]/g;
  for (const [token, colon] of text.matchAll(tokens)) {
    if (token === '{' || token === '[') {
      open.push(token === '{' ? new Set() : undefined);
      if (open.length > DEEPEST) throw bad('BODY_TOO_DEEP', `The body is nested more than ${DEEPEST} levels.`);
    } else if (token === '}' || token === ']') open.pop();
    else if (colon !== undefined) {
      const key = String(JSON.parse(token.slice(0, -colon.length)));
      const keys = open.at(-1);
      if (keys?.has(key) === true) throw bad('DUPLICATE_KEY', 'An object of the body names the same member twice.');
      if (key === '__proto__') throw bad('FORBIDDEN_KEY', 'The body has a member that no object here may have.');
      keys?.add(key);
    }
  }
}

/** Reads a JSON body of bounded size and depth in which every member stands once; an absent body is an empty object. */
export function parseStrictly(body: string | null): unknown {
  if (body === null || body === '') return {};
  if (Buffer.byteLength(body) > LONGEST_BODY) throw bad('BODY_TOO_LARGE', `A body has at most ${LONGEST_BODY} bytes.`);
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    throw bad('MALFORMED_JSON', 'The body is not JSON.');
  }
  refuseAmbiguity(body);
  return value;
}

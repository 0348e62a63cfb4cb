// Reads a TypeScript source as tokens: enough to see what it imports and which names it uses, and never to take a comment or a text for code.

/** After these words a slash begins a regular expression, not a division. */
const BEFORE_EXPRESSION = new Set(
  'return typeof case in of delete void throw new else do await yield instanceof'.split(' '),
);
const WORD = /[\p{ID_Continue}$]/u;

/** Where a quoted text ends: behind its closing quote. */
function endOfString(source, start) {
  let at = start + 1;
  while (at < source.length && source[at] !== source[start]) at += source[at] === '\\' ? 2 : 1;
  return at + 1;
}

/** Where a regular expression ends: behind its closing slash; flags are read as a word. */
function endOfRegExp(source, start) {
  let inClass = false;
  for (let at = start + 1; at < source.length; at += 1) {
    if (source[at] === '\\') at += 1;
    else if (source[at] === '[') inClass = true;
    else if (source[at] === ']') inClass = false;
    else if (source[at] === '/' && !inClass) return at + 1;
  }
  return source.length;
}

/** Where the code of a substitution ends: at the brace that closes it. */
function endOfSubstitution(source, start) {
  let depth = 1;
  for (const token of scan(source, start)) {
    if (token.kind === 'mark' && token.text === '{') depth += 1;
    if (token.kind === 'mark' && token.text === '}' && (depth -= 1) === 0) return token.end - 1;
  }
  return source.length;
}

/** A template: its end, and the ranges of its substitutions, which are code again. */
function readTemplate(source, start) {
  const substitutions = [];
  let at = start + 1;
  while (at < source.length && source[at] !== '`') {
    if (source[at] === '\\') at += 2;
    else if (source.startsWith('${', at)) {
      const end = endOfSubstitution(source, at + 2);
      substitutions.push([at + 2, end]);
      at = end + 1;
    } else at += 1;
  }
  return { end: at + 1, substitutions };
}

/** Whether a slash behind this token begins a regular expression. */
function expressionMayFollow(token) {
  if (token === undefined) return true;
  if (token.kind === 'word') return BEFORE_EXPRESSION.has(token.text);
  return token.kind === 'mark' && !')]}'.includes(token.text);
}

/** Tokens from `start` to `end`: words, texts (without their quotes) and marks of one character. */
function* scan(source, start = 0, end = source.length) {
  let last;
  let at = start;
  while (at < end) {
    const character = source[at];
    let token;
    if (/\s/.test(character)) at += 1;
    else if (source.startsWith('//', at)) at = (source.indexOf('\n', at) + 1 || end + 1) - 1;
    else if (source.startsWith('/*', at)) at = source.indexOf('*/', at) + 2 || end;
    else if (character === "'" || character === '"') {
      const close = endOfString(source, at);
      token = { kind: 'text', text: source.slice(at + 1, close - 1), at, end: close };
    } else if (character === '`') {
      const { end: close, substitutions } = readTemplate(source, at);
      for (const [from, to] of substitutions) yield* scan(source, from, to);
      const kind = substitutions.length === 0 ? 'text' : 'template';
      token = { kind, text: source.slice(at + 1, close - 1), at, end: close };
    } else if (character === '/' && expressionMayFollow(last)) {
      token = { kind: 'expression', text: '', at, end: endOfRegExp(source, at) };
    } else if (WORD.test(character)) {
      let close = at + 1;
      while (close < end && WORD.test(source[close])) close += 1;
      token = { kind: 'word', text: source.slice(at, close), at, end: close };
    } else token = { kind: 'mark', text: character, at, end: at + 1 };
    if (token !== undefined) {
      yield token;
      last = token;
      at = token.end;
    }
  }
}

/** The tokens of a source. */
export const tokensOf = (source) => [...scan(source)];

const is = (token, kind, text) => token?.kind === kind && (text === undefined || token.text === text);

/** The text behind `from`, for the clause that begins at `index`; undefined when the statement has none. */
function fromClause(tokens, index) {
  for (let at = index; at < tokens.length; at += 1) {
    if (is(tokens[at], 'word', 'from') && is(tokens[at + 1], 'text')) return tokens[at + 1];
    const inClause = is(tokens[at], 'word') || is(tokens[at], 'text') || '{},*'.includes(tokens[at].text);
    if (!inClause) return undefined;
  }
  return undefined;
}

/** What the token at `index` imports: a text, `computed` when only the program knows, undefined when it imports nothing. */
function importedAt(tokens, index) {
  const [token, next, after] = tokens.slice(index, index + 3);
  if (token.kind !== 'word' || is(tokens[index - 1], 'mark', '.')) return undefined;
  const called = is(next, 'mark', '(');
  if (token.text === 'require' && called) return is(after, 'text') ? after : 'computed';
  if (token.text === 'import') {
    if (called) return is(after, 'text') ? after : 'computed';
    return is(next, 'text') ? next : fromClause(tokens, index + 1);
  }
  const list = is(next, 'word', 'type') ? after : next;
  if (token.text === 'export' && (is(list, 'mark', '*') || is(list, 'mark', '{'))) return fromClause(tokens, index + 1);
  return undefined;
}

/** Every import of a source: `import`, `import type`, `export … from`, `import()` as a value or a type, `require()`. */
export function importsIn(tokens) {
  const found = [];
  for (let index = 0; index < tokens.length; index += 1) {
    const imported = importedAt(tokens, index);
    if (imported === 'computed') found.push({ specifier: undefined, at: tokens[index].at });
    else if (imported !== undefined) {
      const clause = tokens.slice(index + 1, tokens.indexOf(imported)).map((token) => token.text);
      found.push({ specifier: imported.text, at: tokens[index].at, clause: clause.join(' ') });
    }
  }
  return found;
}

/** Uses of a global by name, as `Date` or `Math.random`; a member of that name of something else is no use of it. */
export function usesOf(tokens, name) {
  const [first, member] = name.split('.');
  return tokens.filter(
    (token, index) =>
      is(token, 'word', first) &&
      !is(tokens[index - 1], 'mark', '.') &&
      (member === undefined || (is(tokens[index + 1], 'mark', '.') && is(tokens[index + 2], 'word', member))),
  );
}

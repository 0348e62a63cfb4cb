/** A value in a record, by a selector such as `$.message.code`; undefined where there is none. */
export function selected(record: unknown, selector: string): unknown {
  if (!/^\$(\.[A-Za-z_]\w*)+$/.test(selector)) throw new Error(`${selector} is no selector that this reads.`);
  return selector
    .slice(2)
    .split('.')
    .reduce<unknown>(
      (value, name) =>
        typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined, // any object has members
      record,
    );
}

type Matcher = (record: unknown) => boolean;

const TOKEN = /\s*(?:(\(|\)|&&|\|\||!=|>=|<=|=|>|<)|(\$[\w.]+)|"([^"]*)"|(-?\d+(?:\.\d+)?))/y;

/**
 * Compiles a filter pattern for JSON: comparisons of selectors with texts (`*` stands for anything) and numbers, joined by && and ||, with
 * parentheses. Anything else is refused, so that a pattern is never thought to match because it was not understood.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
 */
export function filterPattern(pattern: string): Matcher {
  const inside = /^\{\s*(.*)\s*\}$/.exec(pattern)?.[1];
  if (inside === undefined || pattern.length > 1024) throw new Error(`${pattern} is no pattern for JSON.`);
  const tokens = tokensOf(inside.trim());
  let place = 0;
  const next = (): Token => tokens[place++] ?? { kind: 'sign', text: 'the end' };
  const fail = (token: Token): never => {
    throw new Error(`${pattern}: ${token.text} is not expected.`);
  };
  const take = (text: string): boolean => {
    const taken = tokens[place]?.kind === 'sign' && tokens[place]?.text === text;
    if (taken) place += 1;
    return taken;
  };
  const comparison = (): Matcher => {
    if (take('(')) {
      const matches = either();
      if (!take(')')) fail(next());
      return matches;
    }
    const [selector, sign, value] = [next(), next(), next()];
    if (selector.kind !== 'selector') return fail(selector);
    const compares = value.kind === 'text' ? comparesText(sign.text, value.text) : comparesNumber(sign.text, value);
    return compares === undefined
      ? fail(value.kind === 'sign' ? value : sign)
      : (of) => compares(selected(of, selector.text));
  };
  const joined = (sign: string, part: () => Matcher, join: (parts: readonly Matcher[]) => Matcher) => (): Matcher => {
    const parts = [part()];
    while (take(sign)) parts.push(part());
    return join(parts);
  };
  const both = joined('&&', comparison, (parts) => (of) => parts.every((part) => part(of)));
  const either = joined('||', both, (parts) => (of) => parts.some((part) => part(of)));
  const matches = either();
  if (place < tokens.length) fail(next());
  return matches;
}

interface Token {
  readonly kind: 'sign' | 'selector' | 'text' | 'number';
  readonly text: string;
}

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const from = TOKEN.lastIndex;
    const found = TOKEN.exec(text);
    if (found === null) throw new Error(`${text.slice(from)} is not understood in a filter pattern.`);
    const [, sign, selector, quoted, number] = found;
    if (sign !== undefined) tokens.push({ kind: 'sign', text: sign });
    else if (selector !== undefined) tokens.push({ kind: 'selector', text: selector });
    else if (quoted !== undefined) tokens.push({ kind: 'text', text: quoted });
    else tokens.push({ kind: 'number', text: String(number) });
  }
  return tokens;
}

function comparesText(sign: string, wanted: string): ((value: unknown) => boolean) | undefined {
  const form = new RegExp(
    `^${wanted
      .split('*')
      .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
      .join('.*')}$`,
    's',
  );
  if (sign === '=') return (value) => typeof value === 'string' && form.test(value);
  return sign === '!=' ? (value) => typeof value === 'string' && !form.test(value) : undefined;
}

function comparesNumber(sign: string, { kind, text }: Token): ((value: unknown) => boolean) | undefined {
  if (kind !== 'number') return undefined;
  const wanted = Number(text);
  const by: Readonly<Record<string, (value: number) => boolean>> = {
    '=': (value) => value === wanted,
    '!=': (value) => value !== wanted,
    '>': (value) => value > wanted,
    '<': (value) => value < wanted,
    '>=': (value) => value >= wanted,
    '<=': (value) => value <= wanted,
  };
  const compares = by[sign];
  return compares === undefined ? undefined : (value) => typeof value === 'number' && compares(value);
}

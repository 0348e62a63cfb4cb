import { s3Error } from './errors.ts';

/** An element that was read: its text, and its children in order. */
export interface XmlElement {
  readonly name: string;
  readonly text: string;
  readonly children: readonly XmlElement[];
}

const malformed = () =>
  s3Error('MalformedXML', 'The XML you provided was not well-formed or did not validate against our published schema');

const REFERENCES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

const unescape = (text: string): string =>
  text.replace(/&(#x[\da-f]{1,6}|#\d{1,7}|\w+);?/gi, (reference, body: string) => {
    if (!body.startsWith('#')) {
      const character = REFERENCES[body];
      if (character === undefined || !reference.endsWith(';')) throw malformed();
      return character;
    }
    const code = /^#x/i.test(body) ? Number.parseInt(body.slice(2), 16) : Number.parseInt(body.slice(1), 10);
    if (code > 0x10ffff) throw malformed();
    return String.fromCodePoint(code);
  });

/**
 * Reads a request document: elements and text, as the schema of S3 has them. Declarations, comments, CDATA and attributes other
 * than a namespace do not occur in it and are refused.
 */
export function parseXml(document: string): XmlElement {
  const token = /<(\/?)([A-Za-z][\w.-]*)((?:\s+xmlns="[^"<]*")?)\s*(\/?)>|([^<]+)/y;
  token.lastIndex = /^\uFEFF?\s*(<\?xml[^>]*\?>)?/.exec(document)?.[0].length ?? 0;
  const root = { name: '', text: '', children: [] as XmlElement[] };
  const open = [root];
  while (token.lastIndex < document.length) {
    const match = token.exec(document);
    const current = open.at(-1);
    if (match === null || current === undefined) throw malformed();
    const [, closing, name = '', , empty, text] = match;
    if (text !== undefined) current.text += unescape(text);
    else if (closing === '/') {
      if (open.length < 2 || current.name !== name) throw malformed();
      open.pop();
    } else {
      const element = { name, text: '', children: [] as XmlElement[] };
      current.children.push(element);
      if (empty === '') open.push(element);
    }
  }
  const [top, ...others] = root.children;
  if (open.length !== 1 || top === undefined || others.length > 0 || root.text.trim() !== '') throw malformed();
  return top;
}

/** Text of the only child with this name; undefined when there is none. */
export function childText(element: XmlElement, name: string): string | undefined {
  const found = element.children.filter((child) => child.name === name);
  if (found.length > 1) throw malformed();
  return found[0]?.text.trim();
}

/** @throws MalformedXML when an element has another name, or children of other names */
export function assertShape(element: XmlElement, name: string, children: readonly string[]): void {
  if (element.name !== name || element.children.some((child) => !children.includes(child.name))) throw malformed();
}

/** Text, or named children in order; a name may repeat. */
export type XmlContent = string | number | boolean | readonly (readonly [string, XmlContent])[];

const NAMED: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** Keys may hold characters that XML text cannot: they are written as references, as S3 does. */
const escape = (text: string): string =>
  text.replace(
    // oxlint-disable-next-line no-control-regex -- control characters are what must be escaped
    /[&<>"\u0000-\u001F\u007F]/g,
    (character) => NAMED[character] ?? `&#x${character.charCodeAt(0).toString(16)};`,
  );

const render = (name: string, content: XmlContent, attributes = ''): string => {
  const inner = Array.isArray(content)
    ? content.map(([child, value]) => render(child, value)).join('')
    : escape(String(content));
  return `<${name}${attributes}>${inner}</${name}>`;
};

/** A whole document in the namespace of S3. */
export const renderXml = (root: string, content: XmlContent, { namespace = true } = {}): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n${render(root, content, namespace ? ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"' : '')}`;

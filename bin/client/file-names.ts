/** Longest file name, in bytes of UTF-8: file systems allow 255, and an index and `.part` are added. */
const LONGEST = 200;

/** Names that Windows keeps for devices, with any extension. */
const DEVICE = /^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\.|$)/i;

/** Cut to so many bytes, between characters. */
function cut(text: string, bytes: number): string {
  let kept = '';
  let used = 0;
  for (const character of text) {
    used += Buffer.byteLength(character);
    if (used > bytes) break;
    kept += character;
  }
  return kept;
}

/**
 * A document's title as a file name that lies in the folder it is put in, shows, and is nothing special to any system: no separators, no
 * dot file, no option, no device, no hidden characters. A title is what somebody else wrote.
 */
export function fileNameFor(title: string): string {
  const plain = title
    .normalize('NFC')
    .replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '')
    .replace(/[/\\:*?"<>|]/g, '_')
    .replace(/\s+/gu, ' ')
    .replace(/^[.\-~ ]+/, '');
  const name = cut(plain, LONGEST).replace(/[. ]+$/, '');
  if (name === '') return 'document';
  // What ends in .part is unfinished here.
  if (DEVICE.test(name) || /\.part$/i.test(name)) return `_${name}_`;
  return name;
}

const withIndex = (name: string, index: number): string => {
  const dot = name.lastIndexOf('.');
  return dot > 0 ? `${name.slice(0, dot)}-${index}${name.slice(dot)}` : `${name}-${index}`;
};

/** File names for titles, in their order, each another one also where a system does not tell capitals apart. */
export function fileNamesFor(titles: readonly string[]): string[] {
  const taken = new Set<string>();
  return titles.map((title) => {
    const wanted = fileNameFor(title);
    let name = wanted;
    for (let index = 2; taken.has(name.toLowerCase()); index += 1) name = withIndex(wanted, index);
    taken.add(name.toLowerCase());
    return name;
  });
}

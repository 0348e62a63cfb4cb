import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const ROOT = join(__dirname, '..', '..', '..');
const page = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

/** Every page that somebody is meant to read. */
const PAGES = [
  'README.md',
  'CONTRIBUTING.md',
  'examples/exercise/README.md',
  ...readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
];

/** What GitHub makes of a heading to link to it. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');

const headingsOf = (markdown: string): string[] =>
  [...markdown.replaceAll(/^```.*?^```\n/gms, '').matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => anchorOf(heading));

/** Whether a link of a page leads to a file or folder that is there, and to a heading that it has. */
function leadsSomewhere(from: string, link: string): boolean {
  const [path = '', anchor] = link.split('#', 2);
  const target = path === '' ? from : join(dirname(from), path);
  return existsSync(join(ROOT, target)) && (anchor === undefined || headingsOf(page(target)).includes(anchor));
}

describe('the pages', () => {
  it.each(PAGES)('leads from %s only to what is there', (from) => {
    const links = [...page(from).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link);
    const own = links.filter((link) => !link.startsWith('https://'));
    expect(own.filter((link) => !leadsSomewhere(from, link))).toEqual([]);
  });

  it.each(['gone.md', 'tutorial.md#no-such-heading', '#nor-this'])('would notice %s', (link) => {
    expect(leadsSomewhere('docs/README.md', link)).toBe(false);
  });

  it.each(PAGES.filter((name) => name !== 'docs/README.md' && /^docs\/[^/]+\.md$/.test(name)))(
    'are found from where one begins: %s',
    (name) => {
      expect(page('docs/README.md') + page('README.md')).toContain(`${name.slice('docs/'.length)}`);
    },
  );
});

describe('the table of promises', () => {
  interface Row {
    readonly name: string;
    readonly proof: string;
  }
  const rows: readonly Row[] = page('docs/promises.md')
    .split('\n')
    .flatMap((line) => {
      const cells = /^\| (S?\d+) +\| (.+) \| (.+?) +\|$/.exec(line);
      return cells === null ? [] : [{ name: String(cells[1]), proof: String(cells[3]) }];
    });
  const LINK = /\[([^\]]+)\]\(\.\.\/(test\/[^)]+)\)/g;

  it('has each promise and each attack of the list once', () => {
    const expected = [
      ...Array.from({ length: 10 }, (_, n) => `S${n + 1}`),
      ...Array.from({ length: 84 }, (_, n) => `${n + 1}`),
    ];
    expect(rows.map(({ name }) => name)).toEqual(expected);
  });

  it.each(rows)('$name: names tests that are there, or why there is none yet', ({ name, proof }) => {
    const links = [...proof.matchAll(LINK)];
    if (links.length === 0) {
      expect(proof).toMatch(/^not yet: \w.{10,}/);
      // Promises are what is sold: each is tried by something.
      expect(name).not.toMatch(/^S/);
    }
    const missing = links.filter(([, words = '', path = '']) => !page(path).includes(words));
    expect(missing.map(([link]) => link)).toEqual([]);
  });
});

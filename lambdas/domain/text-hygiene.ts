import type { Agreement } from './agreement.ts';
import { invalid, type Refusal } from './refusal.ts';

/**
 * Control characters, surrogates without a partner, line separators, every format character, and whatever else is drawn as nothing
 * (fillers, variation selectors, the blank Braille pattern) or means nothing between two parties (private use, noncharacters): they turn,
 * hide or forge text (Unicode TR 36, UAX 44 Default_Ignorable_Code_Point).
 */
const FORBIDDEN =
  /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}\u2800]/u;
const FORBIDDEN_IN_PARAGRAPHS = new RegExp(`(?![\\n\\t])${FORBIDDEN.source}`, 'u');

/** Whether a text can be shown, mailed and printed as it is read: normalised (NFC) and without hidden characters. */
export const isPlain = (text: string, paragraphs = false): boolean =>
  text.normalize('NFC') === text && !(paragraphs ? FORBIDDEN_IN_PARAGRAPHS : FORBIDDEN).test(text);

/**
 * Cyrillic and Greek letters that are drawn, in capitals or not, as Latin ones are (Unicode TS 39, confusables): marks of both scripts are
 * read side by side, so SECRET with a Cyrillic Е is that mark.
 */
const DRAWN_ALIKE = new Map(
  'аa вb сc гr ԁd еe нh іi їi јj кk ӏl мm оo рp ԛq ѕs тt ѵv ԝw хx уy αa βb εe ηh ιi κk μm νn οo ρp τt υy χx ζz ıi'
    .split(' ')
    .map((pair) => [pair.slice(0, 1), pair.slice(1)]),
);

/** As it is read: compatibility forms (full-width, mathematical) and letters of other scripts are what they look like. */
const asRead = (text: string): string =>
  [...text.normalize('NFKC').toLowerCase()].map((letter) => DRAWN_ALIKE.get(letter) ?? letter).join('');

/**
 * Marks as whole words, however they are spaced: «Таємно» is a substring of «Цілком таємно», and neither may be found inside
 * another word.
 */
const containsMark = (text: string, mark: string): boolean => {
  const escaped = asRead(mark)
    .replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
    .replace(/\s+/g, '\\s+');
  return new RegExp(`(?<![\\p{L}\\p{N}])${escaped}(?![\\p{L}\\p{N}])`, 'u').test(asRead(text));
};

/**
 * A title is unclassified and is read by registries of both nations (rule E8, D8): it must not carry a mark of the agreement.
 * @param pointer JSON Pointer of the title in the command
 */
export function titleProblem(agreement: Agreement, title: string, pointer: string): Refusal | undefined {
  const mark = agreement.marks.flatMap((row) => row.ladder).find((candidate) => containsMark(title, candidate));
  if (mark === undefined) return undefined;
  return invalid({
    code: 'TITLE_CARRIES_MARK',
    message: `The title contains the mark "${mark}". Titles are unclassified: they stand in registers and on screens of both nations.`,
    next: 'Say in neutral words what is asked for, and put the level in levelSought.',
    pointer,
    rule: 'E8',
  });
}

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

/** As it is read: full-width and other compatibility forms are the letters they look like (NFKC). */
const asRead = (text: string): string => text.normalize('NFKC').toLowerCase();

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

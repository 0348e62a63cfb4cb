import type { Agreement } from './agreement.ts';
import { invalid, type Refusal } from './refusal.ts';

/** Control characters, surrogates without a partner, line separators, and every format character: they turn or hide text (Unicode TR 36). */
const FORBIDDEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;
const FORBIDDEN_IN_PARAGRAPHS = /(?![\n\t])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

/** Whether a text can be shown, mailed and printed as it is read: normalised (NFC) and without hidden characters. */
export const isPlain = (text: string, paragraphs = false): boolean =>
  text.normalize('NFC') === text && !(paragraphs ? FORBIDDEN_IN_PARAGRAPHS : FORBIDDEN).test(text);

/**
 * Marks as whole words, however they are spaced: «Таємно» is a substring of «Цілком таємно», and neither may be found inside
 * another word.
 */
const containsMark = (text: string, mark: string): boolean => {
  const escaped = mark
    .toLowerCase()
    .replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
    .replace(/\s+/g, '\\s+');
  return new RegExp(`(?<![\\p{L}\\p{N}])${escaped}(?![\\p{L}\\p{N}])`, 'u').test(text.toLowerCase());
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

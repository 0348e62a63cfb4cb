import { isPlain, titleProblem } from '../../../lambdas/domain/text-hygiene.ts';
import { EXERCISE, agreementWith } from '../../support/domain.ts';

const markIn = (title: string): string | undefined => {
  const problem = titleProblem(EXERCISE, title, '/title');
  return problem === undefined ? undefined : /mark "(.*)"/.exec(problem.message)?.[1];
};

describe('a title with a mark of the agreement is refused', () => {
  it.each([
    ['SECRET', 'SECRET'],
    ['A secret plan', 'SECRET'],
    ['Plan (SECRET)', 'SECRET'],
    ['Plan_SECRET_2', 'SECRET'],
    ['Top Secret plan', 'SECRET'],
    ['Plan, confidential.', 'CONFIDENTIAL'],
    ['PROTECTED B annex', 'PROTECTED B'],
    ['protected  b annex', 'PROTECTED B'],
    ['protected\u00A0b annex', 'PROTECTED B'],
    ['План, таємно', 'Таємно'],
    ['«Таємно»: план', 'Таємно'],
    ['ЦІЛКОМ ТАЄМНО', 'Таємно'],
    ['План для службового користування', 'Для службового користування'],
    ['План особливої  важливості', 'Особливої важливості'],
    ['The ＳＥＣＲＥＴ plan', 'SECRET'],
    ['The 𝐒𝐄𝐂𝐑𝐄𝐓 plan', 'SECRET'],
    ['The SЕСRЕT plan, Е and С in Cyrillic', 'SECRET'],
    ['The ѕесгеt plan, in small Cyrillic', 'SECRET'],
    ['The ΤΟP SECRET plan', 'SECRET'],
    ['PROTEСTED В annex', 'PROTECTED B'],
    ['CΟΝFΙDΕΝΤΙAL in Greek', 'CONFIDENTIAL'],
    ['План, Taємнo in Latin', 'Таємно'],
  ])('%j carries %s', (title, mark) => {
    expect(markIn(title)).toBe(mark);
    expect(titleProblem(EXERCISE, title, '/title')).toMatchObject({
      kind: 'InvalidInput',
      code: 'TITLE_CARRIES_MARK',
      pointer: '/title',
      rule: 'E8',
    });
  });
});

describe('a mark inside another word is none', () => {
  it.each([
    'Secretariat of the project',
    'Undersecretary',
    'Unprotected barn',
    'Confidentiality clause',
    'PROTECTED BY LAW',
    'Нетаємно',
    'Таємному',
    'Надтаємно',
    'SECRET2',
    'Секретаріат',
    'Секрет успіху',
    '',
  ])('%j', (title) => expect(markIn(title)).toBeUndefined());
});

it('«Таємно» and «Цілком таємно» are told apart where only one is a mark', () => {
  const only = (mark: string) =>
    agreementWith({ marks: [{ axis: 'classified', nation: EXERCISE.parties[1], ladder: [mark] }] }).agreement;
  expect(titleProblem(only('Цілком таємно'), 'Таємно', '/title')).toBeUndefined();
  expect(titleProblem(only('Цілком таємно'), 'Не цілком Таємно', '/title')).toBeDefined();
  expect(titleProblem(only('Таємно'), 'Цілкомтаємно', '/title')).toBeUndefined();
});

it('reads a mark literally, whatever stands in it', () => {
  const { agreement } = agreementWith({
    marks: [{ axis: 'handling', nation: EXERCISE.parties[0], ladder: ['TLP:AMBER+STRICT (x)'] }],
  });
  expect(titleProblem(agreement, 'a tlp:amber+strict (x) b', '/title')).toBeDefined();
  expect(titleProblem(agreement, 'a tlp:amberrstrict x b', '/title')).toBeUndefined();
});

describe('text that cannot be shown as it is read is not plain', () => {
  it.each([
    ['a control character', 'a\u0007b'],
    ['a zero byte', 'a\u0000b'],
    ['a C1 control', 'a\u0085b'],
    ['a tab', 'a\tb'],
    ['a line break', 'a\nb'],
    ['a line separator', 'a\u2028b'],
    ['a paragraph separator', 'a\u2029b'],
    ['a lone surrogate', 'a\uD83Db'],
    ['an override of direction', 'a\u202Eb'],
    ['an isolate', 'a\u2066b\u2069'],
    ['an Arabic letter mark', 'a\u061Cb'],
    ['a zero-width space', 'SEC\u200BRET'],
    ['a zero-width joiner', 'a\u200Db'],
    ['a soft hyphen', 'SEC\u00ADRET'],
    ['a word joiner', 'a\u2060b'],
    ['a byte order mark', '\uFEFFab'],
    ['a tag character', 'a\u{E0041}b'],
    ['a letter that is not composed', 'Цілком'.normalize('NFD') + 'и\u0306'],
  ])('%s', (_, text) => expect(isPlain(text)).toBe(false));

  it('also over several lines', () => {
    expect(isPlain('a\n\tb\u200B', true)).toBe(false);
    expect(isPlain('a\r\nb', true)).toBe(false);
  });
});

it.each(['', 'A plan', "L'accord d’été, n° 5", 'Об’єкт «Їжак» №5', 'e\u0301'.normalize('NFC'), '😀'])(
  '%j is plain',
  (text) => {
    expect(isPlain(text)).toBe(true);
  },
);

it('paragraphs may have line breaks and tabs', () => {
  expect(isPlain('a\n\tb', true)).toBe(true);
});

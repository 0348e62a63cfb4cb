import fc from 'fast-check';
import { fileNameFor, fileNamesFor } from '../../../bin/client/file-names.ts';

test.each([
  ['Security requirements', 'Security requirements'],
  ['Вимоги безпеки, частина 1', 'Вимоги безпеки, частина 1'],
  ['../../etc/passwd', '_.._etc_passwd'],
  ['..\\..\\boot.ini', '_.._boot.ini'],
  ['/etc/passwd', '_etc_passwd'],
  ['C:\\Windows\\system.ini', 'C__Windows_system.ini'],
  ['.bashrc', 'bashrc'],
  ['...', 'document'],
  ['', 'document'],
  ['   ', 'document'],
  ['-rf', 'rf'],
  ['~root', 'root'],
  ['a\u0000b\nc\u202Egnp.exe', 'abcgnp.exe'],
  ['e\u0301', 'é'],
  ['trailing. . ', 'trailing'],
  ['CON', '_CON_'],
  ['nul.txt', '_nul.txt_'],
  ['lpt1', '_lpt1_'],
  ['draft.part', '_draft.part_'],
  ['a?b*c:d|e"f<g>h', 'a_b_c_d_e_f_g_h'],
])('%j becomes %j', (title, name) => {
  expect(fileNameFor(title)).toBe(name);
});

test('a name is always one that lies in its folder, shows, and fits', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.string()), (title) => {
      const name = fileNameFor(title);
      expect(name).not.toMatch(/[/\\\p{C}]/u);
      expect(name).not.toMatch(/^[.\-~ ]|[. ]$|\.part$/i);
      expect(name.length).toBeGreaterThan(0);
      expect(Buffer.byteLength(`${name}-50.part`)).toBeLessThanOrEqual(255);
    }),
  );
});

test('a long title is cut between characters', () => {
  const name = fileNameFor('Ї'.repeat(120));
  expect(Buffer.byteLength(name)).toBe(200);
  expect(name).toMatch(/^Ї+$/);
});

test('names of one package differ, also where capitals do not count, and none is the part of another', () => {
  expect(fileNamesFor(['Plan.md', 'plan.md', 'Plan-2.md', 'PLAN.md', 'a/b', 'a_b'])).toEqual([
    'Plan.md',
    'plan-2.md',
    'Plan-2-2.md',
    'PLAN-3.md',
    'a_b',
    'a_b-2',
  ]);
  fc.assert(
    fc.property(fc.array(fc.string({ maxLength: 3 }), { maxLength: 20 }), (titles) => {
      const names = fileNamesFor(titles);
      expect(new Set(names.map((name) => name.toLowerCase())).size).toBe(titles.length);
      expect(names.some((name) => names.includes(`${name}.part`))).toBe(false);
    }),
  );
});

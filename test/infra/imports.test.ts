import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const CHECKER = join(__dirname, '..', '..', 'scripts', 'check-imports.mjs');

/** The smallest tree with which every rule matches a file and every listed edge is used. */
const HOUSE: Readonly<Record<string, string>> = {
  'lambdas/domain/case.ts': `export const law = 1;`,
  'lambdas/evidence/digest.ts': `import { createHash } from 'node:crypto';\nimport type { x } from '../domain/case.ts';`,
  'lambdas/contracts/step.ts': `import * as z from 'zod';\nimport type { ZodType } from 'zod';`,
  'lambdas/platform/store.ts': `import { DynamoDBClient } from '@aws-sdk/client-dynamodb';\nimport treaty from '../../agreements/A/1.json' with { type: 'json' };`,
  'lambdas/steps/one/handler.ts': `import { store } from '../../platform/store.ts';`,
  'lambdas/events/two/handler.ts': `import { each } from '../stream.ts';`,
  'lambdas/events/stream.ts': `export const each = 1;`,
  'lambdas/api/handler.ts': `import { z } from './view.ts';`,
  'infra/app.ts': `import { App } from 'aws-cdk-lib';\nimport { ENV } from '../lambdas/contracts/names.ts';`,
  'infra/environments/local.ts': `import { PEOPLE } from '../../examples/exercise/people.ts';`,
  'local/runtime.ts': `import { createServer } from 'node:http';\nimport { host } from './service.ts';`,
  'bin/app.ts': `import { build } from '../infra/app.ts';`,
  'bin/valiza.ts': `import { api } from './client/api.ts';`,
  'bin/client/credentials.ts': `import { nationOf } from '../../examples/exercise/nations.ts';\nconst issuer = () => import('../../examples/exercise/issuer.ts');`,
  'bin/local.ts': `import { start } from '../local/runtime.ts';`,
  'examples/exercise/people.ts': `import type { Person } from '../../lambdas/domain/people.ts';`,
  'test/any.test.ts': `import '../anything/at/all.ts';`,
};

const root = mkdtempSync(join(tmpdir(), 'imports-'));
afterAll(() => rmSync(root, { recursive: true }));

let trees = 0;

/** Runs the checker over the house with some files changed; an undefined one is taken away. */
function check(changes: Readonly<Record<string, string | undefined>>): { status: number | null; lines: string[] } {
  const tree = join(root, String((trees += 1)));
  mkdirSync(tree);
  for (const [file, source] of Object.entries({ ...HOUSE, ...changes })) {
    if (source === undefined) continue;
    mkdirSync(dirname(join(tree, file)), { recursive: true });
    writeFileSync(join(tree, file), source);
  }
  const { status, stdout, stderr } = spawnSync(process.execPath, [CHECKER, tree], { encoding: 'utf8' });
  return { status, lines: `${stderr}${stdout}`.trim().split('\n') };
}

it('finds nothing in a house that is in order, and says how much it looked at', () => {
  expect(check({})).toEqual({ status: 0, lines: ['Imports: 17 files and 21 imports examined, 0 findings.'] });
});

it('finds every planted violation, at its line, and nothing else', () => {
  const planted: readonly (readonly [file: string, source: string, finding: string])[] = [
    ['lambdas/domain/a.ts', `import { z } from '../contracts/step.ts';`, '1 imports lambdas/contracts/step.ts'],
    ['lambdas/domain/b.ts', `\nexport * from '../evidence/digest.ts';`, '2 imports lambdas/evidence/digest.ts'],
    ['lambdas/domain/c.ts', `export type { S } from '@aws-sdk/client-s3';`, '1 imports the package @aws-sdk/client-s3'],
    ['lambdas/domain/d.ts', `import type { X } from 'node:fs';`, '1 imports node:fs, a built-in'],
    ['lambdas/domain/e.ts', `const at = (): number => new Date().getTime();`, '1 uses Date:'],
    ['lambdas/domain/f.ts', 'const text = `${Math.random()}`;', '1 uses Math.random:'],
    ['lambdas/domain/g.ts', `const a = 4 / 2; const b = process.env['X'] / 2;`, '1 uses process:'],
    ['lambdas/domain/h.ts', `const re = /'/; console.log(re);`, '1 uses console:'],
    ['lambdas/evidence/a.ts', `import { readFileSync } from 'node:fs';`, '1 imports node:fs, a built-in'],
    ['lambdas/evidence/b.ts', `import { s } from '../platform/store.ts';`, '1 imports lambdas/platform/store.ts'],
    ['lambdas/contracts/a.ts', `import { z } from 'zod';`, '1 imports zod by name'],
    ['lambdas/contracts/b.ts', `import z, { type X } from 'zod';`, '1 imports zod by name'],
    ['lambdas/platform/a.ts', `import { x } from '../api/handler.ts';`, '1 imports lambdas/api/handler.ts'],
    ['lambdas/platform/b.ts', `console.warn('x');`, '1 uses console: functions log through'],
    ['lambdas/api/b.ts', `process.stderr.write('x');`, '1 uses process.stderr: functions log through'],
    [
      'lambdas/steps/two/handler.ts',
      `import { x } from '../one/handler.ts';`,
      '1 imports lambdas/steps/one/handler.ts',
    ],
    ['lambdas/events/a/handler.ts', `import '../two/handler.ts';`, '1 imports lambdas/events/two/handler.ts'],
    [
      'lambdas/api/a.ts',
      `import { SFNClient } from '@aws-sdk/client-sfn';`,
      '1 imports the package @aws-sdk/client-sfn',
    ],
    ['infra/a.ts', `import {\n  decide,\n} from '../lambdas/domain/decide.ts';`, '1 imports lambdas/domain/decide.ts'],
    ['infra/b.ts', `import { PEOPLE } from '../examples/exercise/people.ts';`, '1 imports examples/exercise/people.ts'],
    ['local/a.ts', `type C = import('../lambdas/domain/case.ts').Case;`, '1 imports lambdas/domain/case.ts'],
    ['local/b.ts', `// as Valiza does\nimport { x } from 'fs';`, '1 says "Valiza"'],
    ['local/c.ts', `import { x } from 'fs';`, '1 imports fs; write node:fs'],
    ['bin/client/a.ts', `import { x } from '../../local/runtime.ts';`, '1 imports local/runtime.ts'],
    [
      'bin/commands/a.ts',
      `const name = './x.ts'; await import(name);`,
      '1 imports what only the running program knows',
    ],
    ['bin/local/a.ts', `import { x } from '../../infra/app.ts';`, '1 imports infra/app.ts'],
    ['examples/exercise/a.ts', `import { x } from '../../test/support/domain.ts';`, '1 imports test/support/domain.ts'],
    ['tools/a.ts', ``, '1 belongs to no part'],
  ];
  const { status, lines } = check(Object.fromEntries(planted.map(([file, source]) => [file, source])));
  expect(status).toBe(1);
  for (const [file, , finding] of planted) {
    expect(lines).toContainEqual(expect.stringMatching(new RegExp(`^${file}:${finding.replace(/[.*?()]/g, '\\$&')}`)));
  }
  const ofLocalB = 1; // It imports a built-in by its bare name as well.
  expect(lines).toHaveLength(planted.length + ofLocalB + 1);
  expect(lines.at(-1)).toMatch(new RegExp(`${planted.length + ofLocalB} findings`));
});

it('takes no comment, text, template or member for code', () => {
  const { status, lines } = check({
    'lambdas/domain/quiet.ts': [
      `// import { x } from 'node:fs'; new Date()`,
      `/* process.exit() */ export const text = "import 'node:fs'; console.log()";`,
      'export const template = `import fs from "node:fs" // ${text}`;',
      `export const slash = /["'\`]import 'node:fs'/u;`,
      `export const member = { process: 1 as number, Date: 2 }.process;`,
    ].join('\n'),
  });
  expect(status).toBe(1);
  // Members that are declared are names too: the domain does without them.
  expect(lines.slice(0, -1)).toEqual([
    expect.stringMatching(/quiet\.ts:5 uses Date/),
    expect.stringMatching(/quiet\.ts:5 uses process/),
  ]);
});

it('fails when a rule protects nothing, when a listed edge is not used, and when there is nothing to examine', () => {
  expect(check({ 'lambdas/api/handler.ts': undefined }).lines).toContain(
    'The rule for api matched no file: it protects nothing.',
  );
  expect(check({ 'infra/environments/local.ts': `export {};` }).lines).toContain(
    'infra/environments/local.ts no longer imports examples/exercise/people.ts: take the edge off the list.',
  );
  const empty = check(Object.fromEntries(Object.keys(HOUSE).map((file) => [file, undefined])));
  expect(empty.status).toBe(1);
  expect(empty.lines).toContain('Nothing was examined: 0 files, 0 imports.');
});

import { statSync } from 'node:fs';
import { join } from 'node:path';
import { assemblyFor } from '../../bin/local/assembly.ts';
import { FUNCTIONS, type FunctionName } from '../../infra/functions.ts';
import { localCode, readAssembly } from '../../local/assembly.ts';
import { BUNDLE_KB, LARGER } from './bundle-limits.ts';

/** KB of each function's code, as it is deployed. */
const sizes = new Map<string, number>();

beforeAll(async () => {
  for (const stack of readAssembly(await assemblyFor('can-local'))) {
    const resources = Object.values(stack.template['Resources'] as Record<string, Record<string, unknown>>);
    for (const { Type, Properties } of resources) {
      if (Type !== 'AWS::Lambda::Function') continue;
      const { FunctionName: name, Code: code } = Properties as { FunctionName: string; Code: Record<string, unknown> };
      const { size } = statSync(join(localCode(stack, code), 'index.js'));
      sizes.set(name.replace('valiza-can-local-', ''), size / 1024);
    }
  }
});

it('finds the code of every function', () => {
  expect([...sizes.keys()].sort()).toEqual(Object.keys(FUNCTIONS).sort());
});

it.each(Object.keys(FUNCTIONS) as FunctionName[])('keeps %s within its limit', (name) => {
  expect(sizes.get(name)).toBeLessThanOrEqual(LARGER[name]?.kb ?? BUNDLE_KB);
});

it('names no exception that is none', () => {
  const needless = Object.keys(LARGER).filter((name) => (sizes.get(name) ?? 0) <= BUNDLE_KB);
  expect(needless).toEqual([]);
});

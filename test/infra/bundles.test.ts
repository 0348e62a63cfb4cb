import { statSync } from 'node:fs';
import { join } from 'node:path';
import { assemblyFor } from '../../bin/local/assembly.ts';
import { FUNCTIONS, type FunctionName } from '../../infra/functions.ts';
import { bundlesIn } from '../support/bundles.ts';
import { BUNDLE_KB, LARGER } from './bundle-limits.ts';

const NAMES = Object.keys(FUNCTIONS) as FunctionName[];

let directories: ReadonlyMap<string, string>;

beforeAll(async () => {
  directories = bundlesIn(await assemblyFor('can-local'), 'can-local');
});

/** KB of a function's code, as it is deployed. */
const sizeOf = (name: FunctionName): number => statSync(join(directories.get(name) ?? '', 'index.js')).size / 1024;

it('finds the code of every function', () => {
  expect([...directories.keys()].sort()).toEqual([...NAMES].sort());
});

it.each(NAMES)('keeps %s within its limit', (name) => {
  expect(sizeOf(name)).toBeLessThanOrEqual(LARGER[name]?.kb ?? BUNDLE_KB);
});

it('names no exception that is none', () => {
  expect(NAMES.filter((name) => LARGER[name] !== undefined && sizeOf(name) <= BUNDLE_KB)).toEqual([]);
});

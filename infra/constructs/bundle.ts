import { buildSync } from 'esbuild';
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FUNCTIONS, type FunctionName } from '../functions.ts';

const ROOT = join(import.meta.dirname ?? __dirname, '..', '..');
const DIST = join(ROOT, 'dist');

let bundles: string | undefined;

/** Builds every function in one go: minified CommonJS (it starts faster than ESM), the SDK inside (so that what was tested is what runs). */
function bundleAll(): string {
  // A directory of this process: two that synthesise at once must not take each other's bundles away.
  mkdirSync(DIST, { recursive: true });
  const out = mkdtempSync(join(DIST, 'functions-'));
  process.once('exit', () => rmSync(out, { recursive: true, force: true }));
  buildSync({
    absWorkingDir: ROOT,
    entryPoints: Object.entries(FUNCTIONS).map(([name, { entry }]) => ({ in: entry, out: `${name}/index` })),
    outdir: out,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    // Functions run on Node 24 in AWS and on the laptop's Node 20 or later.
    target: 'node20',
    minify: true,
    keepNames: true,
    // The SDK's CommonJS build is half as large again and slower to start.
    mainFields: ['module', 'main'],
    sourcemap: 'external',
    sourcesContent: false,
    logLevel: 'error',
  });
  return out;
}

/** A function that is only looked at. Renamed into place, so that no other process sees it half written. */
function placeholder(): string {
  const directory = join(DIST, 'placeholder');
  const draft = join(DIST, `placeholder-${process.pid}.js`);
  mkdirSync(directory, { recursive: true });
  writeFileSync(draft, 'exports.handler = async () => { throw new Error("placeholder"); };\n');
  renameSync(draft, join(directory, 'index.js'));
  return directory;
}

/** The directory with a function's bundle. @param real false for a template that is only looked at: a placeholder is packed instead */
export function bundleOf(name: FunctionName, real: boolean): string {
  if (!real) return placeholder();
  bundles ??= bundleAll();
  return join(bundles, name);
}

import { buildSync } from 'esbuild';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FUNCTIONS, type FunctionName } from '../functions.ts';

const ROOT = join(import.meta.dirname ?? __dirname, '..', '..');
const OUT = join(ROOT, 'dist', 'functions');

let bundled = false;

/** Builds every function in one go: minified CommonJS (it starts faster than ESM), the SDK inside (so that what was tested is what runs). */
function bundleAll(): void {
  rmSync(OUT, { recursive: true, force: true });
  buildSync({
    absWorkingDir: ROOT,
    entryPoints: Object.entries(FUNCTIONS).map(([name, { entry }]) => ({ in: entry, out: `${name}/index` })),
    outdir: OUT,
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
  bundled = true;
}

/** The directory with a function's bundle. @param real false for a template that is only looked at: a placeholder is packed instead */
export function bundleOf(name: FunctionName, real: boolean): string {
  if (real && !bundled) bundleAll();
  const directory = real ? join(OUT, name) : join(ROOT, 'dist', 'placeholder');
  if (!real && !existsSync(directory)) {
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, 'index.js'), 'exports.handler = async () => { throw new Error("placeholder"); };\n');
  }
  return directory;
}

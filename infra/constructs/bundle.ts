import { build } from 'esbuild';
import { copyFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { FUNCTIONS, type FunctionName, type FunctionSpec } from '../functions.ts';
import { leavingOut } from './left-out.ts';

const ROOT = join(import.meta.dirname ?? __dirname, '..', '..');
const DIST = join(ROOT, 'dist');

/**
 * Builds every function in one go: minified CommonJS (it starts faster than ESM), the SDK inside (so that what was tested is what runs).
 * @returns the directory with a directory for each function; it goes when this process ends
 */
export async function bundleFunctions(): Promise<string> {
  // A directory of this process: two that synthesise at once must not take each other's bundles away.
  mkdirSync(DIST, { recursive: true });
  const out = mkdtempSync(join(DIST, 'functions-'));
  process.once('exit', () => rmSync(out, { recursive: true, force: true }));
  await build({
    absWorkingDir: ROOT,
    entryPoints: Object.entries(FUNCTIONS).map(([name, { entry }]) => ({ in: entry, out: `${name}/index` })),
    outdir: out,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    // Functions run on Node 24 in AWS and on the laptop's Node 20 or later.
    target: 'node20',
    minify: true,
    // Otherwise each letter of an agreement or a mail that is not ASCII takes six bytes.
    charset: 'utf8',
    legalComments: 'linked',
    // The SDK's CommonJS build is half as large again and slower to start.
    mainFields: ['module', 'main'],
    plugins: [leavingOut],
    sourcemap: 'external',
    sourcesContent: false,
    logLevel: 'error',
  });
  for (const [name, { files = [] }] of Object.entries(FUNCTIONS as Readonly<Record<string, FunctionSpec>>)) {
    for (const file of files) copyFileSync(join(ROOT, file), join(out, name, basename(file)));
  }
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

/** The directory with a function's code. @param bundles of {@link bundleFunctions}; without, for a template that is only looked at, a placeholder is packed */
export const codeOf = (name: FunctionName, bundles?: string): string =>
  bundles === undefined ? placeholder() : join(bundles, name);

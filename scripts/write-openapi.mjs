// Writes lambdas/contracts/openapi.json from the route table, and docs/reference/api.md from that. With --check it writes nothing, and
// fails when either is stale.
import { readFileSync, writeFileSync } from 'node:fs';
import { format } from 'prettier';
import { register } from 'tsx/esm/api';
import { apiReference } from './api-reference.mjs';

register();
const { openApi } = await import('../lambdas/contracts/openapi.ts');
const { problem } = await import('../lambdas/contracts/api-answers.ts');
const document = openApi(problem);
const stale = [];

/** Brings a file up to date, or notes that it is not. */
async function bring(path, text, parser) {
  const target = new URL(`../${path}`, import.meta.url);
  const wanted = await format(text, { parser, printWidth: 120, singleQuote: true });
  if (!process.argv.includes('--check')) writeFileSync(target, wanted);
  else if (readFileSync(target, 'utf8') !== wanted) stale.push(path);
}

await bring('lambdas/contracts/openapi.json', JSON.stringify(document), 'json');
await bring('docs/reference/api.md', apiReference(document), 'markdown');
for (const path of stale) console.error(`${path} is not what the routes say; run node scripts/write-openapi.mjs.`);
process.exitCode = stale.length === 0 ? 0 : 1;

// Writes lambdas/contracts/openapi.json from the route table, and docs/reference/api.md from that; tests fail when either is stale.
import { writeFileSync } from 'node:fs';
import { format } from 'prettier';
import { register } from 'tsx/esm/api';
import { apiReference } from './api-reference.mjs';

register();
const { openApi } = await import('../lambdas/contracts/openapi.ts');
const { problem } = await import('../lambdas/contracts/api-answers.ts');
const document = openApi(problem);
const write = async (path, text, parser) =>
  writeFileSync(new URL(path, import.meta.url), await format(text, { parser, printWidth: 120, singleQuote: true }));
await write('../lambdas/contracts/openapi.json', JSON.stringify(document), 'json');
await write('../docs/reference/api.md', apiReference(document), 'markdown');

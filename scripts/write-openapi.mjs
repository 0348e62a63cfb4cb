// Writes lambdas/contracts/openapi.json from the route table; a test fails when the two differ.
import { writeFileSync } from 'node:fs';
import { format } from 'prettier';
import { register } from 'tsx/esm/api';

register();
const { openApi } = await import('../lambdas/contracts/openapi.ts');
const { problem } = await import('../lambdas/contracts/api-schemas.ts');
const target = new URL('../lambdas/contracts/openapi.json', import.meta.url);
const text = await format(JSON.stringify(openApi(problem)), { parser: 'json', printWidth: 120 });
writeFileSync(target, text);

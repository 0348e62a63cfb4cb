import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fakeExchange, valiza } from './harness.ts';

const exchange = fakeExchange();

test('docs/reference/client.md is what the program says of itself', async () => {
  const page = readFileSync(join(__dirname, '../../../docs/reference/client.md'), 'utf8');
  const { stdout } = await valiza(exchange, ['reference'], { env: { VALIZA_EXCHANGE: 'http://127.0.0.1:4610' } });
  expect(page).toBe(stdout);
});

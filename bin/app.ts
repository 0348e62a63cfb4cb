import { build } from '../infra/app.ts';
import { bundleFunctions } from '../infra/constructs/bundle.ts';

try {
  build({}, { bundles: await bundleFunctions() });
} catch (error) {
  // A wrong or missing environment is the reader's to mend: the sentence, not the stack.
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}

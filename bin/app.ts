import { build } from '../infra/app.ts';

try {
  build();
} catch (error) {
  // A wrong or missing environment is the reader's to mend: the sentence, not the stack.
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}

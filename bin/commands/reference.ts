import { referenceOf } from '../client/reference.ts';
import type { AddCommand } from '../client/session.ts';

/** reference: the page docs/reference/client.md, from the program itself. */
export const addReference: AddCommand = (program, act) => {
  program
    .command('reference', { hidden: true })
    .description('print the reference of this client as Markdown')
    .action(
      act(async ({ out }) => {
        const page = referenceOf(program);
        out.answer({ page }, () => page.trimEnd());
      }),
    );
};

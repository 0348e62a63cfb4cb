import { receiptBody } from '../../lambdas/contracts/api-bodies.ts';
import { answerDone } from '../client/answer-case.ts';
import { checked } from '../client/options.ts';
import type { AddCommand } from '../client/session.ts';

/** receipt: what `open` does by itself, for when the exchange could not be told at once. */
export const addReceipt: AddCommand = (program, act) => {
  program
    .command('receipt')
    .description('acknowledge the receipt of a package, where open could not')
    .argument('<case>', 'id of the case')
    .requiredOption('--access <id>', 'the opening, as open named it')
    .requiredOption('--digest <digest>', 'digest of the package, as open named it')
    .action(
      act(async (session, options: { access: string; digest: string }, caseId: string) => {
        const body = checked(receiptBody, { accessId: options.access, digest: options.digest });
        answerDone(session, await session.api.acknowledgeReceipt({ params: { caseId }, body }), 'Acknowledged.');
      }),
    );
};

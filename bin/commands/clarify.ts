import { clarificationBody } from '../../lambdas/contracts/api-bodies.ts';
import { answerDone } from '../client/answer-case.ts';
import { checked, collect, given } from '../client/options.ts';
import type { AddCommand } from '../client/session.ts';

interface Amendments {
  readonly title?: string;
  readonly description?: string;
  readonly justification?: string;
  readonly recipient?: readonly string[];
}

/** clarify ask, clarify answer: while a question is open, the decision clock stands still. */
export const addClarify: AddCommand = (program, act) => {
  const clarify = program.command('clarify').description('ask the requester a question, or answer it');
  clarify
    .command('ask')
    .description('ask the requester; the decision waits for the answer')
    .argument('<case>', 'id of the case')
    .argument('<question>', 'the question')
    .action(
      act(async (session, _options: object, caseId: string, question: string) => {
        const seen = await session.api.clarify({ params: { caseId }, body: checked(clarificationBody, { question }) });
        answerDone(session, seen, 'Asked.');
        session.out.hint(`valiza wait ${caseId} --for UNDER_REVIEW`);
      }),
    );
  clarify
    .command('answer')
    .description('answer the question, and amend the request where that helps; voids an earlier proposal')
    .argument('<case>', 'id of the case')
    .argument('<answer>', 'the answer')
    .option('--title <text>', 'the title as it is to be')
    .option('--description <text>', 'the description as it is to be')
    .option('--justification <text>', 'the justification as it is to be')
    .option('--recipient <person>', 'a recipient as they are to be; may be repeated', collect)
    .action(
      act(async (session, { recipient, ...rest }: Amendments, caseId: string, answer: string) => {
        const amendments = given({ ...rest, recipients: recipient });
        const body = checked(clarificationBody, {
          answer,
          ...(Object.keys(amendments).length === 0 ? {} : { amendments }),
        });
        const seen = await session.api.clarify({ params: { caseId }, body });
        answerDone(session, seen, 'Answered.');
        session.out.hint(`valiza wait ${caseId} --for RELEASED`);
      }),
    );
};

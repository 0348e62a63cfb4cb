import { reasonBody } from '../../lambdas/contracts/api-bodies.ts';
import { answerDone } from '../client/answer-case.ts';
import { checked } from '../client/options.ts';
import type { AddCommand } from '../client/session.ts';

/** What ends a case or a release for a while or for good, with a reason. */
const WITH_REASON = [
  {
    name: 'suspend',
    description: 'close a release for now; its end keeps approaching',
    operation: 'suspendRelease',
    question: undefined,
    done: 'Suspended.',
    hint: (caseId: string) => `two people resume it, one after the other: valiza resume ${caseId}`,
  },
  {
    name: 'recall',
    description: 'end a release now and for good',
    operation: 'recallRelease',
    question: 'This ends the release for good.',
    done: 'Recalled.',
    hint: (caseId: string) => `valiza wait ${caseId} --for CLOSED`,
  },
  {
    name: 'withdraw',
    description: 'withdraw a request before it is released',
    operation: 'withdrawRequest',
    question: 'This ends the case for good.',
    done: 'Withdrawn.',
    hint: () => undefined,
  },
] as const;

/** suspend, resume, recall, withdraw. */
export const addEndings: AddCommand = (program, act) => {
  for (const ending of WITH_REASON) {
    program
      .command(ending.name)
      .description(ending.description)
      .argument('<case>', 'id of the case')
      .requiredOption('--reason <text>', 'why; it stands in the case file')
      .action(
        act(async (session, { reason }: { reason: string }, caseId: string) => {
          const body = checked(reasonBody, { reason });
          if (ending.question !== undefined) await session.prompt.confirm(ending.question);
          answerDone(session, await session.api[ending.operation]({ params: { caseId }, body }), ending.done);
          const hint = ending.hint(caseId);
          if (hint !== undefined) session.out.hint(hint);
        }),
      );
  }
  program
    .command('resume')
    .description('resume a suspended release: the first person proposes it, a second one does it')
    .argument('<case>', 'id of the case')
    .action(
      act(async (session, _options: object, caseId: string) => {
        const seen = await session.api.resumeRelease({ params: { caseId } });
        const resumed = seen.phase === 'RELEASED';
        answerDone(session, seen, resumed ? 'Resumed.' : 'Proposed.');
        if (!resumed) session.out.hint(`a second person: valiza resume ${caseId}`);
      }),
    );
};

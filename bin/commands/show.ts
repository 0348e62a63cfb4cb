import type { CaseView } from '../../lambdas/contracts/api-answers.ts';
import { answerCase } from '../client/answer-case.ts';
import type { AddCommand } from '../client/session.ts';

/** The command of this client for what the caller may do next, most telling first. */
const NEXT: readonly (readonly [command: string, hint: (caseId: string) => string])[] = [
  ['GrantAccess', (caseId) => `valiza open ${caseId}`],
  ['GiveAssurance', (caseId) => `valiza assure ${caseId} give`],
  ['AnswerClarification', (caseId) => `valiza clarify answer ${caseId} <answer>`],
  ['CastDecision', (caseId) => `valiza decide ${caseId} approve`],
  ['PutProposal', (caseId) => `valiza deposit ${caseId} <file>, then valiza propose ${caseId}`],
];

/** What the reader could do next with a case; undefined when they wait like everybody else. */
export function hintFor(seen: CaseView): string | undefined {
  const next = NEXT.find(
    ([command]) => seen.yourCommands.includes(command) && (command !== 'CastDecision' || seen.proposal !== undefined),
  );
  return next?.[1](seen.caseId);
}

/** show: a case, whole. */
export const addShow: AddCommand = (program, act) => {
  program
    .command('show')
    .description('show where a case stands, and everything of it that you may see')
    .argument('<case>', 'id of the case')
    .action(
      act(async (session, _options: object, caseId: string) => {
        const seen = await session.api.readCase({ params: { caseId } });
        answerCase(session, seen);
        const hint = hintFor(seen);
        if (hint !== undefined) session.out.hint(hint);
      }),
    );
};

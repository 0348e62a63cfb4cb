import type { CaseView } from '../../lambdas/contracts/api-answers.ts';
import { caseText } from './case-text.ts';
import { phaseInWords } from './phase-words.ts';
import type { Session } from './session.ts';

/** Answers with a case, whole. */
export const answerCase = (session: Session, seen: CaseView): void =>
  session.out.answer(seen, (paint) => caseText(seen, paint));

/** Answers with a case after something was done to it: people are told where it stands now. */
export const answerDone = (session: Session, seen: CaseView, done: string): void =>
  session.out.answer(seen, () => `${done}\n${seen.registerNumber ?? seen.caseId}  ${phaseInWords(seen.phase)}`);

import type { AccessView, CaseView } from './api-answers.ts';
import { ENCRYPTION_CONTEXT_KEYS } from './names.ts';

/** Why an answer to an opening is not to be believed. */
export interface AnswerProblem {
  readonly code: 'NOT_WHAT_WAS_DECIDED' | 'WRONG_KEY';
  readonly message: string;
}

const notWhatWasDecided = (message: string): AnswerProblem => ({ code: 'NOT_WHAT_WAS_DECIDED', message });

const same = ({ title, digest, length }: { title: string; digest: string; length: number }): string =>
  JSON.stringify([title, digest, length]);

/**
 * The answer to an opening must be about this case, this key and what was decided; a digest alone does not say that. Asked before anything of
 * it is fetched.
 * @param seen the case, as it was read before
 * @param fingerprint of the key that is to open it
 */
export function problemWith(access: AccessView, seen: CaseView, fingerprint: string): AnswerProblem | undefined {
  const context = access.encryptionContext;
  const named = Object.keys(context).sort().join() === [...ENCRYPTION_CONTEXT_KEYS].sort().join();
  if (
    !named ||
    context['case'] !== seen.caseId ||
    context['release'] !== access.releaseId ||
    access.caseId !== seen.caseId
  ) {
    return notWhatWasDecided('The exchange answered with a package of another case or release.');
  }
  if (access.keyFingerprint !== fingerprint) {
    return {
      code: 'WRONG_KEY',
      message: `The release is sealed to ${access.keyFingerprint}, and the key given is ${fingerprint}.`,
    };
  }
  let offset = 0;
  for (const document of access.documents) {
    if (document.offset !== offset || !Number.isSafeInteger(document.length) || document.length < 0) {
      return notWhatWasDecided('The documents of the package do not lie one after the other.');
    }
    offset += document.length;
  }
  const decided = seen.proposal?.documents;
  if (decided !== undefined && decided.map(same).join() !== access.documents.map(same).join()) {
    return notWhatWasDecided('The package holds other documents than the decision names.');
  }
  return undefined;
}

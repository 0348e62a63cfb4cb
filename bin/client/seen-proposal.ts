import type { CaseView } from '../../lambdas/contracts/api-answers.ts';
import { digestOf } from '../../lambdas/evidence/digest.ts';
import { ClientError, damaged, usage } from './errors.ts';
import { EXIT } from './exit-codes.ts';
import { proposalText } from './proposal-text.ts';
import type { Session } from './session.ts';

/**
 * The digest of a case's proposal, computed here from the proposal as it is shown: nobody decides on something other than what they saw
 * (promise S5). It must be the one the exchange states.
 * @throws ClientError when there is none to be seen (75), or the digest is another (65)
 */
export function digestAsShown(seen: CaseView): string {
  const { proposal, proposalDigest } = seen;
  if (proposal === undefined || proposalDigest === undefined) {
    throw new ClientError(
      EXIT.tryAgain,
      'NO_PROPOSAL',
      `There is no proposal for you to see while the case is ${seen.phase}.`,
      `Read where it stands: valiza show ${seen.caseId}`,
    );
  }
  const computed = digestOf(proposal);
  if (computed !== proposalDigest || proposal.caseId !== seen.caseId) {
    throw damaged(
      'PROPOSAL_DIFFERS',
      `The proposal that the exchange shows is not the one whose digest it states (${proposalDigest}); it is ${computed}.`,
      'Do not decide. Tell your security officer: the exchange, or the way to it, is not to be trusted.',
    );
  }
  return computed;
}

/** How much of a digest is typed: enough to have looked, and to be no accident. */
const TYPED = 8;

const hexOf = (digest: string): string => digest.replace(/^sha256:/, '');

/**
 * Shows the proposal and has its digest stated: typed by the person who read it, or given whole with --digest and --yes.
 * @param act what stating it does, in words
 * @throws ClientError (2) for another digest, or none
 */
export async function confirmProposal(
  session: Session,
  seen: CaseView,
  act: string,
  given: string | undefined,
): Promise<string> {
  const digest = digestAsShown(seen);
  const { prompt, out, options } = session;
  if (given !== undefined && hexOf(given) !== hexOf(digest)) {
    throw usage(
      `The proposal is not the one you name: its digest is ${digest}.`,
      `Read it again: valiza show ${seen.caseId}`,
    );
  }
  if (options.yes === true) {
    if (given !== undefined) return digest;
    throw usage('--yes alone does not say what you have seen.', 'Give --digest with the digest of the proposal too.');
  }
  if (seen.proposal !== undefined) {
    const { proposal } = seen;
    out.show((paint) => `${proposalText(proposal, digest, paint)}\n`);
  }
  const typed = await prompt.ask(
    `${act} Type the first ${TYPED} characters of the digest after "sha256:" to go on:`,
    'Give --digest with the digest of the proposal that you have read, and --yes.',
  );
  if (typed.toLowerCase() !== hexOf(digest).slice(0, TYPED)) {
    throw usage('That is not how the digest begins; nothing was done.', 'Read the proposal and its digest again.');
  }
  return digest;
}

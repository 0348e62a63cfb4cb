import { Argument } from 'commander';
import { decisionBody } from '../../lambdas/contracts/api-bodies.ts';
import { answerDone } from '../client/answer-case.ts';
import { usage } from '../client/errors.ts';
import { checked, given } from '../client/options.ts';
import { confirmProposal } from '../client/seen-proposal.ts';
import type { AddCommand } from '../client/session.ts';

interface Options {
  readonly digest?: string;
  readonly role?: string;
  readonly ground?: string;
  readonly note?: string;
}

const VERDICTS = ['approve', 'refuse'] as const;

/** decide: one approver's vote on exactly the proposal they saw. */
export const addDecide: AddCommand = (program, act) => {
  program
    .command('decide')
    .description('approve or refuse a proposal; shows it, and has you type how its digest begins')
    .argument('<case>', 'id of the case')
    .addArgument(new Argument('<verdict>', 'your vote').choices(VERDICTS))
    .option('--digest <digest>', 'digest of the proposal that you have read; needed with --yes')
    .option('--role <role>', 'role you vote in, where you hold several that are needed')
    .option('--ground <code>', "for a refusal: one of the agreement's grounds")
    .option('--note <text>', 'for the case file; the requester does not see it')
    .action(
      act(async (session, options: Options, caseId: string, verdict: (typeof VERDICTS)[number]) => {
        const { digest, role, ground, note } = options;
        if (verdict === 'refuse' && ground === undefined) {
          throw usage('A refusal names a ground of the agreement.', 'Give --ground, for instance need-not-shown.');
        }
        const body = checked(decisionBody, { verdict, ...given({ role, ground, note }) });
        const seen = await session.api.readCase({ params: { caseId } });
        const act = verdict === 'approve' ? 'You approve this release.' : 'You refuse it, which ends the case.';
        const proposalDigest = await confirmProposal(session, seen, act, digest);
        const after = await session.api.castDecision({ params: { caseId }, body, proposalDigest });
        answerDone(session, after, verdict === 'approve' ? 'Approved.' : 'Refused.');
        const missing = after.rolesMissing ?? [];
        if (after.phase === 'UNDER_REVIEW' && missing.length > 0)
          session.out.hint(`still needed: ${missing.join(', ')}`);
        if (after.phase === 'AWAITING_ASSURANCE') {
          session.out.hint(`the authority of ${after.recipientNation}: valiza assure ${caseId} give`);
        }
      }),
    );
};

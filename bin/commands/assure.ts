import { Argument } from 'commander';
import * as z from 'zod';
import { answerDone } from '../client/answer-case.ts';
import { shown } from '../client/layout.ts';
import { confirmProposal, digestAsShown } from '../client/seen-proposal.ts';
import type { AddCommand, Session } from '../client/session.ts';

const VERDICTS = ['give', 'decline'] as const;

const undertaking = z.object({ assurance: z.object({ text: z.record(z.string(), z.string()) }) });

/** What the authority undertakes, in the language of the request where the agreement has it. */
async function showUndertaking({ api, out }: Session, agreementId: string, language: string): Promise<void> {
  const { agreement } = await api.readAgreement({ params: { agreementId } });
  const { text } = undertaking.parse(agreement).assurance;
  out.show((paint) => `${paint('bold', 'Assurance')}\n${shown(text[language] ?? text['en'] ?? '')}\n`);
}

/** assure: the recipient authority's undertaking to protect under those very conditions. */
export const addAssure: AddCommand = (program, act) => {
  program
    .command('assure')
    .description("give or decline your nation's assurance for exactly what was approved")
    .argument('<case>', 'id of the case')
    .addArgument(new Argument('<verdict>', 'what you do').choices(VERDICTS))
    .option('--digest <digest>', 'digest of the proposal that you have read; needed with --yes')
    .action(
      act(async (session, options: { digest?: string }, caseId: string, verdict: (typeof VERDICTS)[number]) => {
        const seen = await session.api.readCase({ params: { caseId } });
        // Nothing is undertaken where there is nothing to be seen.
        digestAsShown(seen);
        if (session.prompt.possible) await showUndertaking(session, seen.agreement.id, seen.request.language);
        const act = verdict === 'give' ? 'You give this assurance.' : 'You decline it, which ends the case.';
        const proposalDigest = await confirmProposal(session, seen, act, options.digest);
        const after = await session.api.giveAssurance({ params: { caseId }, body: { verdict, proposalDigest } });
        answerDone(session, after, verdict === 'give' ? 'Given.' : 'Declined.');
        if (verdict === 'give') session.out.hint(`the recipients, once it is RELEASED: valiza open ${caseId}`);
      }),
    );
};

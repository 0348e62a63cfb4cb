import type { AnswerOf } from '../../lambdas/contracts/routes.ts';
import { isCaseId } from '../../lambdas/domain/ids.ts';
import { genesis } from '../../lambdas/evidence/chain.ts';
import { damaged } from '../client/errors.ts';
import { columns } from '../client/layout.ts';
import type { AddCommand } from '../client/session.ts';

type Events = AnswerOf<'readEvents'>['events'];

/**
 * That each event follows the one before it, from the first of this very case on. What an event says is not looked at: payloads that are
 * not for the reader are left out, and the place in the chain is what remains of them.
 * @throws ClientError (65) naming the first event that is out of place
 */
export function checkLinks(caseId: string, events: Events): void {
  let previous: string | undefined = isCaseId(caseId) ? genesis(caseId) : undefined;
  for (const [index, event] of events.entries()) {
    if (event.sequence !== index + 1 || event.previousHash !== previous) {
      throw damaged(
        'CHAIN_BROKEN',
        `The case file is broken at event ${index + 1}: it does not follow the event before it.`,
        'Keep this answer (--json) and tell your competent authority.',
      );
    }
    previous = event.hash;
  }
}

const who = (actor: Readonly<Record<string, string>>): string =>
  actor['personId'] ?? actor['step'] ?? actor['nation'] ?? '';

/** history: the case file, with its chain checked as far as it is shown. */
export const addHistory: AddCommand = (program, act) => {
  program
    .command('history')
    .description('show the case file, and check that each event follows the one before it')
    .argument('<case>', 'id of the case')
    .action(
      act(async (session, _options: object, caseId: string) => {
        const file = await session.api.readEvents({ params: { caseId } });
        checkLinks(caseId, file.events);
        session.out.answer(file, () =>
          columns(
            file.events.map(({ sequence, at, type, actor, hash }) => [
              String(sequence).padStart(3),
              `${at.slice(0, 19).replace('T', ' ')}Z`,
              type,
              who(actor),
              hash.slice(0, 'sha256:'.length + 12),
            ]),
          ),
        );
        session.out.note(`The chain of all ${file.events.length} events holds.`);
      }),
    );
};

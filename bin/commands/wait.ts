import type { CaseView } from '../../lambdas/contracts/api-answers.ts';
import { isFinal, type Phase } from '../../lambdas/domain/phases.ts';
import { call } from '../client/api.ts';
import { ClientError, usage } from '../client/errors.ts';
import { EXIT } from '../client/exit-codes.ts';
import { collect, countOption } from '../client/options.ts';
import { PHASE_NAMES, phaseInWords } from '../client/phase-words.ts';
import type { AddCommand, Session } from '../client/session.ts';
import { pause } from '../client/transport.ts';
import { hintFor } from './show.ts';

interface Options {
  readonly for?: readonly string[];
  readonly timeout: number;
}

/** Asked often at first, because much happens within a second, then every few. */
const FIRST_PAUSE = 300;
const LONGEST_PAUSE = 5000;

const isOver = (phase: string): boolean => PHASE_NAMES.includes(phase as Phase) && isFinal(phase as Phase); // the first half has looked

/** Reads a case whenever it has changed, until `enough`. */
async function follow(
  session: Session,
  caseId: string,
  seconds: number,
  enough: (seen: CaseView) => boolean,
): Promise<CaseView> {
  const until = performance.now() + seconds * 1000;
  let etag: string | undefined;
  let last: CaseView | undefined;
  for (let wait = FIRST_PAUSE; ; wait = Math.min(wait * 1.5, LONGEST_PAUSE)) {
    const reply = await call(session.connection, 'readCase', { params: { caseId }, ifNoneMatch: etag });
    const { answer } = reply;
    etag = reply.headers.get('etag') ?? etag;
    if (answer !== undefined) {
      if (last === undefined || answer.phase !== last.phase) {
        session.out.note(phaseInWords(answer.phase));
        wait = FIRST_PAUSE;
      }
      last = answer;
      if (enough(answer)) return answer;
    }
    const left = until - performance.now();
    if (left <= 0) {
      throw new ClientError(
        EXIT.pending,
        'STILL_PENDING',
        `After ${seconds} seconds the case is ${last?.phase ?? 'as it was'}.`,
        `Wait on: valiza wait ${caseId} --timeout <seconds>`,
      );
    }
    await pause(Math.min(wait * (0.8 + 0.4 * Math.random()), left), session.signal);
  }
}

/** wait: until a case reaches a phase, or just moves. */
export const addWait: AddCommand = (program, act) => {
  program
    .command('wait')
    .description('wait until a case reaches a phase; without --for, until it moves')
    .argument('<case>', 'id of the case')
    .option('--for <phase>', 'the phase, or one of several when repeated', collect)
    .option('--timeout <seconds>', 'how long to wait', countOption, 300)
    .action(
      act(async (session, options: Options, caseId: string) => {
        const wanted = options.for ?? [];
        const unknown = wanted.find((phase) => !PHASE_NAMES.includes(phase as Phase)); // compared, and nothing else
        if (unknown !== undefined) {
          throw usage(`${unknown} is no phase of a case.`, `Choose from ${PHASE_NAMES.join(', ')}.`);
        }
        let first: string | undefined;
        const seen = await follow(session, caseId, options.timeout, ({ phase }) => {
          first ??= phase;
          return isOver(phase) || (wanted.length === 0 ? phase !== first : wanted.includes(phase));
        });
        if (wanted.length > 0 && !wanted.includes(seen.phase)) {
          throw new ClientError(
            EXIT.failed,
            'ENDED_OTHERWISE',
            `The case ended as ${phaseInWords(seen.phase)}, and comes to ${wanted.join(' or ')} no more.`,
            `Read why: valiza show ${caseId}`,
          );
        }
        session.out.answer(seen, () => `${seen.registerNumber ?? caseId}  ${seen.phase}`);
        const hint = hintFor(seen);
        if (hint !== undefined) session.out.hint(hint);
      }),
    );
};

import { takesPart } from '../canary.ts';
import type { AwaitingClarification, UnderReview } from '../case.ts';
import { afterStop, startDeadline } from '../clock.ts';
import type { Command, Context } from '../commands.ts';
import type { Outcome } from '../outcome.ts';
import type { DomainEvent } from '../events.ts';
import { conflict, invalid } from '../refusal.ts';
import { titleProblem } from '../text-hygiene.ts';

type Of<T extends Command['type']> = Extract<Command, { type: T }>;

/** SeekClarification: the decision clock stands still while the requester owes the answer. */
export function seekClarification(state: UnderReview, command: Of<'SeekClarification'>, context: Context): Outcome {
  const { agreement, now } = context;
  if (now >= state.deadline.dueAt) return tooLate(state.deadline.dueAt);
  const deadline = startDeadline(agreement, agreement.clocks.clarification, now);
  return [{ type: 'ClarificationSought', payload: { question: command.question, deadline } }];
}

/** AnswerClarification: earlier votes and the proposal are void, since they were made without the answer. */
export function answerClarification(
  state: AwaitingClarification,
  command: Of<'AnswerClarification'>,
  context: Context,
): Outcome {
  const { agreement, now, people } = context;
  if (now >= state.clarification.dueAt) return tooLate(state.clarification.dueAt);
  const { amendments } = command;
  const problem =
    amendments.title === undefined ? undefined : titleProblem(agreement, amendments.title, '/amendments/title');
  if (problem !== undefined) return problem;
  const unknown = (amendments.recipients ?? []).findIndex((id) => {
    const person = people.get(id);
    return (
      person === undefined || !person.active || person.nation !== state.recipientNation || !takesPart(state, person)
    );
  });
  if (unknown !== -1) {
    return invalid({
      code: 'RECIPIENT_UNKNOWN',
      message: 'A recipient must be an active person of the requesting nation in the directory of this exchange.',
      next: 'Correct the person id, or have the person entered in the directory first.',
      pointer: `/amendments/recipients/${unknown}`,
      rule: 'B1',
    });
  }
  const event: DomainEvent = {
    type: 'ClarificationAnswered',
    payload: {
      answer: command.answer,
      amendments,
      requestDigest: context.digest({ ...state.request, ...amendments }),
      deadline: afterStop(state.deadline, state.clarification.startedAt, now),
    },
  };
  return [event];
}

const tooLate = (dueAt: string): Outcome =>
  conflict({
    code: 'DEADLINE_PASSED',
    message: `This was due before ${dueAt}.`,
    next: 'Read the case: it lapses or is escalated, as the agreement says.',
  });

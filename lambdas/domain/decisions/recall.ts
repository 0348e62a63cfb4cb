import { commandsFor } from '../capacity.ts';
import type { Released, Suspended } from '../case.ts';
import type { Command, Context } from '../commands.ts';
import type { Outcome } from '../outcome.ts';
import { conflict, type Refusal } from '../refusal.ts';

type Of<T extends Command['type']> = Extract<Command, { type: T }>;

const over = (state: Released | Suspended, context: Context): Refusal | undefined =>
  context.now < state.release.notAfter
    ? undefined
    : conflict({
        code: 'WINDOW_OVER',
        message: `The release ended at ${state.release.notAfter}.`,
        next: 'Nothing is left to suspend or resume.',
      });

/** Suspend: one person suffices; the end keeps approaching. */
export const suspend = (state: Released, command: Of<'Suspend'>, context: Context): Outcome =>
  over(state, context) ?? [{ type: 'ReleaseSuspended', payload: { reason: command.reason } }];

/** Resume: two people who both may. The first proposes, a different one resumes; a first one who no longer may has proposed nothing. */
export function resume(state: Suspended, context: Context): Outcome {
  const refusal = over(state, context);
  if (refusal !== undefined) return refusal;
  // The phase table lets only approvers and the authority resume, and they are people.
  const { personId } = (context.actor as Extract<Context['actor'], { kind: 'person' }>).person;
  const proposer = state.resumptionProposedBy;
  const standing = proposer === null ? undefined : context.people.get(proposer);
  const first =
    standing !== undefined && commandsFor(state, { kind: 'person', person: standing }).includes('Resume')
      ? standing.personId
      : null;
  if (first === null) return [{ type: 'ResumptionProposed', payload: { by: personId } }];
  if (first !== personId) return [{ type: 'ReleaseResumed', payload: { by: [first, personId] } }];
  return conflict({
    code: 'SECOND_PERSON_NEEDED',
    message: 'You have proposed to resume; another person must agree.',
    next: 'Ask a second approver or the authority to resume.',
  });
}

/** Recall: one person, any time before the end is recorded, and final (rule C6). */
export const recall = (command: Of<'Recall'>): Outcome => [
  { type: 'ReleaseRecalled', payload: { reason: command.reason } },
];

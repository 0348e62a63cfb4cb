import { refusedByPhase } from './capacity.ts';
import { phaseIs, type Case } from './case.ts';
import type { Command, Context } from './commands.ts';
import { answerClarification, seekClarification } from './decisions/clarification.ts';
import { castDecision } from './decisions/cast-decision.ts';
import { declineAssurance, giveAssurance } from './decisions/assurance.ts';
import { acknowledgeReceipt, grantAccess, recordAccessFailure } from './decisions/access.ts';
import { lookAtClock, recordAssessment, recordEnd, recordExpiry } from './decisions/passage.ts';
import { openRelease, recordSealed } from './decisions/sealing.ts';
import { completeDeposit, openDeposit } from './decisions/deposits.ts';
import { putProposal } from './decisions/put-proposal.ts';
import { recall, resume, suspend } from './decisions/recall.ts';
import type { DomainEvent } from './events.ts';
import type { Phase } from './phases.ts';
import { conflict, type Refusal } from './refusal.ts';

/** Events to record, none when the command changes nothing (it was given before), or why not. */
export type Outcome = readonly DomainEvent[] | Refusal;

/**
 * Decides a command on an open case. Pure: no clock, no randomness, nothing fetched. The phase table speaks first, then the guards
 * of the command (domain.md §3).
 */
export function decide(state: Case, command: Command, context: Context): Outcome {
  const refusal = refusedByPhase(state, context.actor, command.type);
  if (refusal !== undefined) return refusal;
  switch (command.type) {
    case 'RecordAssessment':
      return within(state, ['SUBMITTED'], (open) => recordAssessment(open, command, context));
    case 'SeekClarification':
      return within(state, ['UNDER_REVIEW'], (open) => seekClarification(open, command, context));
    case 'AnswerClarification':
      return within(state, ['AWAITING_CLARIFICATION'], (open) => answerClarification(open, command, context));
    case 'OpenDeposit':
      return within(state, ['UNDER_REVIEW'], (open) => openDeposit(open, command));
    case 'CompleteDeposit':
      return within(state, ['UNDER_REVIEW'], (open) => completeDeposit(open, command));
    case 'PutProposal':
      return within(state, ['UNDER_REVIEW'], (open) => putProposal(open, command, context));
    case 'CastDecision':
      return within(state, ['UNDER_REVIEW'], (open) => castDecision(open, command, context));
    case 'GiveAssurance':
      return within(state, ['AWAITING_ASSURANCE'], (open) => giveAssurance(open, command, context));
    case 'DeclineAssurance':
      return within(state, ['AWAITING_ASSURANCE'], (open) => declineAssurance(open, command));
    case 'RecordSealed':
      return within(state, ['SEALING'], (open) => recordSealed(open, command));
    case 'OpenRelease':
      return within(state, ['SEALING'], (open) => openRelease(open, command, context));
    case 'GrantAccess':
      return within(state, ['RELEASED'], (open) => grantAccess(open, command, context));
    case 'RecordAccessFailure':
      return within(state, ['RELEASED', 'SUSPENDED', 'CLOSING'], (open) => recordAccessFailure(open, command));
    case 'AcknowledgeReceipt':
      return within(state, ['RELEASED', 'SUSPENDED', 'CLOSING', 'CLOSED'], (open) =>
        acknowledgeReceipt(open, command, context),
      );
    case 'Suspend':
      return within(state, ['RELEASED'], (open) => suspend(open, command, context));
    case 'Resume':
      return within(state, ['SUSPENDED'], (open) => resume(open, context));
    case 'Recall':
      return recall(command);
    case 'RecordExpiry':
      return within(state, ['RELEASED', 'SUSPENDED'], (open) => recordExpiry(open, context));
    case 'RecordEnd':
      return within(state, ['CLOSING'], (open) => recordEnd(open, command));
    case 'RecordDepositsDestroyed':
      return [{ type: 'DepositsDestroyed', payload: { depositIds: command.depositsDestroyed } }];
    case 'RecordFailure':
      return [
        { type: 'AttemptFailed', payload: { attempt: command.attempt, step: command.step, error: command.error } },
      ];
    case 'LookAtClock':
      return within(state, ['UNDER_REVIEW', 'AWAITING_CLARIFICATION', 'AWAITING_ASSURANCE'], (open) =>
        lookAtClock(open, context),
      );
    case 'Withdraw':
      return [{ type: 'RequestWithdrawn', payload: { reason: command.reason } }];
  }
}

/** The handler for a case in one of `phases`; the phase table has let nothing else through, and if it had, the answer is no. */
function within<P extends Phase>(
  state: Case,
  phases: readonly P[],
  handle: (open: Extract<Case, { phase: P }>) => Outcome,
): Outcome {
  if (phaseIs(state, ...phases)) return handle(state);
  return conflict({
    code: 'PHASE_FORBIDS',
    message: `This is not possible while the case is ${state.phase}.`,
    next: 'Read the case again and act on where it stands.',
  });
}

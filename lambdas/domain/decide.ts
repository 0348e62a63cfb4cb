import { refusedByPhase } from './capacity.ts';
import type { Case } from './case.ts';
import type { Command, Context } from './commands.ts';
import { answerClarification, seekClarification } from './decisions/clarification.ts';
import { castDecision } from './decisions/cast-decision.ts';
import { declineAssurance, giveAssurance } from './decisions/assurance.ts';
import { acknowledgeReceipt, grantAccess, recordAccessFailure } from './decisions/access.ts';
import { lookAtClock } from './decisions/look-at-clock.ts';
import { recordUndelivered } from './decisions/notices.ts';
import { recordAssessment, recordEnd, recordExpiry } from './decisions/passage.ts';
import { openRelease, recordSealed } from './decisions/sealing.ts';
import { completeDeposit, openDeposit } from './decisions/deposits.ts';
import { putProposal } from './decisions/put-proposal.ts';
import { recall, resume, suspend } from './decisions/recall.ts';
import type { Outcome } from './outcome.ts';
import type { PhaseOf } from './phases.ts';

/**
 * Decides a command on an open case. Pure: no clock, no randomness, nothing fetched. The phase table speaks first, then the guards
 * of the command (domain.md §3).
 */
export function decide(state: Case, command: Command, context: Context): Outcome {
  const refusal = refusedByPhase(state, context.actor, command.type);
  if (refusal !== undefined) return refusal;
  switch (command.type) {
    case 'RecordAssessment':
      return recordAssessment(standing(state, command), command, context);
    case 'SeekClarification':
      return seekClarification(standing(state, command), command, context);
    case 'AnswerClarification':
      return answerClarification(standing(state, command), command, context);
    case 'OpenDeposit':
      return openDeposit(standing(state, command), command);
    case 'CompleteDeposit':
      return completeDeposit(standing(state, command), command);
    case 'PutProposal':
      return putProposal(standing(state, command), command, context);
    case 'CastDecision':
      return castDecision(standing(state, command), command, context);
    case 'GiveAssurance':
      return giveAssurance(standing(state, command), command, context);
    case 'DeclineAssurance':
      return declineAssurance(standing(state, command), command);
    case 'RecordSealed':
      return recordSealed(standing(state, command), command);
    case 'OpenRelease':
      return openRelease(standing(state, command), command, context);
    case 'GrantAccess':
      return grantAccess(standing(state, command), command, context);
    case 'RecordAccessFailure':
      return recordAccessFailure(standing(state, command), command);
    case 'AcknowledgeReceipt':
      return acknowledgeReceipt(standing(state, command), command, context);
    case 'Suspend':
      return suspend(standing(state, command), command, context);
    case 'Resume':
      return resume(standing(state, command), context);
    case 'Recall':
      return recall(command);
    case 'RecordExpiry':
      return recordExpiry(standing(state, command), context);
    case 'RecordEnd':
      return recordEnd(standing(state, command), command);
    case 'RecordDepositsDestroyed':
      return [{ type: 'DepositsDestroyed', payload: { depositIds: command.depositsDestroyed } }];
    case 'RecordFailure':
      return [{ type: 'AttemptFailed', payload: failureOf(command) }];
    case 'LookAtClock':
      return lookAtClock(standing(state, command), context);
    case 'RecordUndelivered':
      return recordUndelivered(state, command);
    case 'Withdraw':
      return [{ type: 'RequestWithdrawn', payload: { reason: command.reason } }];
  }
}

const failureOf = ({ attempt, step, error, version }: Extract<Command, { type: 'RecordFailure' }>) => ({
  attempt,
  step,
  error,
  version,
});

/** The case as one of the phases in which the table lists the command: the phase table spoke first, and let nothing else through. */
const standing = <C extends Command>(state: Case, _command: C) => state as Extract<Case, { phase: PhaseOf<C['type']> }>;

import { assess } from '../admissibility.ts';
import type { Closing, Released, Submitted, Suspended } from '../case.ts';
import { startDeadline } from '../clock.ts';
import type { Command, Context } from '../commands.ts';
import type { Outcome } from '../outcome.ts';
import type { DomainEvent } from '../events.ts';
import { quorumReach } from '../eligibility.ts';
import { conflict } from '../refusal.ts';

type Of<T extends Command['type']> = Extract<Command, { type: T }>;

/** RecordAssessment: every admissibility check; an admissible request starts the decision clock and says whether anyone could decide it. */
export function recordAssessment(state: Submitted, command: Of<'RecordAssessment'>, context: Context): Outcome {
  const { agreement, now } = context;
  const checks = assess(agreement, state.request, state.originatingNation, state.recipientNation, now);
  const admissible = checks.every((row) => row.passed);
  return [
    {
      type: 'RequestAssessed',
      payload: {
        registerNumber: command.registerNumber,
        admissible,
        checks,
        deadline: admissible ? startDeadline(agreement, agreement.clocks.decision, now) : null,
        escalated: admissible && !quorumReach({ ...state, proposal: null, decisions: [] }, context).withinReach,
      },
    },
  ];
}

/** RecordExpiry: at `notAfter` and after, also when suspended. */
export function recordExpiry(state: Released | Suspended, context: Context): Outcome {
  if (context.now < state.release.notAfter) {
    return conflict({
      code: 'NOT_DUE',
      message: `The release ends at ${state.release.notAfter}; it is ${context.now}.`,
      next: 'Wait, or recall the release.',
    });
  }
  return [{ type: 'ReleaseExpired', payload: { notAfter: state.release.notAfter } }];
}

/** RecordEnd: only when every deposit and the package were looked for and found destroyed (principle P5). */
export function recordEnd(state: Closing, command: Of<'RecordEnd'>): Outcome {
  const remaining = state.deposits.filter((deposit) => !command.depositsDestroyed.includes(deposit.depositId));
  const packageRemains = state.sealed !== null && command.packageDestroyed?.objectKey !== state.sealed.objectKey;
  if (remaining.length > 0 || packageRemains) {
    return conflict({
      code: 'NOT_DESTROYED',
      message: 'A deposit or the package has not been verified as destroyed.',
      next: 'Destroy it, verify its absence, and record the end again.',
    });
  }
  const events: DomainEvent[] = [];
  if (command.depositsDestroyed.length > 0) {
    events.push({ type: 'DepositsDestroyed', payload: { depositIds: command.depositsDestroyed } });
  }
  if (command.packageDestroyed !== null) {
    events.push({ type: 'PackageDestroyed', payload: { ...command.packageDestroyed, verified: true } });
  }
  return [...events, { type: 'CaseClosed', payload: { reason: state.reason } }];
}

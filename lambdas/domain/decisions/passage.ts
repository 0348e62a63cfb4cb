import { assess } from '../admissibility.ts';
import type {
  AwaitingAssurance,
  AwaitingClarification,
  Closing,
  Released,
  Submitted,
  Suspended,
  UnderReview,
} from '../case.ts';
import { afterEscalation, startDeadline } from '../clock.ts';
import type { Command, Context } from '../commands.ts';
import type { Outcome } from '../outcome.ts';
import type { DomainEvent } from '../events.ts';
import { APPROVING_ROLES, hasRoleIn } from '../people.ts';
import { couldDecide, neededRoles } from '../quorum.ts';
import { conflict } from '../refusal.ts';

type Of<T extends Command['type']> = Extract<Command, { type: T }>;

/** RecordAssessment: every admissibility check; an admissible request starts the decision clock and says whether anyone could decide it. */
export function recordAssessment(state: Submitted, command: Of<'RecordAssessment'>, context: Context): Outcome {
  const { agreement, now, people } = context;
  const checks = assess(agreement, state.request, state.originatingNation, state.recipientNation, now);
  const admissible = checks.every((row) => row.passed);
  const needed = neededRoles(agreement, [{ marking: state.request.levelSought }]);
  const approvers = [...people.values()].filter(
    (person) => person.nation === state.originatingNation && hasRoleIn(state, person, ...APPROVING_ROLES),
  );
  return [
    {
      type: 'RequestAssessed',
      payload: {
        registerNumber: command.registerNumber,
        admissible,
        checks,
        deadline: admissible ? startDeadline(agreement, agreement.clocks.decision, now) : null,
        escalated: admissible && (needed === undefined || !couldDecide(needed, approvers)),
      },
    },
  ];
}

/** LookAtClock: a timer only makes someone ask; before the instant nothing happens, at it the agreement's consequence does. */
export function lookAtClock(state: UnderReview | AwaitingClarification | AwaitingAssurance, context: Context): Outcome {
  const { agreement, now } = context;
  switch (state.phase) {
    case 'UNDER_REVIEW':
      if (now < state.deadline.dueAt) return [];
      return state.deadline.rule.onDue === 'escalate' && state.deadline.escalations === 0
        ? [{ type: 'DecisionEscalated', payload: { deadline: afterEscalation(state.deadline, agreement, now) } }]
        : [{ type: 'CaseLapsed', payload: { clock: 'decision' } }];
    case 'AWAITING_CLARIFICATION':
      return now < state.clarification.dueAt ? [] : [{ type: 'CaseLapsed', payload: { clock: 'clarification' } }];
    case 'AWAITING_ASSURANCE':
      return now < state.assuranceDeadline.dueAt ? [] : [{ type: 'CaseLapsed', payload: { clock: 'assurance' } }];
  }
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

/** RecordEnd: only when every deposit and the package were looked for and found absent (principle P5). */
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

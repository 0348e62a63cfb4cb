import { runningClock, type Clocked } from '../case.ts';
import { afterEscalation } from '../clock.ts';
import type { Context } from '../commands.ts';
import { quorumReach } from '../eligibility.ts';
import type { DomainEvent } from '../events.ts';
import type { Outcome } from '../outcome.ts';
import { reminderDue } from '../reminders.ts';

/** Whom the clock of a phase waits for. */
function awaited(state: Clocked): Extract<DomainEvent, { type: 'Reminded' }>['payload']['to'] {
  switch (state.phase) {
    case 'UNDER_REVIEW':
      return state.proposal === null ? 'desk-officers' : 'approvers';
    case 'AWAITING_CLARIFICATION':
      return 'requester';
    case 'AWAITING_ASSURANCE':
      return 'recipient-authority';
  }
}

/** A quorum that came out of reach, or into it, since this was looked at last. */
function reachChanged(state: Clocked, context: Context): readonly DomainEvent[] {
  if (state.phase !== 'UNDER_REVIEW') return [];
  const reach = quorumReach(state, context);
  return reach.withinReach === state.quorumWithinReach ? [] : [{ type: 'QuorumReachChanged', payload: reach }];
}

/**
 * LookAtClock: a timer only makes someone ask. Before the clock has run out, whoever it waits for is reminded at its marks, and the
 * authority told when nobody is left who could decide; at the instant at which it has, the agreement's consequence follows.
 */
export function lookAtClock(state: Clocked, context: Context): Outcome {
  const { agreement, now } = context;
  const { clock, deadline } = runningClock(state);
  if (now < deadline.dueAt) {
    const reminder = reminderDue(state, now);
    const reminded: readonly DomainEvent[] =
      reminder === undefined ? [] : [{ type: 'Reminded', payload: { ...reminder, to: awaited(state) } }];
    return [...reachChanged(state, context), ...reminded];
  }
  return clock === 'decision' && deadline.rule.onDue === 'escalate' && deadline.escalations === 0
    ? [{ type: 'DecisionEscalated', payload: { deadline: afterEscalation(deadline, agreement, now) } }]
    : [{ type: 'CaseLapsed', payload: { clock } }];
}

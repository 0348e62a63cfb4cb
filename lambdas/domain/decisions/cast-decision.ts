import type { Agreement } from '../agreement.ts';
import type { UnderReview } from '../case.ts';
import { startDeadline } from '../clock.ts';
import type { Command, Context } from '../commands.ts';
import { barTo, type Bar } from '../eligibility.ts';
import type { Outcome } from '../outcome.ts';
import type { Decision } from '../events.ts';
import { holds, type Person, type Role } from '../people.ts';
import { neededRoles, openRoles } from '../quorum.ts';
import { conflict, forbidden, invalid, type Refusal } from '../refusal.ts';

type CastDecision = Extract<Command, { type: 'CastDecision' }>;

/** What an approver who may not vote is told. */
function ineligible(bar: Bar | undefined): Refusal | undefined {
  switch (bar?.code) {
    case undefined:
      return undefined;
    case 'OWN_PROPOSAL':
      return forbidden({
        code: 'OWN_PROPOSAL',
        message: 'Whoever prepared a proposal does not decide on it.',
        next: 'Leave the decision to another approver.',
      });
    case 'CONFLICT_OF_INTEREST':
      return forbidden({
        code: 'CONFLICT_OF_INTEREST',
        message: 'You have declared a conflict of interest with the requesting agency.',
        next: 'Leave the decision to another approver.',
      });
    case 'ALREADY_VOTED':
      return conflict({
        code: 'ALREADY_VOTED',
        message: 'You have voted on this proposal; a person has one vote.',
        next: 'Nothing is left to do for you until a new proposal is put.',
      });
    case 'NOT_CLEARED':
      return forbidden({
        code: 'NOT_CLEARED',
        message: `You hold no valid clearance for ${bar.mark}.`,
        next: 'Leave the decision to a cleared approver.',
        rule: 'B2',
      });
  }
}

/** The role a vote is for: the one named, else the only needed role the voter holds that is still open (or the first of them). */
function roleOf(
  needed: readonly string[],
  open: readonly string[],
  command: CastDecision,
  voter: Person,
): string | Refusal {
  const held = needed.filter((role) => holds(voter, role as Role)); // roles that people hold are a closed set; others match nobody
  const role = command.role ?? held.find((candidate) => open.includes(candidate)) ?? held[0];
  if (role !== undefined && held.includes(role)) return role;
  return forbidden({
    code: 'ROLE_NOT_NEEDED',
    message: `This decision needs: ${needed.join(', ')}. You hold: ${voter.roles.join(', ')}.`,
    next: 'Leave the decision to people in those roles.',
  });
}

function groundProblem(agreement: Agreement, command: CastDecision): Refusal | undefined {
  const codes = agreement.refusalGrounds.map((ground) => ground.code);
  if (command.verdict === 'approve') {
    if (command.ground === undefined) return undefined;
    return invalid({
      code: 'GROUND_WITHOUT_REFUSAL',
      message: 'A ground belongs to a refusal.',
      next: 'Leave the ground out, or refuse.',
      pointer: '/ground',
    });
  }
  if (command.ground !== undefined && codes.includes(command.ground)) return undefined;
  return invalid({
    code: 'GROUND_UNKNOWN',
    message: `A refusal names one of the agreement's grounds: ${codes.join(', ')}.`,
    next: 'Choose a ground; whether the requester is told it is a property of the ground.',
    pointer: '/ground',
  });
}

/**
 * CastDecision: one person's vote on exactly the proposal they saw. The vote that completes the quorum approves; one refusal in
 * a role the quorum needs refuses; what is recorded first wins.
 */
export function castDecision(state: UnderReview, command: CastDecision, context: Context): Outcome {
  const { actor, agreement, now } = context;
  const { proposal: put } = state;
  if (put === null || put.digest !== command.proposalDigest) {
    return conflict({
      code: 'PROPOSAL_CHANGED',
      message: put === null ? 'There is no proposal to decide on.' : 'The proposal is no longer the one you saw.',
      next: 'Read the proposal again and decide on its present digest.',
    });
  }
  if (now >= state.deadline.dueAt || now >= put.proposal.notAfter) {
    return conflict({
      code: 'DEADLINE_PASSED',
      message: `The decision was due before ${state.deadline.dueAt}, and the window ends at ${put.proposal.notAfter}.`,
      next: 'Read the case: it lapses or is escalated, as the agreement says.',
    });
  }
  // The phase table lets only approvers cast decisions, and they are people.
  const voter = (actor as Extract<typeof actor, { kind: 'person' }>).person;
  const refusal = ineligible(barTo(voter, state, context)) ?? groundProblem(agreement, command);
  if (refusal !== undefined) return refusal;
  // A proposal is only accepted when its marks have a quorum; without one no role is needed and every vote is refused below.
  const needed = neededRoles(agreement, put.proposal.documents) ?? [];
  const role = roleOf(needed, openRoles(needed, state.decisions), command, voter);
  if (typeof role !== 'string') return role;
  const { verdict, proposalDigest, ground, note } = command;
  const decision: Decision = {
    personId: voter.personId,
    role,
    verdict,
    proposalDigest,
    ...(ground === undefined ? {} : { ground }),
    ...(note === undefined ? {} : { note }),
  };
  const approved = openRoles(needed, [...state.decisions, decision]).length === 0;
  const outcome = verdict === 'refuse' ? 'refused' : approved ? 'approved' : 'pending';
  const deadline =
    outcome === 'approved' && agreement.assurance.required
      ? startDeadline(agreement, agreement.clocks.assurance, now)
      : null;
  return [{ type: 'DecisionCast', payload: { decision, outcome, deadline } }];
}

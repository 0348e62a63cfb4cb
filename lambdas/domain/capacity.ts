import { takesPart } from './canary.ts';
import type { Case } from './case.ts';
import { APPROVING_ROLES, holds, type Actor } from './people.ts';
import { PHASES, commandsIn, type Capacity, type CommandType } from './phases.ts';
import { conflict, forbidden, type Refusal } from './refusal.ts';

/** In which capacities somebody acts in this very case. */
export function capacities(state: Case, actor: Actor): readonly Capacity[] {
  if (actor.kind === 'system') return ['system'];
  const { person } = actor;
  if (!person.active || !takesPart(state, person)) return [];
  const held: Capacity[] = [];
  if (person.nation === state.originatingNation) {
    if (holds(person, 'desk-officer')) held.push('desk-officer');
    if (holds(person, ...APPROVING_ROLES)) held.push('approver');
    if (holds(person, 'competent-authority')) held.push('originator-authority');
  }
  if (person.nation === state.recipientNation) {
    if (person.agency === state.requestingAgency && holds(person, 'requester')) held.push('requester');
    if (holds(person, 'competent-authority')) held.push('recipient-authority');
    const named = 'proposal' in state && state.proposal !== null ? state.proposal.proposal.recipients : [];
    if (named.some((recipient) => recipient.personId === person.personId)) held.push('recipient');
  }
  return held;
}

/** The commands that somebody may give in the case as it stands. */
export function commandsFor(state: Case, actor: Actor): readonly CommandType[] {
  const held = capacities(state, actor);
  return commandsIn(state.phase).filter((type) =>
    PHASES[state.phase].commands[type]?.by.some((capacity) => held.includes(capacity)),
  );
}

/** The phase table's answer: whether this actor may give this command in this phase at all. */
export function refusedByPhase(state: Case, actor: Actor, type: CommandType): Refusal | undefined {
  const row = PHASES[state.phase].commands[type];
  if (row === undefined) {
    return conflict({
      code: 'PHASE_FORBIDS',
      message: `${type} is not possible while the case is ${state.phase}. Possible for you now: ${commandsFor(state, actor).join(', ') || 'nothing'}.`,
      next: 'Read the case again and act on where it stands.',
    });
  }
  if (commandsFor(state, actor).includes(type)) return undefined;
  return forbidden({
    code: 'NOT_YOUR_PART',
    message: `${type} in phase ${state.phase} belongs to: ${row.by.join(', ')}.`,
    next: 'Ask a person who holds that part in this case.',
  });
}

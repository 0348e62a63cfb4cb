import { type Definition, successors } from './definition.ts';
import { InvalidDefinition } from './parse-fields.ts';

/** Every transition must lead to a state that exists, every state must be reachable, and some state must end the execution. */
export function checkGraph(definition: Definition): void {
  const { States: states, StartAt: start } = definition;
  if (!states.has(start)) throw new InvalidDefinition(`StartAt names ${start}, which is not a state`);
  for (const [name, state] of states) {
    const dangling = successors(state).find((next) => !states.has(next));
    if (dangling !== undefined) throw new InvalidDefinition(`state ${name} leads to ${dangling}, which is not a state`);
  }
  const reached = reachable(definition);
  const unreachable = [...states.keys()].filter((name) => !reached.has(name));
  if (unreachable.length > 0) throw new InvalidDefinition(`no transition leads to ${unreachable.join(', ')}`);
  const ends = [...states.values()].some(
    (state) =>
      state.Type === 'Succeed' || state.Type === 'Fail' || (state.Type !== 'Choice' && state.Next === undefined),
  );
  if (!ends) throw new InvalidDefinition('no state ends the execution');
}

function reachable(definition: Definition): ReadonlySet<string> {
  const reached = new Set([definition.StartAt]);
  // A set's iterator also visits what is added on the way.
  for (const name of reached) {
    const state = definition.States.get(name);
    if (state !== undefined) for (const next of successors(state)) reached.add(next);
  }
  return reached;
}

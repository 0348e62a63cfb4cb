import type { Case } from '../case.ts';
import type { Command } from '../commands.ts';
import type { Outcome } from '../outcome.ts';

/** RecordUndelivered: once for each notice and reader, however often its fate is reported. A notice that was never given cannot be lost. */
export function recordUndelivered(state: Case, command: Extract<Command, { type: 'RecordUndelivered' }>): Outcome {
  const { notice, to, personId, cause } = command;
  const known = state.undelivered.some((row) => row.notice === notice && row.personId === personId);
  if (known || notice > state.sequence) return [];
  const again = state.undelivered.some((row) => row.sequence === notice);
  return [{ type: 'NoticeUndelivered', payload: { notice, to, personId, cause, again } }];
}

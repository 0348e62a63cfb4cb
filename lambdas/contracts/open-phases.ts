import { isFinal, isWaiting, PHASES, type Phase } from '../domain/phases.ts';

/** The phases in which a case is not over, and whether it waits for somebody in each: what is measured of open work. */
export const OPEN_PHASES: readonly { readonly phase: Phase; readonly waits: boolean }[] = (
  Object.keys(PHASES) as Phase[]
) // the keys of a record of every Phase
  .filter((phase) => !isFinal(phase))
  .map((phase) => ({ phase, waits: isWaiting(phase) }));

import type { DomainEvent } from './events.ts';
import type { Refusal } from './refusal.ts';

/** Events to record, none when the command changes nothing (it was given before), or why not. */
export type Outcome = readonly DomainEvent[] | Refusal;

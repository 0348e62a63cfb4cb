/** One event of an execution's history. https://docs.aws.amazon.com/step-functions/latest/apireference/API_HistoryEvent.html */
export interface HistoryEvent {
  readonly id: number;
  readonly previousEventId: number;
  /** Milliseconds since the epoch. */
  readonly timestamp: number;
  readonly type: string;
  /** Members such as `stateEnteredEventDetails`. */
  readonly details: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html#service-limits-state-machine-executions */
export const HISTORY_LIMIT = 25_000;

export class History {
  readonly events: HistoryEvent[] = [];
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Only the event that ends the execution has room. */
  get full(): boolean {
    return this.events.length >= HISTORY_LIMIT - 1;
  }

  /**
   * Adds an event, unless the history is full; whoever runs the execution then ends it.
   * @returns the event's id, which starts at 1
   */
  add(type: string, details: HistoryEvent['details'] = {}): number {
    return this.full ? this.events.length : this.#push(type, details);
  }

  addEnd(type: string, details: HistoryEvent['details']): void {
    this.#push(type, details);
  }

  #push(type: string, details: HistoryEvent['details']): number {
    const id = this.events.length + 1;
    // The first two events both follow nothing.
    this.events.push({ id, previousEventId: id <= 2 ? 0 : id - 1, timestamp: this.#now(), type, details });
    return id;
  }
}

/** Members that GetExecutionHistory leaves out when `includeExecutionData` is false. */
const EXECUTION_DATA = new Set([
  'input',
  'output',
  'inputDetails',
  'outputDetails',
  'parameters',
  'assignedVariables',
  'assignedVariablesDetails',
]);

/** An event as the API returns it. */
export function eventOnTheWire(event: HistoryEvent, includeExecutionData: boolean): Readonly<Record<string, unknown>> {
  const { id, previousEventId, timestamp, type, details } = event;
  const shown = includeExecutionData
    ? details
    : Object.fromEntries(
        Object.entries(details).map(([name, members]) => [
          name,
          Object.fromEntries(Object.entries(members).filter(([member]) => !EXECUTION_DATA.has(member))),
        ]),
      );
  return { id, previousEventId, timestamp: timestamp / 1000, type, ...shown };
}

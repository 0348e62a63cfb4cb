/**
 * Fields that may be logged: codes, counts and random ids. Anything else is dropped (promise S7): no titles, purposes, names,
 * nations, markings, addresses, tokens, bodies.
 */
interface LogFields {
  readonly caseId?: string;
  readonly attempt?: number;
  readonly sequence?: number;
  readonly traceId?: string;
  readonly step?: string;
  readonly route?: string;
  readonly status?: number;
  readonly errorName?: string;
  readonly count?: number;
}

const ALLOWED: readonly (keyof LogFields)[] = [
  'caseId',
  'attempt',
  'sequence',
  'traceId',
  'step',
  'route',
  'status',
  'errorName',
  'count',
];

/** Writes one structured line. `code` is stable: alarms and searches key on it. */
export function log(level: 'info' | 'warn' | 'error', code: string, fields: LogFields = {}): void {
  const allowed = Object.fromEntries(ALLOWED.flatMap((key) => (fields[key] === undefined ? [] : [[key, fields[key]]])));
  // The Lambda runtime writes each console call as one record; with JSON logging the object becomes its message.
  console[level](JSON.stringify({ level, code, ...allowed }));
}

/** The name of an error without its message: messages of libraries may quote content. */
export const errorName = (error: unknown): string => (error instanceof Error ? error.name : 'UnknownError');

import type { Catcher, Retrier } from './definition.ts';
import {
  ERROR_OUTPUT,
  type Fields,
  integer,
  InvalidDefinition,
  leaving,
  MOST_SECONDS,
  object,
  onlyFields,
  text,
} from './parse-fields.ts';

/** https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html#error-handling-retrying-after-an-error */
const MOST_DELAY = 31_622_400;

export function parseRetriers(fields: Fields, where: string): Retrier[] {
  return list(fields, 'Retry', where).map((entry, index, all) => {
    const at = `${where}: Retry[${index}]`;
    const retrier = object(entry, at);
    onlyFields(
      retrier,
      ['ErrorEquals', 'IntervalSeconds', 'MaxAttempts', 'BackoffRate', 'MaxDelaySeconds', 'JitterStrategy', 'Comment'],
      at,
    );
    const { BackoffRate: rate = 2, JitterStrategy: jitter = 'NONE' } = retrier;
    if (typeof rate !== 'number' || rate < 1) throw new InvalidDefinition(`${at}: BackoffRate must be at least 1`);
    if (jitter !== 'FULL' && jitter !== 'NONE')
      throw new InvalidDefinition(`${at}: JitterStrategy must be FULL or NONE`);
    return {
      ErrorEquals: errorNames(retrier, index === all.length - 1, at),
      IntervalSeconds: integer(retrier, 'IntervalSeconds', 1, MOST_SECONDS, 1, at),
      MaxAttempts: integer(retrier, 'MaxAttempts', 0, MOST_SECONDS, 3, at),
      BackoffRate: rate,
      MaxDelaySeconds: integer(retrier, 'MaxDelaySeconds', 1, MOST_DELAY, undefined, at),
      JitterStrategy: jitter,
    };
  });
}

export function parseCatchers(fields: Fields, where: string): Catcher[] {
  return list(fields, 'Catch', where).map((entry, index, all) => {
    const at = `${where}: Catch[${index}]`;
    const catcher = object(entry, at);
    onlyFields(catcher, ['ErrorEquals', 'Next', 'Output', 'Assign', 'Comment'], at);
    return {
      ErrorEquals: errorNames(catcher, index === all.length - 1, at),
      Next: text(catcher, 'Next', at),
      ...leaving(catcher, ERROR_OUTPUT, at),
    };
  });
}

function list(fields: Fields, name: string, where: string): readonly unknown[] {
  const value = fields[name] ?? [];
  if (Array.isArray(value)) return value;
  throw new InvalidDefinition(`${where}: ${name} must be an array`);
}

/** `States.ALL` must stand alone, and in the last entry. */
function errorNames(fields: Fields, last: boolean, where: string): readonly string[] {
  const names = fields['ErrorEquals'];
  if (!Array.isArray(names) || names.length === 0 || !names.every((name): name is string => typeof name === 'string')) {
    throw new InvalidDefinition(`${where}: ErrorEquals must be a non-empty array of error names`);
  }
  if (names.includes('States.ALL') && (names.length > 1 || !last)) {
    throw new InvalidDefinition(`${where}: States.ALL must appear alone and in the last entry`);
  }
  return names;
}

import { InvalidArgumentError } from 'commander';
import { readFile } from 'node:fs/promises';
import type * as z from 'zod';
import { parseInstant, plus, type Instant } from '../../lambdas/domain/instant.ts';
import { codeOf, usage } from './errors.ts';
import type { Surroundings } from './surroundings.ts';

/** For an option that may be given several times. */
export const collect = (value: string, earlier: readonly string[] = []): readonly string[] => [...earlier, value];

const AXES = ['classified', 'protected', 'handling'] as const;
export type MarkOption = { readonly axis: (typeof AXES)[number]; readonly mark: string };

/** `axis:mark`: the axes are separate, and a mark alone does not say which is meant (domain.md §5). */
export function markOption(text: string): MarkOption {
  const colon = text.indexOf(':');
  const axis = AXES.find((candidate) => candidate === text.slice(0, colon));
  const mark = text.slice(colon + 1).trim();
  if (axis === undefined || mark === '') {
    throw new InvalidArgumentError(
      `Write axis:mark with an axis of ${AXES.join(', ')}, as in "protected:PROTECTED A".`,
    );
  }
  return { axis, mark };
}

/** A whole number of at least 1. */
export function countOption(text: string): number {
  const count = Number(text);
  if (!Number.isSafeInteger(count) || count < 1) throw new InvalidArgumentError('Write a whole number of at least 1.');
  return count;
}

const UNITS = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** A length of time such as 90m, 72h or 30d, in milliseconds. */
export function durationOption(text: string): number {
  const parts = /^(\d{1,6})([mhd])$/.exec(text);
  const unit = parts?.[2] as keyof typeof UNITS | undefined; // the pattern allows these only
  if (unit === undefined) throw new InvalidArgumentError('Write a number with m, h or d, as in 72h.');
  return Number(parts?.[1]) * UNITS[unit];
}

/** An instant in UTC. */
export function instantOption(text: string): Instant {
  const instant = parseInstant(text);
  if (instant === undefined) throw new InvalidArgumentError('Write an instant in UTC such as 2026-12-01T09:00:00Z.');
  return instant;
}

/** The end of something that begins at `from`. */
export const after = (from: Instant, milliseconds: number): Instant => plus(from, milliseconds);

async function everythingFrom(stdin: Surroundings['stdin']): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stdin) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8');
}

/** The JSON of a file, or of stdin for `-`. @throws ClientError (2) when there is none */
export async function jsonFrom(path: string, stdin: Surroundings['stdin']): Promise<unknown> {
  try {
    return JSON.parse(path === '-' ? await everythingFrom(stdin) : await readFile(path, 'utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) throw usage(`${path} is not JSON: ${error.message}`, 'Correct the file.');
    if (codeOf(error) === 'ENOENT')
      throw usage(`There is no file ${path}.`, 'Give the path of a JSON file, or - for stdin.');
    throw error;
  }
}

/** Whether a value has nothing at a path. */
const isMissing = (value: unknown, path: readonly PropertyKey[]): boolean =>
  path.reduce<unknown>((found, key) => (found as Record<PropertyKey, unknown> | undefined)?.[key], value) === undefined; // a path leads through objects

/** Holds a body to the API's schema before it is sent. @throws ClientError (2) naming every member at fault */
export function checked<Schema extends z.ZodType>(schema: Schema, value: unknown): z.input<Schema> {
  const read = schema.safeParse(value);
  if (!read.success) {
    const faults = read.error.issues.map(({ path, message }) => {
      const name = path.join('/') || 'it';
      return isMissing(value, path) ? `${name} is missing` : `${name}: ${message}`;
    });
    throw usage(`This cannot be sent: ${faults.join('; ')}.`, 'Correct what is named, and try again.');
  }
  // The schema has accepted the value as its input.
  return value as z.input<Schema>;
}

/** Members that were given. */
export const given = <T extends object>(members: T): { [K in keyof T]?: Exclude<T[K], undefined> } =>
  // What is undefined has been taken out.
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as never;

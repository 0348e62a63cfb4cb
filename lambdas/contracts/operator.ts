import * as z from 'zod';
import { caseId, count, instant } from './values.ts';

/** What operators ask of `answer-operator`: a question by name, and nothing that could be content. */
export const operatorRequest = z.discriminatedUnion('ask', [
  z.strictObject({ ask: z.literal('in-flight'), cursor: z.string().max(512).optional() }),
  z.strictObject({ ask: z.literal('stuck'), cursor: z.string().max(512).optional() }),
  z.strictObject({ ask: z.literal('redrive'), caseId }),
]);
export type OperatorRequest = z.infer<typeof operatorRequest>;

/** Where a case stands. */
const stand = {
  caseId,
  phase: z.string(),
  attempt: z.int().positive(),
  failures: count,
  changedAt: instant,
  dueAt: instant.nullable(),
};

/** A case that is not done: ids, codes, counts and dates, never what it is about (promise S7). */
const inFlightCase = z.object({
  ...stand,
  /** Highest schema version among its events. */
  eventSchema: z.int().positive(),
  /** The execution of its present attempt; null when none is running. */
  execution: z.object({ startedAt: z.iso.datetime(), revision: z.string() }).nullable(),
});
export type InFlightCase = z.infer<typeof inFlightCase>;

/** What a revision of the workflow runs with, as the definition names it: functions as `name:version`, and the role. */
const revision = z.object({ functions: z.array(z.string()), role: z.string() });

export const inFlightAnswer = z.object({
  asOf: instant,
  cases: z.array(inFlightCase),
  /** By the id that Step Functions gives a revision. */
  revisions: z.record(z.string(), revision),
  /** Where the next page begins; null at the end. */
  next: z.string().nullable(),
});
export type InFlightAnswer = z.infer<typeof inFlightAnswer>;

/** What holds a case up, as far as can be seen from outside it. */
export const HINDRANCES = ['attempt-failed', 'no-execution', 'late', 'untold'] as const;
export type Hindrance = (typeof HINDRANCES)[number];

const stuckCase = z.object({
  ...stand,
  /** Step and error of the last attempt, where it failed and nothing has happened since. */
  failed: z.object({ step: z.string(), error: z.string() }).nullable(),
  because: z.array(z.enum(HINDRANCES)).min(1),
});
export type StuckCase = z.infer<typeof stuckCase>;

export const stuckAnswer = z.object({
  asOf: instant,
  cases: z.array(stuckCase),
  /** Where the next page begins; null at the end. */
  next: z.string().nullable(),
});
export type StuckAnswer = z.infer<typeof stuckAnswer>;

/** What a redrive did: a new attempt was begun, what was not told is told, a wait was looked at; or nothing, because the file is behind its tally or there is none. */
export const redriveAnswer = z.object({
  caseId,
  did: z.enum(['restarted', 'redelivered', 'looked', 'file-behind', 'unknown']),
});
export type RedriveAnswer = z.infer<typeof redriveAnswer>;

/** What the sweep is given to look at one case now, and what it says of a sweep. */
export const redriveRequest = z.strictObject({ redrive: caseId });
export const sweepReport = z.object({
  looked: count,
  restarted: count,
  redelivered: count,
  behind: count,
  failed: count,
});
export type SweepReport = z.infer<typeof sweepReport>;

import * as z from 'zod';
import { caseId, count, instant } from './values.ts';

/** What operators ask of `answer-operator`: a question by name, and nothing that could be content. */
export const operatorRequest = z.discriminatedUnion('ask', [
  z.strictObject({ ask: z.literal('in-flight'), cursor: z.string().max(512).optional() }),
]);
export type OperatorRequest = z.infer<typeof operatorRequest>;

/** A case that is not done: ids, codes, counts and dates, never what it is about (promise S7). */
const inFlightCase = z.object({
  caseId,
  phase: z.string(),
  attempt: z.int().positive(),
  failures: count,
  changedAt: instant,
  dueAt: instant.nullable(),
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

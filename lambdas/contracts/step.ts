import * as z from 'zod';
import { NEXT, type Next } from './names.ts';

/**
 * What a step of the workflow is given: ids only. Unknown members are ignored, so that a function accepts the contract of the
 * release before and after its own.
 */
export const stepInput = z.object({
  caseId: z.string().regex(/^[0-9a-f]{32}$/),
  attempt: z.number().int().positive(),
  /** When the execution began, for the step that ends it before the service does. */
  startedAt: z.iso.datetime().optional(),
});
export type StepInput = z.infer<typeof stepInput>;

/** What a callback step is given beside: the token it parks. */
export const callbackInput = stepInput.extend({ taskToken: z.string().min(1).max(2048) });
export type CallbackInput = z.infer<typeof callbackInput>;

export const failureInput = stepInput.extend({
  failure: z.object({ step: z.string().max(80), error: z.string().max(256) }),
});

/** What every step answers, and nothing else. `waitSeconds` is a positive integer of at most 300 days. */
export interface StepResult {
  readonly caseId: string;
  readonly attempt: number;
  readonly next: Next;
  readonly waitSeconds: number;
}

export const isNext = (value: string): value is Next => (NEXT as readonly string[]).includes(value);

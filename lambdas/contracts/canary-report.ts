import * as z from 'zod';

/** What the canary does, in order. */
export const CANARY_STEPS = [
  'sign-in',
  'clean-up',
  'submit',
  'review',
  'deposit',
  'propose',
  'decide',
  'assure',
  'release',
  'open',
  'recall',
  'close',
  'verify',
] as const;
export type CanaryStep = (typeof CANARY_STEPS)[number];

/** What `run-canary` may be asked; a scheduled event asks for nothing in particular. */
export const canaryRequest = z.looseObject({
  /** Longest wait for the exchange to bring the case to its next phase. */
  waitSeconds: z.int().min(1).max(120).default(60),
});

export type CanaryRequest = z.input<typeof canaryRequest>;

/** What `run-canary` answers: codes, times and random ids, no content. */
export const canaryReport = z.strictObject({
  ok: z.boolean(),
  caseId: z.string().nullable(),
  steps: z.array(z.strictObject({ step: z.enum(CANARY_STEPS), milliseconds: z.int().nonnegative() })),
  /** The first thing that failed. */
  failed: z.strictObject({ step: z.enum(CANARY_STEPS), code: z.string(), status: z.int().nullable() }).nullable(),
  /** Cases of earlier runs that this one ended. */
  cleaned: z.int().nonnegative(),
  /** Whether this run's own case has ended, or was told to. */
  ended: z.boolean(),
});
export type CanaryReport = z.infer<typeof canaryReport>;

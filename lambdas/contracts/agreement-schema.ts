import * as z from 'zod';
import type { Agreement } from '../domain/agreement.ts';
import { agreementProblems } from './agreement-problems.ts';
import { exactly } from './exactly.ts';
import { axis, clockRule, code, day, instant, localised, mark, nation, some } from './values.ts';

const side = z.strictObject({ nation, mark });
const source = some;

const form = exactly<Agreement>()(
  z.strictObject({
    id: z.string().regex(/^[A-Z]{3}-[A-Z]{3}(-[A-Z0-9]+)*$/, 'must begin with both nations, as in CAN-UKR'),
    version: z.int().positive(),
    exercise: z.boolean(),
    title: localised,
    parties: z.tuple([nation, nation]),
    status: z.enum([
      'NEGOTIATING',
      'SIGNED',
      'RATIFICATION_AUTHORISED',
      'IN_FORCE',
      'SUSPENDED',
      'NOTICE_GIVEN',
      'TERMINATED',
    ]),
    dates: z.strictObject({
      done: day.nullable(),
      signed: day.nullable(),
      ratified: day.nullable(),
      inForce: instant.nullable(),
      notice: instant.nullable(),
      terminated: instant.nullable(),
    }),
    scope: z.array(code),
    purposes: z.array(z.strictObject({ code, text: localised })),
    marks: z.array(z.strictObject({ axis, nation, ladder: z.array(mark).min(1) })),
    equivalence: z.array(
      z.strictObject({
        axis,
        from: side,
        to: side.nullable(),
        kind: z.enum(['EXACT', 'TREAT_AS', 'TREAT_AS_WITH_MEASURES', 'CASE_BY_CASE', 'NONE']),
        warning: some.optional(),
        source,
      }),
    ),
    electronicCeiling: z.array(z.strictObject({ nation, axis, mark, accreditation: some })),
    authorities: z.array(z.strictObject({ nation, name: localised, source })),
    endorsement: z.strictObject({ requiredFor: z.array(z.strictObject({ axis, mark })), source }),
    assurance: z.strictObject({ required: z.boolean(), text: localised, source }),
    quorum: z.array(z.strictObject({ axis, mark, roles: z.array(some) })),
    clocks: z.strictObject({ decision: clockRule, clarification: clockRule, assurance: clockRule }),
    calendars: z.array(
      z.strictObject({
        id: some,
        restDays: z.array(z.int().min(1).max(7)).max(6),
        holidays: z.array(day),
        source,
      }),
    ),
    longestRelease: z.strictObject({ days: z.int().positive(), source }),
    onward: z.strictObject({ allowed: z.boolean(), source }),
    reproduction: z.strictObject({ consentFrom: mark.nullable(), source }),
    translation: z.strictObject({ consentFrom: mark.nullable(), source }),
    disposition: z.strictObject({
      required: z.array(z.strictObject({ axis, mark, methods: z.array(z.enum(['RETURN', 'DESTROY'])).min(1) })),
      source,
    }),
    retention: z.strictObject({ years: z.int().positive(), source }),
    refusalGrounds: z.array(z.strictObject({ code, text: localised, disclosable: z.boolean() })),
    sources: z.array(some).min(1),
  }),
);

/** An agreement file: its form, and that it makes sense as a whole ({@link agreementProblems}). */
export const agreementSchema = form.superRefine((agreement, context) => {
  for (const { path, message } of agreementProblems(agreement)) {
    context.addIssue({ code: 'custom', path: [...path], message });
  }
});

/**
 * Reads an agreement file.
 * @throws z.ZodError telling everything that is wrong with it, each with its path
 */
export const parseAgreement = (value: unknown): Agreement => agreementSchema.parse(value);

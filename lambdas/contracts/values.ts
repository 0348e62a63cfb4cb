import * as z from 'zod';
import type { CaseId, Digest, Nation, PersonId } from '../domain/ids.ts';
import { parseInstant, type Instant } from '../domain/instant.ts';
import { isPlain } from '../domain/text-hygiene.ts';

/** Values that several schemas are made of. What is kept is kept in one form, so that its digest can be computed again. */

export const caseId = z
  .string()
  .regex(/^[0-9a-f]{32}$/, 'must be 32 lower-case hexadecimal digits')
  .transform((text) => text as CaseId); // the form is what the brand stands for, here and below

export const personId = z
  .string()
  .regex(/^[a-z0-9-]{3,40}$/, 'must be 3 to 40 of a-z, 0-9 and -')
  .transform((text) => text as PersonId);

export const agency = z.string().regex(/^[a-z0-9-]{3,40}$/, 'must be 3 to 40 of a-z, 0-9 and -');

/** ISO 3166-1 alpha-3. */
export const nation = z
  .string()
  .regex(/^[A-Z]{3}$/, 'must be three capital letters (ISO 3166-1 alpha-3)')
  .transform((text) => text as Nation);

export const digest = z
  .string()
  .regex(/^sha256:[0-9a-f]{64}$/, 'must be sha256: and 64 lower-case hexadecimal digits')
  .transform((text) => text as Digest);

/** An instant in the one form in which it is kept. */
export const instant = z
  .string()
  .refine(
    (text) => parseInstant(text) === text,
    'must be an instant in UTC with milliseconds (YYYY-MM-DDTHH:mm:ss.sssZ)',
  )
  .transform((text) => text as Instant);

/** A day that exists. */
export const day = z
  .string()
  .refine((text) => parseInstant(`${text}T00:00:00.000Z`) !== undefined, 'must be a day that exists (YYYY-MM-DD)');

export const code = z.string().regex(/^[a-z0-9-]{2,60}$/, 'must be 2 to 60 of a-z, 0-9 and -');
export const count = z.int().nonnegative();
export const some = z.string().min(1);
/** A text that is shown: not blank, normalised, nothing hidden in it. */
export const text = some.refine((value) => value.trim() === value && isPlain(value, true), 'must be plain text in NFC');
export const localised = z.strictObject({ en: text, fr: text, uk: text });
export const language = z.enum(['en', 'fr', 'uk']);

export const axis = z.enum(['classified', 'protected', 'handling']);
export const mark = text.max(100);
export const marking = z.strictObject({ axis, nation, mark });

export const clockRule = z.strictObject({
  amount: z.int().positive().max(1000),
  unit: z.enum(['hours', 'calendarDays', 'workingDays']),
  calendars: z.array(some),
  onDue: z.enum(['lapse', 'escalate']),
  source: some,
});

export const agreementPin = z.strictObject({ id: some, version: z.int().positive(), digest });

/** Whom a notice goes to. */
export const audience = z.enum([
  'desk-officers',
  'approvers',
  'originator-authority',
  'recipient-authority',
  'requester',
  'requesting-agency',
  'recipients',
]);

/** What a person may be in an exchange. */
export const role = z.enum([
  'requester',
  'desk-officer',
  'releasing-officer',
  'security-officer',
  'competent-authority',
  'directory-officer',
  'auditor',
]);

import * as z from 'zod';
import { isPlain } from '../domain/text-hygiene.ts';
import { parseInstant, type Instant } from '../domain/instant.ts';
import { agency, role } from './values.ts';

/** A text as it is read: NFC, no control, hidden or direction-changing characters, nothing around it (rows 16, 17, 22 of the abuse list). */
const shown = (most: number, paragraphs: boolean, text = z.string()) =>
  text
    .min(1)
    .max(most)
    .refine(
      (value) => isPlain(value, paragraphs) && value.trim() === value,
      'must be plain text in NFC, without control or invisible characters, and without spaces around it',
    );
/** What people file a thing under: however its letters are composed, it is the same (row 17). */
const filedUnder = (most: number) => shown(most, false, z.string().normalize('NFC'));
const line = (most: number) => shown(most, false);
const paragraphs = (most: number) => shown(most, true);

const hexId = z.string().regex(/^[0-9a-f]{32}$/, 'must be 32 hexadecimal digits');
const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/, 'must be sha256: and 64 hexadecimal digits');
const personId = z.string().regex(/^[a-z0-9-]{3,40}$/, 'must be a person id');
const nation = z.string().regex(/^[A-Z]{3}$/, 'must be an ISO 3166-1 alpha-3 code');
const axis = z.enum(['classified', 'protected', 'handling']);
const mark = z.strictObject({ axis, mark: line(80) });

/** An instant in UTC; other zones, leap seconds and impossible dates are refused (row 18). */
const instant = z
  .string()
  .refine((text) => parseInstant(text) !== undefined, 'must be an instant in UTC such as 2026-12-01T09:00:00Z')
  .meta({ format: 'date-time' });

/** An instant that the schema has checked. */
export const instantOf = (text: string): Instant => parseInstant(text) as Instant;

export const submitBody = z
  .strictObject({
    agreementId: z.string().regex(/^[A-Z-]{3,60}$/),
    purpose: z.string().regex(/^[a-z-]{3,60}$/),
    justification: paragraphs(4000),
    title: line(120),
    description: paragraphs(8000),
    levelSought: mark,
    recipients: z.array(personId).min(1).max(20),
    language: z.enum(['en', 'fr', 'uk']),
    reference: filedUnder(120).optional(),
    previousCase: hexId.optional(),
  })
  .meta({ id: 'SubmitRequest' });

export const clarificationBody = z
  .union([
    z.strictObject({ question: paragraphs(4000) }),
    z.strictObject({
      answer: paragraphs(8000),
      amendments: z
        .strictObject({
          title: line(120).optional(),
          description: paragraphs(8000).optional(),
          justification: paragraphs(4000).optional(),
          recipients: z.array(personId).min(1).max(20).optional(),
        })
        .optional(),
    }),
  ])
  .meta({ id: 'Clarification' });

export const depositBody = z.strictObject({ digest, length: z.int().min(1) }).meta({ id: 'OpenDeposit' });

export const proposalBody = z
  .strictObject({
    documents: z
      .array(
        z.strictObject({
          depositId: hexId,
          title: line(120),
          marking: mark,
          pages: z.int().min(1).max(100_000),
          origin: nation.optional(),
        }),
      )
      .min(1)
      .max(50),
    recipients: z
      .array(z.strictObject({ personId, keyFingerprint: digest }))
      .min(1)
      .max(20),
    conditions: z.array(paragraphs(1000)).max(20),
    notBefore: instant.optional(),
    notAfter: instant,
    copies: z.int().min(1).max(100),
  })
  .meta({ id: 'PutProposal' });

export const decisionBody = z
  .strictObject({
    verdict: z.enum(['approve', 'refuse']),
    role: z
      .string()
      .regex(/^[a-z-]{3,40}$/)
      .optional(),
    ground: z
      .string()
      .regex(/^[a-z-]{3,60}$/)
      .optional(),
    note: paragraphs(2000).optional(),
  })
  .meta({ id: 'CastDecision' });

export const assuranceBody = z
  .strictObject({ verdict: z.enum(['give', 'decline']), proposalDigest: digest })
  .meta({ id: 'Assurance' });

export const emptyBody = z.strictObject({}).meta({ id: 'Empty' });
export const receiptBody = z.strictObject({ accessId: hexId, digest }).meta({ id: 'AcknowledgeReceipt' });
export const reasonBody = z.strictObject({ reason: paragraphs(2000) }).meta({ id: 'Reason' });

/** A directory entry as an officer proposes it: whole, except what the exchange computes (the fingerprints). */
export const changeBody = z
  .strictObject({
    person: z.strictObject({
      personId,
      agency,
      subjects: z.array(line(255)).min(1).max(10),
      roles: z.array(role).max(7),
      clearances: z.array(z.strictObject({ axis, mark: line(80), validTo: instant })).max(20),
      citizenships: z.array(nation).min(1).max(5),
      mail: z.email().max(254),
      language: z.enum(['en', 'fr', 'uk']),
      zone: z.string().regex(/^[A-Za-z0-9_+/-]{1,64}$/, 'must be a time zone by name, as in Europe/Kyiv'),
      /** Raw uncompressed P-256 points, base64url. */
      publicKeys: z.array(z.string().regex(/^[A-Za-z0-9_-]{1,120}$/, 'must be base64url')).max(5),
      conflicts: z.array(agency).max(50),
      active: z.boolean(),
    }),
    effectiveFrom: instant.optional(),
  })
  .meta({ id: 'ProposeDirectoryChange' });

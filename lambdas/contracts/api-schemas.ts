import * as z from 'zod';
import { isPlain } from '../domain/text-hygiene.ts';
import { parseInstant, type Instant } from '../domain/instant.ts';
import { agency } from './values.ts';

/** A text as it is read: NFC, no control, hidden or direction-changing characters, nothing around it (rows 16, 17, 22 of the abuse list). */
const shown = (most: number, paragraphs: boolean) =>
  z
    .string()
    .min(1)
    .max(most)
    .refine(
      (text) => isPlain(text, paragraphs) && text.trim() === text,
      'must be plain text in NFC, without control or invisible characters, and without spaces around it',
    );
const line = (most: number) => shown(most, false);
const paragraphs = (most: number) => shown(most, true);

const hexId = z.string().regex(/^[0-9a-f]{32}$/, 'must be 32 hexadecimal digits');
const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/, 'must be sha256: and 64 hexadecimal digits');
const personId = z.string().regex(/^[a-z0-9-]{3,40}$/, 'must be a person id');
const nation = z.string().regex(/^[A-Z]{3}$/, 'must be an ISO 3166-1 alpha-3 code');
const axis = z.enum(['classified', 'protected', 'handling']);
const mark = z.strictObject({ axis, mark: line(80) });
const marking = z.strictObject({ axis, nation, mark: z.string() });

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
    reference: line(120).optional(),
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
      subjects: z.array(z.string().min(1).max(255)).min(1).max(10),
      roles: z
        .array(
          z.enum([
            'requester',
            'desk-officer',
            'releasing-officer',
            'security-officer',
            'competent-authority',
            'directory-officer',
            'auditor',
          ]),
        )
        .max(7),
      clearances: z.array(z.strictObject({ axis, mark: line(80), validTo: instant })).max(20),
      citizenships: z.array(nation).min(1).max(5),
      mail: z.email().max(254),
      language: z.enum(['en', 'fr', 'uk']),
      zone: z.string().max(64),
      /** Raw uncompressed P-256 points, base64url. */
      publicKeys: z.array(z.string().max(120)).max(5),
      conflicts: z.array(agency).max(50),
      active: z.boolean(),
    }),
    effectiveFrom: instant.optional(),
  })
  .meta({ id: 'ProposeDirectoryChange' });

const clock = z
  .object({
    startedAt: z.string(),
    dueAt: z.string(),
    rule: z.object({
      amount: z.number(),
      unit: z.string(),
      calendars: z.array(z.string()),
      onDue: z.string(),
      source: z.string(),
    }),
    stops: z.array(z.object({ from: z.string(), to: z.string() })),
    escalations: z.number(),
  })
  .meta({ id: 'Clock' });

const check = z.object({ rule: z.string(), passed: z.boolean(), evidence: z.string() }).meta({ id: 'Check' });

/** The proposal exactly as its digest was computed: the caller can compute it again. */
const proposal = z
  .object({
    caseId: z.string(),
    agreement: z.object({ id: z.string(), version: z.number(), digest }),
    documents: z.array(
      z.object({
        depositId: z.string(),
        title: z.string(),
        digest,
        length: z.number(),
        marking,
        pages: z.number(),
        origin: z.string(),
      }),
    ),
    recipients: z.array(z.object({ personId: z.string(), keyFingerprint: digest })),
    conditions: z.array(z.string()),
    notBefore: z.string(),
    notAfter: z.string(),
    copies: z.number(),
    preparedBy: z.string(),
  })
  .meta({ id: 'Proposal' });

/** A case as one party may see it; members that are not for the caller are absent. */
export const caseView = z
  .object({
    caseId: z.string(),
    sequence: z.number(),
    phase: z.string(),
    registerNumber: z.string().nullable(),
    exercise: z.boolean(),
    openedAt: z.string(),
    changedAt: z.string(),
    dueAt: z.string().nullable(),
    clock: clock.nullable(),
    agreement: z.object({ id: z.string(), version: z.number(), digest }),
    originatingNation: z.string(),
    recipientNation: z.string(),
    requestingAgency: z.string(),
    request: z.object({
      title: z.string(),
      description: z.string(),
      purpose: z.string(),
      justification: z.string(),
      levelSought: marking,
      recipients: z.array(z.string()),
      language: z.string(),
      reference: z.string().optional(),
      previousCase: z.string().optional(),
    }),
    requestDigest: digest,
    failedChecks: z.array(check),
    questions: z.array(
      z.object({
        question: z.string(),
        askedAt: z.string(),
        answer: z.string().optional(),
        answeredAt: z.string().optional(),
      }),
    ),
    proposal: proposal.optional(),
    proposalDigest: digest.optional(),
    decisions: z
      .array(
        z.object({
          personId: z.string(),
          role: z.string(),
          verdict: z.string(),
          ground: z.string().optional(),
          note: z.string().optional(),
        }),
      )
      .optional(),
    rolesMissing: z.array(z.string()).optional(),
    deposits: z
      .array(z.object({ depositId: z.string(), digest, length: z.number(), complete: z.boolean() }))
      .optional(),
    release: z.object({ releaseId: z.string(), notBefore: z.string(), notAfter: z.string() }).optional(),
    accesses: z
      .array(
        z.object({
          accessId: z.string(),
          recipient: z.string(),
          copy: z.number(),
          at: z.string(),
          failed: z.boolean(),
        }),
      )
      .optional(),
    receipts: z.array(z.object({ accessId: z.string(), recipient: z.string(), at: z.string() })).optional(),
    outcome: z.object({ ended: z.string(), statement: z.string().nullable() }).optional(),
    /** What the caller may do now. */
    yourCommands: z.array(z.string()),
  })
  .meta({ id: 'Case' });
export type CaseView = z.infer<typeof caseView>;

export const caseSummary = z
  .object({
    caseId: z.string(),
    phase: z.string(),
    registerNumber: z.string().nullable(),
    exercise: z.boolean(),
    title: z.string(),
    agreementId: z.string(),
    requestingAgency: z.string(),
    openedAt: z.string(),
    changedAt: z.string(),
    dueAt: z.string().nullable(),
  })
  .meta({ id: 'CaseSummary' });

export const caseList = z.object({ cases: z.array(caseSummary), next: z.string().nullable() }).meta({ id: 'CaseList' });

export const eventList = z
  .object({
    caseId: z.string(),
    events: z.array(
      z.object({
        sequence: z.number(),
        type: z.string(),
        at: z.string(),
        actor: z.record(z.string(), z.string()),
        payload: z.record(z.string(), z.unknown()).optional(),
        hash: digest,
        previousHash: digest,
      }),
    ),
  })
  .meta({ id: 'EventList' });

export const depositView = z
  .object({
    depositId: z.string(),
    upload: z
      .object({
        url: z.string(),
        method: z.literal('PUT'),
        headers: z.record(z.string(), z.string()),
        expiresInSeconds: z.number(),
      })
      .optional(),
    complete: z.boolean(),
  })
  .meta({ id: 'Deposit' });

/** One opening: the data key, sealed to the recipient's confirmed key, and where the ciphertext is for the next minute. */
export const accessView = z
  .object({
    accessId: z.string(),
    caseId: z.string(),
    releaseId: z.string(),
    copy: z.number(),
    recipient: z.string(),
    keyFingerprint: digest,
    sealedKey: z.object({ encapsulated: z.string(), ciphertext: z.string() }),
    url: z.string(),
    urlExpiresInSeconds: z.number(),
    ciphertextDigest: digest,
    ciphertextLength: z.number(),
    encryptionContext: z.record(z.string(), z.string()),
    documents: z.array(z.object({ title: z.string(), digest, length: z.number(), offset: z.number(), marking })),
    notAfter: z.string(),
  })
  .meta({ id: 'Access' });
export type AccessView = z.infer<typeof accessView>;

export const agreementView = z
  .object({ id: z.string(), version: z.number(), digest, agreement: z.record(z.string(), z.unknown()) })
  .meta({ id: 'Agreement' });
export const agreementList = z
  .object({
    agreements: z.array(
      z.object({
        id: z.string(),
        version: z.number(),
        digest,
        exercise: z.boolean(),
        status: z.string(),
        inForce: z.string().nullable(),
        title: z.object({ en: z.string(), fr: z.string(), uk: z.string() }),
      }),
    ),
  })
  .meta({ id: 'AgreementList' });

export const changeView = z
  .object({
    changeId: z.string(),
    nation: z.string(),
    person: z.record(z.string(), z.unknown()),
    effectiveFrom: z.string(),
    proposedBy: z.string(),
    proposedAt: z.string(),
    confirmedBy: z.string().nullable(),
    confirmedAt: z.string().nullable(),
  })
  .meta({ id: 'DirectoryChange' });
export const changeList = z.object({ changes: z.array(changeView) }).meta({ id: 'DirectoryChangeList' });

/** RFC 9457 problem details. */
export const problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number(),
    code: z.string(),
    detail: z.string(),
    next: z.string(),
    traceId: z.string(),
    errors: z.array(z.object({ pointer: z.string(), detail: z.string() })).optional(),
  })
  .meta({ id: 'Problem' });
export type Problem = z.infer<typeof problem>;

export const health = z
  .object({ status: z.literal('ok'), environment: z.string(), nation: z.string() })
  .meta({ id: 'Health' });
export const openApiDocument = z.record(z.string(), z.unknown()).meta({ id: 'OpenApiDocument' });

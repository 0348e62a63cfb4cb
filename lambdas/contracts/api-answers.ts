import * as z from 'zod';

const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/, 'must be sha256: and 64 hexadecimal digits');
const marking = z.strictObject({
  axis: z.enum(['classified', 'protected', 'handling']),
  nation: z.string(),
  mark: z.string(),
});

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
    escalatedAt: z.string().optional(),
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
        /** Of the schema that it was written in; not of a withheld one. */
        schemaVersion: z.number().optional(),
        at: z.string(),
        actor: z.record(z.string(), z.string()),
        payload: z.record(z.string(), z.unknown()).optional(),
        salt: z.string().optional(),
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

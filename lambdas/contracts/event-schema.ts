import * as z from 'zod';
import { InvariantBroken } from '../domain/case.ts';
import type { CaseEvent, DomainEvent, EventType } from '../domain/events.ts';
import type { Digest } from '../domain/ids.ts';
import { exactly } from './exactly.ts';
import {
  agency,
  agreementPin,
  audience,
  caseId,
  clockRule,
  count,
  digest,
  instant,
  language,
  marking,
  nation,
  personId,
  some,
} from './values.ts';

const request = z.strictObject({
  agreementId: some,
  purpose: some,
  justification: z.string(),
  title: z.string(),
  description: z.string(),
  levelSought: marking,
  recipients: z.array(personId),
  language,
  reference: z.string().optional(),
  previousCase: caseId.optional(),
});
const amendments = request.pick({ title: true, description: true, justification: true, recipients: true }).partial();

const check = z.strictObject({ rule: some, passed: z.boolean(), evidence: z.string() });

const deadline = z.strictObject({
  startedAt: instant,
  dueAt: instant,
  rule: clockRule,
  stops: z.array(z.strictObject({ from: instant, to: instant })),
  escalations: count,
  escalatedAt: instant.optional(),
});

const clock = z.enum(['decision', 'clarification', 'assurance']);

const document = { depositId: some, title: z.string(), digest, length: count, marking };

const proposal = z.strictObject({
  caseId,
  agreement: agreementPin,
  documents: z.array(z.strictObject({ ...document, pages: count, origin: nation })),
  recipients: z.array(z.strictObject({ personId, keyFingerprint: digest })),
  conditions: z.array(z.string()),
  notBefore: instant,
  notAfter: instant,
  copies: count,
  preparedBy: personId,
});

const decision = z.strictObject({
  personId,
  role: some,
  verdict: z.enum(['approve', 'refuse']),
  proposalDigest: digest,
  ground: some.optional(),
  note: z.string().optional(),
});

const sealed = z.strictObject({
  packageId: some,
  releaseId: some,
  objectKey: some,
  documents: z.array(z.strictObject({ ...document, offset: count })),
  ciphertextDigest: digest,
  ciphertextLength: count,
  wrappedKey: z.base64().min(1),
  keyId: some,
});

const endReason = z.enum(['expired', 'recalled', 'withdrawn', 'window-past', 'quorum-lost']);

/** One schema for each type of event; the compiler asks for all of them and for no other. */
const payloads = {
  RequestSubmitted: z.strictObject({
    request,
    requestDigest: digest,
    agreement: agreementPin,
    originatingNation: nation,
    recipientNation: nation,
    requestingAgency: agency,
    exercise: z.boolean(),
  }),
  RequestAssessed: z.strictObject({
    registerNumber: some,
    admissible: z.boolean(),
    checks: z.array(check),
    deadline: deadline.nullable(),
    escalated: z.boolean(),
  }),
  ClarificationSought: z.strictObject({ question: z.string(), deadline }),
  ClarificationAnswered: z.strictObject({ answer: z.string(), amendments, requestDigest: digest, deadline }),
  DepositOpened: z.strictObject({ depositId: some, digest, length: count }),
  DepositCompleted: z.strictObject({ depositId: some }),
  ProposalPut: z.strictObject({ proposal, proposalDigest: digest }),
  DecisionCast: z.strictObject({
    decision,
    outcome: z.enum(['pending', 'approved', 'refused']),
    deadline: deadline.nullable(),
  }),
  AssuranceGiven: z.strictObject({ proposalDigest: digest, textDigest: digest, personId }),
  AssuranceDeclined: z.strictObject({ proposalDigest: digest }),
  PackageSealed: z.strictObject({ sealed }),
  ReleaseOpened: z.strictObject({
    releaseId: some,
    packageId: some,
    notBefore: instant,
    notAfter: instant,
    depositsDestroyed: z.array(some),
  }),
  ClosingBegun: z.strictObject({ reason: endReason }),
  AccessGranted: z.strictObject({
    accessId: some,
    recipient: personId,
    keyFingerprint: digest,
    copy: z.int().positive(),
    idempotencyKey: some,
  }),
  AccessFailed: z.strictObject({ accessId: some, cause: z.string() }),
  ReceiptAcknowledged: z.strictObject({ accessId: some, recipient: personId, digest }),
  ReleaseSuspended: z.strictObject({ reason: z.string() }),
  ResumptionProposed: z.strictObject({ by: personId }),
  ReleaseResumed: z.strictObject({ by: z.tuple([personId, personId]) }),
  ReleaseRecalled: z.strictObject({ reason: z.string() }),
  ReleaseExpired: z.strictObject({ notAfter: instant }),
  PackageDestroyed: z.strictObject({
    packageId: some.nullable(),
    objectKey: some.nullable(),
    verified: z.literal(true),
  }),
  CaseClosed: z.strictObject({ reason: endReason }),
  DepositsDestroyed: z.strictObject({ depositIds: z.array(some) }),
  DecisionEscalated: z.strictObject({ deadline }),
  CaseLapsed: z.strictObject({ clock: clock }),
  Reminded: z.strictObject({
    clock,
    mark: z.enum(['half', 'ninety-percent']),
    since: instant,
    to: z.enum(['desk-officers', 'approvers', 'requester', 'recipient-authority']),
  }),
  QuorumReachChanged: z.strictObject({ withinReach: z.boolean(), openRoles: z.array(some) }),
  NoticeUndelivered: z.strictObject({
    notice: z.int().positive(),
    to: audience,
    personId,
    cause: z.enum(['bounced', 'complained', 'rejected']),
    again: z.boolean(),
  }),
  RequestWithdrawn: z.strictObject({ reason: z.string() }),
  AttemptFailed: z.strictObject({ attempt: count, step: some, error: z.string(), version: some.nullable() }),
} satisfies Record<EventType, z.ZodType>;

/** Each payload is the domain's: fails to compile when either side changes alone. */
exactly<{ [T in EventType]: Extract<DomainEvent, { type: T }>['payload'] }>()(z.strictObject(payloads));

/**
 * The schema of events in which a type came to be, or got the form that it has today; 1 where that is the first. A new type or a new form
 * raises the schema by one; an older form is rewritten in `upcast`, and kept as a case file under test/fixtures.
 */
const SINCE: Readonly<Partial<Record<EventType, number>>> = {
  AttemptFailed: 2,
  NoticeUndelivered: 2,
  QuorumReachChanged: 2,
  Reminded: 2,
};

/** The schema of events that this release knows, and every one before it. */
export const EVENT_SCHEMA = Math.max(1, ...Object.values(SINCE));

/** The schema that an event of a type is written in. */
export const schemaOf = (type: EventType): number => SINCE[type] ?? 1;

/** Everything but type and payload. A stored event also carries its place in the chain, which `evidence` verifies. */
const envelope = z.strictObject({
  type: z.enum(Object.keys(payloads) as [EventType, ...EventType[]]), // the keys of a record of every EventType
  payload: z.unknown(),
  caseId,
  sequence: z.int().positive(),
  schemaVersion: z.int().positive(),
  at: instant,
  actor: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('person'), personId, nation, agency }),
    z.strictObject({ kind: z.literal('system'), step: some }),
  ]),
  salt: z
    .string()
    .regex(/^[0-9a-f]{32}$/, 'must be 32 lower-case hexadecimal digits')
    .optional(),
  previousHash: digest.optional(),
  hash: digest.optional(),
});

exactly<Omit<CaseEvent, 'payload'> & { payload: unknown; previousHash?: Digest; hash?: Digest }>()(envelope);

/** An event that this release does not know or that has not its form: the case is parked, nothing is guessed (principle P8). */
export class EventNotUnderstood extends InvariantBroken {}

/** A release that met an event of a schema after its own, or one that never was. */
const notKnown = (version: unknown): EventNotUnderstood => {
  // Only a number is quoted: anything else may be content that stands in the wrong place.
  const stated = typeof version === 'number' ? version : version === undefined ? 'missing' : 'of another form';
  return new EventNotUnderstood(
    `An event has schema version ${stated}; this release knows versions 1 to ${EVENT_SCHEMA}. Deploy the release that wrote it, or a later one.`,
  );
};

/** The event in today's form, whatever schema it was written in; its place in the chain stays that of what was written. */
function upcast(value: object): object {
  const event = value as { readonly schemaVersion?: unknown; readonly type?: unknown; readonly payload?: unknown }; // looked at, and nothing else
  const version = event.schemaVersion;
  const today = schemaOf(event.type as EventType); // a type that is none has no form, and is refused with the rest of the event
  if (version === today) return value;
  // Schema 2: a failed attempt says which release it ran with.
  if (version === 1 && event.type === 'AttemptFailed' && typeof event.payload === 'object')
    return { ...event, schemaVersion: today, payload: { version: null, ...event.payload } };
  throw notKnown(version);
}

const understood = <T>(result: z.ZodSafeParseResult<T>, what: string): T => {
  if (result.success) return result.data;
  // Paths and rules only: a message of zod never repeats a value of a case (principle P3).
  throw new EventNotUnderstood(`${what} has not its form:\n${z.prettifyError(result.error)}`);
};

/**
 * Reads an event of a case file; its place in the chain (`previousHash`, `hash`) is kept where it is there.
 * @throws EventNotUnderstood for an unknown type or version, or a member that is missing, unknown or malformed
 */
export function parseCaseEvent(value: unknown): CaseEvent {
  if (typeof value !== 'object' || value === null) throw new EventNotUnderstood('An event is an object.');
  const event = understood(envelope.safeParse(upcast(value)), 'An event');
  const payloadSchema: z.ZodType = payloads[event.type];
  const payload = understood(payloadSchema.safeParse(event.payload), `The payload of ${event.type}`);
  // The payload is the one of its type: both were chosen by `event.type`.
  return { ...event, payload } as CaseEvent;
}

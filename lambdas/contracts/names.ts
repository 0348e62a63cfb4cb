/** Names that handlers and infrastructure share: environment variables, steps, where a workflow goes next, index names. */

/** Environment variables of functions. Each function is given those it reads, and no other. */
export const ENV = {
  casesTable: 'CASES_TABLE',
  tallyTable: 'TALLY_TABLE',
  directoryTable: 'DIRECTORY_TABLE',
  tokensTable: 'TOKENS_TABLE',
  idempotencyTable: 'IDEMPOTENCY_TABLE',
  depositsBucket: 'DEPOSITS_BUCKET',
  packagesBucket: 'PACKAGES_BUCKET',
  packageKeyId: 'PACKAGE_KEY_ID',
  vaultKeyArn: 'VAULT_KEY_ARN',
  releaseAccessRole: 'RELEASE_ACCESS_ROLE',
  stateMachine: 'STATE_MACHINE',
  sweep: 'SWEEP_FUNCTION',
  bus: 'EVENT_BUS',
  mailFrom: 'MAIL_FROM',
  mailIdentity: 'MAIL_IDENTITY',
  portal: 'PORTAL_ADDRESS',
  nation: 'ORIGINATING_NATION',
  environment: 'ENVIRONMENT_NAME',
  issuers: 'ISSUERS',
  audience: 'AUDIENCE',
  certificates: 'CLIENT_CERTIFICATES',
  foundingOfficers: 'FOUNDING_OFFICERS',
  /** Address of the API, below which its paths are. */
  apiAddress: 'API_ADDRESS',
  /** ARN of the key that signs for the canary; {@link NO_CANARY} where there is none. */
  canaryKey: 'CANARY_KEY',
} as const;

/** A function of an environment, as Lambda knows it. */
export const functionNameIn = (environment: string, name: string): string => `valiza-${environment}-${name}`;

/** Where the template of the exchange says which schema of events its functions know. */
export const EVENT_SCHEMA_METADATA = 'valiza:eventSchema';

/** The role that operators of an environment assume. */
export const operatorRoleName = (environment: string): string => `valiza-${environment}-operator`;

/** What {@link ENV.canaryKey} says in an exchange without a canary. */
export const NO_CANARY = 'none';

export const INDEX = {
  /** Open work: partition phase and shard, sorted by when it is due. */
  open: 'open-by-phase',
  /** Requests of an agency: partition agency and shard, newest first. */
  agency: 'by-agency',
  /** What to look at next: partition shard, sorted by instant. */
  due: 'by-due',
} as const;

/** Where the workflow goes next: an edge of its graph. A step answers one of these; the next step reads the case file again. */
export const NEXT = [
  'await-decision',
  'await-assurance',
  'seal',
  'open',
  'hold',
  'close',
  'closed',
  'refused',
  'lapsed',
  'withdrawn',
  'inadmissible',
  'continue-later',
  'superseded',
] as const;
export type Next = (typeof NEXT)[number];

/** Error names that a step throws and the workflow names: only what is unexpected is an error (architecture §6). */
export const ERRORS = {
  transient: 'Transient',
  conflict: 'Conflict',
  invariantBroken: 'InvariantBroken',
} as const;

/** States of the workflow that call a function, as the case file and the log name them. */
export const TASKS = [
  'Assess request',
  'Await decision',
  'Await assurance',
  'Seal package',
  'Open release',
  'Hold until expiry or recall',
  'Close release',
  'Record the failure',
  'Where does the case stand?',
] as const;
export type Task = (typeof TASKS)[number];

/** What a line of a function's log may be about: metric filters, alarms and searches key on these, as `message.code`. */
export const LOG_CODES = [
  'ACCESS_FAILED',
  'ANNOUNCE_FAILED',
  'API_PROBLEM',
  'ATTEMPT_FAILED',
  'CANARY_FAILED',
  'CANARY_OK',
  'CASE_FILE_BEHIND',
  'CASE_OUT_OF_SIGHT',
  'CASE_PARKED',
  'CASE_REDELIVERED',
  'CASE_RESTARTED',
  'CASE_STUCK',
  'FUNCTION_FAILED',
  'KEY_REFUSED',
  'MAIL_REJECTED',
  'MAIL_UNDELIVERED',
  'NOBODY_CAN_DECIDE',
  'NOBODY_TO_TELL',
  'NOT_AUTHENTICATED',
  'OPEN_WORK',
  'RESUME_FAILED',
  'SWEEP_FAILED',
] as const;
export type LogCode = (typeof LOG_CODES)[number];

/** Longest wait of one callback, in seconds: 300 days. An execution that reaches it ends and the next attempt goes on. */
export const LONGEST_WAIT = 300 * 24 * 60 * 60;

/** Encryption context of a package's data key: random ids only, because CloudTrail shows it in clear (principle P3). */
export const ENCRYPTION_CONTEXT_KEYS = ['case', 'release', 'package'] as const;

/** Source of the events that `announce` puts on the bus. */
export const EVENT_SOURCE = 'valiza.exchange';

/** Type of the event about a mail that the mail service did not take; every other is named after the event of a case. */
export const MAIL_REJECTED = 'MailRejected';

/** What becomes of a mail and is to be known. https://docs.aws.amazon.com/eventbridge/latest/ref/events-ref-ses.html */
export const MAIL_EVENTS = ['Email Bounced', 'Email Complaint Received', 'Email Rejected'] as const;

/** Tags of a mail: whose fate an event of the mail service tells. */
export const MAIL_TAGS = { caseId: 'case', sequence: 'sequence', to: 'audience', personId: 'person' } as const;

import { LOG_CODES, TASKS, type LogCode } from '../contracts/names.ts';
import { isCaseId } from '../domain/ids.ts';
import { PHASES, type Phase } from '../domain/phases.ts';

/**
 * What a line may say besides its code: random ids, counts and names of a closed form (promise S7). A field that is not here, or whose
 * value has another form than its own, is left out: no title, purpose, person, nation, marking, address, token or body gets in, whatever
 * a library puts into an error.
 */
interface LogFields {
  readonly caseId?: string | undefined;
  readonly attempt?: number | undefined;
  readonly sequence?: number | undefined;
  /** Of the request, as the problem document quotes it; of an event that the bus delivered, its id. */
  readonly traceId?: string | undefined;
  /** Of the stream's record. */
  readonly eventId?: string | undefined;
  /** State of the workflow. */
  readonly step?: string | undefined;
  readonly status?: number | undefined;
  readonly errorName?: string | undefined;
  /** Why something was refused: a code that callers or operators know. */
  readonly reason?: string | undefined;
  /** Where in the bundle an error was made; the source map of the build says what stands there. */
  readonly at?: string | undefined;
  readonly count?: number | undefined;
  readonly phase?: Phase | undefined;
  readonly ageSeconds?: number | undefined;
  readonly lateSeconds?: number | undefined;
}

type Form = (value: unknown) => boolean;

const matching =
  (pattern: RegExp): Form =>
  (value) =>
    typeof value === 'string' && pattern.test(value);
const isCount: Form = (value) => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * Names of errors: ours, and those that end or begin as errors of Node.js, of the SDK's services, of jose and of Step Functions do. A name is
 * an error's to choose, so a word alone is not enough.
 */
const ERROR_NAME =
  /^(Conflict|Transient|NotFound|Refused|InvalidInput|InvariantBroken|Problematic|Unauthorized|NotAuthenticated|ChainBroken|NotCanonical|EventNotUnderstood|ThrottlingError|NoSuch(Key|Bucket|Upload)|AccessDenied|SlowDown|PreconditionFailed|TaskTimedOut|TaskDoesNotExist|Invalid(Token|Name)|(Execution|StateMachine)DoesNotExist|MessageRejected|[A-Z][A-Za-z0-9]{1,60}(Error|Exception)|(JOSE|JW[AEKST]S?)[A-Z][A-Za-z]{1,40}|(States|Lambda|Sandbox|Runtime|Function)\.[A-Z][A-Za-z]{1,40})$/;

const FORMS: Readonly<Record<keyof LogFields, Form>> = {
  caseId: (value) => typeof value === 'string' && isCaseId(value),
  attempt: isCount,
  sequence: isCount,
  traceId: matching(UUID),
  eventId: matching(/^([0-9a-f]{32}|\d{21,40})$/),
  step: (value) => (TASKS as readonly unknown[]).includes(value),
  status: (value) => isCount(value) && Number(value) >= 100 && Number(value) < 600,
  errorName: matching(ERROR_NAME),
  reason: matching(/^[A-Z]{2,20}(_[A-Z]{1,20}){0,6}$/),
  at: matching(/^index\.js:\d{1,7}:\d{1,7}$/),
  count: isCount,
  phase: (value) => typeof value === 'string' && Object.hasOwn(PHASES, value),
  ageSeconds: isCount,
  lateSeconds: isCount,
};

const KEYS = Object.keys(FORMS) as (keyof LogFields)[];

/** What the lines of this invocation have in common: an instance serves one at a time. */
let common: LogFields = {};

/** Sets what every line says from now on, until it is set again. */
export const logAbout = (fields: LogFields): void => {
  common = fields;
};

/**
 * Writes one structured line. `code` is stable: alarms and searches key on it, as `message.code`; level, time and request id are the service's
 * to add. One object, not its text: of a text the service would make a text again, in which no filter sees a field.
 * https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html
 */
export function log(level: 'info' | 'warn' | 'error', code: LogCode, fields: LogFields = {}): void {
  const said: LogFields = { ...common, ...fields };
  const given = KEYS.filter((key) => said[key] !== undefined);
  const unfit = given.filter((key) => !FORMS[key](said[key]));
  const fit = given.filter((key) => !unfit.includes(key)).map((key) => [key, said[key]]);
  console[level]({
    code: LOG_CODES.includes(code) ? code : 'UNNAMED',
    ...Object.fromEntries(fit),
    // That something was kept back is no secret, and a fault to mend.
    ...(unfit.length === 0 ? {} : { withheld: unfit }),
  });
}

/** The name of an error without its message: messages of libraries may quote content. A name that is none is not repeated. */
export const errorName = (error: unknown): string =>
  error instanceof Error && ERROR_NAME.test(error.name) ? error.name : 'UnknownError';

/** Where an error was made, as {@link LogFields.at} has it. */
export const errorPlace = (error: unknown): string | undefined =>
  error instanceof Error ? /\bindex\.js:\d{1,7}:\d{1,7}\b/.exec(String(error.stack))?.[0] : undefined;

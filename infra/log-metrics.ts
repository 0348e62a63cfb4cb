import type { LogCode } from '../lambdas/contracts/names.ts';
import type { FunctionName } from './functions.ts';

/** A metric made of the lines of one function's log. */
export interface LogMetric {
  readonly function: FunctionName;
  /**
   * Which lines. Lambda writes what a function logged as the `message` of a record, and what it cannot do itself says `code`.
   * https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
   */
  readonly pattern: string;
  /** What a line counts for: a field of it, or 1. */
  readonly value?: string;
  /** A field that the metric is kept apart by; each of its values is billed as a metric, so never a case. */
  readonly by?: { readonly dimension: string; readonly field: string };
}

const says = (code: LogCode, ...more: readonly string[]): string =>
  `{ ${[`($.message.code = "${code}")`, ...more.map((one) => `(${one})`)].join(' && ')} }`;

/** Failures after which a case counts as stuck: one or two are repaired while they are noticed. */
const STUCK_AFTER = 3;

const byPhase = { dimension: 'Phase', field: '$.message.phase' };

/** Every metric that is made of the log, by its name. A test provokes a line for each. */
export const LOG_METRICS = {
  OpenWorkAge: { function: 'sweep-cases', pattern: says('OPEN_WORK'), value: '$.message.ageSeconds', by: byPhase },
  OpenWorkLate: { function: 'sweep-cases', pattern: says('OPEN_WORK'), value: '$.message.lateSeconds', by: byPhase },
  CasesStuck: { function: 'sweep-cases', pattern: says('CASE_STUCK', `$.message.count >= ${STUCK_AFTER}`) },
  CasesUnreadable: { function: 'sweep-cases', pattern: says('SWEEP_FAILED') },
  CaseFilesBehind: { function: 'sweep-cases', pattern: says('CASE_FILE_BEHIND') },
  CasesRestarted: { function: 'sweep-cases', pattern: says('CASE_RESTARTED') },
  AttemptsFailed: { function: 'record-failure', pattern: says('ATTEMPT_FAILED') },
  KeysRefused: { function: 'grant-access', pattern: says('KEY_REFUSED') },
  AccessesFailed: { function: 'grant-access', pattern: says('ACCESS_FAILED') },
  KeysThrottledAtAccess: {
    function: 'grant-access',
    pattern: says('ACCESS_FAILED', '$.message.errorName = "Throttling*"'),
  },
  KeysThrottledAtSealing: {
    function: 'seal-package',
    pattern: says('FUNCTION_FAILED', '$.message.errorName = "Throttling*"'),
  },
  MailsUndelivered: { function: 'record-bounce', pattern: says('MAIL_UNDELIVERED') },
  NobodyCanDecide: { function: 'announce', pattern: says('NOBODY_CAN_DECIDE') },
  NobodyToTell: { function: 'announce', pattern: says('NOBODY_TO_TELL') },
} as const satisfies Readonly<Record<string, LogMetric>>;

export type LogMetricName = keyof typeof LOG_METRICS;

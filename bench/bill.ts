import { FUNCTIONS, type FunctionName, type FunctionSpec } from '../infra/functions.ts';
import { ASSUMED, PRICES } from './prices.ts';

/** Counts of the local meter, by service and operation. */
export type Counts = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** What was used of AWS, in the units that are billed. */
export interface Usage {
  readonly transitions: number;
  readonly invocations: number;
  readonly gbSeconds: number;
  readonly writeUnits: number;
  readonly readUnits: number;
  /** Asked for by the application. */
  readonly kmsCalls: number;
  /** Asked for by services on its behalf, if none kept a data key; Step Functions, which keeps one for a minute, is not among them. */
  readonly kmsBehind: number;
  /** Asked for by Step Functions. */
  readonly kmsWorkflow: number;
  readonly s3Writes: number;
  readonly s3Reads: number;
  readonly busEvents: number;
  readonly apiRequests: number;
  readonly logBytes: number;
  readonly mails: number;
}

const sum = (counts: Readonly<Record<string, number>> = {}): number =>
  Object.values(counts).reduce((total, count) => total + count, 0);

/** @param environment whose name stands in the names of its functions @param written bytes that functions wrote to their logs */
export function usageOf(counts: Counts, environment: string, written: number): Usage {
  const invocations = Object.entries(counts['lambda invocations'] ?? {}).map(
    ([name, count]) => [name.replace(`valiza-${environment}-`, '') as FunctionName, count] as const,
  );
  const seconds = (name: FunctionName): number =>
    (name === 'seal-package' ? ASSUMED.sealingMs : ASSUMED.invocationMs) / 1000;
  const gb = (name: FunctionName): number => (FUNCTIONS[name] as FunctionSpec).memoryMb / 1024;
  const s3 = Object.entries(counts['s3'] ?? {});
  const requests = (which: RegExp): number => sum(Object.fromEntries(s3.filter(([name]) => which.test(name))));
  const behind = Object.entries(counts).filter(([service]) => service.startsWith('kms for '));
  const all = sum(Object.fromEntries(invocations));
  const apiRequests = sum(counts['apigateway']);
  return {
    transitions: sum(counts['states'] === undefined ? {} : entered(counts['states'])),
    invocations: all,
    gbSeconds: invocations.reduce((total, [name, count]) => total + count * gb(name) * seconds(name), 0),
    writeUnits: counts['dynamodb']?.['wru'] ?? 0,
    readUnits: counts['dynamodb']?.['rru'] ?? 0,
    kmsCalls: sum(counts['kms']),
    kmsBehind: behind.filter(([service]) => service !== 'kms for states').reduce((total, [, of]) => total + sum(of), 0),
    kmsWorkflow: sum(counts['kms for states']),
    s3Writes: requests(/^(Put|Post|Copy|List|Create|Upload|Complete)/),
    s3Reads: requests(/^(Get|Head)/),
    busEvents: sum(counts['events']),
    apiRequests,
    logBytes: written + all * ASSUMED.platformLogBytes + apiRequests * ASSUMED.accessLogBytes,
    mails: counts['ses']?.['SendEmail'] ?? 0,
  };
}

/** Retries are billed as transitions too; what else the meter counts of Step Functions are free calls. */
const entered = (states: Readonly<Record<string, number>>): Record<string, number> => ({
  entered: states['StateEntered'] ?? 0,
  retried: states['StateRetried'] ?? 0,
});

/** Usage of one thing when `many` of them used so much, beside what was used anyway. */
export function perCase(all: Usage, anyway: Usage, many: number): Usage {
  const names = Object.keys(all) as (keyof Usage)[];
  // The same members, each a number.
  return Object.fromEntries(names.map((name) => [name, (all[name] - anyway[name]) / many])) as unknown as Usage;
}

export const times = (usage: Usage, factor: number): Usage =>
  // The same members, each a number.
  Object.fromEntries(
    Object.entries(usage).map(([name, value]) => [name, (value as number) * factor]),
  ) as unknown as Usage;

/** Dollars by service, without mail, egress and what is kept. */
export const dollars = (usage: Usage): Readonly<Record<string, number>> => ({
  'Step Functions': usage.transitions * PRICES.transition,
  Lambda: usage.invocations * PRICES.invocation + usage.gbSeconds * PRICES.gbSecond,
  DynamoDB: usage.writeUnits * PRICES.writeUnit + usage.readUnits * PRICES.readUnit,
  KMS: (usage.kmsCalls + usage.kmsWorkflow) * PRICES.kmsCall,
  S3: usage.s3Writes * PRICES.s3Write + usage.s3Reads * PRICES.s3Read,
  EventBridge: usage.busEvents * PRICES.busEvent,
  'API Gateway': usage.apiRequests * PRICES.apiRequest,
  'CloudWatch Logs': (usage.logBytes / 1024 ** 3) * PRICES.logGb,
});

/**
 * List prices in US dollars, us-east-1, on demand, without free tiers, collected in November 2026 from copies and summaries of the services' price
 * pages, some from memory: to be checked before anybody relies on them. Other regions differ (ca-central-1 by some 10 %).
 */
export const PRICES = {
  /** https://aws.amazon.com/step-functions/pricing/: $0.025 for 1,000 state transitions of Standard workflows, retries included. */
  transition: 0.025 / 1e3,
  /** https://aws.amazon.com/lambda/pricing/, arm64. */
  invocation: 0.2 / 1e6,
  gbSecond: 0.0000133334,
  /** https://aws.amazon.com/dynamodb/pricing/on-demand/ */
  writeUnit: 0.625 / 1e6,
  readUnit: 0.125 / 1e6,
  tableGbMonth: 0.25,
  /** Continuous backups. */
  backupGbMonth: 0.2,
  /** https://aws.amazon.com/kms/pricing/ */
  kmsCall: 0.03 / 1e4,
  kmsKeyMonth: 1,
  /** https://aws.amazon.com/s3/pricing/: PUT, COPY, POST and LIST; GET and all others; DELETE is free. */
  s3Write: 0.005 / 1e3,
  s3Read: 0.0004 / 1e3,
  /** https://aws.amazon.com/eventbridge/pricing/: custom events. */
  busEvent: 1 / 1e6,
  /** https://aws.amazon.com/api-gateway/pricing/: REST. */
  apiRequest: 3.5 / 1e6,
  /** https://aws.amazon.com/cloudwatch/pricing/ */
  logGb: 0.5,
  alarmMonth: 0.1,
  /** Beyond the three that are free for an account. */
  dashboardMonth: 3,
  customMetricMonth: 0.3,
  /** https://aws.amazon.com/ses/pricing/ */
  mail: 0.1 / 1e3,
} as const;

/** What cannot be measured without AWS. */
export const ASSUMED = {
  /** Billed milliseconds of an invocation: waiting for services in the region, which a laptop does not have. */
  invocationMs: 60,
  /** Of the invocation that seals a small package. */
  sealingMs: 350,
  /**
   * What Lambda itself writes for each invocation with JSON logging (platform.start and platform.report), and what CloudWatch adds to each
   * record. https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html
   */
  platformLogBytes: 750,
  logRecordBytes: 26,
  /** A line of the API's access log. */
  accessLogBytes: 350,
} as const;

import * as z from 'zod';
import { notImplemented, ServiceError } from '../../service.ts';
import { inertProperty, numberProperty, tagsProperty } from '../template-properties.ts';
import { compilePattern, type EventMatcher } from './event-pattern.ts';

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-events-rule-target.html */
const target = z.strictObject({
  Id: z.string(),
  Arn: z.string().regex(/^arn:aws:(lambda:[^:]+:\d+:function:.+|sqs:.+)$/, 'only Lambda functions and SQS queues'),
  /** A constant instead of the event. */
  Input: z.string().optional(),
  RetryPolicy: z
    .strictObject({
      MaximumRetryAttempts: numberProperty.pipe(z.number().int().min(0).max(185)).optional(),
      MaximumEventAgeInSeconds: numberProperty.pipe(z.number().int().min(60).max(86_400)).optional(),
    })
    .optional(),
  DeadLetterConfig: z.strictObject({ Arn: z.string().optional() }).optional(),
});

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-events-rule.html */
export const ruleProperties = z.strictObject({
  Name: z.string().optional(),
  EventBusName: z.string().optional(),
  EventPattern: z.record(z.string(), z.unknown()).optional(),
  ScheduleExpression: z.string().optional(),
  State: z.enum(['ENABLED', 'DISABLED']).default('ENABLED'),
  Targets: z.array(target).max(5).default([]),
  Description: inertProperty,
  Tags: tagsProperty,
});

export interface RuleTarget {
  readonly id: string;
  readonly arn: string;
  /** JSON text that is delivered instead of the event. */
  readonly input: string | undefined;
  readonly maximumRetries: number;
  readonly maximumAgeSeconds: number;
  readonly deadLetterArn: string | undefined;
}

export interface Rule {
  readonly name: string;
  readonly arn: string;
  readonly busName: string;
  readonly enabled: boolean;
  readonly matches: EventMatcher;
  /** Milliseconds between two scheduled events. */
  readonly period: number | undefined;
  readonly targets: readonly RuleTarget[];
}

/** Reads a rule; throws for what is not implemented and for what EventBridge refuses. */
export function ruleOf(
  properties: z.output<typeof ruleProperties>,
  name: string,
  where: { readonly account: string; readonly region: string },
): Rule {
  const busName = properties.EventBusName?.replace(/^arn:.*:event-bus\//, '') ?? 'default';
  const { EventPattern, ScheduleExpression } = properties;
  if (EventPattern === undefined && ScheduleExpression === undefined)
    throw new ServiceError('ValidationException', 'Parameter(s) EventPattern or ScheduleExpression must be specified.');
  if (ScheduleExpression !== undefined && busName !== 'default')
    throw new ServiceError('ValidationException', 'ScheduleExpression is supported only on the default event bus.');
  const path = busName === 'default' ? name : `${busName}/${name}`;
  return {
    name,
    arn: `arn:aws:events:${where.region}:${where.account}:rule/${path}`,
    busName,
    enabled: properties.State === 'ENABLED',
    matches: EventPattern === undefined ? () => false : compilePattern(EventPattern),
    period: ScheduleExpression === undefined ? undefined : periodOf(ScheduleExpression),
    targets: properties.Targets.map((each) => ({
      id: each.Id,
      arn: each.Arn,
      input: each.Input,
      // https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html
      maximumRetries: each.RetryPolicy?.MaximumRetryAttempts ?? 185,
      maximumAgeSeconds: each.RetryPolicy?.MaximumEventAgeInSeconds ?? 86_400,
      deadLetterArn: each.DeadLetterConfig?.Arn,
    })),
  };
}

const UNITS: Readonly<Record<string, number>> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

/** `rate(1 minute)`, `rate(5 minutes)`. https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html */
function periodOf(expression: string): number {
  if (expression.startsWith('cron(')) throw notImplemented(`the schedule ${expression}: use rate(...)`);
  const [, count = '', unit = '', plural = ''] = /^rate\(([1-9]\d*) (minute|hour|day)(s?)\)$/.exec(expression) ?? [];
  const milliseconds = UNITS[unit];
  if (milliseconds === undefined || (count === '1') !== (plural === ''))
    throw new ServiceError('ValidationException', `Parameter ScheduleExpression is not valid: ${expression}`);
  return Number(count) * milliseconds;
}

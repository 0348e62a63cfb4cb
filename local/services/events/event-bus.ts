import { randomUUID } from 'node:crypto';

/** An event as rules see it. https://docs.aws.amazon.com/eventbridge/latest/ref/events-structure.html */
export interface BusEvent {
  readonly version: '0';
  readonly id: string;
  readonly 'detail-type': string;
  readonly source: string;
  readonly account: string;
  /** ISO 8601, UTC, whole seconds. */
  readonly time: string;
  readonly region: string;
  readonly resources: readonly string[];
  readonly detail: Readonly<Record<string, unknown>>;
}

export interface EventBus {
  readonly name: string;
  readonly arn: string;
  readonly kmsKeyId: string | undefined;
  /** Takes events that could not be encrypted. */
  readonly deadLetterArn: string | undefined;
}

/** @param time milliseconds since the epoch */
export const busEvent = (
  content: Pick<BusEvent, 'detail-type' | 'source' | 'resources' | 'detail'>,
  where: Pick<BusEvent, 'account' | 'region'>,
  time: number,
): BusEvent => ({
  version: '0',
  id: randomUUID(),
  'detail-type': content['detail-type'],
  source: content.source,
  account: where.account,
  time: new Date(time).toISOString().replace(/\.\d+Z$/, 'Z'),
  region: where.region,
  resources: content.resources,
  detail: content.detail,
});

import { createHash, randomUUID } from 'node:crypto';
import type { PolicyDocument } from '../../iam/policy.ts';
import { ServiceError } from '../../service.ts';

/** A message as it is kept. Times in milliseconds since the epoch, virtual. */
export interface StoredMessage {
  readonly id: string;
  readonly body: string;
  readonly sentAt: number;
  /** Who sent it: the role's session ARN, or the service principal. */
  readonly sender: string;
  received: number;
  firstReceivedAt: number | undefined;
  visibleAt: number;
}

/** What of a queue outlives a restart; the rest stands in the template. */
export interface StoredQueue {
  readonly createdAt: number;
  messages: StoredMessage[];
}

export interface QueueSettings {
  readonly name: string;
  readonly arn: string;
  readonly kmsKeyId: string | undefined;
  readonly kmsDataKeyReusePeriodSeconds: number | undefined;
  readonly managedSse: boolean;
  readonly retentionSeconds: number;
  readonly visibilityTimeoutSeconds: number;
}

/** Since August 2025. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html */
export const LARGEST_MESSAGE = 1_048_576;

/**
 * A standard queue: at least once, in no promised order; a received message is hidden for the visibility timeout.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html
 */
export class Queue {
  policy: PolicyDocument | undefined;
  readonly settings: QueueSettings;
  readonly #stored: StoredQueue;
  readonly #changed: () => void;

  constructor(settings: QueueSettings, stored: StoredQueue, changed: () => void) {
    this.settings = settings;
    this.#stored = stored;
    this.#changed = changed;
  }

  get createdAt(): number {
    return this.#stored.createdAt;
  }

  send(body: string, sender: string, now: number): string {
    if (Buffer.byteLength(body) > LARGEST_MESSAGE)
      throw new ServiceError(
        'InvalidParameterValue',
        `One or more parameters are invalid. Reason: Message must be shorter than ${LARGEST_MESSAGE} bytes.`,
      );
    const message = { id: randomUUID(), body, sentAt: now, sender };
    this.#stored.messages.push({ ...message, received: 0, firstReceivedAt: undefined, visibleAt: now });
    this.#changed();
    return message.id;
  }

  /** Everything kept, hidden or not. */
  messages(now: number): readonly StoredMessage[] {
    const oldest = now - this.settings.retentionSeconds * 1000;
    this.#stored.messages = this.#stored.messages.filter((message) => message.sentAt > oldest);
    return this.#stored.messages;
  }

  /** Hides up to `limit` visible messages for `visibilitySeconds` and returns them with their receipt handles. */
  receive(limit: number, visibilitySeconds: number, now: number): { message: StoredMessage; receiptHandle: string }[] {
    const visible = this.messages(now).filter((message) => message.visibleAt <= now);
    const taken = visible.slice(0, limit);
    for (const message of taken) {
      message.received += 1;
      message.firstReceivedAt ??= now;
      message.visibleAt = now + visibilitySeconds * 1000;
    }
    if (taken.length > 0) this.#changed();
    return taken.map((message) => ({ message, receiptHandle: this.#handle(message) }));
  }

  /**
   * Deleting what is gone succeeds; an outdated handle succeeds without effect.
   * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessage.html
   */
  delete(receiptHandle: string): void {
    const parts = Buffer.from(receiptHandle, 'base64url').toString('utf8').split(' ');
    if (parts.length !== 3 || parts[0] !== this.settings.arn)
      throw new ServiceError(
        'ReceiptHandleIsInvalid',
        `The input receipt handle "${receiptHandle}" is not a valid receipt handle.`,
      );
    const index = this.#stored.messages.findIndex((message) => this.#handle(message) === receiptHandle);
    if (index === -1) return;
    this.#stored.messages.splice(index, 1);
    this.#changed();
  }

  #handle(message: StoredMessage): string {
    return Buffer.from(`${this.settings.arn} ${message.id} ${message.received}`).toString('base64url');
  }
}

export const md5 = (text: string): string => createHash('md5').update(text, 'utf8').digest('hex');

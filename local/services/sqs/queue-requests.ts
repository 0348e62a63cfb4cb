import * as z from 'zod';

/**
 * Requests of the operations that are understood, without what would matter and is not implemented.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_Operations.html
 */
const queueUrl = z.string();
const attributeNames = z.array(z.string()).optional();

export const receiveMessageRequest = z.strictObject({
  QueueUrl: queueUrl,
  MaxNumberOfMessages: z.number().int().min(1).max(10).default(1),
  VisibilityTimeout: z.number().int().min(0).max(43_200).optional(),
  /** Short polling only: a long poll would wait in virtual time for nothing. */
  WaitTimeSeconds: z.literal(0).optional(),
  AttributeNames: attributeNames,
  MessageSystemAttributeNames: attributeNames,
  /** No message here carries attributes. */
  MessageAttributeNames: attributeNames,
});

export const deleteMessageRequest = z.strictObject({ QueueUrl: queueUrl, ReceiptHandle: z.string() });

export const getQueueAttributesRequest = z.strictObject({ QueueUrl: queueUrl, AttributeNames: attributeNames });

import type { z } from 'zod';
import type { reasonBody, receiptBody } from '../contracts/api-bodies.ts';
import type { Exchange } from '../platform/execute.ts';
import { answerWithCase, mutate } from './mutation.ts';
import { type Caller } from './visibility.ts';
import { caseIdIn, digestIn, type Answer, type ApiRequest } from './request.ts';

const reasonIn = (request: ApiRequest): string => (request.body as z.infer<typeof reasonBody>).reason; // checked by the route's schema

/** POST /v1/cases/{caseId}/receipts */
export async function acknowledgeReceipt(exchange: Exchange, request: ApiRequest, caller: Caller): Promise<Answer> {
  const { accessId, digest } = request.body as z.infer<typeof receiptBody>; // checked by the route's schema
  const command = { type: 'AcknowledgeReceipt', accessId, digest: digestIn(digest) } as const;
  return answerWithCase(request, caller, await mutate(exchange, request, caller, caseIdIn(request), command));
}

/** POST /v1/cases/{caseId}/suspension */
export async function suspendRelease(exchange: Exchange, request: ApiRequest, caller: Caller): Promise<Answer> {
  const command = { type: 'Suspend', reason: reasonIn(request) } as const;
  return answerWithCase(request, caller, await mutate(exchange, request, caller, caseIdIn(request), command));
}

/** DELETE /v1/cases/{caseId}/suspension */
export async function resumeRelease(exchange: Exchange, request: ApiRequest, caller: Caller): Promise<Answer> {
  return answerWithCase(
    request,
    caller,
    await mutate(exchange, request, caller, caseIdIn(request), { type: 'Resume' }),
  );
}

/** POST /v1/cases/{caseId}/recall */
export async function recallRelease(exchange: Exchange, request: ApiRequest, caller: Caller): Promise<Answer> {
  const command = { type: 'Recall', reason: reasonIn(request) } as const;
  return answerWithCase(request, caller, await mutate(exchange, request, caller, caseIdIn(request), command));
}

/** POST /v1/cases/{caseId}/withdrawal */
export async function withdrawRequest(exchange: Exchange, request: ApiRequest, caller: Caller): Promise<Answer> {
  const command = { type: 'Withdraw', reason: reasonIn(request) } as const;
  return answerWithCase(request, caller, await mutate(exchange, request, caller, caseIdIn(request), command));
}

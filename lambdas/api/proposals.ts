import type { z } from 'zod';
import {
  instantOf,
  type assuranceBody,
  type decisionBody,
  type depositBody,
  type proposalBody,
} from '../contracts/api-bodies.ts';
import { ENV } from '../contracts/names.ts';
import { commandsFor } from '../domain/capacity.ts';
import type { Case } from '../domain/case.ts';
import type { CaseId, PersonId } from '../domain/ids.ts';
import type { Instant } from '../domain/instant.ts';
import { readEnvironment } from '../platform/environment.ts';
import { NotFound } from '../platform/errors.ts';
import type { Exchange } from '../platform/execute.ts';
import { randomId } from '../platform/identifiers.ts';
import { depositKey, objectsUnder, uploadAddress } from '../platform/object-store.ts';
import { answerWithCase, mutate } from './mutation.ts';
import { visibleCase, type Caller } from './visibility.ts';
import { Problematic } from './problems.ts';
import { caseIdIn, digestIn, nationIn, type Answer, type ApiRequest } from './request.ts';

const env = readEnvironment([ENV.depositsBucket]);

/** POST /v1/cases/{caseId}/deposits */
export async function openDeposit(exchange: Exchange, request: ApiRequest, caller: Caller): Promise<Answer> {
  const body = request.body as z.infer<typeof depositBody>; // checked by the route's schema
  const caseId = caseIdIn(request);
  const state = await mutate(exchange, request, caller, caseId, {
    type: 'OpenDeposit',
    depositId: randomId(),
    digest: digestIn(body.digest),
    length: body.length,
  });
  // The newest deposit as of this act, also when the act is repeated.
  const deposit = state.deposits.at(-1);
  if (deposit === undefined) throw new NotFound('No such deposit.');
  const { depositId } = deposit;
  const now = (await visibleCase(exchange, caseId, caller)).state;
  // A request that is repeated later gets its answer again, and no new way for plaintext into a case that no longer waits for it (promise S2).
  if (!commandsFor(now, caller).includes('CompleteDeposit') || !awaited(now, depositId)) {
    return { status: 201, body: { depositId, complete: deposit.complete } };
  }
  const key = depositKey(caseId, depositId);
  const upload = await uploadAddress(env[ENV.depositsBucket], key, deposit.digest, deposit.length);
  return { status: 201, body: { depositId, upload, complete: deposit.complete } };
}

/** Whether a deposit is still to be completed. */
const awaited = (state: Case, depositId: string): boolean =>
  state.deposits.some((deposit) => deposit.depositId === depositId && !deposit.complete);

/** POST /v1/cases/{caseId}/deposits/{depositId}/completion */
export async function completeDeposit(exchange: Exchange, request: ApiRequest, caller: Caller): Promise<Answer> {
  const caseId = caseIdIn(request);
  const depositId = request.params['depositId'] ?? '';
  await mutate(exchange, request, caller, caseId, async () => ({
    type: 'CompleteDeposit',
    depositId,
    storedLength: await storedLength(caseId, depositId),
  }));
  return { status: 200, body: { depositId, complete: true } };
}

/** How long the stored deposit is; S3 took it only if it was the announced bytes (see uploadAddress). */
async function storedLength(caseId: CaseId, depositId: string): Promise<number | null> {
  const key = depositKey(caseId, depositId);
  return (await objectsUnder(env[ENV.depositsBucket], key)).get(key) ?? null;
}

/**
 * The beginning of a window that is to open at once: where one stands already, that one, so that the same proposal sent again, because its
 * answer was lost, is the same (RFC 9110 §9.2.2) and voids no vote.
 */
function atOnce(state: Case, now: Instant): Instant {
  const standing = 'proposal' in state ? state.proposal?.proposal.notBefore : undefined;
  return standing !== undefined && standing <= now ? standing : now;
}

/** PUT /v1/cases/{caseId}/proposal */
export async function putProposal(exchange: Exchange, request: ApiRequest, caller: Caller): Promise<Answer> {
  const body = request.body as z.infer<typeof proposalBody>; // checked by the route's schema
  const nation = exchange.originatingNation;
  const state = await mutate(exchange, request, caller, caseIdIn(request), (file) => ({
    type: 'PutProposal',
    documents: body.documents.map(({ origin, marking, ...document }) => ({
      ...document,
      marking: { ...marking, nation },
      origin: origin === undefined ? nation : nationIn(origin),
    })),
    recipients: body.recipients.map(({ personId, keyFingerprint }) => ({
      personId: personId as PersonId, // checked by the route's schema
      keyFingerprint: digestIn(keyFingerprint),
    })),
    conditions: body.conditions,
    notBefore: body.notBefore === undefined ? atOnce(file.state, exchange.now()) : instantOf(body.notBefore),
    notAfter: instantOf(body.notAfter),
    copies: body.copies,
  }));
  return answerWithCase(request, caller, state);
}

/** The proposal digest that the caller says they saw (RFC 9110 §13.1.1). */
function seenDigest(request: ApiRequest): ReturnType<typeof digestIn> {
  const stated = /^"(sha256:[0-9a-f]{64})"$/.exec(request.headers['if-match'] ?? '');
  if (stated?.[1] !== undefined) return digestIn(stated[1]);
  throw new Problematic({
    status: 428,
    code: 'PROPOSAL_DIGEST_MISSING',
    detail: 'A decision states the digest of the proposal that was seen: If-Match: "sha256:…".',
    next: 'Read the case, look at the proposal, and state its proposalDigest.',
  });
}

/** POST /v1/cases/{caseId}/decisions */
export async function castDecision(exchange: Exchange, request: ApiRequest, caller: Caller): Promise<Answer> {
  const { verdict, role, ground, note } = request.body as z.infer<typeof decisionBody>; // checked by the route's schema
  const state: Case = await mutate(exchange, request, caller, caseIdIn(request), {
    type: 'CastDecision',
    proposalDigest: seenDigest(request),
    verdict,
    ...(role === undefined ? {} : { role }),
    ...(ground === undefined ? {} : { ground }),
    ...(note === undefined ? {} : { note }),
  });
  return answerWithCase(request, caller, state);
}

/** POST /v1/cases/{caseId}/assurance */
export async function giveAssurance(exchange: Exchange, request: ApiRequest, caller: Caller): Promise<Answer> {
  const { verdict, proposalDigest } = request.body as z.infer<typeof assuranceBody>; // checked by the route's schema
  const state = await mutate(exchange, request, caller, caseIdIn(request), {
    type: verdict === 'give' ? 'GiveAssurance' : 'DeclineAssurance',
    proposalDigest: digestIn(proposalDigest),
  });
  return answerWithCase(request, caller, state);
}

import type * as z from 'zod';
import type { Problem } from '../contracts/api-answers.ts';
import { InvariantBroken } from '../domain/case.ts';
import type { Refusal } from '../domain/refusal.ts';
import { Conflict, FileBehind, NotFound, Refused, Transient } from '../platform/errors.ts';

type Details = Pick<Problem, 'status' | 'code' | 'detail' | 'next' | 'errors'>;

/** A problem that the API itself finds, before or beside the domain. */
export class Problematic extends Error {
  override readonly name = 'Problematic';
  readonly details: Details;

  constructor(details: Details) {
    super(details.code);
    this.details = details;
  }
}

const TITLES: Readonly<Record<number, string>> = {
  400: 'The request is not valid',
  401: 'Who you are is not shown',
  403: 'This is not yours to do',
  404: 'There is no such thing for you',
  405: 'This method does not exist here',
  409: 'The case stands elsewhere',
  412: 'What you saw has changed',
  413: 'The request is too large',
  415: 'The media type is not supported',
  422: 'The idempotency key belongs to another request',
  428: 'A precondition is missing',
  500: 'Something is wrong on our side',
  503: 'Not now',
};

/** Codes of refusals that mean that a stated digest is no longer the present one. */
const STALE = ['PROPOSAL_CHANGED'];

function statusOf(refusal: Refusal): number {
  if (STALE.includes(refusal.code)) return 412;
  return { InvalidInput: 400, Forbidden: 403, Conflict: 409 }[refusal.kind];
}

/** What the caller is told of an error: nothing of ours that they have no part in, everything they need to go on. */
function detailsOf(error: unknown): Details {
  if (error instanceof Problematic) return error.details;
  if (error instanceof Refused) {
    const { refusal } = error;
    const rule = refusal.rule === undefined ? '' : ` (rule ${refusal.rule})`;
    return {
      status: statusOf(refusal),
      code: refusal.code,
      detail: refusal.message + rule,
      next: refusal.next,
      ...(refusal.pointer === undefined ? {} : { errors: [{ pointer: refusal.pointer, detail: refusal.message }] }),
    };
  }
  if (error instanceof NotFound) {
    return {
      status: 404,
      code: 'NOT_FOUND',
      detail: 'Nothing of yours has this name.',
      next: 'Check the id, and that you are signed in as a party to the case.',
    };
  }
  if (error instanceof Conflict) {
    return {
      status: 409,
      code: 'CHANGED_MEANWHILE',
      detail: 'The case was changed by somebody else at the same moment.',
      next: 'Read the case and, if it still makes sense, do it again.',
    };
  }
  if (error instanceof Transient) {
    return {
      status: 503,
      code: 'TRY_AGAIN',
      detail: 'A service is busy.',
      next: 'Send the same request again in a moment.',
    };
  }
  if (error instanceof FileBehind) {
    return {
      status: 503,
      code: 'CASE_READ_ONLY',
      detail:
        'The file of this case came back from a backup and lacks its latest events: it can be read, and not changed.',
      next: 'Nothing was changed. Send the same request again once the exchange says that the case is complete.',
    };
  }
  if (error instanceof InvariantBroken) {
    return {
      status: 500,
      code: 'CASE_PARKED',
      detail: 'The file of this case does not hold together; nothing can be done with it until an operator has looked.',
      next: 'Nothing was changed. Quote the trace id to the exchange.',
    };
  }
  return {
    status: 500,
    code: 'INTERNAL',
    detail: 'An unexpected error happened; it has been recorded.',
    next: 'Send the same request again with the same idempotency key. If it persists, quote the trace id to the exchange.',
  };
}

/** The problem document of an error (RFC 9457). */
export function problemOf(error: unknown, traceId: string): Problem {
  const details = detailsOf(error);
  return {
    type: `urn:valiza:problem:${details.code.toLowerCase().replaceAll('_', '-')}`,
    title: TITLES[details.status] ?? 'Something is wrong',
    traceId,
    ...details,
  };
}

/** RFC 6901. */
const pointerOf = (path: readonly PropertyKey[]): string =>
  path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');

/**
 * The problem of a body that its schema refuses: a JSON Pointer per member, never the value.
 * @param under where in the body the checked value stands, as a JSON Pointer
 */
export const invalidBody = (error: z.ZodError, under = ''): Problematic =>
  new Problematic({
    status: 400,
    code: 'INVALID_INPUT',
    detail: 'The body does not have the form that this operation takes.',
    next: 'Correct the members named under errors; GET /v1/openapi.json describes them.',
    errors: error.issues
      .slice(0, 20)
      .map((issue) => ({ pointer: under + pointerOf(issue.path), detail: issue.message })),
  });

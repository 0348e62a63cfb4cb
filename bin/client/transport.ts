import type { HttpRequest } from '../../lambdas/contracts/api-calls.ts';
import { unavailable, type ClientError } from './errors.ts';

export interface HttpReply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

export interface Patience {
  readonly signal?: AbortSignal | undefined;
  /** Waits; given by tests. */
  readonly pause?: ((milliseconds: number) => Promise<void>) | undefined;
}

/** A request goes out at most this often; again only when nothing came back, or that it was not taken up now. */
const ATTEMPTS = 4;
const NOT_NOW = [429, 503];
const FIRST_PAUSE = 250;
const LONGEST_PAUSE = 8000;
const ANSWER_WITHIN = 30_000;

/** Waits, or ends at once when interrupted. */
export const pause = (milliseconds: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const timer = setTimeout(done, milliseconds);
    function done(): void {
      signal?.removeEventListener('abort', aborted);
      resolve();
    }
    function aborted(): void {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    }
    signal?.addEventListener('abort', aborted, { once: true });
  });

/** Full jitter (AWS Architecture Blog, "Exponential Backoff And Jitter"), or what the exchange asks for. */
function pauseBefore(attempt: number, retryAfter: string | null): number {
  const seconds = retryAfter === null ? Number.NaN : Number(retryAfter);
  const least = Number.isFinite(seconds) ? seconds * 1000 : 0;
  return Math.min(Math.max(least, Math.random() * FIRST_PAUSE * 2 ** attempt), LONGEST_PAUSE);
}

async function once(request: HttpRequest, signal: AbortSignal | undefined): Promise<HttpReply> {
  const limit = AbortSignal.timeout(ANSWER_WITHIN);
  const answer = await fetch(request.url, {
    method: request.method,
    headers: request.headers,
    // A credential goes to the exchange that was named and nowhere else.
    redirect: 'error',
    signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
    ...(request.body === undefined ? {} : { body: request.body }),
  });
  return { status: answer.status, headers: answer.headers, text: await answer.text() };
}

/** A request to which nothing came back, and which may not be sent twice: a second one would be refused, or be somebody's second act. */
const unknownOutcome = (error: unknown): ClientError =>
  unavailable(
    'No answer came, so it is not known whether it was done.',
    'See with valiza show, and do it again if not.',
    error,
  );

/**
 * Sends a request, again after a pause where nothing, 429 or 503 came back; every other answer is an answer. Safe for POST because
 * the idempotency key stays the same, and for PUT because the same thing put again is the same; DELETE has neither, and is sent once.
 * @throws ClientError (69) when the exchange cannot be reached
 */
export async function send(request: HttpRequest, patience: Patience): Promise<HttpReply> {
  const { signal } = patience;
  const wait = patience.pause ?? ((milliseconds: number) => pause(milliseconds, signal));
  const sentOnce = request.method === 'DELETE';
  for (let attempt = 1; ; attempt += 1) {
    let retryAfter: string | null = null;
    try {
      const reply = await once(request, signal);
      if (!NOT_NOW.includes(reply.status) || attempt === ATTEMPTS || sentOnce) return reply;
      retryAfter = reply.headers.get('retry-after');
    } catch (error) {
      signal?.throwIfAborted();
      if (sentOnce) throw unknownOutcome(error);
      if (attempt === ATTEMPTS) {
        const { origin } = new URL(request.url);
        throw unavailable(
          `${origin} does not answer.`,
          'Check --exchange and the network, and try again; for the exercise, start it with npm start.',
          error,
        );
      }
    }
    await wait(pauseBefore(attempt, retryAfter));
  }
}

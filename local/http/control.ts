import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../clock.ts';
import type { Denial } from '../iam/denials.ts';
import type { Session } from '../iam/sessions.ts';
import type { Meter } from '../meter.ts';
import { readBody, ServiceError } from '../service.ts';
import type { CallCounts } from './call-counts.ts';
import { respond, respondJson } from './respond.ts';

/** What the routes under `/_local/` show of the runtime. */
export interface ControlView {
  readonly clock: Clock;
  readonly meter: Meter;
  readonly callers: CallCounts;
  denials(): readonly Denial[];
  executions(): unknown;
  readonly region: string;
  /** Credentials of a role that trusts the account; undefined for any other. */
  credentials(roleName: string): Session | undefined;
  readonly outbox: { toHtml(): string; toJson(): string };
}

export const CONTROL_PREFIX = '/_local/';

/** A page of another origin cannot set a header of its own without a preflight, which is never answered. */
const CONTROL_HEADER = 'x-local-control';
const LONGEST_ADVANCE = 100 * 366 * 86_400_000;

const clockState = (clock: Clock): unknown => ({
  now: new Date(clock.now()).toISOString(),
  offsetMs: Math.round(clock.offset),
});

/** `{ advanceMs }` or `{ to }` (ISO 8601); the instant to go to, or undefined when it is neither. Time never goes back. */
function targetOf(body: string, now: number): number | undefined {
  try {
    const asked = JSON.parse(body) as { readonly advanceMs?: unknown; readonly to?: unknown };
    const { advanceMs } = asked;
    const to =
      typeof asked.to === 'string' ? Date.parse(asked.to) : typeof advanceMs === 'number' ? now + advanceMs : NaN;
    return to >= now && to <= now + LONGEST_ADVANCE ? to : undefined;
  } catch {
    return undefined;
  }
}

const smallBody = (request: IncomingMessage): Promise<Buffer | ServiceError> =>
  readBody(request, 1024).catch((error: unknown) => {
    if (error instanceof ServiceError) return error;
    throw error;
  });

function roleIn(body: string): string | undefined {
  try {
    const { role } = JSON.parse(body) as { readonly role?: unknown };
    return typeof role === 'string' ? role : undefined;
  } catch {
    return undefined;
  }
}

/** `{ role }`: credentials of a role that trusts the account, as its administrator would get them from STS. */
async function giveCredentials(
  request: IncomingMessage,
  response: ServerResponse,
  { credentials, region }: ControlView,
): Promise<void> {
  const body = await smallBody(request);
  if (body instanceof ServiceError) return respondJson(response, { error: body.message }, body.status);
  const role = roleIn(body.toString());
  if (role === undefined) return respondJson(response, { error: 'Send {"role": "name"}.' }, 400);
  const session = credentials(role);
  if (session === undefined)
    return respondJson(response, { error: 'There is no role of that name that trusts the account.' }, 403);
  const { accessKeyId, secretAccessKey, sessionToken, expiresAt } = session;
  const expiration = new Date(expiresAt).toISOString();
  return respondJson(response, { accessKeyId, secretAccessKey, sessionToken, expiration, region });
}

async function moveClock(request: IncomingMessage, response: ServerResponse, clock: Clock): Promise<void> {
  const body = await smallBody(request);
  if (body instanceof ServiceError) return respondJson(response, { error: body.message }, body.status);
  const to = targetOf(body.toString(), clock.now());
  if (to === undefined) {
    const error = 'Send {"advanceMs": n} with n >= 0, or {"to": "2030-01-01T00:00:00Z"} in the future.';
    return respondJson(response, { error }, 400);
  }
  await clock.advanceTo(to);
  return respondJson(response, clockState(clock));
}

function outbox(request: IncomingMessage, response: ServerResponse, view: ControlView): Promise<void> {
  const html = request.headers.accept?.includes('text/html') === true;
  return respond(response, {
    status: 200,
    headers: {
      'content-type': html ? 'text/html; charset=utf-8' : 'application/json',
      'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'",
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    },
    body: html ? view.outbox.toHtml() : view.outbox.toJson(),
  });
}

/** Answers a request below `/_local/`: what the runtime is doing, and its clock. */
export async function control(request: IncomingMessage, response: ServerResponse, view: ControlView): Promise<void> {
  const name = new URL(request.url ?? '/', 'http://local').pathname.slice(CONTROL_PREFIX.length);
  if (request.method === 'POST' && request.headers[CONTROL_HEADER] !== '1')
    return respondJson(response, { error: `POST requests need the header ${CONTROL_HEADER}: 1` }, 403);
  switch (`${request.method} ${name}`) {
    case 'GET health':
      return respondJson(response, { status: 'ok' });
    case 'GET clock':
      return respondJson(response, clockState(view.clock));
    case 'POST clock':
      return moveClock(request, response, view.clock);
    case 'POST credentials':
      return giveCredentials(request, response, view);
    case 'GET meter':
      return respondJson(response, { calls: view.meter.read(), byCaller: view.callers.read() });
    case 'GET denials':
      return respondJson(response, { denials: view.denials() });
    case 'GET executions':
      return respondJson(response, { executions: view.executions() });
    case 'GET outbox':
      return outbox(request, response, view);
    default:
      return respondJson(response, { error: `There is no ${request.method} ${CONTROL_PREFIX}${name}.` }, 404);
  }
}

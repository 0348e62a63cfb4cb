import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ServiceResponse } from '../service.ts';

/** Sends a service's answer. A stream that fails half way ends the connection, so that nobody takes a part for the whole. */
export async function respond(response: ServerResponse, answer: ServiceResponse): Promise<void> {
  const { status, headers = {}, body } = answer;
  if (body instanceof Readable) {
    response.writeHead(status, headers);
    await pipeline(body, response).catch(() => response.destroy());
    return;
  }
  const bytes = Buffer.from(body ?? '');
  const described = Object.keys(headers).some((name) => name.toLowerCase() === 'content-length');
  const empty = status === 204 || status === 304;
  response.writeHead(status, { ...(described || empty ? {} : { 'content-length': String(bytes.length) }), ...headers });
  response.end(bytes);
}

export const respondJson = (response: ServerResponse, value: unknown, status = 200): Promise<void> =>
  respond(response, {
    status,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' },
    body: JSON.stringify(value),
  });

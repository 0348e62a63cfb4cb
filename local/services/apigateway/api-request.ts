import { randomBytes, randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { GatewayFailure } from './gateway-failure.ts';

/** A request as the gateway sees it, before it is known which method answers. */
export interface ApiRequest {
  readonly method: string;
  /** As sent, without the query and without the base path. */
  readonly path: string;
  /** What stands before the path where the API is reached under its own name: `/` and the stage. */
  readonly basePath: string;
  /** Decoded. */
  readonly segments: readonly string[];
  /** Decoded, in order. */
  readonly query: readonly (readonly [string, string])[];
  /** Names as sent, in order. */
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string | undefined;
  readonly requestId: string;
  readonly extendedRequestId: string;
  readonly traceId: string;
  readonly sourceIp: string;
  /** What the client showed in mutual TLS, as PEM. */
  readonly clientCertificate: string | undefined;
  /** Milliseconds since the epoch, virtual. */
  readonly time: number;
}

/** https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html */
const LARGEST_BODY = 10 * 1024 * 1024;
const LARGEST_HEADERS = 10_240;

/** Belong to one connection, and are not passed on. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** What identifies a request even when it cannot be read. */
export type RequestHead = Omit<ApiRequest, 'segments' | 'query' | 'body'> & { readonly search: string };

/** Reads the head. Never throws. */
export function readHead(incoming: IncomingMessage, time: number, clientCertificate?: string): RequestHead {
  const [path = '/', ...search] = (incoming.url ?? '/').split('?');
  const sourceIp = (incoming.socket.remoteAddress ?? '127.0.0.1').replace(/^::ffff:/, '');
  const traceId = `Root=1-${Math.floor(time / 1000).toString(16)}-${randomBytes(12).toString('hex')}`;
  return {
    method: incoming.method ?? 'GET',
    path,
    basePath: '',
    search: search.join('?'),
    headers: headersOf(incoming, sourceIp, traceId),
    requestId: randomUUID(),
    extendedRequestId: `${randomBytes(11).toString('base64url').slice(0, 15)}=`,
    traceId,
    sourceIp,
    clientCertificate,
    time,
  };
}

/**
 * Reads the rest; throws a {@link GatewayFailure} for what the gateway itself refuses: too large, not UTF-8, badly encoded.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html
 */
export async function readRequest(
  head: RequestHead,
  incoming: IncomingMessage,
  patienceMs: number,
): Promise<ApiRequest> {
  const { search, ...rest } = head;
  const sent = incoming.rawHeaders.reduce((sum, part) => sum + Buffer.byteLength(part), 0);
  if (sent + Buffer.byteLength(incoming.url ?? '') > LARGEST_HEADERS) throw new GatewayFailure('REQUEST_TOO_LARGE');
  // Plain | and braces are not supported in a query, a semicolon splits it.
  if (/[|{};]/.test(search)) throw new GatewayFailure('DEFAULT_4XX', 'Bad Request');
  const body = await readText(incoming, patienceMs);
  return { ...rest, segments: segmentsOf(head.path), query: queryOf(search), body: body === '' ? undefined : body };
}

function headersOf(incoming: IncomingMessage, sourceIp: string, traceId: string): [string, string][] {
  const pairs = Array.from({ length: incoming.rawHeaders.length / 2 }, (_, index): [string, string] => [
    incoming.rawHeaders[index * 2] ?? '',
    incoming.rawHeaders[index * 2 + 1] ?? '',
  ]);
  const named = (name: string) => pairs.filter(([candidate]) => candidate.toLowerCase() === name);
  const forwarded = [...named('x-forwarded-for').map(([, value]) => value), sourceIp].join(', ');
  const replaced = new Set(['x-forwarded-for', 'x-forwarded-port', 'x-forwarded-proto', 'x-amzn-trace-id']);
  return [
    ...pairs.filter(([name]) => !HOP_BY_HOP.has(name.toLowerCase()) && !replaced.has(name.toLowerCase())),
    ['X-Amzn-Trace-Id', traceId],
    ['X-Forwarded-For', forwarded],
    ['X-Forwarded-Port', '443'],
    ['X-Forwarded-Proto', 'https'],
  ];
}

function segmentsOf(path: string): string[] {
  try {
    return path === '/' ? [] : path.slice(1).split('/').map(decodeURIComponent);
  } catch {
    throw new GatewayFailure('DEFAULT_4XX', 'Bad Request');
  }
}

function queryOf(search: string): [string, string][] {
  try {
    decodeURIComponent(search);
  } catch {
    throw new GatewayFailure('DEFAULT_4XX', 'Bad Request');
  }
  return [...new URLSearchParams(search)];
}

/**
 * Not `for await`: leaving that early would destroy the connection before it can be answered. A caller who sends nothing for so long is taken
 * for gone, and the connection given free; after how long AWS does so is not documented.
 */
async function readText(incoming: IncomingMessage, patienceMs: number): Promise<string> {
  if (Number(incoming.headers['content-length'] ?? 0) > LARGEST_BODY) throw new GatewayFailure('REQUEST_TOO_LARGE');
  const chunks: Buffer[] = [];
  let length = 0;
  incoming.setTimeout(patienceMs, () => incoming.destroy(new Error('The body stalled.')));
  await new Promise<void>((resolve, reject) => {
    incoming.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length <= LARGEST_BODY) chunks.push(chunk);
      else reject(new GatewayFailure('REQUEST_TOO_LARGE'));
    });
    incoming.on('end', resolve);
    incoming.on('error', reject);
  }).finally(() => incoming.setTimeout(0));
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.concat(chunks));
  } catch {
    // Without binary media types a body is text.
    throw new GatewayFailure('UNSUPPORTED_MEDIA_TYPE');
  }
}

/** Values of a header, by name without regard to case. */
export const headerValues = (request: Pick<ApiRequest, 'headers'>, name: string): string[] =>
  request.headers.flatMap(([candidate, value]) => (candidate.toLowerCase() === name.toLowerCase() ? [value] : []));

import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { run } from '../../../bin/valiza.ts';

/** A folder of its own for a test file, removed at its end. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'valiza-client-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A request as the server saw it. */
export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

export interface Given {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is sent as JSON. */
  readonly body?: object | Buffer;
  /** Cut the connection in place of an answer. */
  readonly hangUp?: boolean;
}

export interface FakeExchange {
  readonly address: string;
  readonly seen: Seen[];
  /** How `GET /path` and so on are answered; the path is without its query. */
  readonly answers: Map<string, (seen: Seen) => Given>;
  requests(method: string, path: string): readonly Seen[];
}

const HEALTH = { status: 'ok', environment: 'can-local', nation: 'CAN' };

/** A real HTTP server on this machine that answers what a test says. */
export function fakeExchange(): FakeExchange {
  const seen: Seen[] = [];
  const answers: FakeExchange['answers'] = new Map();
  let server: Server;
  const exchange = {
    address: '',
    seen,
    answers,
    requests: (method: string, path: string) => seen.filter((row) => row.method === method && row.path === path),
  };
  beforeAll(async () => {
    server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const [path = ''] = (request.url ?? '').split('?');
      const row = {
        method: request.method ?? '',
        path: request.url ?? '',
        headers: request.headers,
        body: Buffer.concat(chunks),
      };
      seen.push(row);
      const answer = answers.get(`${row.method} ${path}`);
      const given: Given = answer?.(row) ?? { status: 404, body: problem(404, 'NOT_FOUND') };
      if (given.hangUp === true) {
        request.socket.destroy();
        return;
      }
      const body = given.body instanceof Buffer ? given.body : Buffer.from(JSON.stringify(given.body ?? {}));
      response.writeHead(given.status ?? 200, given.headers).end(given.status === 304 ? undefined : body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    exchange.address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // it listens on a port
  });
  beforeEach(() => {
    seen.length = 0;
    answers.clear();
    answers.set('GET /v1/healthz', () => ({ body: HEALTH }));
  });
  afterAll(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return exchange;
}

/** A problem as the API writes it. */
export const problem = (status: number, code: string): object => ({
  type: `https://valiza.example/problems/${code}`,
  title: code,
  status,
  code,
  detail: `What was wrong: ${code}.`,
  next: 'What to do.',
  traceId: 'trace-1',
});

export interface Ran {
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the client in this process, as somebody with a token. `answer` is typed where something is asked. */
export async function valiza(
  exchange: FakeExchange,
  argv: readonly string[],
  options: { readonly answer?: string; readonly env?: Record<string, string>; readonly home?: string } = {},
): Promise<Ran> {
  const texts = { stdout: '', stderr: '' };
  const stdin = Object.assign(new PassThrough(), { isTTY: options.answer !== undefined });
  const stderr = new PassThrough();
  stderr.on('data', (chunk: Buffer) => {
    texts.stderr += chunk.toString('utf8');
    if (chunk.includes('to go on:')) stdin.write(`${options.answer}\n`);
  });
  const exit = await run(argv, {
    env: { VALIZA_EXCHANGE: exchange.address, VALIZA_TOKEN: 'a-token', ...options.env },
    home: options.home ?? '/nonexistent',
    stdout: { write: (text: string) => (texts.stdout += text) },
    stderr,
    stdin,
    signal: new AbortController().signal,
  });
  return { exit, ...texts };
}

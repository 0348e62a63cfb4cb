import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { existsSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { startExchange } from '../../bin/local/exchange.ts';
import description from '../../lambdas/contracts/openapi.json' with { type: 'json' };
import { openScene, type Scene } from '../support/exchange.ts';
import { insiderOf, type Insider } from '../support/insider.ts';

let scene: Scene;
let inside: Insider;
beforeAll(async () => {
  scene = await openScene({ people: false });
  inside = insiderOf(scene);
}, 120_000);
afterAll(async () => {
  inside.close();
  await scene.close();
});
/** Whatever was sent: the runtime answers others, and has come to rest. */
afterEach(async () => {
  expect((await fetch(`${scene.runtime.url}/_local/health`)).status).toBe(200);
  await scene.runtime.settled();
});

const port = (): number => Number(new URL(scene.runtime.url).port);

const open = (host = '127.0.0.1'): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connect({ host, port: port() }, () => resolve(socket));
    socket.once('error', reject);
  });

/** Sends bytes as they are; the first line of the answer, or '' when there is none. */
async function talk(...pieces: readonly string[]): Promise<string> {
  const socket = await open();
  const answer = new Promise<string>((resolve) => {
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      if (text.includes('\r\n')) resolve(text.split('\r\n')[0] ?? '');
    });
    socket.once('error', () => resolve(text));
    socket.once('close', () => resolve(text));
  });
  for (const piece of pieces) socket.write(piece);
  const first = await answer;
  socket.destroy();
  return first;
}

it('tells anyone what it can be asked, as it is written down', async () => {
  const answer = await fetch(`${scene.runtime.url}/v1/openapi.json`);
  expect([answer.status, await answer.json()]).toEqual([200, description]);
});

const statusOf = (line: string): number => Number(line.split(' ')[1]);

describe('a name that leads here and is not ours', () => {
  it.each([
    'attacker.example',
    '127.0.0.1.attacker.example',
    'localhost.attacker.example',
    'attacker.example#127.0.0.1',
    'attacker.example@127.0.0.1',
    '127.0.0.1@attacker.example',
    '127.0.0.1:80:80',
    '127.0.0.1:',
    '127.0.0.2',
    '127.1',
    '2130706433',
    '0.0.0.0',
    '[::]',
    'localhost.',
    ' ',
    'x'.repeat(8000),
  ])('%s is not served', async (host) => {
    for (const path of ['/_local/outbox', '/v1/healthz', '/']) {
      expect([400, 421]).toContain(statusOf(await talk(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`)));
    }
  });

  it('is not served when it is missing, or stands beside ours', async () => {
    expect(statusOf(await talk('GET /_local/outbox HTTP/1.0\r\n\r\n'))).toBe(421);
    expect(
      statusOf(await talk('GET /_local/outbox HTTP/1.1\r\nHost: attacker.example\r\nHost: 127.0.0.1\r\n\r\n')),
    ).toBeGreaterThanOrEqual(400);
    expect(
      statusOf(await talk('GET http://attacker.example/_local/outbox HTTP/1.1\r\nHost: attacker.example\r\n\r\n')),
    ).toBe(421);
  });

  it('leads to the API and nothing else when it is that of the API at AWS', async () => {
    const name = scene.runtime.services.api.hostName() ?? '';
    expect(name).toMatch(/^[a-z0-9]{10}\.execute-api\.ca-central-1\.amazonaws\.com$/);
    const statusUnder = async (host: string, path: string): Promise<number> =>
      statusOf(await talk(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`));
    expect(await statusUnder(name, '/live/v1/healthz')).toBe(200);
    for (const path of [
      '/_local/outbox',
      '/live/_local/outbox',
      '/v1/healthz',
      '/livelive/v1/healthz',
      '/other/v1/healthz',
      '/',
    ]) {
      expect([path, await statusUnder(name, path)]).toEqual([path, path.startsWith('/live/') ? 404 : 403]);
    }
    const others = [
      `${name}.`,
      `${name}:443`,
      `x.${name}`,
      name.replace('ca-central-1', 'eu-central-1'),
      name.replace(/^./, '_'),
    ];
    for (const other of others) expect([other, await statusUnder(other, '/live/v1/healthz')]).toEqual([other, 421]);
  });

  it.each(['127.0.0.1', 'localhost', 'LOCALHOST'])('ours is: %s', async (host) => {
    expect(statusOf(await talk(`GET /_local/health HTTP/1.1\r\nHost: ${host}:${port()}\r\n\r\n`))).toBe(200);
  });
});

it('nothing is reached from beyond this machine', async () => {
  const beyond = Object.values(networkInterfaces())
    .flatMap((rows) => rows ?? [])
    .filter(({ internal }) => !internal);
  for (const host of [
    '::1',
    ...beyond.filter(({ scopeid }) => scopeid === undefined || scopeid === 0).map(({ address }) => address),
  ]) {
    await expect(open(host)).rejects.toThrow();
  }
});

describe('the control of the runtime', () => {
  const control = (
    method: string,
    path: string,
    headers: Record<string, string> = {},
    body?: string,
  ): Promise<Response> =>
    fetch(`${scene.runtime.url}/_local/${path}`, { method, headers, ...(body === undefined ? {} : { body }) });

  it.each<[string, Record<string, string>]>([
    ['no header', {}],
    ['another value', { 'x-local-control': '0' }],
    ['the header twice', { 'x-local-control': '1, 1' }],
    ['a form', { 'content-type': 'application/x-www-form-urlencoded' }],
  ])('moves no clock for a request with %s', async (_, headers) => {
    const { offset } = scene.runtime.clock;
    expect((await control('POST', 'clock', headers, '{"advanceMs":3600000}')).status).toBe(403);
    expect(scene.runtime.clock.offset).toBe(offset);
  });

  it.each([
    '{"advanceMs":-1}',
    '{"advanceMs":1e300}',
    '{"advanceMs":"x"}',
    '{"to":"1990-01-01"}',
    '{',
    '[]',
    'null',
    `{"x":"${'x'.repeat(2000)}"}`,
  ])('moves no clock by %s', async (body) => {
    const { offset } = scene.runtime.clock;
    expect((await control('POST', 'clock', { 'x-local-control': '1' }, body)).status).toBeGreaterThanOrEqual(400);
    expect(scene.runtime.clock.offset).toBe(offset);
  });

  it.each(['OPTIONS', 'PUT', 'DELETE', 'PATCH'])('allows no page of another origin a %s', async (method) => {
    const asked = {
      origin: 'https://attacker.example',
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'x-local-control',
    };
    const answer = await control(method, 'clock', asked);
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect([...answer.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
  });

  it.each(['outbox', 'executions', 'denials', 'clock'])('shows %s to no page of another origin', async (name) => {
    const answer = await control('GET', name, { origin: 'https://attacker.example' });
    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
  });

  it.each([
    '../v1/healthz',
    '%2e%2e/v1/healthz',
    '..%2f..%2fetc%2fpasswd',
    'outbox/../../etc/passwd',
    '%00',
    'clock%00',
  ])('has no %s', async (name) => {
    const line = await talk(`GET /_local/${name} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
    expect([400, 404]).toContain(statusOf(line));
  });
});

describe('a body', () => {
  const head = (length: number | string, path = '/v1/cases', more = ''): string =>
    `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n${more}\r\n`;
  const cut = async (...pieces: readonly string[]): Promise<void> => {
    const socket = await open();
    for (const piece of pieces) await new Promise((resolve) => socket.write(piece, resolve));
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.destroy();
    await closed;
  };
  const signed =
    'Authorization: AWS4-HMAC-SHA256 Credential=ASIAXXXXXXXXXXXXXXXX/20260101/ca-central-1/dynamodb/aws4_request, SignedHeaders=host, Signature=00\r\n';

  it.each<[string, string[]]>([
    ['the API', [head(1000), '{"title":']],
    ['the API, before its first byte', [head(1000)]],
    ['an unknown route', [head(1000, '/nowhere'), '{']],
    ['a signed call', [head(1000, '/', signed), '{']],
    ['the control', [head(1000, '/_local/clock', 'x-local-control: 1\r\n'), '{']],
    [
      'the API, in chunks',
      ['POST /v1/cases HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n', '5\r\n{"a":\r\n'],
    ],
  ])('that is cut off leaves nothing under way: %s', async (_, pieces) => {
    await cut(...pieces);
    expect(await scene.runtime.settled().then(() => 'at rest')).toBe('at rest');
  });

  it.each<[string, string]>([
    ['the API', '/v1/cases'],
    ['the control', '/_local/clock'],
  ])('that never ends holds up nobody else: %s', async (_, path) => {
    const socket = await open();
    await new Promise((resolve) => socket.write(`${head(1000, path, 'x-local-control: 1\r\n')}{`, resolve));
    // An answer to a later request shows that the one before it has arrived.
    await fetch(`${scene.runtime.url}/_local/health`);
    const { offset } = scene.runtime.clock;
    await scene.runtime.clock.advance(1000);
    expect(scene.runtime.clock.offset).toBeGreaterThan(offset);
    socket.destroy();
  });

  it.each<[string, string[]]>([
    [
      'shorter than it says, and then another request',
      [head(3), '{"a":1}GET /_local/outbox HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'],
    ],
    ['with two lengths', [head('3\r\nContent-Length: 30'), '{}']],
    ['with a length and chunks', [head('3', '/v1/cases', 'Transfer-Encoding: chunked\r\n'), '0\r\n\r\n']],
    ['of a negative length', [head(-1)]],
    ['of a length that is no number', [head('0x10')]],
    ['of bad chunks', ['POST /v1/cases HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n', 'zz\r\n']],
    ['under a head of a million bytes', [`GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ${'x'.repeat(1_000_000)}\r\n\r\n`]],
  ])('%s is refused', async (_, pieces) => {
    expect(statusOf(await talk(...pieces))).toBeGreaterThanOrEqual(400);
  });

  it.each([
    ['an API call', '/v1/cases', 401],
    ['a control', '/_local/clock', 413],
  ])('of twenty million bytes for %s is not taken', async (_, path, status) => {
    const answer = await fetch(scene.runtime.url + path, {
      method: 'POST',
      headers: { 'x-local-control': '1' },
      body: 'x'.repeat(20_000_000),
    }).then(
      ({ status: given }) => given,
      () => 0,
    );
    expect([0, status, 400, 413]).toContain(answer);
  });
});

describe('an object', () => {
  it.each([
    '../../../../etc/valiza-traversal',
    '/etc/valiza-traversal',
    '..',
    '.',
    'a/../../b',
    '%2e%2e/%2e%2e/x',
    '..\\..\\x',
    'x\u202ey',
    'x'.repeat(1024),
  ])('named %j is one of its bucket, wherever that name leads elsewhere', async (Key) => {
    const Bucket = inside.bucket('deposits');
    await inside.as('api').s3.send(new PutObjectCommand({ Bucket, Key, Body: 'x' }));
    const { Contents } = await inside.as('api').s3.send(new ListObjectsV2Command({ Bucket }));
    expect(Contents?.map((row) => row.Key)).toContain(Key);
    const read = await inside.as('sealing').s3.send(new GetObjectCommand({ Bucket, Key }));
    expect(await read.Body?.transformToString()).toBe('x');
    expect(existsSync('/etc/valiza-traversal')).toBe(false);
  });

  it.each([
    '/valiza-can-local-deposits-000000000000/../../etc/passwd',
    '/..%2f..%2fetc%2fpasswd',
    '/%2e%2e/%2e%2e/etc/passwd',
    '//etc/passwd',
  ])('outside of every bucket is not served: %s', async (path) => {
    const line = await talk(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
    expect(statusOf(line)).toBeGreaterThanOrEqual(400);
  });
});

it('is stopped by several at once while it is asked, and leaves its port', async () => {
  const other = await startExchange({ environment: 'can-local', exerciseFolder: `${scene.folder}/exercise` });
  const asked = Array.from({ length: 10 }, () =>
    fetch(`${other.runtime.url}/v1/healthz`).then(
      ({ status }) => status,
      () => 0,
    ),
  );
  await Promise.all([other.stop(), other.runtime.stop(), other.runtime.stop()]);
  await other.runtime.stop();
  expect((await Promise.all(asked)).every((status) => [0, 200, 500, 502, 503, 504].includes(status))).toBe(true);
  await expect(fetch(`${other.runtime.url}/v1/healthz`)).rejects.toThrow();
});

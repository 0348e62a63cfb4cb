import { DynamoDBClient, GetItemCommand, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { request as httpRequest } from 'node:http';
import type { FaultPoint } from '../../local/faults.ts';
import { canonicalRequest, sha256, signature } from '../../local/http/canonical-request.ts';
import type { Credentials } from '../../local/iam/sessions.ts';
import { testDoor, type TestDoor } from '../support/front-door.ts';
import type { Properties } from '../../local/resource.ts';
import { ACCOUNT, REGION, trusting } from '../support/local-identity.ts';

let door: TestDoor;
const clients: { destroy(): void }[] = [];

beforeEach(async () => {
  door = await testDoor({ '/hello': (_, response) => response.end('from the caller') });
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await door.stop();
});

interface Sent {
  headers: Record<string, string>;
  path: string;
  body?: unknown;
}

const configuration = (credentials: Credentials, region = REGION): object => ({
  endpoint: door.url,
  region,
  credentials,
  maxAttempts: 1,
});

/** A client whose requests are changed after they were signed. */
function dynamodb(credentials: Credentials, change?: (sent: Sent) => void, region = REGION): DynamoDBClient {
  const client = new DynamoDBClient(configuration(credentials, region));
  clients.push(client);
  const tamper = (next: (step: unknown) => unknown) => (step: { readonly request: unknown }) => {
    change?.(step.request as Sent);
    return next(step);
  };
  // The stack's own types are generic over every kind of step; here it is an HTTP request.
  const middleware = tamper as unknown as Parameters<typeof client.middlewareStack.addRelativeTo>[0];
  client.middlewareStack.addRelativeTo(middleware, {
    relation: 'after',
    toMiddleware: 'httpSigningMiddleware',
    name: 'tamper',
  });
  return client;
}

function s3(credentials: Credentials): S3Client {
  const client = new S3Client(configuration(credentials));
  clients.push(client);
  return client;
}

const call = (client: DynamoDBClient): Promise<unknown> => client.send(new ListTablesCommand({ Limit: 5 }));

describe('a header signature', () => {
  test('is accepted, and says who calls', async () => {
    await call(dynamodb(door.credentials('Clerk')));
    expect(door.echo.dynamodb.seen[0]).toMatchObject({
      presigned: false,
      caller: { roleName: 'Clerk', arn: 'arn:aws:sts::000000000000:assumed-role/Clerk/test' },
    });
    expect(door.host.meter.read()).toEqual({ dynamodb: { ListTables: 1 } });
    expect(door.callers.read()).toEqual({ Clerk: { dynamodb: { ListTables: 1 } } });
  });

  test.each<[string, (sent: Sent) => void, string]>([
    ['another body', (sent) => (sent.body = '{"Limit":6}'), 'InvalidSignatureException'],
    [
      'another operation',
      (sent) => (sent.headers['x-amz-target'] = 'DynamoDB_20120810.DeleteTable'),
      'InvalidSignatureException',
    ],
    ['another path', (sent) => (sent.path = '/other'), 'InvalidSignatureException'],
    ['an added x-amz header', (sent) => (sent.headers['x-amz-extra'] = '1'), 'AccessDeniedException'],
    ['no session token', (sent) => delete sent.headers['x-amz-security-token'], 'UnrecognizedClientException'],
    ['no date', (sent) => delete sent.headers['x-amz-date'], 'IncompleteSignatureException'],
    [
      'another signature',
      (sent) => change(sent, /Signature=.*/, `Signature=${'0'.repeat(64)}`),
      'InvalidSignatureException',
    ],
    ['a short signature', (sent) => change(sent, /Signature=.*/, 'Signature=0'), 'InvalidSignatureException'],
    ['no signature', (sent) => change(sent, /, Signature=.*/, ''), 'IncompleteSignatureException'],
    ['an unsigned host', (sent) => change(sent, 'host;', ''), 'AccessDeniedException'],
    ['the scope of another day', (sent) => change(sent, /\/\d{8}\//, '/20200101/'), 'InvalidSignatureException'],
    ['an unknown key', (sent) => change(sent, /ASIA\w+/, 'ASIAUNKNOWNUNKNOWN00'), 'UnrecognizedClientException'],
    ['a service that is not here', (sent) => change(sent, '/dynamodb/', '/ec2/'), 'NotImplemented'],
    ['another service that is here', (sent) => change(sent, '/dynamodb/', '/events/'), 'InvalidSignatureException'],
  ])('is refused with %s', async (_, tamper, name) => {
    await expect(call(dynamodb(door.credentials('Clerk'), tamper))).rejects.toMatchObject({ name });
    expect(door.echo.dynamodb.seen).toEqual([]);
    expect(door.echo.events.seen).toEqual([]);
    expect(door.host.meter.read()).toEqual({});
  });

  test('is refused for another region', async () => {
    await expect(call(dynamodb(door.credentials('Clerk'), undefined, 'eu-west-1'))).rejects.toMatchObject({
      name: 'InvalidSignatureException',
      message: expect.stringContaining(REGION),
    });
  });

  test('is refused with another secret, or the token of another session', async () => {
    const [mine, other] = [door.credentials('Clerk'), door.credentials('Other')];
    await expect(call(dynamodb({ ...mine, secretAccessKey: other.secretAccessKey }))).rejects.toMatchObject({
      name: 'InvalidSignatureException',
    });
    await expect(call(dynamodb({ ...mine, sessionToken: other.sessionToken }))).rejects.toMatchObject({
      name: 'UnrecognizedClientException',
    });
  });

  test('is refused when the clocks differ by more than fifteen minutes; a retrying client corrects its own', async () => {
    await door.host.clock.advance(16 * 60_000);
    await expect(call(dynamodb(door.credentials('Clerk')))).rejects.toMatchObject({
      name: 'InvalidSignatureException',
      message: expect.stringContaining('Signature expired'),
    });
    const patient = new DynamoDBClient({ ...configuration(door.credentials('Clerk')), maxAttempts: 2 });
    clients.push(patient);
    await call(patient);
  });

  test('is refused when the session has ended', async () => {
    const credentials = door.credentials('Clerk', 600);
    await call(dynamodb(credentials));
    await door.host.clock.advance(601_000);
    await expect(call(dynamodb(credentials))).rejects.toMatchObject({ name: 'ExpiredTokenException' });
  });
});

const change = (sent: Sent, pattern: RegExp | string, replacement: string): void => {
  sent.headers['authorization'] = (sent.headers['authorization'] ?? '').replace(pattern, replacement);
};

describe('S3', () => {
  test('paths with every kind of character are signed once-encoded', async () => {
    const Key = "a b/c+d/é&=?#[]!'()*~._-/x%20y";
    await s3(door.credentials('Clerk')).send(new PutObjectCommand({ Bucket: 'box', Key, Body: 'text' }));
    expect(decodeURIComponent(door.echo.s3.seen[0]?.path ?? '')).toBe(`/box/${Key}`);
  });

  test('a presigned URL works, until it expires', async () => {
    const command = new GetObjectCommand({
      Bucket: 'box',
      Key: 'a b',
      ResponseContentDisposition: 'attachment; filename="x y"',
    });
    const url = await getSignedUrl(s3(door.credentials('Clerk', 3600)), command, { expiresIn: 60 });
    expect((await fetch(url)).status).toBe(200);
    expect(door.echo.s3.seen[0]).toMatchObject({ presigned: true, caller: { roleName: 'Clerk' } });
    await door.host.clock.advance(60_000);
    const late = await fetch(url);
    expect(late.status).toBe(403);
    expect(await late.json()).toMatchObject({ __type: 'AccessDenied', message: 'Request has expired' });
  });

  test.each<[string, (url: URL) => void, string]>([
    ['another key', (url) => (url.pathname = '/box/other'), 'SignatureDoesNotMatch'],
    ['a longer life', (url) => url.searchParams.set('X-Amz-Expires', '600'), 'SignatureDoesNotMatch'],
    ['more than a week', (url) => url.searchParams.set('X-Amz-Expires', '604801'), 'SignatureDoesNotMatch'],
    ['an added parameter', (url) => url.searchParams.set('versionId', '1'), 'SignatureDoesNotMatch'],
    ['no token', (url) => url.searchParams.delete('X-Amz-Security-Token'), 'InvalidToken'],
    ['another token', (url) => url.searchParams.set('X-Amz-Security-Token', 'AAAA'), 'InvalidToken'],
    ['no date', (url) => url.searchParams.delete('X-Amz-Date'), 'AuthorizationQueryParametersError'],
    [
      'another algorithm',
      (url) => url.searchParams.set('X-Amz-Algorithm', 'AWS4-HMAC-SHA1'),
      'IncompleteSignatureException',
    ],
    ['a broken escape', (url) => (url.search += '&x=%zz'), 'AuthorizationQueryParametersError'],
  ])('a presigned URL with %s is refused', async (_, tamper, name) => {
    const command = new GetObjectCommand({ Bucket: 'box', Key: 'one' });
    const url = new URL(await getSignedUrl(s3(door.credentials('Clerk')), command, { expiresIn: 60 }));
    tamper(url);
    expect(await (await fetch(url)).json()).toMatchObject({ __type: name });
    expect(door.echo.s3.seen).toEqual([]);
  });

  test('a presigned URL for longer than a week is refused though it is signed', async () => {
    const url = presign(door.credentials('Clerk', 43_200), '/box/one', 604_801);
    expect(await (await fetch(url)).json()).toMatchObject({ __type: 'AuthorizationQueryParametersError' });
    expect((await fetch(presign(door.credentials('Clerk', 43_200), '/box/one', 604_800))).status).toBe(200);
  });

  test('a presigned URL for another method, or with a header that was not signed, is refused', async () => {
    const url = await getSignedUrl(s3(door.credentials('Clerk')), new GetObjectCommand({ Bucket: 'box', Key: 'one' }));
    expect((await fetch(url, { method: 'DELETE' })).status).toBe(403);
    const extra = await fetch(url, { headers: { 'x-amz-server-side-encryption': 'AES256' } });
    expect(await extra.json()).toMatchObject({
      __type: 'AccessDenied',
      HeadersNotSigned: 'x-amz-server-side-encryption',
    });
  });

  test('a presigned URL ends with the session that signed it', async () => {
    const command = new GetObjectCommand({ Bucket: 'box', Key: 'one' });
    const url = await getSignedUrl(s3(door.credentials('Clerk', 900)), command, { expiresIn: 3600 });
    await door.host.clock.advance(901_000);
    expect(await (await fetch(url)).json()).toMatchObject({ __type: 'ExpiredToken' });
  });
});

/** Presigns by hand, for what the SDK refuses to sign. */
function presign(credentials: Credentials, path: string, expires: number): string {
  const timestamp = new Date(door.host.clock.now()).toISOString().replace(/[-:]|\.\d+/g, '');
  const scope = { date: timestamp.slice(0, 8), region: REGION, service: 's3' };
  const rawQuery = new URLSearchParams({
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
    'X-Amz-Credential': `${credentials.accessKeyId}/${scope.date}/${REGION}/s3/aws4_request`,
    'X-Amz-Date': timestamp,
    'X-Amz-Expires': String(expires),
    'X-Amz-Security-Token': credentials.sessionToken,
    'X-Amz-SignedHeaders': 'host',
  }).toString();
  const canonical = canonicalRequest({
    method: 'GET',
    path,
    rawQuery,
    headers: { host: `127.0.0.1:${door.port}` },
    signedHeaders: ['host'],
    payloadHash: 'UNSIGNED-PAYLOAD',
    encodePathTwice: false,
  });
  return `${door.url}${path}?${rawQuery}&X-Amz-Signature=${signature(credentials.secretAccessKey, scope, timestamp, canonical)}`;
}

/** The worked example of the S3 documentation: https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html */
test('the published example has the published signature', () => {
  const empty = sha256('');
  const canonical = canonicalRequest({
    method: 'GET',
    path: '/test.txt',
    rawQuery: '',
    headers: {
      host: 'examplebucket.s3.amazonaws.com',
      range: 'bytes=0-9',
      'x-amz-content-sha256': empty,
      'x-amz-date': '20130524T000000Z',
    },
    signedHeaders: ['host', 'range', 'x-amz-content-sha256', 'x-amz-date'],
    payloadHash: empty,
    encodePathTwice: false,
  });
  const scope = { date: '20130524', region: 'us-east-1', service: 's3' };
  // The documentation's own example secret.
  const secret = ['wJalrXUtnFEMI', 'K7MDENG', 'bPxRfiCYEXAMPLEKEY'].join('/');
  expect(signature(secret, scope, '20130524T000000Z', canonical)).toBe(
    'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
  );
});

describe('faults', () => {
  const act = (): Promise<unknown> =>
    dynamodb(door.credentials('Clerk')).send(new GetItemCommand({ TableName: 'Tab', Key: {} }));

  test.each([
    ['throttle', 'ProvisionedThroughputExceededException'],
    ['fail', 'InternalServerError'],
  ] as const)('%s before the call', async (fault, name) => {
    door.host.faults.plan = (point) => (point.operation === 'GetItem' && point.moment === 'before' ? fault : undefined);
    await expect(act()).rejects.toMatchObject({ name });
    expect(door.echo.dynamodb.seen).toHaveLength(0);
  });

  test('cut after the call: it has happened, and nobody knows', async () => {
    door.host.faults.plan = ({ caller, moment }) => (caller === 'Clerk' && moment === 'after' ? 'cut' : undefined);
    await expect(act()).rejects.toThrow(/socket hang up|ECONNRESET|aborted/);
    expect(door.echo.dynamodb.seen).toHaveLength(1);
  });

  test('crash ends the instance that called', async () => {
    const credentials = door.credentials('Clerk');
    const points: FaultPoint[] = [];
    door.host.faults.plan = (point) => (points.push(point) > 0 ? 'crash' : undefined);
    await expect(call(dynamodb(credentials))).rejects.toThrow();
    expect(door.crashed).toEqual([credentials.accessKeyId]);
    const id = credentials.accessKeyId;
    expect(points[0]?.instance).toEqual({ id, event: `event of ${id}` });
    expect(points[0]?.request).toMatch(/^\/\?\n\{.*"Limit":5/s);
  });
});

describe('the front door', () => {
  const raw = (path: string, headers: Record<string, string>): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      const sent = httpRequest({ port: door.port, host: '127.0.0.1', path, headers }, (response) => {
        response.resume();
        response.on('end', () => {
          resolve(response.statusCode);
        });
      });
      sent.on('error', reject);
      sent.end();
    });

  test.each(['evil.example', '127.0.0.1.evil.example', 'localhost.evil', '10.0.0.1'])(
    'refuses the name %s',
    async (host) => {
      expect(await raw('/_local/health', { host })).toBeGreaterThanOrEqual(400);
    },
  );

  test.each(['127.0.0.1', 'localhost:4566', '[::1]:80'])('answers to %s', async (host) => {
    expect(await raw('/_local/health', { host })).toBe(200);
  });

  test('moves the clock forward only, and only when told by a program', async () => {
    const move = (body: object, headers: Record<string, string> = { 'x-local-control': '1' }): Promise<Response> =>
      fetch(`${door.url}/_local/clock`, { method: 'POST', headers, body: JSON.stringify(body) });
    expect((await move({ advanceMs: 1 }, {})).status).toBe(403);
    for (const wrong of [{}, { advanceMs: -1 }, { advanceMs: 'x' }, { to: '2001-01-01T00:00:00Z' }, { to: 'soon' }])
      expect((await move(wrong)).status).toBe(400);
    expect(door.host.clock.offset).toBe(0);
    const moved = await move({ advanceMs: 90 * 86_400_000 });
    expect(moved.status).toBe(200);
    expect(door.host.clock.offset / 86_400_000).toBeCloseTo(90, 3);
    // The Date header is virtual too: SDKs correct their clocks by it.
    const date = Date.parse((await fetch(`${door.url}/_local/clock`)).headers.get('date') ?? '');
    expect(Math.abs(date - door.host.clock.now())).toBeLessThan(60_000);
  });

  test('gives an administrator a role that trusts the account, and no other', async () => {
    const root = `arn:aws:iam::${ACCOUNT}:root`;
    const trusts: Readonly<Record<string, Properties>> = {
      Operator: trusting({ AWS: root }),
      Function: trusting({ Service: 'lambda.amazonaws.com' }),
      Chained: trusting({ AWS: `arn:aws:iam::${ACCOUNT}:role/Operator` }),
      Other: trusting({ AWS: 'arn:aws:iam::999999999999:root' }),
      Conditional: trusting({ AWS: root }, { Condition: { Bool: { 'aws:MultiFactorAuthPresent': 'true' } } }),
    };
    for (const [name, trust] of Object.entries(trusts)) door.role(name, { AssumeRolePolicyDocument: trust });
    const ask = (body: object, headers: Record<string, string> = { 'x-local-control': '1' }): Promise<Response> =>
      fetch(`${door.url}/_local/credentials`, { method: 'POST', headers, body: JSON.stringify(body) });
    expect((await ask({ role: 'Operator' }, {})).status).toBe(403);
    for (const role of ['Function', 'Chained', 'Other', 'Conditional', 'None'])
      expect([role, (await ask({ role })).status]).toEqual([role, 403]);
    for (const wrong of [{}, { role: 1 }]) expect((await ask(wrong)).status).toBe(400);
    const given = (await (await ask({ role: 'Operator' })).json()) as Record<string, string>;
    expect(door.sessions.find(given['accessKeyId'] ?? '')?.caller.roleName).toBe('Operator');
    expect(Date.parse(given['expiration'] ?? '') - door.host.clock.now()).toBeLessThanOrEqual(3_600_000);
  });

  test('serves what it knows, its own routes, and nothing else', async () => {
    for (const name of ['health', 'clock', 'meter', 'denials', 'executions', 'outbox'])
      expect((await fetch(`${door.url}/_local/${name}`)).status).toBe(200);
    const html = await fetch(`${door.url}/_local/outbox`, { headers: { accept: 'text/html' } });
    expect(html.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(await (await fetch(`${door.url}/hello`)).text()).toBe('from the caller');
    expect((await fetch(`${door.url}/_local/other`)).status).toBe(404);
    expect((await fetch(`${door.url}/anything`)).status).toBe(403);
    expect(door.errors).toEqual([]);
  });
});

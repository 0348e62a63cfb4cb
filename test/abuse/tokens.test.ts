import { exportJWK, generateKeyPair, importJWK, SignJWT, UnsecuredJWT, type JWK, type JWTHeaderParameters } from 'jose';
import { createHmac, createPrivateKey, createPublicKey, sign, type JsonWebKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { issuerOf } from '../../examples/exercise/nations.ts';
import { openScene, type Scene } from '../support/exchange.ts';

let scene: Scene;
let own: JWK;
let stranger: JWK;
let hook: Server;
let fetched: string[];

beforeAll(async () => {
  scene = await openScene({ people: false });
  const file = JSON.parse(await readFile(join(scene.folder, 'exercise', 'issuers.json'), 'utf8')) as { CAN: JWK };
  own = file.CAN;
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  stranger = await exportJWK(privateKey);
  fetched = [];
  hook = createServer((request, response) => {
    fetched.push(request.url ?? '');
    response.end(JSON.stringify({ keys: [{ ...publicPart(stranger), kid: 'theirs', alg: 'ES256' }] }));
  });
  await new Promise<void>((resolve) => hook.listen(0, '127.0.0.1', resolve));
}, 120_000);
afterAll(async () => {
  hook.closeAllConnections();
  await new Promise((resolve) => hook.close(resolve));
  await scene.close();
});

const publicPart = ({ d: _secret, ...rest }: JWK): JWK => rest;
const address = (): string => `http://127.0.0.1:${(hook.address() as AddressInfo).port}/jwks.json`; // it listens on TCP
const now = (): number => Math.floor(scene.runtime.clock.now() / 1000);

/** Claims that the exchange accepts. */
const claims = () => ({
  iss: issuerOf('CAN'),
  sub: 'can-authority-1',
  aud: 'valiza:can-local',
  iat: now(),
  exp: now() + 300,
});

/** A good token of a founding officer, unless something is wished otherwise; `undefined` leaves a claim out. */
async function token(
  wish: Readonly<Record<string, unknown>> = {},
  header: Partial<JWTHeaderParameters> = {},
  key: JWK = own,
): Promise<string> {
  const payload = { ...claims(), ...wish };
  const kept = Object.fromEntries(Object.entries(payload).filter(([, value]) => value !== undefined));
  return new SignJWT(kept)
    .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: own.kid ?? '', ...header })
    .sign(await importJWK(key, 'ES256'));
}

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** HS256 with the issuer's public key as the secret: what a verifier does that lets the token choose the algorithm. */
function signedWithPublicKey(format: 'pem' | 'jwk'): string {
  const head = `${encode({ alg: 'HS256', typ: 'at+jwt', kid: own.kid })}.${encode(claims())}`;
  const secret =
    format === 'jwk'
      ? JSON.stringify(publicPart(own))
      : createPublicKey({ key: publicPart(own) as JsonWebKey, format: 'jwk' }).export({
          type: 'spki',
          format: 'pem',
        });
  return `${head}.${createHmac('sha256', secret).update(head).digest('base64url')}`;
}

/** A token whose header SignJWT would not write, over claims that would do. */
function forged(header: object): string {
  const head = `${encode(header)}.${encode(claims())}`;
  const key = createPrivateKey({ key: own as JsonWebKey, format: 'jwk' });
  return `${head}.${sign('sha256', Buffer.from(head), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
}

const call = (authorization: string | undefined): Promise<Response> =>
  fetch(`${scene.runtime.url}/v1/agreements`, { headers: authorization === undefined ? {} : { authorization } });

it('those that all others here differ from are accepted', async () => {
  for (const good of [await token(), forged({ alg: 'ES256', typ: 'at+jwt', kid: own.kid })]) {
    expect((await call(`Bearer ${good}`)).status).toBe(200);
  }
});

const unsecured = (): string =>
  new UnsecuredJWT({ sub: 'can-authority-1' })
    .setIssuer(issuerOf('CAN'))
    .setAudience('valiza:can-local')
    .setIssuedAt(now())
    .setExpirationTime(now() + 300)
    .encode();

/** Each: what is shown, and how it is made. */
const ROWS: readonly (readonly [string, () => string | Promise<string>])[] = [
  ['row 5: alg none', unsecured],
  ['a good token without its signature', async () => (await token()).replace(/\.[^.]*$/, '.')],
  ['row 5: HS256 with the public key as PEM', () => signedWithPublicKey('pem')],
  ['row 5: HS256 with the public key as JWK', () => signedWithPublicKey('jwk')],
  [
    'a payload that was changed',
    async () => {
      const [header, , signature] = (await token()).split('.');
      return [header, encode({ ...claims(), sub: 'can-directory-1' }), signature].join('.');
    },
  ],
  ['row 6: an unknown issuer', () => token({ iss: 'https://attacker.example' })],
  ['an issuer that only begins like ours', () => token({ iss: `${issuerOf('CAN')}/` })],
  ['no issuer', () => token({ iss: undefined })],
  ['issuers as a list', () => token({ iss: [issuerOf('CAN')] })],
  ['the key of another issuer', () => token({ iss: issuerOf('UKR') })],
  ['a stranger’s key under our key id', () => token({}, {}, stranger)],
  ['a stranger’s key under its own id', () => token({}, { kid: 'theirs' }, stranger)],
  ['a stranger’s key in the header', () => token({}, { jwk: publicPart(stranger), kid: 'theirs' }, stranger)],
  ['row 6: a key set of the token’s choosing', () => token({}, { jku: address(), kid: 'theirs' }, stranger)],
  ['row 6: a certificate of the token’s choosing', () => token({}, { x5u: address(), kid: 'theirs' }, stranger)],
  ['a key id that is a path', () => token({}, { kid: '../../../../dev/null' }, stranger)],
  ['a critical header nobody knows', async () => forged({ alg: 'ES256', typ: 'at+jwt', kid: own.kid, crit: ['exp'] })],
  ['row 7: an identity token', () => token({}, { typ: 'JWT' })],
  ['no type', () => token({}, { typ: '' })],
  ['row 7: one that has expired', () => token({ iat: now() - 400, exp: now() - 100 })],
  ['one that expires at this very second', () => token({ iat: now() - 300, exp: now() })],
  ['row 7: one that is not yet valid', () => token({ nbf: now() + 200 })],
  ['one that never expires', () => token({ exp: undefined })],
  ['one without its time of issue', () => token({ iat: undefined })],
  ['one that lives longer than ten minutes', () => token({ exp: now() + 601 })],
  ['one issued in the future, to live longer', () => token({ iat: now() + 86_400, exp: now() + 86_700 })],
  ['one issued after it expires, to live longer', () => token({ iat: now() + 90_000, exp: now() + 86_400 })],
  ['row 7: one for another exchange', () => token({ aud: 'valiza:ukr-local' })],
  ['one for nobody', () => token({ aud: undefined })],
  ['no subject', () => token({ sub: undefined })],
  ['an empty subject', () => token({ sub: '' })],
  ['a subject of 121 characters', () => token({ sub: 'x'.repeat(121) })],
  ['times as text', () => token({ iat: String(now()), exp: String(now() + 300) })],
];

it.each(ROWS)('%s is answered 401, with nothing of the reason', async (_, make) => {
  const answer = await call(`Bearer ${await make()}`);
  expect(answer.status).toBe(401);
  expect(await answer.json()).toMatchObject({ code: 'NOT_AUTHENTICATED', status: 401 });
});

it.each<[string, () => Promise<string | undefined>]>([
  ['no header', async () => undefined],
  ['an empty header', async () => ''],
  ['Basic', async () => 'Basic Y2FuLWF1dGhvcml0eS0xOng='],
  ['two tokens', async () => `Bearer ${await token()}, Bearer ${await token()}`],
  ['a token without its scheme', () => token()],
  ['a token of 5,000 characters', async () => `Bearer ${'a'.repeat(5000)}`],
  ['a token with a space in it', async () => `Bearer ${(await token()).replace('.', '. ')}`],
])('%s is answered 401', async (_, make) => {
  expect((await call(await make())).status).toBe(401);
});

it('row 6: fetches no key but from the addresses of the environment', () => {
  expect(fetched).toEqual([]);
});

it('writes nothing of a token, and nobody’s name, into any log', () => {
  const lines = scene.runtime.services.lambda.logs().map(({ message }) => message);
  expect(lines.length).toBeGreaterThan(ROWS.length);
  expect(lines.filter((line) => /can-authority|can-directory|eyJ|valiza:can-local|Bearer/.test(line))).toEqual([]);
});

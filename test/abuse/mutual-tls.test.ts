import { importJWK, SignJWT, type JWK } from 'jose';
import { createHash, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { issuerOf } from '../../examples/exercise/nations.ts';
import { CAN_CERTIFICATE, STRANGER_CERTIFICATE, UKR_CERTIFICATE } from '../support/client-certificates.ts';
import { openScene, resourcesOf, type Scene } from '../support/exchange.ts';

/** RFC 8705 §3.1. */
const thumbprint = (pem: string): string =>
  createHash('sha256').update(new X509Certificate(pem).raw).digest('base64url');

/** The registry of an environment with mutual TLS: one certificate of each nation. */
const REGISTRY = { CAN: [thumbprint(CAN_CERTIFICATE)], UKR: [thumbprint(UKR_CERTIFICATE)] };

let scene: Scene;
let keys: Readonly<Record<'CAN' | 'UKR', JWK>>;
/** What the next request's client shows. */
let shown: string | undefined;

beforeAll(async () => {
  scene = await openScene({
    people: false,
    clientCertificate: () => shown,
    amend(_stack, template) {
      for (const [, { Properties }] of resourcesOf(template)) {
        const { Variables } = (Properties?.['Environment'] ?? {}) as { Variables?: Record<string, unknown> };
        if (Variables?.['CLIENT_CERTIFICATES'] !== undefined) {
          Variables['CLIENT_CERTIFICATES'] = JSON.stringify(REGISTRY);
        }
      }
    },
  });
  keys = JSON.parse(await readFile(join(scene.folder, 'exercise', 'issuers.json'), 'utf8')) as typeof keys;
}, 120_000);
afterAll(() => scene.close());

/** A good token of a founding officer of a nation, but for what it is bound to. */
async function token(nation: 'CAN' | 'UKR', cnf: unknown): Promise<string> {
  const now = Math.floor(scene.runtime.clock.now() / 1000);
  return new SignJWT(cnf === undefined ? {} : { cnf })
    .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: keys[nation].kid ?? '' })
    .setIssuer(issuerOf(nation))
    .setSubject(`${nation.toLowerCase()}-authority-1`)
    .setAudience('valiza:can-local')
    .setIssuedAt(now)
    .setExpirationTime(now + 300)
    .sign(await importJWK(keys[nation], 'ES256'));
}

const boundTo = (pem: string): object => ({ 'x5t#S256': thumbprint(pem) });

const call = async (nation: 'CAN' | 'UKR', certificate: string | undefined, cnf: unknown): Promise<Response> => {
  shown = certificate;
  return fetch(`${scene.runtime.url}/v1/agreements`, {
    headers: { authorization: `Bearer ${await token(nation, cnf)}` },
  });
};

/** Calls that the function behind the API made: it looks for the caller in the directory before it does anything else. */
const callsOfApi = (): number =>
  Object.values(scene.runtime.callers.read()[scene.roleNamed('apiRole')]?.['dynamodb'] ?? {}).reduce(
    (a, b) => a + b,
    0,
  );

const linesOf = (name: string): string[] =>
  scene.runtime.services.lambda.logs().flatMap((line) => (line.functionName.endsWith(name) ? [line.message] : []));

it.each([
  ['CAN', CAN_CERTIFICATE],
  ['UKR', UKR_CERTIFICATE],
] as const)(
  'a registered certificate of %s is let in with the token that is bound to it',
  async (nation, certificate) => {
    const before = callsOfApi();
    expect((await call(nation, certificate, boundTo(certificate))).status).toBe(200);
    expect(callsOfApi()).toBeGreaterThan(before);
  },
);

/** Each: the certificate that is shown, what the token is bound to, why it is refused. All tokens are Canada's, and good otherwise. */
const ROWS: readonly (readonly [string, string | undefined, unknown, string])[] = [
  ['row 1: no certificate', undefined, boundTo(CAN_CERTIFICATE), 'NO_CERTIFICATE'],
  ['row 1: no certificate, and a token that is not bound', undefined, undefined, 'NO_CERTIFICATE'],
  [
    'row 3: a certificate that is not, or no longer, in the registry',
    STRANGER_CERTIFICATE,
    boundTo(STRANGER_CERTIFICATE),
    'CERTIFICATE_NOT_REGISTERED',
  ],
  [
    'row 3: a certificate of the other nation, with its own token',
    UKR_CERTIFICATE,
    boundTo(UKR_CERTIFICATE),
    'CERTIFICATE_OF_ANOTHER_NATION',
  ],
  [
    'row 4: a token bound to another certificate',
    CAN_CERTIFICATE,
    boundTo(STRANGER_CERTIFICATE),
    'TOKEN_BOUND_ELSEWHERE',
  ],
  ['row 4: a token that is not bound', CAN_CERTIFICATE, undefined, 'TOKEN_NOT_BOUND'],
  ['row 4: a token bound to nothing', CAN_CERTIFICATE, null, 'TOKEN_BOUND_ELSEWHERE'],
  ['row 4: a token bound to an empty text', CAN_CERTIFICATE, { 'x5t#S256': '' }, 'TOKEN_BOUND_ELSEWHERE'],
  [
    'row 4: a token bound in hexadecimal',
    CAN_CERTIFICATE,
    { 'x5t#S256': new X509Certificate(CAN_CERTIFICATE).fingerprint256.replaceAll(':', '').toLowerCase() },
    'TOKEN_BOUND_ELSEWHERE',
  ],
  [
    'row 4: a token bound by SHA-1 alone',
    CAN_CERTIFICATE,
    { x5t: thumbprint(CAN_CERTIFICATE) },
    'TOKEN_BOUND_ELSEWHERE',
  ],
  [
    'row 4: a token bound to a key (DPoP)',
    CAN_CERTIFICATE,
    { jkt: thumbprint(CAN_CERTIFICATE) },
    'TOKEN_BOUND_ELSEWHERE',
  ],
  ['row 4: a token bound to a list', CAN_CERTIFICATE, [boundTo(CAN_CERTIFICATE)], 'TOKEN_BOUND_ELSEWHERE'],
];

it.each(ROWS)(
  '%s is answered 401, reaches no function of the API, and leaves a line',
  async (_, certificate, cnf, reason) => {
    const [logged, invoked] = [linesOf('authenticate-caller').length, callsOfApi()];
    const answer = await call('CAN', certificate, cnf);
    expect(answer.status).toBe(401);
    const problem = (await answer.json()) as { code: string; traceId: string };
    expect(problem.code).toBe('NOT_AUTHENTICATED');
    // The caller is told nothing of the reason; the log has it, under the id that the caller can quote.
    expect(JSON.stringify(problem)).not.toContain(reason);
    const lines = linesOf('authenticate-caller').slice(logged);
    expect(
      lines.filter((line) => line.includes(`"reason":"${reason}"`) && line.includes(problem.traceId)),
    ).toHaveLength(1);
    expect(callsOfApi()).toBe(invoked);
  },
);

it('a certificate is taken from the connection, and from no header', async () => {
  shown = undefined;
  const authorization = `Bearer ${await token('CAN', boundTo(CAN_CERTIFICATE))}`;
  const pem = CAN_CERTIFICATE.replaceAll('\n', ' ');
  for (const name of ['x-amzn-mtls-clientcert', 'x-forwarded-client-cert', 'x-client-cert', 'ssl-client-cert']) {
    const headers = { authorization, [name]: pem };
    expect((await fetch(`${scene.runtime.url}/v1/agreements`, { headers })).status).toBe(401);
  }
});

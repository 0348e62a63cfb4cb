import type { APIGatewayAuthorizerResult, APIGatewayRequestAuthorizerEvent } from 'aws-lambda';
import { createRemoteJWKSet, jwtVerify, type JWTVerifyGetKey } from 'jose';
import * as z from 'zod';
import { ENV, NO_CANARY } from '../contracts/names.ts';
import { nationOfCanary } from '../domain/canary.ts';
import { entryPoint, Unauthorized } from '../platform/entry-point.ts';
import { readEnvironment } from '../platform/environment.ts';
import { errorName, log } from '../platform/log.ts';
import { checkCertificate, NotAuthenticated, registrySchema } from './client-certificate.ts';

const env = readEnvironment([ENV.issuers, ENV.audience, ENV.certificates, ENV.canaryKey]);

const certificates = registrySchema.parse(JSON.parse(env[ENV.certificates]));

/** An issuer of one nation's credentials, and where its keys are. */
interface Issuer {
  readonly issuer: string;
  readonly nation: string;
  readonly keys: JWTVerifyGetKey;
}

/** Issuers this exchange trusts, each for one nation; the key set's address is ours, never the token's (row 6 of the abuse list). */
const issuers: readonly Issuer[] = z
  .array(z.strictObject({ issuer: z.string(), nation: z.string(), keySet: z.url() }))
  .parse(JSON.parse(env[ENV.issuers]))
  .map((row) => ({ ...row, keys: createRemoteJWKSet(new URL(row.keySet), { timeoutDuration: 3000 }) }));

/** The exchange itself, for its canary of either nation, with a key of the vault; nobody where there is no canary. */
function canaryNamed(issuer: string): Issuer | undefined {
  const nation = nationOfCanary(issuer);
  const keyId = env[ENV.canaryKey];
  if (nation === undefined || keyId === NO_CANARY) return undefined;
  // Loaded here, because of all callers only one needs KMS.
  return { issuer, nation, keys: async () => (await import('../platform/signing-key.ts')).publicKeyOf(keyId) };
}

/** Longest life of a token, in seconds (security.md §8). */
const LONGEST_LIFE = 600;

/** How far an issuer's clock may be ahead of ours, in seconds. */
const AHEAD = 60;

const claims = z.object({ iss: z.string(), sub: z.string().min(1).max(120), iat: z.number(), exp: z.number() });

/** The issuer that a token names, before anything of it is believed: it only chooses whose keys must have signed it. */
function namedIssuer(token: string): Issuer {
  const payload: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
  const iss = z.object({ iss: z.string() }).parse(payload).iss;
  const issuer = issuers.find((row) => row.issuer === iss) ?? canaryNamed(iss);
  if (issuer === undefined) throw new NotAuthenticated('ISSUER_UNKNOWN');
  return issuer;
}

/** What a token says of who shows it, once it is known to be the issuer's, for this exchange, and of now. */
interface Shown {
  readonly subject: string;
  readonly nation: string;
  /** What the token is bound to (RFC 7800). */
  readonly cnf: unknown;
}

async function verify(token: string): Promise<Shown> {
  const issuer = namedIssuer(token);
  const { payload } = await jwtVerify(token, issuer.keys, {
    algorithms: ['ES256', 'EdDSA', 'PS256'],
    issuer: issuer.issuer,
    audience: env[ENV.audience],
    typ: 'at+jwt',
    requiredClaims: ['exp', 'iat', 'sub'],
    currentDate: new Date(),
  });
  const { sub, iat, exp } = claims.parse(payload);
  // A life is counted from its issue, so an issue in the future would be a longer life.
  const now = Math.floor(Date.now() / 1000);
  if (iat > now + AHEAD || exp <= iat || exp - iat > LONGEST_LIFE) throw new NotAuthenticated('TOKEN_LIVES_TOO_LONG');
  return { subject: `${issuer.issuer}|${sub}`, nation: issuer.nation, cnf: payload['cnf'] };
}

/**
 * Request authorizer: verifies the caller's token and certificate, and says who they are; what they may do is the directory's and the domain's to say.
 * The thrown word is the one that API Gateway turns into 401.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-use-lambda-authorizer.html
 */
export const handler = entryPoint(
  async (event: APIGatewayRequestAuthorizerEvent): Promise<APIGatewayAuthorizerResult> => {
    const headers = Object.entries(event.headers ?? {});
    const authorization = headers.find(([name]) => name.toLowerCase() === 'authorization')?.[1] ?? '';
    const token = /^Bearer ([A-Za-z0-9._-]{20,4096})$/.exec(authorization)?.[1];
    try {
      if (token === undefined) throw new NotAuthenticated('NO_BEARER_TOKEN');
      const { subject, nation, cnf } = await verify(token);
      checkCertificate(event.requestContext.identity.clientCert?.clientCertPem, { nation, cnf }, certificates);
      return {
        principalId: subject,
        policyDocument: {
          Version: '2012-10-17',
          Statement: [{ Effect: 'Allow', Action: 'execute-api:Invoke', Resource: event.methodArn }],
        },
        context: { subject, nation },
      };
    } catch (error) {
      const reason = error instanceof NotAuthenticated ? error.reason : 'TOKEN_NOT_VALID';
      log('info', 'NOT_AUTHENTICATED', { reason, errorName: errorName(error) });
      throw new Unauthorized();
    }
  },
);

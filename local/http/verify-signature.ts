import { timingSafeEqual } from 'node:crypto';
import type { Session } from '../iam/sessions.ts';
import { ServiceError } from '../service.ts';
import { canonicalRequest, sha256, signature } from './canonical-request.ts';
import type { Claim, SignedRequest } from './claim.ts';
import { familyError, type Refusal } from './error-family.ts';

/** What a claim is held against. */
export interface Verification {
  readonly region: string;
  /** Virtual now, in milliseconds. */
  readonly now: number;
  /** The session that the access key id belongs to. */
  readonly session: Session | undefined;
  /** The body, where it was read whole; S3 reads its own. */
  readonly body: Buffer | undefined;
}

type Refuse = (refusal: Refusal, message: string, members?: Readonly<Record<string, unknown>>) => ServiceError;

/** AWS allows fifteen minutes between a request's timestamp and its arrival. */
const SKEW = 15 * 60_000;
const LONGEST_PRESIGNED = 604_800;

/** Milliseconds since the epoch; NaN when malformed. */
const instantOf = (timestamp: string): number =>
  /^\d{8}T\d{6}Z$/.test(timestamp)
    ? Date.parse(timestamp.replace(/^(....)(..)(..)T(..)(..)(..)Z$/, '$1-$2-$3T$4:$5:$6Z'))
    : Number.NaN;

const basic = (now: number): string => new Date(now).toISOString().replace(/[-:]|\.\d+/g, '');

function checkForm(claim: Claim, { region }: Verification, refuse: Refuse): ServiceError | undefined {
  const { scope, timestamp } = claim;
  if (scope.region !== region) {
    const message =
      scope.service === 's3'
        ? `The authorization header is malformed; the region '${scope.region}' is wrong; expecting '${region}'`
        : `Credential should be scoped to a valid region, ${region}.`;
    return refuse('scope', message, scope.service === 's3' ? { Region: region } : {});
  }
  if (Number.isNaN(instantOf(timestamp)))
    return refuse('malformed', 'The request needs a date (X-Amz-Date) in the form yyyymmddThhmmssZ.');
  if (!timestamp.startsWith(scope.date))
    return refuse('scope', `Date in Credential scope does not match the date of the request (${timestamp}).`);
  return undefined;
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html */
function checkPresignedTime(claim: Claim, now: number, refuse: Refuse): ServiceError | undefined {
  const seconds = claim.expires ?? Number.NaN;
  if (!(seconds >= 1 && seconds <= LONGEST_PRESIGNED))
    return refuse('malformed', 'X-Amz-Expires must be a number of seconds from 1 to 604800 (one week).');
  const begin = instantOf(claim.timestamp);
  if (begin - now > SKEW) return refuse('denied', 'Request is not yet valid');
  const end = begin + seconds * 1000;
  const members = {
    'X-Amz-Expires': String(seconds),
    Expires: new Date(end).toISOString(),
    ServerTime: new Date(now).toISOString(),
  };
  return now >= end ? refuse('denied', 'Request has expired', members) : undefined;
}

function checkTime(claim: Claim, now: number, refuse: Refuse): ServiceError | undefined {
  if (claim.presigned) return checkPresignedTime(claim, now, refuse);
  const sent = instantOf(claim.timestamp);
  if (Math.abs(sent - now) <= SKEW) return undefined;
  if (claim.scope.service === 's3')
    return refuse('skewed', 'The difference between the request time and the current time is too large.', {
      RequestTime: claim.timestamp,
      ServerTime: new Date(now).toISOString(),
      MaxAllowedSkewMilliseconds: String(SKEW),
    });
  const message =
    sent < now
      ? `Signature expired: ${claim.timestamp} is now earlier than ${basic(now - SKEW)} (${basic(now)} - 15 min.)`
      : `Signature not yet current: ${claim.timestamp} is still later than ${basic(now + SKEW)} (${basic(now)} + 15 min.)`;
  return refuse('skewed', message);
}

function checkSession(
  claim: Claim,
  session: Session | undefined,
  now: number,
  refuse: Refuse,
): ServiceError | undefined {
  const s3 = claim.scope.service === 's3';
  if (session === undefined)
    return refuse(
      'unknownKey',
      s3
        ? 'The AWS Access Key Id you provided does not exist in our records.'
        : 'The security token included in the request is invalid.',
    );
  if (claim.token === undefined || !equal(claim.token, session.sessionToken))
    return refuse(
      'badToken',
      s3
        ? 'The provided token is malformed or otherwise invalid.'
        : 'The security token included in the request is invalid.',
    );
  if (now < session.expiresAt) return undefined;
  return refuse(
    'expired',
    s3 ? 'The provided token has expired.' : 'The security token included in the request is expired',
  );
}

/** `host` and every `x-amz-*` header must be signed, so that none can be added on the way. */
function checkSignedHeaders({ headers }: SignedRequest, claim: Claim, refuse: Refuse): ServiceError | undefined {
  const unsigned = Object.keys(headers).filter(
    (name) => (name === 'host' || name.startsWith('x-amz-')) && !claim.signedHeaders.includes(name),
  );
  if (unsigned.length === 0) return undefined;
  return refuse('denied', `There were headers present in the request which were not signed: ${unsigned.join(', ')}`, {
    HeadersNotSigned: unsigned.join(', '),
  });
}

const equal = (given: string, expected: string): boolean => {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
};

/** The hash that the signer put into the canonical request. S3 names it, and checks the body against it by itself. */
const payloadHash = (request: SignedRequest, claim: Claim, body: Buffer | undefined): string => {
  if (body !== undefined) return sha256(body);
  return (
    request.headers['x-amz-content-sha256'] ??
    new URLSearchParams(request.rawQuery).get('X-Amz-Content-Sha256') ??
    (claim.presigned ? 'UNSIGNED-PAYLOAD' : '')
  );
};

function checkPayload(request: SignedRequest, claim: Claim, hash: string, refuse: Refuse): ServiceError | undefined {
  const declared = request.headers['x-amz-content-sha256'];
  if (claim.scope.service === 's3')
    return hash === ''
      ? refuse('malformed', 'Missing required header for this request: x-amz-content-sha256')
      : undefined;
  return declared === undefined || declared === hash
    ? undefined
    : refuse('mismatch', 'The value of x-amz-content-sha256 does not match the body.');
}

function checkSignature(
  request: SignedRequest,
  claim: Claim,
  secret: string,
  hash: string,
  refuse: Refuse,
): ServiceError | undefined {
  try {
    const canonical = canonicalRequest({
      ...request,
      signedHeaders: claim.signedHeaders,
      payloadHash: hash,
      encodePathTwice: claim.scope.service !== 's3',
    });
    if (equal(claim.signature, signature(secret, claim.scope, claim.timestamp, canonical))) return undefined;
  } catch (error) {
    if (!(error instanceof URIError)) throw error;
    return refuse('malformed', 'The path or the query of the request is not validly percent-encoded.');
  }
  return refuse(
    'mismatch',
    'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.',
  );
}

/** Names errors as the addressed service does; S3 has a name of its own for what is malformed in a presigned request. */
const refuseFor =
  ({ scope: { service }, presigned }: Claim): Refuse =>
  (refusal, message, members) =>
    service === 's3' && presigned && (refusal === 'malformed' || refusal === 'scope')
      ? new ServiceError('AuthorizationQueryParametersError', message, 400, members)
      : familyError(service, refusal, message, members);

/**
 * Whether a request was signed, now, by the holder of a valid session. Returns the session, or the error that the addressed service
 * documents for what is wrong; the signature is compared in constant time and before anything about the operation is looked at.
 */
export function verify(request: SignedRequest, claim: Claim, against: Verification): Session | ServiceError {
  const { now, session, body } = against;
  const refuse = refuseFor(claim);
  const hash = payloadHash(request, claim, body);
  const problem =
    checkForm(claim, against, refuse) ??
    checkSession(claim, session, now, refuse) ??
    checkSignedHeaders(request, claim, refuse) ??
    checkPayload(request, claim, hash, refuse) ??
    checkSignature(request, claim, session?.secretAccessKey ?? '', hash, refuse) ??
    checkTime(claim, now, refuse);
  if (problem !== undefined) return problem;
  // An unknown session has been refused above.
  return session as Session;
}

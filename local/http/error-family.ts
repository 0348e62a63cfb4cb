import { ServiceError } from '../service.ts';

/**
 * What the services' families call the errors that happen before an operation is reached.
 * S3: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
 * Query and JSON services: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html,
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
 */
export type Refusal =
  'unknownKey' | 'badToken' | 'expired' | 'mismatch' | 'skewed' | 'scope' | 'malformed' | 'denied' | 'internal';

type Family = Readonly<Record<Refusal, readonly [code: string, status: number]>>;

const S3: Family = {
  unknownKey: ['InvalidAccessKeyId', 403],
  badToken: ['InvalidToken', 400],
  expired: ['ExpiredToken', 400],
  mismatch: ['SignatureDoesNotMatch', 403],
  skewed: ['RequestTimeTooSkewed', 403],
  scope: ['AuthorizationHeaderMalformed', 400],
  malformed: ['AuthorizationHeaderMalformed', 400],
  denied: ['AccessDenied', 403],
  internal: ['InternalError', 500],
};

const QUERY: Family = {
  unknownKey: ['InvalidClientTokenId', 403],
  badToken: ['InvalidClientTokenId', 403],
  expired: ['ExpiredToken', 403],
  mismatch: ['SignatureDoesNotMatch', 403],
  skewed: ['SignatureDoesNotMatch', 403],
  scope: ['SignatureDoesNotMatch', 403],
  malformed: ['IncompleteSignature', 400],
  denied: ['AccessDenied', 403],
  internal: ['InternalFailure', 500],
};

const JSON_RPC: Family = {
  unknownKey: ['UnrecognizedClientException', 400],
  badToken: ['UnrecognizedClientException', 400],
  expired: ['ExpiredTokenException', 400],
  mismatch: ['InvalidSignatureException', 400],
  skewed: ['InvalidSignatureException', 400],
  scope: ['InvalidSignatureException', 400],
  malformed: ['IncompleteSignatureException', 400],
  denied: ['AccessDeniedException', 400],
  internal: ['InternalServerError', 500],
};

/** REST JSON services answer the same names with 403. */
const REST_JSON: Family = {
  ...JSON_RPC,
  unknownKey: ['UnrecognizedClientException', 403],
  badToken: ['UnrecognizedClientException', 403],
  expired: ['ExpiredTokenException', 403],
  mismatch: ['InvalidSignatureException', 403],
  skewed: ['InvalidSignatureException', 403],
  scope: ['InvalidSignatureException', 403],
  denied: ['AccessDeniedException', 403],
};

const FAMILIES: Readonly<Record<string, Family>> = {
  s3: S3,
  sts: QUERY,
  cloudformation: QUERY,
  ses: REST_JSON,
  lambda: REST_JSON,
};

const family = (service: string): Family => FAMILIES[service] ?? JSON_RPC;

/** An error of `service`, under the code its documentation gives it. */
export function familyError(service: string, refusal: Refusal, message: string, members = {}): ServiceError {
  const [code, status] = family(service)[refusal];
  return new ServiceError(code, message, status, members);
}

/** What a service answers when it is asked too often. */
export function throttlingError(service: string): ServiceError {
  const message = 'Rate exceeded';
  if (service === 'dynamodb') return new ServiceError('ProvisionedThroughputExceededException', message);
  if (service === 's3') return new ServiceError('SlowDown', 'Please reduce your request rate.', 503);
  if (service === 'sts' || service === 'cloudformation') return new ServiceError('Throttling', message);
  return new ServiceError('ThrottlingException', message);
}

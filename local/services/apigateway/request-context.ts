import { X509Certificate } from 'node:crypto';
import { type ApiRequest, headerValues, type RequestHead } from './api-request.ts';
import type { Route } from './routes.ts';

/** Where a request is answered. */
export interface ServedStage {
  readonly account: string;
  readonly region: string;
  readonly apiId: string;
  readonly stageName: string;
  readonly deploymentId: string;
}

type Values = Readonly<Record<string, unknown>>;

/** What an authorizer said, flat and as text. */
export type AuthorizerValues = Readonly<Record<string, string>>;

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Common Log Format, UTC: `01/Mar/2027:12:00:00 +0000`. */
function clfTime(time: number): string {
  const [date = '', clock = ''] = new Date(time).toISOString().split('T');
  const [year, month, day] = date.split('-');
  return `${day}/${MONTHS[Number(month) - 1]}/${year}:${clock.slice(0, 8)} +0000`;
}

/** `$context` of a request. https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html */
export function requestContext(
  stage: ServedStage,
  request: RequestHead | ApiRequest,
  route?: Route,
  authorizer?: AuthorizerValues,
): Values {
  const domainName = (headerValues(request, 'host')[0] ?? 'localhost').replace(/:\d+$/, '');
  return {
    accountId: stage.account,
    apiId: stage.apiId,
    ...(authorizer && { authorizer }),
    deploymentId: stage.deploymentId,
    domainName,
    domainPrefix: domainName.split('.')[0],
    extendedRequestId: request.extendedRequestId,
    httpMethod: request.method,
    identity: identityOf(request),
    path: request.basePath + request.path,
    protocol: 'HTTP/1.1',
    requestId: request.requestId,
    requestTime: clfTime(request.time),
    requestTimeEpoch: Math.floor(request.time),
    ...(route && { resourceId: route.resourceId, resourcePath: route.resourcePath }),
    stage: stage.stageName,
  };
}

const identityOf = (request: RequestHead | ApiRequest): Values => ({
  accessKey: null,
  accountId: null,
  caller: null,
  ...(request.clientCertificate === undefined ? {} : { clientCert: certificateValues(request.clientCertificate) }),
  cognitoAuthenticationProvider: null,
  cognitoAuthenticationType: null,
  cognitoIdentityId: null,
  cognitoIdentityPoolId: null,
  principalOrgId: null,
  sourceIp: request.sourceIp,
  user: null,
  userAgent: headerValues(request, 'user-agent')[0] ?? null,
  userArn: null,
});

/**
 * Present behind a domain name with mutual TLS alone. In which order the parts of a name stand is not documented.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html
 */
function certificateValues(pem: string): Values {
  const { subject, issuer, serialNumber, validFrom, validTo } = new X509Certificate(pem);
  const named = (text: string): string => text.trim().split('\n').join(',');
  return {
    clientCertPem: pem,
    issuerDN: named(issuer),
    serialNumber: (serialNumber.toLowerCase().match(/../g) ?? []).join(':'),
    subjectDN: named(subject),
    validity: { notAfter: validTo, notBefore: validFrom },
  };
}

/** Last value wins; null where there are none at all, as in a proxy event. */
const single = (pairs: readonly (readonly [string, string])[]): Values | null =>
  pairs.length === 0 ? null : Object.fromEntries(pairs);

function multi(pairs: readonly (readonly [string, string])[]): Values | null {
  if (pairs.length === 0) return null;
  const values = new Map<string, string[]>();
  for (const [name, value] of pairs) values.set(name, [...(values.get(name) ?? []), value]);
  return Object.fromEntries(values);
}

/** What the proxy event (version 1.0) and the event of a REQUEST authorizer have in common. */
const commonEvent = (stage: ServedStage, request: ApiRequest, route: Route, authorizer?: AuthorizerValues): Values => ({
  resource: route.resourcePath,
  path: request.path,
  httpMethod: request.method,
  headers: single(request.headers),
  multiValueHeaders: multi(request.headers),
  queryStringParameters: single(request.query),
  multiValueQueryStringParameters: multi(request.query),
  pathParameters: single(Object.entries(route.pathParameters)),
  stageVariables: null,
  requestContext: requestContext(stage, request, route, authorizer),
});

/** https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html#api-gateway-simple-proxy-for-lambda-input-format */
export const proxyEvent = (
  stage: ServedStage,
  request: ApiRequest,
  route: Route,
  authorizer: AuthorizerValues | undefined,
): Values => ({
  ...commonEvent(stage, request, route, authorizer),
  body: request.body ?? null,
  isBase64Encoded: false,
});

/** https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-input.html */
export const authorizerEvent = (stage: ServedStage, request: ApiRequest, route: Route): Values => ({
  type: 'REQUEST',
  methodArn: methodArn(stage, request),
  ...commonEvent(stage, request, route),
});

/** The ARN that policies and permissions name: the path as it was asked for. */
export const methodArn = (stage: ServedStage, request: ApiRequest): string =>
  `arn:aws:execute-api:${stage.region}:${stage.account}:${stage.apiId}/${stage.stageName}/${request.method}${request.path}`;

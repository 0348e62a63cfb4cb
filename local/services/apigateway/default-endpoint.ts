import { headerValues, type RequestHead } from './api-request.ts';
import type { HttpAnswer } from './gateway-response.ts';
import type { Stage } from './stage-types.ts';

/** What AWS answers under the name of an API for a stage that is not there, and for every one once the name is switched off. */
export const FORBIDDEN: HttpAnswer = {
  status: 403,
  headers: [
    ['Content-Type', 'application/json'],
    ['x-amzn-ErrorType', 'ForbiddenException'],
  ],
  body: '{"message":"Forbidden"}',
};

/**
 * The name under which AWS itself serves an API, beside custom domains.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-call-api.html
 */
export const hostNameOf = ({ apiId, region }: Stage): string => `${apiId}.execute-api.${region}.amazonaws.com`;

/**
 * A request under the API's own name has the stage before its path, of which routes and events know nothing; under any other name it is
 * taken as it stands, as with a custom domain. Mutual TLS is a domain name's: under its own name the API is shown no certificate.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-disable-default-endpoint.html
 * @returns undefined when there is nothing under that name
 */
export function underItsName(head: RequestHead, stage: Stage): RequestHead | undefined {
  if (headerValues(head, 'host')[0]?.toLowerCase() !== hostNameOf(stage)) return head;
  const basePath = `/${stage.stageName}`;
  if (!stage.defaultEndpoint || (head.path !== basePath && !head.path.startsWith(`${basePath}/`))) return undefined;
  return { ...head, path: head.path.slice(basePath.length) || '/', basePath, clientCertificate: undefined };
}

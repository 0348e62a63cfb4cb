/**
 * What the gateway answers by itself: type of gateway response, default status, error type header, default message.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
 */
const RESPONSES = {
  ACCESS_DENIED: [403, 'AccessDeniedException', 'User is not authorized to access this resource'],
  API_CONFIGURATION_ERROR: [500, 'InternalServerErrorException', 'Internal server error'],
  AUTHORIZER_CONFIGURATION_ERROR: [500, 'AuthorizerConfigurationException', null],
  AUTHORIZER_FAILURE: [500, 'AuthorizerFailureException', null],
  BAD_REQUEST_BODY: [400, 'BadRequestException', 'Invalid request body'],
  BAD_REQUEST_PARAMETERS: [400, 'BadRequestException', 'Missing required request parameters'],
  DEFAULT_4XX: [400, 'BadRequestException', 'Bad Request'],
  DEFAULT_5XX: [500, 'InternalServerErrorException', 'Internal server error'],
  EXPIRED_TOKEN: [403, 'ExpiredTokenException', null],
  // The documented default is 504, for an endpoint that cannot be reached; an answer that is malformed, or an error of the function, is
  // a 502. https://docs.aws.amazon.com/apigateway/latest/developerguide/handle-errors-in-lambda-integration.html
  INTEGRATION_FAILURE: [502, 'InternalServerErrorException', 'Internal server error'],
  INTEGRATION_TIMEOUT: [504, 'InternalServerErrorException', 'Endpoint request timed out'],
  INVALID_API_KEY: [403, 'ForbiddenException', 'Forbidden'],
  INVALID_SIGNATURE: [403, 'InvalidSignatureException', null],
  MISSING_AUTHENTICATION_TOKEN: [403, 'MissingAuthenticationTokenException', 'Missing Authentication Token'],
  QUOTA_EXCEEDED: [429, 'LimitExceededException', 'Limit Exceeded'],
  REQUEST_TOO_LARGE: [413, 'RequestTooLargeException', 'Request Too Long'],
  RESOURCE_NOT_FOUND: [404, 'ResourceNotFoundException', null],
  THROTTLED: [429, 'TooManyRequestsException', 'Too Many Requests'],
  UNAUTHORIZED: [401, 'UnauthorizedException', 'Unauthorized'],
  UNSUPPORTED_MEDIA_TYPE: [415, 'BadRequestException', 'Unsupported Media Type'],
  WAF_FILTERED: [403, 'ForbiddenException', 'Forbidden'],
} as const satisfies Record<string, readonly [number, string, string | null]>;

export type GatewayResponseType = keyof typeof RESPONSES;

export const isGatewayResponseType = (text: string): text is GatewayResponseType => Object.hasOwn(RESPONSES, text);

/** Ends the processing of a request with a gateway response. */
export class GatewayFailure extends Error {
  override readonly name = 'GatewayFailure';
  readonly type: GatewayResponseType;
  /** What `$context.error.message` says; null where the gateway says nothing. */
  readonly text: string | null;
  /** Why, for the developer; never sent to the client. */
  readonly reason: string | undefined;

  constructor(type: GatewayResponseType, text: string | null = RESPONSES[type][2], reason?: string) {
    super(`${type}: ${reason ?? text}`);
    this.type = type;
    this.text = text;
    this.reason = reason;
  }

  get status(): number {
    return RESPONSES[this.type][0];
  }

  get errorType(): string {
    return RESPONSES[this.type][1];
  }
}

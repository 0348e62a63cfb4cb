import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FunctionInvoker } from '../../ports.ts';
import type { ResourceType } from '../../resource.ts';
import { type Host, ServiceError } from '../../service.ts';
import type { RestApi } from './api-model.ts';
import { type ApiRequest, headerValues, readHead, readRequest, type RequestHead } from './api-request.ts';
import { apiTypes } from './api-types.ts';
import { askAuthorizer } from './authorizer.ts';
import { FORBIDDEN, hostNameOf, underItsName } from './default-endpoint.ts';
import { GatewayFailure } from './gateway-failure.ts';
import { type HttpAnswer, renderFailure } from './gateway-response.ts';
import { readProxyAnswer } from './proxy-answer.ts';
import { type AuthorizerValues, methodArn, proxyEvent, requestContext } from './request-context.ts';
import type { Route } from './routes.ts';
import { type Stage, stageTypes } from './stage-types.ts';

/** The certificate (PEM) that the client of a request showed; TLS has ended before it gets here. */
export type ClientCertificate = (request: IncomingMessage) => string | undefined;

/** How far a request came: what the gateway response may show of it. */
interface Progress {
  request: RequestHead | ApiRequest;
  route: Route | undefined;
  authorizer: AuthorizerValues | undefined;
}

const KEPT = 1000;
const PATIENCE = 30_000;

/**
 * A REST API of the template at the root of the port, as a custom domain with an empty base path serves its stage; and below the name of
 * its stage for whoever asks for it under its own name.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-rest-api.html
 */
export class ApiGateway {
  readonly types: ResourceType[];
  readonly #host: Host;
  readonly #functions: FunctionInvoker;
  readonly #clientCertificate: ClientCertificate;
  readonly #patienceMs: number;
  #stage: Stage | undefined;
  #problems: string[] = [];

  constructor(
    host: Host,
    deps: {
      readonly functions: FunctionInvoker;
      readonly clientCertificate?: ClientCertificate | undefined;
      /** How long a body may stall, in real milliseconds. */
      readonly patienceMs?: number;
    },
  ) {
    this.#host = host;
    this.#functions = deps.functions;
    this.#clientCertificate = deps.clientCertificate ?? (() => undefined);
    this.#patienceMs = deps.patienceMs ?? PATIENCE;
    const apis = new Map<string, RestApi>();
    this.types = [...apiTypes(apis), ...stageTypes(host, apis, (stage) => (this.#stage = stage))];
  }

  /** Answers a request; false when the template has no stage, and nothing was answered. */
  async handle(incoming: IncomingMessage, response: ServerResponse): Promise<boolean> {
    const stage = this.#stage;
    if (stage === undefined) return false;
    this.#host.meter.count('apigateway', 'Request');
    const sent = readHead(incoming, this.#host.clock.now(), this.#clientCertificate(incoming));
    const head = underItsName(sent, stage);
    if (head === undefined) {
      this.#send(response, sent, FORBIDDEN, false);
      incoming.resume();
      return true;
    }
    // Something is under way only once the body is there: the clock does not wait for a caller who never ends one.
    const [read] = await Promise.allSettled([readRequest(head, incoming, this.#patienceMs)]);
    await this.#host.activity.track(this.#answer(stage, head, read, incoming, response));
    return true;
  }

  /** The name under which AWS serves the API beside a custom domain; undefined when there is no stage. */
  hostName(): string | undefined {
    return this.#stage === undefined ? undefined : hostNameOf(this.#stage);
  }

  /** Why the gateway itself answered with an error, most recent last: what its execution log would say on AWS. */
  problems(): readonly string[] {
    return this.#problems;
  }

  async #answer(
    stage: Stage,
    head: RequestHead,
    read: PromiseSettledResult<ApiRequest>,
    incoming: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const progress: Progress = { request: head, route: undefined, authorizer: undefined };
    let answer: HttpAnswer;
    try {
      if (read.status === 'rejected') throw read.reason;
      answer = await this.#process(stage, read.value, progress);
    } catch (error) {
      answer = this.#refuse(stage, progress, error);
    }
    this.#send(response, head, answer, incoming.complete);
    incoming.resume();
  }

  async #process(stage: Stage, request: ApiRequest, progress: Progress): Promise<HttpAnswer> {
    progress.request = request;
    const route = stage.deployment.router(request.method, request.segments);
    if (route === undefined) throw new GatewayFailure('MISSING_AUTHENTICATION_TOKEN');
    progress.route = route;
    if (!stage.throttleFor(request.method, route.resourcePath).admit(request.time))
      throw new GatewayFailure('THROTTLED');
    const { authorizer } = route.method;
    if (authorizer) progress.authorizer = await askAuthorizer(authorizer, stage, request, route, this.#functions);
    assertParameters(request, route);
    return this.#integrate(stage, request, route, progress.authorizer);
  }

  async #integrate(
    stage: Stage,
    request: ApiRequest,
    route: Route,
    authorizer: AuthorizerValues | undefined,
  ): Promise<HttpAnswer> {
    const caller = {
      kind: 'service',
      account: stage.account,
      principal: 'apigateway.amazonaws.com',
      sourceArn: methodArn(stage, request),
    } as const;
    const event = proxyEvent(stage, request, route, authorizer);
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new GatewayFailure('INTEGRATION_TIMEOUT')), route.method.timeoutMs);
    });
    try {
      return readProxyAnswer(
        await Promise.race([this.#functions.invoke(route.method.functionArn, event, caller), timeout]),
      );
    } catch (error) {
      // 10 MB are the gateway's limit and 6 MB the function's: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
      if (error instanceof ServiceError && error.code === 'RequestTooLargeException')
        throw new GatewayFailure('REQUEST_TOO_LARGE');
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  #refuse(stage: Stage, { request, route, authorizer }: Progress, error: unknown): HttpAnswer {
    // What is not the gateway's own refusal: the function could not be invoked (permission, throttling).
    const failure =
      error instanceof GatewayFailure ? error : new GatewayFailure('API_CONFIGURATION_ERROR', undefined, String(error));
    if (failure.reason !== undefined || failure.status >= 500)
      this.#note(`${request.requestId} ${request.method} ${request.path}: ${failure.message}`);
    const context = requestContext(stage, request, route, authorizer);
    return renderFailure(failure, stage.deployment.gatewayResponses, request, context);
  }

  #note(problem: string): void {
    this.#problems = [...this.#problems.slice(1 - KEPT), problem];
  }

  #send(response: ServerResponse, head: RequestHead, answer: HttpAnswer, complete: boolean): void {
    response.sendDate = false;
    response.statusCode = answer.status;
    const bytes = Buffer.from(answer.body, 'utf8');
    for (const [name, value] of answer.headers) response.appendHeader(name, value);
    response.setHeader('Date', new Date(this.#host.clock.now()).toUTCString());
    response.setHeader('x-amzn-RequestId', head.requestId);
    response.setHeader('x-amz-apigw-id', head.extendedRequestId);
    response.setHeader('X-Amzn-Trace-Id', head.traceId);
    if (answer.status !== 204 && answer.status !== 304) response.setHeader('Content-Length', bytes.length);
    // A body that was not read to its end stands in the way of the next request.
    if (!complete) response.setHeader('Connection', 'close');
    response.end(bytes);
  }
}

/** https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-method-request-validation.html */
function assertParameters(request: ApiRequest, route: Route): void {
  const present = (parameter: string): boolean => {
    const [, place, name = ''] = /^method\.request\.(header|querystring|path)\.(.+)$/.exec(parameter) ?? [];
    if (place === 'header') return headerValues(request, name).some((value) => value !== '');
    if (place === 'querystring') return request.query.some(([candidate, value]) => candidate === name && value !== '');
    return (route.pathParameters[name] ?? '') !== '';
  };
  const missing = route.method.requiredParameters.filter((parameter) => !present(parameter));
  if (missing.length === 0) return;
  const names = missing.map((parameter) => parameter.split('.').slice(3).join('.'));
  throw new GatewayFailure('BAD_REQUEST_PARAMETERS', `Missing required request parameters: [${names.join(', ')}]`);
}

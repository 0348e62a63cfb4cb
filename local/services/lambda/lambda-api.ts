import {
  type Host,
  notImplemented,
  readBody,
  type Service,
  ServiceError,
  type ServiceRequest,
  type ServiceResponse,
} from '../../service.ts';
import type { LambdaService } from './lambda-service.ts';

const INVOKE = /^\/2015-03-31\/functions\/([^/]+)\/invocations$/;

/** Headers that change what an invocation is; without them it is synchronous and its log is not sent along. */
const OTHER_KINDS = ['x-amz-client-context', 'x-amz-durable-execution-name', 'x-amz-tenant-id'];

/** What callers ask of Lambda over the wire: synchronous invocations. https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html */
export class LambdaApi implements Service {
  readonly signingName = 'lambda';
  readonly #host: Host;
  readonly #functions: LambdaService;

  constructor(host: Host, functions: LambdaService) {
    this.#host = host;
    this.#functions = functions;
  }

  operationOf({ method, path }: Pick<ServiceRequest, 'method' | 'path'>): string | undefined {
    return method === 'POST' && INVOKE.test(path) ? 'Invoke' : undefined;
  }

  async handle(request: ServiceRequest): Promise<ServiceResponse> {
    if (this.operationOf(request) === undefined) throw notImplemented(`lambda: ${request.method} ${request.path}`);
    assertSynchronous(request.headers);
    const arn = this.#arnOf(request);
    if (request.caller.kind !== 'role') throw notImplemented('lambda:Invoke by a service over the wire');
    const payload = parsed((await readBody(request.body)).toString());
    const { version, outcome } = await this.#functions.call(arn, payload, request.caller);
    const headers = { 'content-type': 'application/json', 'x-amz-executed-version': version };
    if (outcome.ok) return { status: 200, headers, body: JSON.stringify(outcome.payload ?? null) };
    const { errorType, errorMessage } = outcome;
    return {
      status: 200,
      headers: { ...headers, 'x-amz-function-error': 'Unhandled' },
      body: JSON.stringify({ errorType, errorMessage }),
    };
  }

  /** https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html#operation-error-serialization */
  renderError(error: ServiceError): ServiceResponse {
    return {
      status: error.status,
      headers: { 'content-type': 'application/json', 'x-amzn-errortype': error.code },
      body: JSON.stringify({ ...error.members, Type: error.status < 500 ? 'User' : 'Service', message: error.message }),
    };
  }

  /** A name, a partial or a whole ARN, with the version or alias in it or beside it. */
  #arnOf({ path, query }: ServiceRequest): string {
    const reference = decodeURIComponent(INVOKE.exec(path)?.[1] ?? '');
    const arn = reference.startsWith('arn:')
      ? reference
      : `arn:aws:lambda:${this.#host.region}:${this.#host.account}:function:${reference}`;
    const beside = query.get('Qualifier');
    if (beside === null) return arn;
    const [, , , , , , , within] = arn.split(':');
    if (within !== undefined && within !== beside)
      throw new ServiceError(
        'InvalidParameterValueException',
        'The derived qualifier from the function name does not match the specified qualifier.',
      );
    return within === undefined ? `${arn}:${beside}` : arn;
  }
}

function assertSynchronous(headers: ServiceRequest['headers']): void {
  const kind = headers['x-amz-invocation-type'] ?? 'RequestResponse';
  if (kind !== 'RequestResponse') throw notImplemented(`lambda:Invoke with the invocation type ${kind}`);
  if ((headers['x-amz-log-type'] ?? 'None') !== 'None') throw notImplemented('lambda:Invoke with its log');
  const other = OTHER_KINDS.find((name) => headers[name] !== undefined);
  if (other !== undefined) throw notImplemented(`lambda:Invoke with ${other}`);
}

function parsed(text: string): unknown {
  try {
    return text === '' ? null : JSON.parse(text);
  } catch {
    throw new ServiceError('InvalidRequestContentException', 'Could not parse request body into json.');
  }
}

import { createServer, request as httpRequest, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import type { ServiceCaller } from '../../local/iam/policy.ts';
import type { InvocationOutcome } from '../../local/ports.ts';
import type { Properties } from '../../local/resource.ts';
import { ApiGateway } from '../../local/services/apigateway/api-gateway.ts';
import { ACCOUNT, create, REGION, type TestHost } from './edge-services.ts';

const lambdaArn = (name: string): string => `arn:aws:lambda:${REGION}:${ACCOUNT}:function:${name}`;
export const uri = (name: string): string =>
  `arn:aws:apigateway:${REGION}:lambda:path/2015-03-31/functions/${lambdaArn(name)}/invocations`;

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** An API whose functions are written by the test, behind HTTP. */
export class TestApi {
  readonly gateway: ApiGateway;
  readonly invoked: { name: string; event: Record<string, unknown>; caller: ServiceCaller }[] = [];
  /** What functions do, by name. */
  readonly functions: Record<string, (event: never) => unknown> = {};
  id = '';
  rootId = '';
  readonly #host: TestHost;
  #server: Server | undefined;

  /** What clients show in mutual TLS, as PEM. */
  clientCertificate: string | undefined;

  constructor(host: TestHost) {
    this.#host = host;
    this.gateway = new ApiGateway(host, {
      clientCertificate: () => this.clientCertificate,
      patienceMs: 50,
      functions: {
        invoke: async (arn, payload, caller): Promise<InvocationOutcome> => {
          const name = arn.split(':').at(-1) ?? '';
          // The gateway is a service, and sends objects.
          this.invoked.push({ name, event: payload as Record<string, unknown>, caller: caller as ServiceCaller });
          const answer = await this.functions[name]?.(payload as never);
          if (answer instanceof Error) return { ok: false, errorType: answer.name, errorMessage: answer.message };
          return { ok: true, payload: answer };
        },
      },
    });
  }

  make(type: string, logicalId: string, properties: Properties): Promise<string> {
    return create(this.#host, this.gateway.types, `AWS::ApiGateway::${type}`, logicalId, properties).then(
      ({ ref }) => ref,
    );
  }

  async start(properties: Properties = {}): Promise<void> {
    const api = await create(this.#host, this.gateway.types, 'AWS::ApiGateway::RestApi', 'Api', {
      Name: 'api',
      ...properties,
    });
    this.id = api.ref;
    this.rootId = api.attributes['RootResourceId'] ?? '';
    const server = createServer((incoming, response) => {
      void this.gateway.handle(incoming, response).then((handled) => {
        if (!handled) response.writeHead(418).end();
      });
    });
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  }

  /** Creates the resources of a path, and a method on the last; returns the resource's id. */
  async method(path: string, HttpMethod: string, functionName: string, properties: Properties = {}): Promise<string> {
    let ResourceId = this.rootId;
    for (const PathPart of path.split('/').filter(Boolean)) ResourceId = await this.#resource(ResourceId, PathPart);
    await this.make('Method', `${path}${HttpMethod}`, {
      RestApiId: this.id,
      ResourceId,
      HttpMethod,
      AuthorizationType: 'NONE',
      Integration: { Type: 'AWS_PROXY', IntegrationHttpMethod: 'POST', Uri: uri(functionName) },
      ...properties,
    });
    return ResourceId;
  }

  readonly #resources = new Map<string, string>();

  async #resource(ParentId: string, PathPart: string): Promise<string> {
    const key = `${ParentId}/${PathPart}`;
    const known = this.#resources.get(key);
    if (known !== undefined) return known;
    const id = await this.make('Resource', key, { RestApiId: this.id, ParentId, PathPart });
    this.#resources.set(key, id);
    return id;
  }

  async deploy(stage: Properties = {}): Promise<void> {
    const DeploymentId = await this.make('Deployment', 'Deployment', { RestApiId: this.id });
    await this.make('Stage', 'Stage', { RestApiId: this.id, DeploymentId, StageName: 'v1', ...stage });
  }

  /** A request as it is on the wire: nothing added, nothing decoded. */
  send(
    method: string,
    path: string,
    options: { headers?: Record<string, string | string[]>; body?: string | Buffer } = {},
  ): Promise<Answer> {
    // Listening on a port, so the address is not a pipe's name.
    const port = (this.#server?.address() as AddressInfo | undefined)?.port;
    const headers = { host: 'api.example.org', connection: 'close', ...options.headers };
    return new Promise((resolve, reject) => {
      const sent = httpRequest({ host: '127.0.0.1', port, method, path, headers, setHost: false }, (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (text: string) => (body += text));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
      });
      sent.on('error', reject).end(options.body);
    });
  }

  /** Sends bytes as they are, and gives what came back once the other side has closed the connection. */
  talk(bytes: string): Promise<string> {
    const { port = 0 } = (this.#server?.address() as AddressInfo | undefined) ?? {};
    return new Promise((resolve) => {
      let text = '';
      const socket = connect({ host: '127.0.0.1', port }, () => socket.write(bytes));
      socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
      socket.once('error', () => undefined);
      socket.once('close', () => resolve(text));
    });
  }

  async stop(): Promise<void> {
    this.#server?.closeAllConnections();
    await new Promise((resolve) => this.#server?.close(resolve));
  }
}

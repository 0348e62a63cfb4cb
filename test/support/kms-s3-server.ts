import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Activity } from '../../local/activity.ts';
import { Clock } from '../../local/clock.ts';
import { Faults } from '../../local/faults.ts';
import { AccessDenied, type AccessRequest, type Authorize, type RoleCaller } from '../../local/iam/policy.ts';
import { Meter } from '../../local/meter.ts';
import type { Created, Properties, ResourceType } from '../../local/resource.ts';
import {
  ServiceError,
  type Host,
  type Service,
  type ServiceRequest,
  type ServiceResponse,
} from '../../local/service.ts';

export const ACCOUNT = '111122223333';
export const REGION = 'ca-central-1';

export const role = (roleName: string): RoleCaller => ({
  kind: 'role',
  account: ACCOUNT,
  roleArn: `arn:aws:iam::${ACCOUNT}:role/${roleName}`,
  roleName,
  arn: `arn:aws:sts::${ACCOUNT}:assumed-role/${roleName}/session`,
  sessionPolicy: undefined,
  accessKeyId: `AKIA${roleName.toUpperCase()}`,
});

/** Records every question and refuses those for which `denied` holds. */
export class Gate {
  readonly asked: AccessRequest[] = [];
  denied: (request: AccessRequest) => boolean = () => false;

  readonly authorize: Authorize = (request) => {
    this.asked.push(request);
    if (this.denied(request)) throw new AccessDenied(request, 'no policy allows it');
  };

  /** The last question about `action`. */
  last(action: string): AccessRequest {
    const request = this.asked.findLast((question) => question.action === action);
    if (request === undefined) throw new Error(`${action} was never asked`);
    return request;
  }
}

export function testHost(authorize: Authorize, dataDirectory?: string): Host {
  const activity = new Activity();
  return {
    account: ACCOUNT,
    region: REGION,
    clock: new Clock(() => activity.settled()),
    activity,
    meter: new Meter(),
    faults: new Faults(),
    authorize,
    dataDirectory,
    endpoint: () => 'http://127.0.0.1',
  };
}

/** Creates a resource of the template as the loader would. */
export async function create(
  host: Host,
  types: readonly ResourceType[],
  type: string,
  properties: Properties,
  logicalId = 'Thing',
): Promise<Created> {
  const found = types.find((candidate) => candidate.type === type);
  if (found === undefined) throw new Error(`no type ${type}`);
  return found.create(properties, {
    host,
    stackName: 'stack',
    logicalId,
    physicalName: () => `stack-${logicalId}`,
    assemblyDirectory: '.',
    kept: false,
  });
}

export interface Running {
  readonly endpoint: string;
  readonly server: Server;
  close(): Promise<void>;
}

/** Serves one service over loopback, believing the access key that a request names; `callers` by access key id. */
export async function serve(service: Service, callers: readonly RoleCaller[]): Promise<Running> {
  const server = createServer((request, response) => {
    answer(service, callers, request, response).catch((error: unknown) => {
      response.destroy(error instanceof Error ? error : undefined);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // A TCP server's address is never a path.
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    server,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await service.stop?.();
    },
  };
}

async function answer(
  service: Service,
  callers: readonly RoleCaller[],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const [path = '/', search = ''] = (request.url ?? '/').split('?', 2);
  const query = new URLSearchParams(search);
  const presigned = query.has('X-Amz-Signature');
  const credential =
    query.get('X-Amz-Credential') ?? /Credential=([^,]+)/.exec(request.headers.authorization ?? '')?.[1];
  const caller = callers.find(({ accessKeyId }) => accessKeyId === credential?.split('/')[0]);
  if (caller === undefined) throw new Error(`no caller for ${credential}`);
  const serviceRequest: ServiceRequest = {
    method: request.method ?? 'GET',
    path,
    query,
    headers: Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [
        name,
        Array.isArray(value) ? value.join(',') : (value ?? ''),
      ]),
    ),
    body: request,
    caller,
    presigned,
    requestId: 'request-1',
  };
  await send(await outcome(service, serviceRequest), response);
}

async function outcome(service: Service, request: ServiceRequest): Promise<ServiceResponse> {
  try {
    return await service.handle(request);
  } catch (error) {
    if (error instanceof ServiceError) return service.renderError(error, request);
    if (!(error instanceof AccessDenied)) throw error;
    const denied =
      service.signingName === 's3'
        ? new ServiceError('AccessDenied', error.message, 403)
        : new ServiceError('AccessDeniedException', error.message, 400);
    return service.renderError(denied, request);
  }
}

async function send({ status, headers, body }: ServiceResponse, response: ServerResponse): Promise<void> {
  response.writeHead(status, headers);
  if (body instanceof Readable) await pipeline(body, response).catch(() => undefined);
  else response.end(body);
}

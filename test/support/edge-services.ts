import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Activity } from '../../local/activity.ts';
import { Clock } from '../../local/clock.ts';
import { Faults } from '../../local/faults.ts';
import { AccessDenied, type AccessRequest, type RoleCaller, type ServiceCaller } from '../../local/iam/policy.ts';
import { Meter } from '../../local/meter.ts';
import type { Created, Properties, ResourceContext, ResourceType } from '../../local/resource.ts';
import { type Host, type Service, ServiceError, type ServiceResponse } from '../../local/service.ts';

export const ACCOUNT = '111122223333';
export const REGION = 'ca-central-1';

/** A runtime of one service: what it asked to be authorized is recorded, and refused where a test says so. */
export interface TestHost extends Omit<Host, 'authorize'> {
  authorize: Host['authorize'];
  readonly asked: AccessRequest[];
  /** Returns true to refuse. */
  deny: (request: AccessRequest) => boolean;
  port: number;
}

export function testHost(options: { dataDirectory?: string; now?: number } = {}): TestHost {
  const activity = new Activity();
  const offset = options.now === undefined ? 0 : options.now - Date.now();
  const asked: AccessRequest[] = [];
  const host: TestHost = {
    account: ACCOUNT,
    region: REGION,
    clock: new Clock(() => activity.settled(), offset),
    activity,
    meter: new Meter(),
    faults: new Faults(),
    dataDirectory: options.dataDirectory,
    endpoint: () => `http://127.0.0.1:${host.port}`,
    asked,
    deny: () => false,
    port: 4566,
    authorize: (request) => {
      asked.push(request);
      if (host.deny(request)) throw new AccessDenied(request, 'the test refuses it');
    },
  };
  return host;
}

export const role = (name: string): RoleCaller => ({
  kind: 'role',
  account: ACCOUNT,
  roleArn: `arn:aws:iam::${ACCOUNT}:role/${name}`,
  roleName: name,
  arn: `arn:aws:sts::${ACCOUNT}:assumed-role/${name}/session`,
  sessionPolicy: undefined,
  accessKeyId: name,
});

export const serviceCaller = (principal: string, sourceArn: string): ServiceCaller => ({
  kind: 'service',
  account: ACCOUNT,
  principal,
  sourceArn,
});

/** Creates a resource as the loader would, refusing properties that its type does not list. */
export async function create(
  host: Host,
  types: readonly ResourceType[],
  type: string,
  logicalId: string,
  properties: Properties,
): Promise<Created> {
  const found = types.find((candidate) => candidate.type === type);
  if (found === undefined) throw new Error(`no resource type ${type}`);
  const unknown = Object.keys(properties).find((name) => !found.properties.includes(name));
  if (unknown !== undefined) throw new Error(`unknown property ${unknown} of ${type}`);
  const context: ResourceContext = {
    host,
    stackName: 'stack',
    logicalId,
    physicalName: (limit = 64) => `stack-${logicalId}`.slice(0, limit),
    assemblyDirectory: '/nonexistent',
    kept: false,
  };
  return found.create(properties, context);
}

/** One service behind HTTP: the access key id of the request is the name of the calling role, its signature is believed. */
export async function serve(host: TestHost, service: Service): Promise<Server> {
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://127.0.0.1');
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
    const accessKeyId = /Credential=([^/]+)/.exec(headers['authorization'] ?? '')?.[1] ?? 'nobody';
    const requestId = 'request';
    const send = ({ status, headers: own, body }: ServiceResponse): void => {
      response.writeHead(status, own).end(body);
    };
    const method = request.method ?? 'GET';
    service
      .handle({
        method,
        path: url.pathname,
        query: url.searchParams,
        headers,
        body: request,
        caller: role(accessKeyId),
        presigned: false,
        requestId,
      })
      .then(send, (error: unknown) => {
        const known =
          error instanceof ServiceError
            ? error
            : new ServiceError(
                error instanceof AccessDenied ? 'AccessDeniedException' : 'InternalFailure',
                String(error),
                error instanceof AccessDenied ? 400 : 500,
              );
        send(service.renderError(known, { requestId }));
      });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // Listening on a port, so the address is not a pipe's name.
  host.port = (server.address() as AddressInfo).port;
  return server;
}

export async function close(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}

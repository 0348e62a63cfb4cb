import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { Activity } from '../../local/activity.ts';
import { Clock } from '../../local/clock.ts';
import { Faults } from '../../local/faults.ts';
import { AccessDenied, type AccessRequest, type Caller, type RoleCaller } from '../../local/iam/policy.ts';
import { Meter } from '../../local/meter.ts';
import type { KeyUse } from '../../local/ports.ts';
import type { Created, Properties } from '../../local/resource.ts';
import { DynamoDbService } from '../../local/services/dynamodb/service.ts';
import { ServiceError, type Host, type ServiceResponse } from '../../local/service.ts';

const ACCOUNT = '111122223333';
export const REGION = 'ca-central-1';

type Use = Parameters<KeyUse['assertUsable']>[0];

export interface DynamoDbServer {
  readonly host: Host;
  readonly service: DynamoDbService;
  /** A client of a role that the access key id names. */
  client(role?: string): DynamoDBClient;
  /** Posts a body as it stands. */
  post(target: string, body: string): Promise<Response>;
  /** Calls an operation in process: calls of the same tick are under way together. Answers the body, of errors too. */
  call(operation: string, input: object): Promise<unknown>;
  create(properties: Properties, logicalId?: string): Promise<Created>;
  /** What was asked of IAM and of KMS. */
  readonly asked: AccessRequest[];
  readonly keyUses: Use[];
  /** Refuses what it answers true to. */
  deny: (request: AccessRequest) => boolean;
  denyKey: (use: Use) => boolean;
  close(): Promise<void>;
}

const role = (name: string): RoleCaller => ({
  kind: 'role',
  account: ACCOUNT,
  roleArn: `arn:aws:iam::${ACCOUNT}:role/${name}`,
  roleName: name,
  arn: `arn:aws:sts::${ACCOUNT}:assumed-role/${name}/session`,
  sessionPolicy: undefined,
  accessKeyId: name,
});

/** The properties that CDK's TableV2 gives a table with key `pk`, `sk` unless `changes` say otherwise. */
export const tableProperties = (name: string, changes: Properties = {}): Properties => ({
  TableName: name,
  AttributeDefinitions: [
    { AttributeName: 'pk', AttributeType: 'S' },
    { AttributeName: 'sk', AttributeType: 'S' },
  ],
  KeySchema: [
    { AttributeName: 'pk', KeyType: 'HASH' },
    { AttributeName: 'sk', KeyType: 'RANGE' },
  ],
  BillingMode: 'PAY_PER_REQUEST',
  Replicas: [{ Region: REGION, PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true } }],
  ...changes,
});

/** The service behind HTTP. Signatures are believed; everything is permitted until a test says otherwise. */
export async function openDynamoDb(dataDirectory?: string): Promise<DynamoDbServer> {
  const activity = new Activity();
  const asked: AccessRequest[] = [];
  const keyUses: Use[] = [];
  const clients: DynamoDBClient[] = [];
  const clock = new Clock(() => activity.settled());
  const host: Host = {
    account: ACCOUNT,
    region: REGION,
    clock,
    activity,
    meter: new Meter(),
    faults: new Faults(),
    dataDirectory,
    endpoint: () => endpoint,
    authorize: (request) => {
      asked.push(request);
      if (opened.deny(request)) throw new AccessDenied(request, 'the test refuses it');
    },
  };
  const keys: KeyUse = {
    assertUsable: (use) => {
      keyUses.push(use);
      if (opened.denyKey(use)) throw new ServiceError('AccessDeniedException', 'The test refuses the key.');
    },
  };
  const service = new DynamoDbService(host, keys);
  const server = listenTo(service);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // A server on a port has an address object.
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const opened: DynamoDbServer = {
    host,
    service,
    asked,
    keyUses,
    deny: () => false,
    denyKey: () => false,
    client: (name = 'tester') => {
      const credentials = { accessKeyId: name, secretAccessKey: 'believed' };
      const client = new DynamoDBClient({ region: REGION, endpoint, credentials, maxAttempts: 1 });
      clients.push(client);
      return client;
    },
    post: (target, body) => fetch(endpoint, { method: 'POST', body, headers: { 'x-amz-target': target } }),
    call: async (operation, input) => {
      const headers = { 'x-amz-target': `DynamoDB_20120810.${operation}` };
      const { body } = await answer(service, headers, Readable.from([Buffer.from(JSON.stringify(input))]));
      return JSON.parse(String(body));
    },
    create: async (properties, logicalId = 'Table') => {
      const [type] = service.types;
      if (type === undefined) throw new Error('The service offers no resource type.');
      const unknown = Object.keys(properties).filter((name) => !type.properties.includes(name));
      if (unknown.length > 0) throw new Error(`Unknown properties: ${unknown.join(', ')}`);
      const physicalName = (limit = 255): string => `stack-${logicalId}`.slice(0, limit);
      return type.create(properties, {
        host,
        stackName: 'stack',
        logicalId,
        physicalName,
        assemblyDirectory: '',
        kept: false,
      });
    },
    close: async () => {
      for (const client of clients) client.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      clock.stop();
      await service.stop();
    },
  };
  return opened;
}

/** Answers a request as the runtime's front door does. */
async function answer(
  service: DynamoDbService,
  headers: Readonly<Record<string, string>>,
  body: Readable,
): Promise<ServiceResponse> {
  const caller: Caller = role(/Credential=([^/]+)/.exec(headers['authorization'] ?? '')?.[1] ?? 'anonymous');
  const requestId = 'REQUEST';
  const query = new URLSearchParams();
  try {
    return await service.handle({
      method: 'POST',
      path: '/',
      query,
      headers,
      body,
      caller,
      presigned: false,
      requestId,
    });
  } catch (error) {
    const denied = error instanceof AccessDenied ? new ServiceError('AccessDeniedException', error.message) : error;
    const known =
      denied instanceof ServiceError ? denied : new ServiceError('InternalServerError', String(denied), 500);
    return service.renderError(known, { requestId });
  }
}

const listenTo = (service: DynamoDbService): ReturnType<typeof createServer> =>
  createServer((request, response) => {
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
    void answer(service, headers, request).then(({ status, headers: answered, body }) => {
      response.writeHead(status, { ...answered }).end(body);
    });
  });

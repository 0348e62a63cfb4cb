import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  DescribeExecutionCommand,
  type DescribeExecutionOutput,
  SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import { Activity } from '../../local/activity.ts';
import { Clock } from '../../local/clock.ts';
import { Faults } from '../../local/faults.ts';
import { AccessDenied, type AccessRequest, type Authorize, type RoleCaller } from '../../local/iam/policy.ts';
import { Meter } from '../../local/meter.ts';
import type { EventSink, FunctionInvoker, InvocationOutcome, KeyUse } from '../../local/ports.ts';
import type { Created, Properties } from '../../local/resource.ts';
import { type Host, ServiceError } from '../../local/service.ts';
import { StatesService } from '../../local/services/states/states-service.ts';

export const ACCOUNT = '111122223333';
export const REGION = 'ca-central-1';
export const MACHINE_ROLE = `arn:aws:iam::${ACCOUNT}:role/machine`;

/** A function of a test: its answer, or an error with a `name`. */
export type TestFunction = (payload: never, caller: RoleCaller) => unknown;
type Key = Parameters<KeyUse['assertUsable']>[0];
type PublishedEvent = Parameters<EventSink>[0];

export const roleCaller = (name: string, session = 'session'): RoleCaller => ({
  kind: 'role',
  account: ACCOUNT,
  roleArn: `arn:aws:iam::${ACCOUNT}:role/${name}`,
  roleName: name,
  arn: `arn:aws:sts::${ACCOUNT}:assumed-role/${name}/${session}`,
  sessionPolicy: undefined,
  accessKeyId: `AKIA${name}`,
});

export interface StatesWorld {
  readonly service: StatesService;
  readonly host: Host;
  /** A client that signs as the role `caller`. */
  readonly client: (caller?: string) => SFNClient;
  readonly functions: Map<string, TestFunction>;
  readonly events: PublishedEvent[];
  readonly keyUses: Key[];
  readonly accesses: AccessRequest[];
  /** Creates a machine from a definition (JSONata is added) and returns its ARN. */
  readonly machine: (definition: object, properties?: Properties) => Promise<string>;
  readonly create: (type: string, properties: Properties) => Promise<Created>;
  /** Resolves when nothing is under way. */
  readonly settled: () => Promise<void>;
  readonly close: () => Promise<void>;
}

export interface WorldOptions {
  readonly authorize?: Authorize;
  /** Throws to refuse the use of a key. */
  readonly assertUsable?: (use: Key) => void;
  readonly dataDirectory?: string;
  readonly offset?: number;
}

/** Starts Step Functions alone behind a loopback port, with functions that are closures. */
export async function startStates(options: WorldOptions = {}): Promise<StatesWorld> {
  const activity = new Activity();
  const clock = new Clock(() => activity.settled(), options.offset);
  const accesses: AccessRequest[] = [];
  const events: PublishedEvent[] = [];
  const keyUses: Key[] = [];
  const functions = new Map<string, TestFunction>();
  const host: Host = {
    account: ACCOUNT,
    region: REGION,
    clock,
    activity,
    meter: new Meter(),
    faults: new Faults(),
    authorize: (request) => {
      accesses.push(request);
      options.authorize?.(request);
    },
    dataDirectory: options.dataDirectory,
    endpoint: () => '',
  };
  const service = new StatesService(host, {
    functions: invoker(functions),
    keys: {
      assertUsable: (use) => {
        keyUses.push(use);
        options.assertUsable?.(use);
      },
    },
    roleCaller: (roleArn, _principal, session) => roleCaller(roleArn.split('/').pop() ?? '', session),
    publish: (event) => events.push(event),
  });
  const server = createServer((request, response) => void answer(service, request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const clients: SFNClient[] = [];
  const create = async (type: string, properties: Properties): Promise<Created> => {
    const found = service.types.find((candidate) => candidate.type === type);
    if (found === undefined) throw new Error(`no resource type ${type}`);
    const context = {
      host,
      stackName: 'stack',
      logicalId: 'Resource',
      physicalName: () => 'unnamed',
      assemblyDirectory: '',
      kept: false,
    };
    return found.create(properties, context);
  };
  return {
    service,
    host,
    functions,
    events,
    keyUses,
    accesses,
    create,
    client: (caller = 'caller') => {
      const client = signedAs(caller, server);
      clients.push(client);
      return client;
    },
    machine: async (definition, properties = {}) => {
      const DefinitionString = JSON.stringify({ QueryLanguage: 'JSONata', ...definition });
      const all = { StateMachineName: 'machine', RoleArn: MACHINE_ROLE, DefinitionString, ...properties };
      return (await create('AWS::StepFunctions::StateMachine', all)).ref;
    },
    settled: () => activity.settled(),
    close: () => closeAll(service, server, clock, clients),
  };
}

const signedAs = (caller: string, server: Server): SFNClient =>
  new SFNClient({
    region: REGION,
    // The server listens on a TCP port.
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    credentials: { accessKeyId: `AKIA${caller}`, secretAccessKey: 'secret' },
    maxAttempts: 1,
  });

async function closeAll(service: StatesService, server: Server, clock: Clock, clients: SFNClient[]): Promise<void> {
  for (const client of clients) client.destroy();
  clock.stop();
  await service.stop();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}

const invoker = (functions: Map<string, TestFunction>): FunctionInvoker => ({
  invoke: async (arn, payload, caller): Promise<InvocationOutcome> => {
    const run = functions.get(arn.split(':')[6] ?? '');
    if (run === undefined) throw new ServiceError('ResourceNotFoundException', `Function not found: ${arn}`, 404);
    try {
      // Each test's function knows what its machine sends it, and machines act as roles.
      return { ok: true, payload: await run(payload as never, caller as RoleCaller) };
    } catch (error) {
      if (error instanceof AccessDenied || error instanceof ServiceError) throw error;
      const { name, message } = error as Error;
      return { ok: false, errorType: name, errorMessage: message };
    }
  },
});

/** Takes the access key of the Authorization header for the caller, without verifying the signature. */
async function answer(service: StatesService, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const caller = /Credential=AKIA([^/]+)\//.exec(request.headers.authorization ?? '')?.[1] ?? 'nobody';
  const requestId = 'request';
  const reply = await service
    .handle({
      method: request.method ?? '',
      path: request.url ?? '',
      query: new URLSearchParams(),
      headers: Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)])),
      body: request,
      caller: roleCaller(caller),
      presigned: false,
      requestId,
    })
    .catch((error: unknown) => service.renderError(asServiceError(error), { requestId }));
  // Every answer of this service is text.
  response.writeHead(reply.status, reply.headers).end(reply.body as string);
}

function asServiceError(error: unknown): ServiceError {
  if (error instanceof ServiceError) return error;
  if (error instanceof AccessDenied) return new ServiceError('AccessDeniedException', error.message);
  return new ServiceError('InternalFailure', String(error), 500);
}

/** A task that invokes the test function `name`. */
export const invokeTask = (name: string, fields: object = {}): object => ({
  Type: 'Task',
  Resource: 'arn:aws:states:::lambda:invoke',
  Arguments: { FunctionName: `arn:aws:lambda:${REGION}:${ACCOUNT}:function:${name}`, Payload: '{% $states.input %}' },
  Output: '{% $states.result.Payload %}',
  ...fields,
});

/** A callback task that hands its token to the test function `name`. */
export const callbackTask = (name: string, fields: object = {}): object => ({
  Type: 'Task',
  Resource: 'arn:aws:states:::lambda:invoke.waitForTaskToken',
  Arguments: {
    FunctionName: `arn:aws:lambda:${REGION}:${ACCOUNT}:function:${name}`,
    Payload: { token: '{% $states.context.Task.Token %}' },
  },
  ...fields,
});

type States = Readonly<Record<string, object>>;

export interface Started {
  readonly arn: string;
  readonly outcome: () => Promise<DescribeExecutionOutput>;
  /** Types of the events so far. */
  readonly types: () => string[];
}

/** Runs states as executions of a machine; the first state is the start. */
export interface Runs {
  /** Starts an execution and waits until it waits or has ended. */
  readonly start: (states: States, input?: unknown, top?: object) => Promise<Started>;
  /** Runs an execution that ends by itself to its output, or to its status, error and cause. */
  readonly output: (states: States, input?: unknown) => Promise<unknown>;
}

export function runsIn(world: StatesWorld): Runs {
  const client = world.client();
  const start: Runs['start'] = async (states, input = {}, top = {}) => {
    const [StartAt] = Object.keys(states);
    const stateMachineArn = await world.machine({ StartAt, States: states, ...top });
    const { executionArn = '' } = await client.send(
      new StartExecutionCommand({ stateMachineArn, input: JSON.stringify(input) }),
    );
    await world.settled();
    return {
      arn: executionArn,
      outcome: () => client.send(new DescribeExecutionCommand({ executionArn })),
      types: () => world.service.history(executionArn).map(({ type }) => type),
    };
  };
  return {
    start,
    output: async (states, input) => {
      const { output = 'null', status, error, cause } = await (await start(states, input)).outcome();
      return status === 'SUCCEEDED' ? (JSON.parse(output) as unknown) : { status, error, cause };
    },
  };
}

/** A function that throws an error of this name. */
export const failing = (name: string, message = 'why'): (() => never) => {
  const error = Object.assign(new Error(message), { name });
  return () => {
    throw error;
  };
};

/** The name of the error that a call ends with. */
export const errorOf = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'no error',
    (error: Error) => error.name,
  );

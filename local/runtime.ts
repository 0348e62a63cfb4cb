import { Activity } from './activity.ts';
import { type AssemblyStack, readAssembly } from './assembly.ts';
import { Clock } from './clock.ts';
import { DataDirectory, DurableClock } from './data-directory.ts';
import { Deployments } from './deployments.ts';
import { type DataDirectoryProblem, watchWrites } from './durable-file.ts';
import { Faults } from './faults.ts';
import { CallCounts } from './http/call-counts.ts';
import { FrontDoor, type Route } from './http/front-door.ts';
import { SignedCalls } from './http/signed-calls.ts';
import { authorizer } from './iam/authorize.ts';
import { type Denial, Denials } from './iam/denials.ts';
import { Probation } from './iam/probation.ts';
import { Roles } from './iam/roles.ts';
import { administratorCredentials, serviceRoleCaller, sessionCredentials } from './iam/service-roles.ts';
import { type Credentials, Sessions } from './iam/sessions.ts';
import { Meter } from './meter.ts';
import type { Host } from './service.ts';
import type { ClientCertificate } from './services/apigateway/api-gateway.ts';
import { createServices, resourceTypesOf, type ServiceSet, signedServices } from './service-set.ts';
import { TemplateProblem } from './template/problem.ts';
import { ResourceTypes } from './types.ts';

/** Obviously no real account. */
const ACCOUNT = '000000000000';
/** For an assembly that leaves the region open. */
const REGION = 'us-east-1';

export interface RuntimeOptions {
  /** Directory of the synthesised assembly, usually `cdk.out`. */
  readonly assembly: string;
  /** Port on 127.0.0.1; 0 or nothing for any free one. */
  readonly port?: number;
  /** Where state is kept between starts; without it everything is forgotten. */
  readonly dataDirectory?: string;
  /** Values of template parameters that have no default, or another than theirs. */
  readonly parameters?: Readonly<Record<string, string>>;
  /** Paths that the caller serves on the same port (a user interface, an issuer of tokens). */
  readonly routes?: Readonly<Record<string, Route>>;
  /** The certificate that a client of the API showed: stands for the mutual TLS of a domain name, which ends before this port. */
  readonly clientCertificate?: ClientCertificate;
  /** Changes a parsed template before it is loaded, for example to take one permission away. */
  readonly amend?: (stackName: string, template: Record<string, unknown>) => void;
  /** Told when the data directory cannot be written any more; by then the runtime answers nothing, and is ending. */
  readonly onStorageFailure?: (problem: DataDirectoryProblem) => void;
  /** Told of what functions write and of the runtime's own failures. */
  readonly onLog?: (line: string) => void;
}

export interface Runtime {
  /** Address of the port, for example `http://127.0.0.1:4566`. */
  readonly url: string;
  readonly account: string;
  readonly region: string;
  readonly clock: Clock;
  readonly activity: Activity;
  readonly meter: Meter;
  /** The same counts by name of the calling role. */
  readonly callers: CallCounts;
  readonly faults: Faults;
  /** Outputs of each stack, by its name. */
  readonly outputs: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly services: Omit<ServiceSet, 'sts'>;
  /** The latest refusals, oldest first. */
  denials(): readonly Denial[];
  /** Takes permissions away until something misses them. */
  readonly probation: Probation;
  /** Credentials to call as a role of the template. @throws when there is no such role */
  credentialsFor(roleArnOrName: string): Credentials;
  /**
   * Deploys another assembly of the same stacks while everything goes on; parameters stay. What the runtime cannot change as AWS would is
   * refused before anything is. @throws {TemplateProblem}
   */
  deploy(next: Pick<RuntimeOptions, 'assembly' | 'amend'>): Promise<void>;
  /** Resolves once nothing is under way. */
  settled(): Promise<void>;
  /** Ends everything and gives the data directory free. */
  stop(): Promise<void>;
}

/** The one value that all stacks share; `fallback` when none names any. */
function common(stacks: readonly AssemblyStack[], name: 'account' | 'region', fallback: string): string {
  const values = new Set(stacks.map((stack) => stack[name]).filter((value) => value !== undefined));
  if (values.size > 1)
    throw new TemplateProblem(
      `the stacks have more than one ${name} (${[...values].join(', ')}); the local runtime is one`,
    );
  return [...values][0] ?? fallback;
}

const noted = (): void => undefined;

/** Writes failures of the runtime itself, as opposed to what functions write. */
const failureLog =
  (log: (line: string) => void) =>
  (error: unknown): void => {
    log(`local runtime: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  };

/** Everything that must be ended, in order, also when the start fails half way. */
class Ending {
  #steps: (() => unknown)[] = [];

  /** What was begun last ends first. */
  first(step: () => unknown): void {
    this.#steps.unshift(step);
  }

  async run(): Promise<void> {
    const failures: unknown[] = [];
    for (const step of this.#steps.splice(0))
      try {
        await step();
      } catch (error) {
        failures.push(error);
      }
    if (failures.length > 0) throw failures[0];
  }
}

/**
 * Starts an application from its synthesised assembly and listens on 127.0.0.1.
 * @throws {TemplateProblem} naming what of the templates cannot be run; {@link DataDirectoryProblem}
 */
export async function startRuntime(options: RuntimeOptions): Promise<Runtime> {
  const ending = new Ending();
  try {
    return await start(options, ending);
  } catch (error) {
    // What went wrong first is what matters.
    await ending.run().catch(() => undefined);
    throw error;
  }
}

/** Who may do what: everything that a host's `authorize` looks at. */
interface Identity {
  readonly roles: Roles;
  readonly sessions: Sessions;
  readonly denials: Denials;
  readonly probation: Probation;
  readonly credentialsFor: ReturnType<typeof sessionCredentials>;
}

/** What a runtime consists of, before anything of the templates is created. */
interface Frame {
  readonly host: Host;
  readonly identity: Identity;
  readonly services: ServiceSet;
  readonly deployments: Deployments;
  readonly door: FrontDoor;
  readonly callers: CallCounts;
  readonly log: (line: string) => void;
}

function stacksOf({ assembly, amend }: Pick<RuntimeOptions, 'assembly' | 'amend'>): readonly AssemblyStack[] {
  const stacks = readAssembly(assembly);
  for (const { name, template } of stacks) amend?.(name, template);
  return stacks;
}

async function start(options: RuntimeOptions, ending: Ending): Promise<Runtime> {
  const stacks = stacksOf(options);
  const frame = await buildFrame(stacks, options, ending);
  const { host, identity, services, deployments, callers } = frame;
  await deployments.deploy(stacks);
  openDoor(frame, options.routes ?? {});
  services.lambda.start();
  services.events.start();
  await services.states.recover();
  return {
    url: host.endpoint(),
    account: host.account,
    region: host.region,
    clock: host.clock,
    activity: host.activity,
    meter: host.meter,
    callers,
    faults: host.faults,
    outputs: deployments.outputs,
    services,
    deploy: (next) => deployments.deploy(stacksOf(next)),
    denials: () => identity.denials.read(),
    probation: identity.probation,
    credentialsFor: (role) => identity.credentialsFor(role, 'local'),
    settled: () => host.activity.settled(),
    stop: () => ending.run(),
  };
}

async function buildFrame(
  stacks: readonly AssemblyStack[],
  { dataDirectory, port = 0, onLog, onStorageFailure, clientCertificate, parameters = {} }: RuntimeOptions,
  ending: Ending,
): Promise<Frame> {
  const log = onLog ?? (() => undefined);
  const activity = new Activity();
  const settled = (): Promise<void> => activity.settled();
  const data =
    dataDirectory === undefined
      ? undefined
      : new DataDirectory(dataDirectory, stacks.map(({ name }) => name).join(' and '));
  ending.first(() => data?.release());
  const clock = data === undefined ? new Clock(settled) : new DurableClock(settled, data.path);
  ending.first(() => {
    clock.stop();
  });
  // The port is taken before anything is created: functions and queues are told its address.
  const door = new FrontDoor(clock, failureLog(log));
  const url = `http://127.0.0.1:${await door.listen(port)}`;
  ending.first(() => door.close());
  if (data !== undefined) {
    const forget = watchWrites(data.path, (problem) => {
      // Told once; what still fails while everything ends follows from it.
      forget();
      log(`local runtime: ${problem.message}`);
      void door.close();
      void ending
        .run()
        .then(noted, noted)
        .then(() => onStorageFailure?.(problem));
    });
    ending.first(forget);
  }

  const region = common(stacks, 'region', REGION);
  const [roles, sessions, denials] = [new Roles(), new Sessions(clock), new Denials()];
  const probation = new Probation(roles);
  const host: Host = {
    account: common(stacks, 'account', ACCOUNT),
    region,
    clock,
    activity,
    meter: new Meter(),
    faults: new Faults(),
    authorize: authorizer({ roles, sessions, denials, probation, clock, region }),
    dataDirectory: data?.path,
    endpoint: () => url,
  };
  const credentialsFor = sessionCredentials(roles, sessions);
  const roleCaller = serviceRoleCaller(host, roles);
  const parts = { roles, sessions, credentialsFor, roleCaller, clientCertificate };
  const services = await createServices(host, parts, { template: (name) => deployments.template(name) });
  const types = new ResourceTypes([...roles.types, ...resourceTypesOf(services)]);
  const deployments = new Deployments(host, types, parameters);
  ending.first(() => stopServices(services));
  services.lambda.onLog(({ functionName, level, message }) => {
    log(`${functionName} ${level} ${message}`);
  });
  const identity = { roles, sessions, denials, probation, credentialsFor };
  return { host, identity, services, deployments, door, callers: new CallCounts(), log };
}

function openDoor(
  { host, identity, services, door, callers, log }: Frame,
  routes: Readonly<Record<string, Route>>,
): void {
  const calls = new SignedCalls({
    host,
    services: signedServices(services),
    sessions: identity.sessions,
    callers,
    crashCaller: (accessKeyId) => {
      services.lambda.crashCaller(accessKeyId);
    },
    eventOf: (accessKeyId) => services.lambda.eventOf(accessKeyId),
    onError: failureLog(log),
  });
  const view = {
    clock: host.clock,
    meter: host.meter,
    callers,
    denials: () => identity.denials.read(),
    executions: () => services.states.executions(),
    region: host.region,
    credentials: administratorCredentials(host.account, identity.roles, identity.sessions),
    outbox: services.ses.outbox,
  };
  door.open({ routes, api: services.api, calls, view });
}

async function stopServices(services: ServiceSet): Promise<void> {
  // Functions call the others, so they end first.
  await services.lambda.stop();
  for (const service of signedServices(services)) await service.stop?.();
}

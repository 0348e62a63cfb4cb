import { randomUUID } from 'node:crypto';
import { AccessDenied, type RoleCaller, type ServiceCaller } from '../../iam/policy.ts';
import type { FunctionInvoker, InvocationOutcome, KeyUse, QueueSink, RoleCallerFor, TableStream } from '../../ports.ts';
import type { ResourceType } from '../../resource.ts';
import { type Host, ServiceError } from '../../service.ts';
import { eventSourceMappingType } from './event-source-mapping.ts';
import { type FunctionConfiguration, instanceEnvironment, type InstanceCredentials } from './function-configuration.ts';
import { FunctionInstance } from './function-instance.ts';
import { FunctionLog, type LogLine } from './function-log.ts';
import { FunctionRegistry, type FunctionTarget, type RegisteredFunction } from './function-registry.ts';
import { functionType, functionTypes } from './function-types.ts';
import { InstancePool } from './instance-pool.ts';
import type { StreamPoller } from './stream-poller.ts';

export interface LambdaDependencies {
  readonly credentialsFor: (roleArn: string, sessionName: string) => InstanceCredentials;
  readonly roleCaller: RoleCallerFor;
  readonly keys: KeyUse;
  readonly stream: (arn: string) => TableStream | undefined;
  readonly queue: QueueSink;
  /** The name of the application's API, once it has one. */
  readonly apiName: () => string | undefined;
}

/** https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html#function-configuration-deployment-and-execution */
const LARGEST_REQUEST = 6_291_456;

/** Functions, each run by workers of its own, with versions, aliases, permissions and event source mappings. */
export class LambdaService implements FunctionInvoker {
  readonly types: ResourceType[];
  readonly #host: Host;
  readonly #deps: LambdaDependencies;
  readonly #registry: FunctionRegistry;
  readonly #log = new FunctionLog();
  readonly #pollers: StreamPoller[] = [];
  #started = false;

  constructor(host: Host, deps: LambdaDependencies) {
    this.#host = host;
    this.#deps = deps;
    this.#registry = new FunctionRegistry(host.dataDirectory);
    this.types = [
      functionType({
        add: (configuration) => this.#add(configuration),
        change: (configuration) => this.#change(configuration),
        remove: async (name) => this.#registry.remove(name)?.pool.stop(),
      }),
      ...functionTypes(this.#registry),
      eventSourceMappingType(host, {
        registry: this.#registry,
        ...deps,
        run: (target, payload) => this.#run(target, payload),
        add: (poller) => this.#addPoller(poller),
        report: (functionName, message) =>
          this.#log.write({
            functionName,
            requestId: undefined,
            level: 'ERROR',
            message,
            line: message,
            time: host.clock.now(),
          }),
      }),
    ];
  }

  /**
   * Runs a function and waits for its outcome. Errors of the function are outcomes; what Lambda itself refuses is thrown:
   * `AccessDenied`, `ResourceNotFoundException`, `TooManyRequestsException`, `RequestTooLargeException`, `KMSAccessDeniedException`,
   * `ServiceException`. https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
   */
  async invoke(functionArn: string, payload: unknown, caller: RoleCaller | ServiceCaller): Promise<InvocationOutcome> {
    const target = this.#registry.find(functionArn);
    this.#host.authorize({
      caller,
      action: 'lambda:InvokeFunction',
      resource: target.arn,
      resourcePolicy: this.#registry.policyOf(target),
      ...(caller.kind === 'service' && {
        mode: 'required' as const,
        context: { 'aws:SourceArn': caller.sourceArn, 'aws:SourceAccount': caller.account },
      }),
    });
    this.#interfere(caller, 'before', payload);
    const outcome = await this.#run(target, payload);
    this.#interfere(caller, 'after', payload);
    return outcome;
  }

  /**
   * Runs a function for a caller at the front door, which counts the call and knows of faults. Authorization comes before existence, which
   * an unauthorized caller must not learn. Throws as {@link invoke}.
   */
  async call(
    functionArn: string,
    payload: unknown,
    caller: RoleCaller,
  ): Promise<{ readonly version: string; readonly outcome: InvocationOutcome }> {
    const known = this.#registry.lookup(functionArn);
    this.#host.authorize({
      caller,
      action: 'lambda:InvokeFunction',
      resource: functionArn,
      ...(known !== undefined && { resourcePolicy: this.#registry.policyOf(known) }),
    });
    const target = this.#registry.find(functionArn);
    return { version: target.version, outcome: await this.#perform(target, eventOf(payload)) };
  }

  /** Starts one instance of every function that has none, so that the first calls do not wait for code to load. */
  async warm(): Promise<void> {
    await Promise.all([...this.#registry.all()].map(({ pool }) => pool.warm('$LATEST')));
  }

  /** Calls back with every line a function writes. Returns a function that ends the subscription. */
  onLog(listener: (line: LogLine) => void): () => void {
    return this.#log.onLog(listener);
  }

  /** The most recent lines of all functions, oldest first. */
  logs(): readonly LogLine[] {
    return this.#log.lines();
  }

  /** Sets a function's clock `milliseconds` apart from the runtime's, for instances that run as well as for new ones. */
  skew(functionName: string, milliseconds: number): void {
    this.#registry.find(functionName).function.skew[0] = milliseconds;
  }

  /** Ends every instance that runs under the role, as a crash would. */
  crash(roleName: string): void {
    for (const instance of this.#instances())
      if (instance.settings.configuration.roleArn.endsWith(`/${roleName}`)) instance.crash();
  }

  /** Ends the instance that holds these credentials, as a crash would. Returns whether there was one. */
  crashCaller(accessKeyId: string): boolean {
    const instance = this.#holderOf(accessKeyId);
    instance?.crash();
    return instance !== undefined;
  }

  /** What the instance that holds these credentials was invoked with last; undefined when there is no such instance. */
  eventOf(accessKeyId: string): string | undefined {
    return this.#holderOf(accessKeyId)?.event;
  }

  /**
   * Begins to read the streams. To be called once the whole template exists: what a function calls may be created after its mapping.
   */
  start(): void {
    this.#registry.versions.settle();
    this.#started = true;
    for (const poller of this.#pollers) poller.start();
  }

  async stop(): Promise<void> {
    for (const poller of this.#pollers) poller.stop();
    await Promise.all([...this.#registry.all()].map(({ pool }) => pool.stop()));
  }

  /** What is published stays as it is; what is under way ends as it began. */
  #change(configuration: FunctionConfiguration): void {
    this.#deps.roleCaller(configuration.roleArn, 'lambda.amazonaws.com', configuration.name);
    const changed = this.#registry.find(configuration.name).function;
    changed.configuration = configuration;
    changed.pool.retire('$LATEST');
  }

  #add(configuration: FunctionConfiguration): void {
    // Throws unless the role trusts Lambda. https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html
    this.#deps.roleCaller(configuration.roleArn, 'lambda.amazonaws.com', configuration.name);
    const skew = new Float64Array(new SharedArrayBuffer(8));
    const registered: RegisteredFunction = {
      configuration,
      skew,
      pool: new InstancePool(
        () => registered.configuration.reservedConcurrency,
        (version) => this.#start(this.#registry.configurationOf(registered, version), version, skew),
      ),
      aliases: new Map(),
      statements: new Map(),
    };
    this.#registry.add(registered);
  }

  #addPoller(poller: StreamPoller): void {
    this.#pollers.push(poller);
    if (this.#started) poller.start();
  }

  #start(configuration: FunctionConfiguration, version: string, skew: Float64Array): FunctionInstance {
    this.#decryptEnvironment(configuration);
    const credentials = this.#deps.credentialsFor(configuration.roleArn, configuration.name);
    const apiName = this.#deps.apiName();
    return new FunctionInstance({
      configuration,
      version,
      credentials,
      environment: instanceEnvironment(configuration, version, credentials, this.#host),
      clock: this.#host.clock.shared,
      skew,
      names: apiName === undefined ? {} : { [apiName]: Number(new URL(this.#host.endpoint()).port) },
      onLog: this.#logOf(configuration, `${version}/${credentials.accessKeyId}`),
    });
  }

  /**
   * Where an instance's lines go: Lambda writes them as the function's role, and loses them when it may not.
   * https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html
   */
  #logOf({ roleArn, name, logGroup }: FunctionConfiguration, stream: string): (line: LogLine) => void {
    const { region, account } = this.#host;
    const resource = `arn:aws:logs:${region}:${account}:log-group:${logGroup}:log-stream:${stream}`;
    const caller = this.#deps.roleCaller(roleArn, 'lambda.amazonaws.com', name);
    const may = (action: string): boolean => {
      try {
        this.#host.authorize({ caller, action, resource });
        return true;
      } catch (error) {
        if (error instanceof AccessDenied) return false;
        throw error;
      }
    };
    let created = false;
    return (line) => {
      created ||= may('logs:CreateLogStream');
      if (created && may('logs:PutLogEvents')) this.#log.write(line);
    };
  }

  /** https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars-encryption.html */
  #decryptEnvironment({ kmsKeyArn, roleArn, name, arn, variables }: FunctionConfiguration): void {
    if (kmsKeyArn === undefined || Object.keys(variables).length === 0) return;
    try {
      this.#deps.keys.assertUsable({
        caller: this.#deps.roleCaller(roleArn, 'lambda.amazonaws.com', name),
        keyId: kmsKeyArn,
        actions: ['kms:Decrypt'],
        viaService: 'lambda',
        encryptionContext: { 'aws:lambda:FunctionArn': arn },
      });
    } catch (error) {
      throw new ServiceError(
        'KMSAccessDeniedException',
        `Lambda was unable to decrypt the environment variables because KMS access was denied. Please check the function's KMS key settings. KMS Message: ${String(error)}`,
        502,
      );
    }
  }

  #run(target: FunctionTarget, payload: unknown): Promise<InvocationOutcome> {
    return this.#perform(target, eventOf(payload));
  }

  #perform(target: FunctionTarget, event: string): Promise<InvocationOutcome> {
    const invocation = { requestId: randomUUID(), event, functionArn: target.arn };
    const { meter, activity } = this.#host;
    const { name } = target.function.configuration;
    const run = async (instance: FunctionInstance): Promise<InvocationOutcome> => {
      const begun = performance.now();
      const outcome = await instance.invoke(invocation);
      meter.count('lambda milliseconds', name, performance.now() - begun);
      return outcome;
    };
    meter.count('lambda invocations', name);
    return activity.track(target.function.pool.use(target.version, run));
  }

  /** A call to Lambda does not pass the front door, so the faults are asked here. */
  #interfere(caller: RoleCaller | ServiceCaller, moment: 'before' | 'after', payload: unknown): void {
    const fault = this.#host.faults.at({
      service: 'lambda',
      operation: 'Invoke',
      caller: caller.kind === 'role' ? caller.roleName : caller.principal,
      moment,
      request: JSON.stringify(payload ?? null),
      instance: undefined,
    });
    if (fault === undefined) return;
    throw fault === 'throttle'
      ? new ServiceError('TooManyRequestsException', 'Rate Exceeded.', 429, { Reason: 'CallerRateLimitExceeded' })
      : new ServiceError('ServiceException', 'The Lambda service encountered an internal error.', 500);
  }

  #holderOf(accessKeyId: string): FunctionInstance | undefined {
    return this.#instances().find(({ settings }) => settings.credentials.accessKeyId === accessKeyId);
  }

  #instances(): FunctionInstance[] {
    return [...this.#registry.all()].flatMap(({ pool }) => pool.instances());
  }
}

/** The payload as a function is given it. Throws `RequestTooLargeException`. */
function eventOf(payload: unknown): string {
  const event = JSON.stringify(payload ?? null);
  const bytes = Buffer.byteLength(event);
  if (bytes <= LARGEST_REQUEST) return event;
  throw new ServiceError(
    'RequestTooLargeException',
    `${bytes} byte payload is too large for the RequestResponse invocation type (limit ${LARGEST_REQUEST} bytes)`,
    413,
  );
}

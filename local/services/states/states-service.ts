import type { EventSink, FunctionInvoker, KeyUse, RoleCallerFor } from '../../ports.ts';
import type { ResourceType } from '../../resource.ts';
import {
  type Host,
  jsonError,
  jsonResponse,
  jsonTarget,
  notImplemented,
  readBody,
  type Service,
  type ServiceError,
  type ServiceRequest,
  type ServiceResponse,
} from '../../service.ts';
import { MachineEncryption } from './encryption.ts';
import { Executions, RETENTION } from './executions.ts';
import type { HistoryEvent } from './history.ts';
import { type ExecutionStatus, forgetfulJournal, type Journal, openJournal } from './journal.ts';
import { Machines } from './machines.ts';
import { operations } from './operations.ts';
import { Parameters } from './parameters.ts';
import { stateMachineTypes } from './resources.ts';
import { TaskTokens } from './tokens.ts';

/** Requests are at most 1 MB. https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html */
const LARGEST_REQUEST = 1024 * 1024;

/** An execution as tests and demonstrations look at it; dates in milliseconds since the epoch. */
export interface ExecutionSummary {
  readonly arn: string;
  readonly name: string;
  readonly status: ExecutionStatus;
  readonly startDate: number;
  readonly stopDate: number | undefined;
}

/**
 * Step Functions: Standard workflows written in JSONata, whose tasks invoke Lambda functions.
 * https://docs.aws.amazon.com/step-functions/latest/apireference/Welcome.html
 */
export class StatesService implements Service {
  readonly signingName = 'states';
  readonly types: ResourceType[];
  readonly #host: Host;
  readonly #journal: Journal;
  readonly #machines = new Machines();
  readonly #executions: Executions;
  readonly #tokens: TaskTokens;
  readonly #encryption: MachineEncryption;

  constructor(
    host: Host,
    deps: {
      readonly functions: FunctionInvoker;
      readonly keys: KeyUse;
      readonly roleCaller: RoleCallerFor;
      readonly publish: EventSink;
    },
  ) {
    this.#host = host;
    this.types = stateMachineTypes(host, this.#machines);
    this.#journal =
      host.dataDirectory === undefined
        ? forgetfulJournal()
        : openJournal(host.dataDirectory, host.clock.now() - RETENTION);
    this.#tokens = new TaskTokens(this.#journal.secret);
    this.#encryption = new MachineEncryption(deps.keys, () => host.clock.now());
    this.#executions = new Executions({
      host,
      functions: deps.functions,
      roleCaller: deps.roleCaller,
      publish: deps.publish,
      tokens: this.#tokens,
      encryption: this.#encryption,
      journal: this.#journal,
    });
  }

  async handle(request: ServiceRequest): Promise<ServiceResponse> {
    const name = this.operationOf(request);
    const operation = name === undefined ? undefined : operations[name];
    if (name === undefined || operation === undefined)
      throw notImplemented(`the Step Functions operation ${name ?? '(none)'}`);
    const parameters = new Parameters(name, await readBody(request.body, LARGEST_REQUEST));
    const answer = operation(parameters, request.caller, {
      host: this.#host,
      machines: this.#machines,
      executions: this.#executions,
      tokens: this.#tokens,
      encryption: this.#encryption,
    });
    return jsonResponse(answer, '1.0');
  }

  renderError(error: ServiceError, _request: { readonly requestId: string }): ServiceResponse {
    return jsonError(error, '1.0');
  }

  operationOf(request: Pick<ServiceRequest, 'headers'>): string | undefined {
    return request.headers['x-amz-target']?.startsWith('AWSStepFunctions.') === true ? jsonTarget(request) : undefined;
  }

  /**
   * Called once, after every resource was created: executions that were running when the process died become `ABORTED`, and their
   * status change is published, because nothing of them is left that could go on.
   */
  recover(): Promise<void> {
    this.#executions.recover();
    return Promise.resolve();
  }

  /** All executions that are known, the most recently started first. */
  executions(): ExecutionSummary[] {
    return this.#executions
      .list()
      .map(({ arn, name, status, startDate, stopDate }) => ({ arn, name, status, startDate, stopDate }));
  }

  /** The events of an execution that this process started; empty for any other. */
  history(executionArn: string): readonly HistoryEvent[] {
    return this.#executions.find(executionArn)?.execution?.history.events ?? [];
  }

  /** Makes an execution unknown, as 90 days after its end; one that runs ends without an event. Throws `ExecutionDoesNotExist`. */
  forget(executionArn: string): void {
    this.#executions.forget(executionArn);
  }

  stop(): Promise<void> {
    this.#journal.close();
    return Promise.resolve();
  }
}

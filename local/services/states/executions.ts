import { createHash, randomUUID } from 'node:crypto';
import type { EventSink, RoleCallerFor } from '../../ports.ts';
import type { Host } from '../../service.ts';
import { executionAlreadyExists, executionDoesNotExist } from './api-errors.ts';
import { Execution } from './execution.ts';
import { Interpreter, type InterpreterDeps } from './interpreter.ts';
import type { ExecutionRecord, Journal } from './journal.ts';
import type { Target } from './machines.ts';
import { type ExecutionData, statusChange } from './status-event.ts';

export interface ExecutionsDeps extends InterpreterDeps {
  readonly host: Host;
  readonly journal: Journal;
  readonly roleCaller: RoleCallerFor;
  readonly publish: EventSink;
}

/** Closed executions, and their names, are kept this long. https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html */
export const RETENTION = 90 * 24 * 3600 * 1000;

/** An execution runs for at most a year. */
const LONGEST_SECONDS = 365 * 24 * 3600;

/** An execution that this runtime started, or the record of one from before it was started. */
export interface Known {
  readonly record: ExecutionRecord;
  readonly execution: Execution | undefined;
}

/** All executions, by ARN. */
export class Executions {
  readonly #deps: ExecutionsDeps;
  #known = new Map<string, Known>();

  constructor(deps: ExecutionsDeps) {
    this.#deps = deps;
    for (const record of deps.journal.earlier.values()) this.#known.set(record.arn, { record, execution: undefined });
  }

  /**
   * Starts an execution; a repeated start of a running one, with the same name and input, gives that one.
   * Throws `ExecutionAlreadyExists`, `KmsAccessDeniedException`, `KmsInvalidStateException`, or `AccessDenied` when the role cannot be assumed.
   * https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
   */
  start(target: Target, name: string = randomUUID(), input = '{}'): ExecutionRecord {
    const { host, encryption, journal } = this.#deps;
    const arn = `${target.machine.arn.replace(':stateMachine:', ':execution:')}:${name}`;
    const inputHash = createHash('sha256').update(input).digest('hex');
    const existing = this.find(arn)?.record;
    if (existing?.status === 'RUNNING' && existing.inputHash === inputHash) return existing;
    if (existing !== undefined) throw executionAlreadyExists(arn);
    const { roleArn, encryption: key } = target.revision;
    // A session name has at most 64 characters.
    const role = this.#deps.roleCaller(roleArn, 'states.amazonaws.com', name.slice(0, 64), target.machine.arn);
    const actions = ['kms:GenerateDataKey', 'kms:Decrypt'] as const;
    encryption.askForRole({ machineArn: target.machine.arn, encryption: key, role, actions });
    const record: ExecutionRecord = {
      arn,
      name,
      machineArn: target.machine.arn,
      versionArn: target.versionArn,
      aliasArn: target.aliasArn,
      inputHash,
      startDate: host.clock.now(),
      status: 'RUNNING',
      stopDate: undefined,
    };
    journal.started(record);
    this.#run(new Execution(host, { record, target, role, input }, (execution) => this.#closed(execution)));
    return record;
  }

  #run(execution: Execution): void {
    const { record, target, input, role } = execution;
    this.#known.set(record.arn, { record, execution });
    execution.history.add('ExecutionStarted', {
      executionStartedEventDetails: {
        input,
        inputDetails: { truncated: false },
        roleArn: role.roleArn,
        stateMachineAliasArn: target.aliasArn,
        stateMachineVersionArn: target.versionArn,
      },
    });
    this.#publish(record, execution.data);
    const seconds = Math.min(target.revision.definition.TimeoutSeconds ?? LONGEST_SECONDS, LONGEST_SECONDS);
    execution.at(record.startDate + seconds * 1000, () => {
      execution.resume();
      execution.close({ status: 'TIMED_OUT' });
    });
    void new Interpreter(execution, this.#deps).run();
  }

  /** Undefined for an execution that never was, or that was closed more than 90 days ago. */
  find(arn: string): Known | undefined {
    const known = this.#known.get(arn);
    if (known?.record.stopDate === undefined || known.record.stopDate >= this.#deps.host.clock.now() - RETENTION)
      return known;
    this.#known.delete(arn);
    return undefined;
  }

  /** Throws `ExecutionDoesNotExist`. */
  get(arn: string): Known {
    const known = this.find(arn);
    if (known === undefined) throw executionDoesNotExist(arn);
    return known;
  }

  /** The most recently started first. */
  list(): readonly ExecutionRecord[] {
    return [...this.#known.keys()].flatMap((arn) => this.find(arn)?.record ?? []).reverse();
  }

  /** Every execution that was running when an earlier process died becomes `ABORTED`, and its event is published. */
  recover(): void {
    for (const { record, execution } of this.#known.values()) {
      if (execution === undefined && record.status === 'RUNNING') this.abortEarlier(record);
    }
  }

  /** Closes an execution of an earlier process: nothing of it is left that could go on. */
  abortEarlier(record: ExecutionRecord): void {
    record.status = 'ABORTED';
    record.stopDate = this.#deps.host.clock.now();
    this.#deps.journal.ended(record.arn, record.status, record.stopDate);
    this.#publish(record, undefined);
  }

  /**
   * Ends an execution without a word and makes it unknown, as one that was closed longer ago than executions are kept.
   * Throws `ExecutionDoesNotExist`.
   */
  forget(arn: string): void {
    const { execution } = this.get(arn);
    this.#known.delete(arn);
    execution?.close({ status: 'ABORTED' });
    this.#deps.journal.ended(arn, 'ABORTED', 0);
  }

  #closed(execution: Execution): void {
    const { record } = execution;
    if (!this.#known.has(record.arn)) return;
    this.#deps.journal.ended(record.arn, record.status, record.stopDate ?? this.#deps.host.clock.now());
    this.#publish(record, execution.data);
  }

  #publish(record: ExecutionRecord, data: ExecutionData | undefined): void {
    const encrypted = this.#known.get(record.arn)?.execution?.target.revision.encryption !== undefined;
    this.#deps.publish(statusChange(record, encrypted ? undefined : data));
  }
}

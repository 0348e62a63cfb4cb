import type { ChoiceState, FailState, Json, State, TaskState, WaitState } from './definition.ts';
import type { MachineEncryption } from './encryption.ts';
import type { Execution } from './execution.ts';
import { invocationOf } from './invocation.ts';
import { MOST_SECONDS } from './parse-fields.ts';
import { Retries } from './retries.ts';
import { StateError } from './state-error.ts';
import { type AttemptDeps, Callback, TaskAttempt } from './task-attempt.ts';
import { parseTimestamp } from './timestamp.ts';
import { type Transition, Visit } from './visit.ts';

export interface InterpreterDeps extends AttemptDeps {
  readonly encryption: MachineEncryption;
}

/** Of all variables of an execution. https://docs.aws.amazon.com/step-functions/latest/dg/workflow-variables.html */
const VARIABLES_LIMIT = 10 * 1024 * 1024;

/** Runs one execution to its end. An error of a state ends the execution; the returned promise does not reject for it. */
export class Interpreter {
  readonly #execution: Execution;
  readonly #deps: InterpreterDeps;
  #variables: Readonly<Record<string, Json>> = {};

  constructor(execution: Execution, deps: InterpreterDeps) {
    this.#execution = execution;
    this.#deps = deps;
  }

  async run(): Promise<void> {
    try {
      let name = this.#execution.target.revision.definition.StartAt;
      // Checked to be JSON when the execution was started.
      let input = JSON.parse(this.#execution.input) as Json;
      for (;;) {
        const { next, output, assigned } = await this.#visit(name, input);
        this.#assign(assigned);
        if (next === undefined) {
          this.#execution.close({ status: 'SUCCEEDED', output: JSON.stringify(output) });
          return;
        }
        [name, input] = [next, output];
      }
    } catch (error) {
      const failure = error instanceof StateError ? error : new StateError('States.Runtime', String(error));
      this.#execution.close({ status: 'FAILED', error: failure.error, cause: failure.explanation });
    }
  }

  #assign(assigned: Readonly<Record<string, Json>>): void {
    if (Object.keys(assigned).length === 0) return;
    this.#variables = { ...this.#variables, ...assigned };
    if (Buffer.byteLength(JSON.stringify(this.#variables)) > VARIABLES_LIMIT) {
      throw new StateError(
        'States.DataLimitExceeded',
        'The variables have a size exceeding the maximum number of bytes service limit.',
      );
    }
  }

  async #visit(name: string, input: Json): Promise<Transition> {
    const state = this.#execution.target.revision.definition.States.get(name);
    if (state === undefined) throw new StateError('States.Runtime', `There is no state ${name}`);
    this.#assertMayGoOn();
    this.#deps.host.meter.count('states', 'StateEntered');
    const visit = new Visit(this.#execution, this.#variables, name, state.Type, input);
    const transition = await this.#enter(state, visit);
    // What the state came to is encrypted, too; it may have waited long.
    this.#assertMayGoOn();
    this.#execution.history.add(`${state.Type}StateExited`, { stateExitedEventDetails: exited(name, transition) });
    return transition;
  }

  /** The history has room, and the role may (still) use the machine's key. */
  #assertMayGoOn(): void {
    const { history, target, role } = this.#execution;
    if (history.full) {
      throw new StateError('States.Runtime', 'The execution reached the maximum number of history events (25000).');
    }
    const actions = ['kms:GenerateDataKey', 'kms:Decrypt'] as const;
    const { encryption } = target.revision;
    this.#deps.encryption.assertUsableByRole({ machineArn: target.machine.arn, encryption, role, actions });
  }

  #enter(state: State, visit: Visit): Promise<Transition> {
    switch (state.Type) {
      case 'Task':
        return this.#task(state, visit);
      case 'Choice':
        return this.#choice(state, visit);
      case 'Wait':
        return this.#wait(state, visit);
      case 'Pass':
        return visit.leave(state, state.Next, visit.input);
      case 'Succeed':
        return visit.leave(state, undefined, visit.input);
      case 'Fail':
        return this.#fail(state, visit);
    }
  }

  async #choice(state: ChoiceState, visit: Visit): Promise<Transition> {
    for (const [index, rule] of state.Choices.entries()) {
      if (await visit.evaluateTyped(rule.Condition, `Choices[${index}]/Condition`, 'a boolean', isBoolean)) {
        return visit.leave(rule, rule.Next, visit.input, {}, `Choices[${index}]/`);
      }
    }
    if (state.Default !== undefined) return visit.leave(state, state.Default, visit.input);
    // Reported as States.Runtime: https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
    const reason = 'Failed to transition out of the state. The state does not point to a next state.';
    throw visit.located('States.Runtime', reason);
  }

  async #wait(state: WaitState, visit: Visit): Promise<Transition> {
    const until = await waitEnd(state, visit);
    await this.#execution.alive(this.#execution.sleepUntil(until));
    return visit.leave(state, state.Next, visit.input);
  }

  async #fail(state: FailState, visit: Visit): Promise<never> {
    const error =
      state.Error === undefined ? undefined : await visit.evaluateTyped(state.Error, 'Error', 'a string', isString);
    const cause =
      state.Cause === undefined ? undefined : await visit.evaluateTyped(state.Cause, 'Cause', 'a string', isString);
    this.#execution.close({ status: 'FAILED', error, cause });
    return this.#execution.alive(Promise.reject(new Error('the execution is closed')));
  }

  async #task(state: TaskState, visit: Visit): Promise<Transition> {
    const retries = new Retries(state.Retry);
    for (;;) {
      try {
        const result = await this.#attempt(state, visit);
        return await visit.leave(state, state.Next, result, { result });
      } catch (error) {
        if (!(error instanceof StateError)) throw error;
        const delay = retries.next(error);
        if (delay === undefined) return await caught(state, error, visit);
        await this.#execution.alive(this.#execution.sleepUntil(this.#execution.now() + delay));
        this.#assertMayGoOn();
        visit.retryCount = retries.count;
        // Retries are billed as state transitions.
        this.#deps.host.meter.count('states', 'StateRetried');
      }
    }
  }

  async #attempt(state: TaskState, visit: Visit): Promise<Json> {
    const callback = state.waitForTaskToken ? new Callback(this.#execution, this.#deps.tokens) : undefined;
    visit.token = callback?.token;
    try {
      const { region, account } = this.#deps.host;
      const parameters =
        state.Arguments === undefined ? visit.input : await visit.evaluate(state.Arguments, 'Arguments');
      const timeoutSeconds = await visit.evaluateTyped(state.TimeoutSeconds, 'TimeoutSeconds', POSITIVE, isSeconds(1));
      const heartbeatSeconds =
        state.HeartbeatSeconds === undefined
          ? undefined
          : await visit.evaluateTyped(state.HeartbeatSeconds, 'HeartbeatSeconds', POSITIVE, isSeconds(1));
      const invocation = invocationOf(parameters, region, account);
      const options = { invocation, callback, timeoutSeconds, heartbeatSeconds };
      return await this.#execution.alive(new TaskAttempt(this.#execution, this.#deps, options).run());
    } finally {
      callback?.close();
    }
  }
}

async function caught(state: TaskState, error: StateError, visit: Visit): Promise<Transition> {
  const index = state.Catch.findIndex((candidate) => error.matches(candidate.ErrorEquals));
  const catcher = state.Catch[index];
  if (catcher === undefined) throw error;
  return visit.leave(catcher, catcher.Next, error.output, { errorOutput: error.output }, `Catch[${index}]/`);
}

async function waitEnd(state: WaitState, visit: Visit): Promise<number> {
  if (state.Timestamp !== undefined) {
    const timestamp = await visit.evaluateTyped(state.Timestamp, 'Timestamp', 'an RFC 3339 timestamp', isTimestamp);
    return parseTimestamp(timestamp) ?? visit.enteredTime;
  }
  const expected = `an integer from 0 to ${MOST_SECONDS}`;
  const seconds = await visit.evaluateTyped(state.Seconds ?? 0, 'Seconds', expected, isSeconds(0));
  return visit.enteredTime + seconds * 1000;
}

const POSITIVE = `an integer from 1 to ${MOST_SECONDS}`;

const isBoolean = (value: Json): value is boolean => typeof value === 'boolean';
const isString = (value: Json): value is string => typeof value === 'string';
const isTimestamp = (value: Json): value is string => isString(value) && parseTimestamp(value) !== undefined;
const isSeconds =
  (least: number) =>
  (value: Json): value is number =>
    typeof value === 'number' && Number.isInteger(value) && value >= least && value <= MOST_SECONDS;

const exited = (name: string, { output, assigned }: Transition): Record<string, unknown> => {
  const variables = Object.entries(assigned).map(([variable, value]) => [variable, JSON.stringify(value)]);
  return {
    name,
    output: JSON.stringify(output),
    outputDetails: { truncated: false },
    ...(variables.length === 0
      ? {}
      : { assignedVariables: Object.fromEntries(variables), assignedVariablesDetails: { truncated: false } }),
  };
};

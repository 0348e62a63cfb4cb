import type { Timer } from '../../clock.ts';
import { AccessDenied } from '../../iam/policy.ts';
import type { FunctionInvoker, InvocationOutcome } from '../../ports.ts';
import { type Host, ServiceError } from '../../service.ts';
import type { Json } from './definition.ts';
import type { Execution } from './execution.ts';
import type { Invocation } from './invocation.ts';
import { StateError, withinPayloadLimit } from './state-error.ts';
import type { TaskTokens } from './tokens.ts';

export interface AttemptDeps {
  readonly host: Host;
  readonly functions: FunctionInvoker;
  readonly tokens: TaskTokens;
}

export interface AttemptOptions {
  readonly invocation: Invocation;
  /** Issued before the arguments were evaluated, because they carry it; undefined for a task that ends with its function. */
  readonly callback: Callback | undefined;
  readonly timeoutSeconds: number;
  readonly heartbeatSeconds: number | undefined;
}

type Outcome = { readonly result: Json } | StateError;

/** The token of one attempt, and where its answer goes once the attempt has begun. */
export class Callback {
  readonly token: string;
  readonly #tokens: TaskTokens;
  listener: { settle(result: Json | StateError): void; heartbeat(): void } | undefined;

  constructor(execution: Execution, tokens: TaskTokens) {
    this.#tokens = tokens;
    execution.onClose(() => this.close());
    this.token = tokens.issue({
      execution,
      succeed: (output) => this.listener?.settle(output),
      fail: (error) => this.listener?.settle(error),
      heartbeat: () => this.listener?.heartbeat(),
    });
  }

  close(): void {
    this.listener = undefined;
    this.#tokens.close(this.token);
  }
}

/**
 * One attempt at a task: invokes the function and, for `.waitForTaskToken`, waits for the callback; a time limit or a missed heartbeat
 * ends it. Resolves to the task's result; rejects with {@link StateError}.
 * https://docs.aws.amazon.com/step-functions/latest/dg/connect-to-resource.html
 */
export class TaskAttempt {
  readonly #execution: Execution;
  readonly #deps: AttemptDeps;
  readonly #options: AttemptOptions;
  readonly #resource: { readonly resourceType: string; readonly resource: string };
  #timeout: Timer | undefined;
  #heartbeat: Timer | undefined;
  #settle: ((outcome: Outcome) => void) | undefined;

  constructor(execution: Execution, deps: AttemptDeps, options: AttemptOptions) {
    this.#execution = execution;
    this.#deps = deps;
    this.#options = options;
    const resource = options.callback === undefined ? 'invoke' : 'invoke.waitForTaskToken';
    this.#resource = { resourceType: 'lambda', resource };
  }

  async run(): Promise<Json> {
    const { host } = this.#deps;
    const { callback, timeoutSeconds } = this.#options;
    this.#addScheduled();
    const outcome = await new Promise<Outcome>((resolve) => {
      this.#settle = resolve;
      this.#timeout = this.#execution.at(host.clock.now() + timeoutSeconds * 1000, () =>
        this.#end(timedOut(false), 'TaskTimedOut'),
      );
      if (callback !== undefined) {
        callback.listener = {
          settle: (answer) => this.#end(answer instanceof StateError ? answer : { result: answer }),
          heartbeat: () => {
            if (this.#heartbeat !== undefined) this.#beat();
          },
        };
      }
      void this.#invoke();
    });
    if (outcome instanceof StateError) throw outcome;
    return outcome.result;
  }

  async #invoke(): Promise<void> {
    const { host, functions } = this.#deps;
    const { functionArn, payload } = this.#options.invocation;
    let outcome: InvocationOutcome;
    try {
      outcome = await host.activity.track(functions.invoke(functionArn, payload, this.#execution.role));
    } catch (error) {
      this.#end(invocationError(error));
      return;
    }
    if (!outcome.ok) {
      // The order in which Lambda writes the members.
      const { errorType, errorMessage } = outcome;
      this.#end(new StateError(errorType, JSON.stringify({ errorType, errorMessage })));
      return;
    }
    // What a function answers is JSON by now; nothing is null.
    const result = this.#options.invocation.response((outcome.payload ?? null) as Json);
    if (this.#options.callback === undefined) this.#end({ result });
    else this.#submitted(result);
  }

  /** The function has returned; the heartbeat only counts from here. https://docs.aws.amazon.com/step-functions/latest/dg/connect-lambda.html */
  #submitted(response: Json): void {
    if (this.#settle === undefined || this.#execution.closed) return;
    const output = JSON.stringify(response);
    this.#add('TaskSubmitted', 'taskSubmittedEventDetails', { output, outputDetails: { truncated: false } });
    if (this.#options.heartbeatSeconds !== undefined) this.#beat();
    this.#execution.pause();
  }

  #beat(): void {
    this.#heartbeat?.cancel();
    const due = this.#deps.host.clock.now() + (this.#options.heartbeatSeconds ?? 0) * 1000;
    this.#heartbeat = this.#execution.at(due, () => this.#end(timedOut(true), 'TaskTimedOut'));
  }

  #end(outcome: Outcome, failed: 'TaskFailed' | 'TaskTimedOut' = 'TaskFailed'): void {
    const settle = this.#settle;
    if (settle === undefined || this.#execution.closed) return;
    this.#settle = undefined;
    this.#timeout?.cancel();
    this.#heartbeat?.cancel();
    this.#options.callback?.close();
    this.#execution.resume();
    settle(this.#record(outcome, failed));
  }

  #record(outcome: Outcome, failed: 'TaskFailed' | 'TaskTimedOut'): Outcome {
    if (outcome instanceof StateError) {
      const member = failed === 'TaskFailed' ? 'taskFailedEventDetails' : 'taskTimedOutEventDetails';
      this.#add(failed, member, { error: outcome.error, cause: outcome.explanation });
      return outcome;
    }
    try {
      const output = withinPayloadLimit(outcome.result, 'result of the task');
      this.#add('TaskSucceeded', 'taskSucceededEventDetails', { output, outputDetails: { truncated: false } });
      return outcome;
    } catch (error) {
      // `withinPayloadLimit` throws nothing else.
      return error as StateError;
    }
  }

  #addScheduled(): void {
    const { invocation, timeoutSeconds, heartbeatSeconds } = this.#options;
    this.#add('TaskScheduled', 'taskScheduledEventDetails', {
      region: this.#deps.host.region,
      parameters: JSON.stringify(invocation.parameters),
      timeoutInSeconds: timeoutSeconds,
      heartbeatInSeconds: heartbeatSeconds,
    });
    this.#add('TaskStarted', 'taskStartedEventDetails', {});
  }

  #add(type: string, member: string, details: Readonly<Record<string, unknown>>): void {
    this.#execution.history.add(type, { [member]: { ...this.#resource, ...details } });
  }
}

const timedOut = (heartbeat: boolean): StateError => new StateError('States.Timeout', undefined, heartbeat);

/**
 * The error of a task whose function could not be invoked: what the Lambda API answered, prefixed with `Lambda.`; a missing permission
 * is reported as `Lambda.AWSLambdaException`.
 * https://docs.aws.amazon.com/step-functions/latest/dg/sfn-best-practices.html#bp-lambda-serviceexception
 */
function invocationError(error: unknown): StateError {
  if (error instanceof AccessDenied) {
    const detail = '(Service: AWSLambda; Status Code: 403; Error Code: AccessDeniedException)';
    return new StateError('Lambda.AWSLambdaException', `${error.message} ${detail}`);
  }
  if (!(error instanceof ServiceError)) return new StateError('States.Runtime', String(error));
  // What the runtime does not implement must not be taken for a failure that can be handled.
  if (error.status === 501) return new StateError('States.Runtime', error.message);
  if (error.status >= 500) return new StateError('Lambda.ServiceException', error.message);
  return new StateError(`Lambda.${error.code}`, error.message);
}

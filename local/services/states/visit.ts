import type { Json, Leaving } from './definition.ts';
import type { Execution } from './execution.ts';
import { EvaluationError, StateError, withinPayloadLimit } from './state-error.ts';
import { evaluateTemplate, evaluateTyped } from './template.ts';
import { contextTimestamp } from './timestamp.ts';

/** Where an execution goes from a state; `next` undefined ends it with `output`. */
export interface Transition {
  readonly next: string | undefined;
  readonly output: Json;
  readonly assigned: Readonly<Record<string, Json>>;
}

/** `$states.result` or `$states.errorOutput`, where a field may refer to it. */
type Seen = Readonly<{ result?: Json; errorOutput?: Json }>;

/** One visit of a state: evaluates the state's expressions against what was known on entry. */
export class Visit {
  readonly name: string;
  readonly input: Json;
  readonly enteredTime: number;
  readonly eventId: number;
  retryCount = 0;
  /** Task token of the current attempt. */
  token: string | undefined;
  readonly #execution: Execution;
  readonly #variables: Readonly<Record<string, Json>>;

  constructor(
    execution: Execution,
    variables: Readonly<Record<string, Json>>,
    name: string,
    type: string,
    input: Json,
  ) {
    this.#execution = execution;
    this.#variables = variables;
    this.name = name;
    this.input = input;
    this.enteredTime = execution.now();
    this.eventId = execution.history.add(`${type}StateEntered`, {
      stateEnteredEventDetails: { name, input: JSON.stringify(input), inputDetails: { truncated: false } },
    });
  }

  /** Throws `States.QueryEvaluationError`. */
  evaluate(template: Json, field: string, seen: Seen = {}): Promise<Json> {
    return this.#evaluated(evaluateTemplate(template, field, this.#scope(seen), { now: this.#execution.now() }));
  }

  /** Throws `States.QueryEvaluationError` when the value is not accepted, too. */
  evaluateTyped<T extends Json>(
    template: Json,
    field: string,
    expected: string,
    accepts: (value: Json) => value is T,
  ): Promise<T> {
    const moment = { now: this.#execution.now() };
    return this.#evaluated(evaluateTyped(template, field, expected, accepts, this.#scope({}), moment));
  }

  /**
   * Evaluates `Output` (or takes `otherwise`) and `Assign`; neither sees what the other makes.
   * Throws `States.QueryEvaluationError` or `States.DataLimitExceeded`.
   */
  async leave(
    leaving: Leaving,
    next: string | undefined,
    otherwise: Json,
    seen: Seen = {},
    at = '',
  ): Promise<Transition> {
    const assigned: [string, Json][] = [];
    for (const [name, template] of Object.entries(leaving.Assign ?? {})) {
      assigned.push([name, await this.evaluate(template, `${at}Assign/${name}`, seen)]);
    }
    const { Output: template } = leaving;
    const output = template === undefined ? otherwise : await this.evaluate(template, `${at}Output`, seen);
    withinPayloadLimit(output, 'output of the state');
    const transition = { next, output, assigned: Object.fromEntries(assigned) };
    // https://docs.aws.amazon.com/step-functions/latest/dg/workflow-variables.html
    withinPayloadLimit(transition.assigned, 'value of the assigned variables');
    return transition;
  }

  /** Adds to an error where it happened, as the service does. */
  located(error: string, explanation: string): StateError {
    const where = `An error occurred while executing the state '${this.name}' (entered at the event id #${this.eventId}).`;
    return new StateError(error, `${where} ${explanation}`);
  }

  async #evaluated<T>(evaluation: Promise<T>): Promise<T> {
    try {
      return await this.#execution.alive(evaluation);
    } catch (error) {
      if (!(error instanceof EvaluationError)) throw error;
      const failure = this.located('States.QueryEvaluationError', error.message);
      const details = { error: failure.error, cause: failure.explanation, location: error.field, state: this.name };
      this.#execution.history.add('EvaluationFailed', { evaluationFailedEventDetails: details });
      throw failure;
    }
  }

  #scope(seen: Seen): Readonly<Record<string, unknown>> {
    return { ...this.#variables, states: { input: this.input, context: this.#context(), ...seen } };
  }

  /** https://docs.aws.amazon.com/step-functions/latest/dg/input-output-contextobject.html */
  #context(): Readonly<Record<string, unknown>> {
    const { record, target, input } = this.#execution;
    return {
      Execution: {
        Id: record.arn,
        Input: JSON.parse(input),
        Name: record.name,
        RoleArn: target.revision.roleArn,
        StartTime: contextTimestamp(record.startDate),
        RedriveCount: 0,
      },
      State: { Name: this.name, EnteredTime: contextTimestamp(this.enteredTime), RetryCount: this.retryCount },
      StateMachine: { Id: target.machine.arn, Name: target.machine.name },
      ...(this.token === undefined ? {} : { Task: { Token: this.token } }),
    };
  }
}

/**
 * A state machine definition after validation: Amazon States Language with query language JSONata.
 * https://docs.aws.amazon.com/step-functions/latest/dg/concepts-amazon-states-language.html and https://states-language.net/spec.html
 */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** Values by variable name, each either JSON or a template that contains `{% %}` strings. */
export type Assignments = Readonly<Record<string, Json>>;

/** What a state, a choice rule or a catcher does with data when it is left. */
export interface Leaving {
  readonly Output?: Json;
  readonly Assign?: Assignments;
}

export interface Retrier {
  readonly ErrorEquals: readonly string[];
  readonly IntervalSeconds: number;
  readonly MaxAttempts: number;
  readonly BackoffRate: number;
  readonly MaxDelaySeconds: number | undefined;
  readonly JitterStrategy: 'FULL' | 'NONE';
}

export interface Catcher extends Leaving {
  readonly ErrorEquals: readonly string[];
  readonly Next: string;
}

export interface ChoiceRule extends Leaving {
  readonly Condition: boolean | string;
  readonly Next: string;
}

/** Where a state leads: another state, or undefined when the execution succeeds with its output. */
interface Flowing extends Leaving {
  readonly Next: string | undefined;
}

export interface TaskState extends Flowing {
  readonly Type: 'Task';
  /** Whether the result comes from `SendTaskSuccess` instead of the function. */
  readonly waitForTaskToken: boolean;
  readonly Arguments?: Json;
  /** Seconds, or an expression that gives them. */
  readonly TimeoutSeconds: number | string;
  readonly HeartbeatSeconds: number | string | undefined;
  readonly Retry: readonly Retrier[];
  readonly Catch: readonly Catcher[];
}

export interface ChoiceState extends Leaving {
  readonly Type: 'Choice';
  readonly Choices: readonly ChoiceRule[];
  readonly Default: string | undefined;
}

export interface WaitState extends Flowing {
  readonly Type: 'Wait';
  readonly Seconds: number | string | undefined;
  readonly Timestamp: string | undefined;
}

export interface PassState extends Flowing {
  readonly Type: 'Pass';
}

export interface SucceedState {
  readonly Type: 'Succeed';
  readonly Output?: Json;
}

export interface FailState {
  readonly Type: 'Fail';
  readonly Error: string | undefined;
  readonly Cause: string | undefined;
}

export type State = TaskState | ChoiceState | WaitState | PassState | SucceedState | FailState;

export interface Definition {
  readonly StartAt: string;
  readonly TimeoutSeconds: number | undefined;
  readonly States: ReadonlyMap<string, State>;
}

/** The names of the states that a state may lead to. */
export function successors(state: State): readonly string[] {
  switch (state.Type) {
    case 'Task':
      return [...(state.Next === undefined ? [] : [state.Next]), ...state.Catch.map((catcher) => catcher.Next)];
    case 'Choice':
      return [...state.Choices.map((rule) => rule.Next), ...(state.Default === undefined ? [] : [state.Default])];
    case 'Wait':
    case 'Pass':
      return state.Next === undefined ? [] : [state.Next];
    case 'Succeed':
    case 'Fail':
      return [];
  }
}

import { Duration } from 'aws-cdk-lib';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import {
  Choice,
  Condition,
  Fail,
  IntegrationPattern,
  JitterType,
  Pass,
  Succeed,
  TaskInput,
  Timeout,
  type IChainable,
} from 'aws-cdk-lib/aws-stepfunctions';
import { LambdaInvoke } from 'aws-cdk-lib/aws-stepfunctions-tasks';
import type { Construct } from 'constructs';
import { ERRORS, type Next, type Task } from '../../lambdas/contracts/names.ts';

/** The functions of the workflow's steps. */
export interface Steps {
  readonly assessRequest: IFunction;
  readonly awaitParty: IFunction;
  readonly sealPackage: IFunction;
  readonly openRelease: IFunction;
  readonly closeRelease: IFunction;
  readonly recordFailure: IFunction;
}

/** Which case, and which attempt: always from the input of the execution, never from what a step or a callback answered. */
const WHICH = {
  caseId: '{% $states.context.Execution.Input.caseId %}',
  attempt: '{% $states.context.Execution.Input.attempt %}',
};

/**
 * The mission of a case, as the console shows it: assess → await decision → await assurance → seal → open → hold until expiry or recall → close →
 * done, with one router for the ways that leave this path. Each step reads the case file; what it answers is only where to go next. On the
 * happy path 12 states are entered.
 */
export function caseWorkflow(scope: Construct, steps: Steps): IChainable {
  const failed = new Fail(scope, 'Stopped, recorded and to be resumed', { error: 'AttemptFailed' });
  const recordFailure = LambdaInvoke.jsonata(scope, 'Record the failure' satisfies Task, {
    lambdaFunction: steps.recordFailure,
    payload: TaskInput.fromObject({ ...WHICH, failure: '{% $states.input.failure %}' }),
    taskTimeout: Timeout.duration(Duration.minutes(2)),
    retryOnServiceExceptions: false,
    outputs: {},
  });
  retried(recordFailure);
  // Recording failed too: the execution ends all the same, and the sweep is told by the service.
  recordFailure.addCatch(failed, { errors: ['States.ALL'], outputs: {} });
  recordFailure.next(failed);

  const caught = <S extends LambdaInvoke>(state: S): S => {
    state.addCatch(recordFailure, {
      errors: ['States.ALL'],
      outputs: {
        failure: {
          step: '{% $states.context.State.Name %}',
          error: '{% $substring($states.errorOutput.Error, 0, 256) %}',
        },
      },
    });
    return state;
  };

  const run = (name: Task, lambdaFunction: IFunction, timeout: Duration): LambdaInvoke => {
    const state = LambdaInvoke.jsonata(scope, name, {
      lambdaFunction,
      payload: TaskInput.fromObject({ ...WHICH, startedAt: '{% $states.context.Execution.StartTime %}' }),
      taskTimeout: Timeout.duration(timeout),
      retryOnServiceExceptions: false,
      outputs: { next: '{% $states.result.Payload.next %}', waitSeconds: '{% $states.result.Payload.waitSeconds %}' },
    });
    retried(state);
    return state;
  };

  /** Waits to be woken, or for its time to end; either way the next step looks at the case file, not at the message. */
  const wait = (name: Task): LambdaInvoke => {
    const state = LambdaInvoke.jsonata(scope, name, {
      lambdaFunction: steps.awaitParty,
      integrationPattern: IntegrationPattern.WAIT_FOR_TASK_TOKEN,
      payload: TaskInput.fromObject({ ...WHICH, taskToken: '{% $states.context.Task.Token %}' }),
      taskTimeout: Timeout.jsonata('{% $states.input.waitSeconds %}'),
      retryOnServiceExceptions: false,
      outputs: { next: '{% $states.result.next %}', waitSeconds: '{% $states.result.waitSeconds %}' },
    });
    retried(state);
    return state;
  };

  const assess = run('Assess request', steps.assessRequest, Duration.minutes(1));
  const awaitDecision = wait('Await decision');
  const awaitAssurance = wait('Await assurance');
  const seal = run('Seal package', steps.sealPackage, Duration.minutes(16));
  const open = run('Open release', steps.openRelease, Duration.minutes(1));
  const hold = wait('Hold until expiry or recall');
  const close = run('Close release', steps.closeRelease, Duration.minutes(3));

  const where = new Choice(scope, 'Where does the case stand?');
  const goTo = (next: Next, state: IChainable): void => {
    where.when(Condition.jsonata(`{% $states.input.next = '${next}' %}`), state);
  };
  goTo('await-decision', awaitDecision);
  goTo('await-assurance', awaitAssurance);
  goTo('seal', seal);
  goTo('open', open);
  goTo('hold', hold);
  goTo('close', close);
  for (const [next, name] of ENDS) goTo(next, new Succeed(scope, name));
  // An answer that is none of these is not believed, and not asked for again and again: the next attempt reads the case file.
  const unknown = Pass.jsonata(scope, 'An answer that leads nowhere', {
    outputs: { failure: { step: 'Where does the case stand?', error: ERRORS.invariantBroken } },
  });
  where.otherwise(unknown.next(recordFailure));

  for (const state of [assess, awaitDecision, awaitAssurance, close]) state.next(where);
  seal.next(open);
  open.next(hold);
  hold.next(close);

  // The time of a wait is over: someone must look at the clock.
  awaitDecision.addCatch(assess, { errors: ['States.Timeout'], outputs: {} });
  awaitAssurance.addCatch(assess, { errors: ['States.Timeout'], outputs: {} });
  hold.addCatch(close, { errors: ['States.Timeout'], outputs: {} });
  for (const state of [assess, awaitDecision, awaitAssurance, seal, open, hold, close]) caught(state);
  return assess;
}

/** Where a case may end, and in what words. */
const ENDS: readonly (readonly [Next, string])[] = [
  ['closed', 'Closed'],
  ['inadmissible', 'Inadmissible'],
  ['refused', 'Refused'],
  ['lapsed', 'Lapsed'],
  ['withdrawn', 'Withdrawn'],
  ['continue-later', 'To be continued by the next attempt'],
  ['superseded', 'Superseded by a later attempt'],
];

/**
 * What is tried again: first what our steps name, then what Lambda names, from specific to general. Six tries from two seconds, doubled each
 * time, are about two minutes, with jitter. An invariant that is broken is not tried again.
 * https://docs.aws.amazon.com/step-functions/latest/dg/bp-lambda-serviceexception.html
 */
function retried(state: LambdaInvoke): void {
  state.addRetry({
    errors: [ERRORS.conflict],
    interval: Duration.seconds(1),
    maxAttempts: 5,
    backoffRate: 1.5,
    jitterStrategy: JitterType.FULL,
  });
  state.addRetry({
    errors: [
      ERRORS.transient,
      'Lambda.ClientExecutionTimeoutException',
      'Lambda.ServiceException',
      'Lambda.AWSLambdaException',
      'Lambda.SdkClientException',
      'Lambda.TooManyRequestsException',
    ],
    interval: Duration.seconds(2),
    maxAttempts: 6,
    backoffRate: 2,
    maxDelay: Duration.minutes(1),
    jitterStrategy: JitterType.FULL,
  });
}

import {
  DescribeExecutionCommand,
  SendTaskSuccessCommand,
  StartExecutionCommand,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import { assemblyFor } from '../../bin/local/assembly.ts';
import { canLocal } from '../../infra/environments/local.ts';
import { ACCOUNT, REGION, startStates } from './states-server.ts';
import { templatesIn } from './template.ts';

/** A state of the definition, with the members that tests look at. */
export interface State {
  readonly Type: string;
  readonly Next?: string;
  readonly Default?: string;
  readonly Resource?: string;
  readonly TimeoutSeconds?: number | string;
  readonly Arguments?: { readonly FunctionName: string; readonly Payload: Readonly<Record<string, unknown>> };
  readonly Output?: unknown;
  readonly Assign?: unknown;
  readonly Retry?: readonly { readonly ErrorEquals: readonly string[]; readonly MaxAttempts: number }[];
  readonly Catch?: readonly {
    readonly ErrorEquals: readonly string[];
    readonly Next: string;
    readonly Output?: unknown;
  }[];
  readonly Choices?: readonly { readonly Condition: string; readonly Next: string }[];
}

export interface Definition {
  readonly QueryLanguage: string;
  readonly StartAt: string;
  readonly States: Readonly<Record<string, State>>;
}

/** The functions that the workflow invokes, as the steps are named. */
export type Step =
  'assess-request' | 'await-party' | 'seal-package' | 'open-release' | 'close-release' | 'record-failure';

/** Milliseconds that a hook may take: the assembly is made anew when what it is made from has changed. */
export const FIRST_SYNTHESIS = 60_000;

/** The definition of the case workflow as it is synthesised, its functions named by their steps. */
export async function caseWorkflowDefinition(): Promise<Definition> {
  const templates = templatesIn(await assemblyFor(canLocal.name), canLocal);
  const [machine] = templates.ofType('AWS::StepFunctions::StateMachine');
  let text = templates.text(machine?.properties['DefinitionString']);
  const versions = templates.ofType('AWS::Lambda::Version');
  for (const { id, properties } of templates.ofType('AWS::Lambda::Function')) {
    const step = String(properties['FunctionName']).slice(`valiza-${canLocal.name}-`.length);
    const own = versions.filter((version) => templates.text(version.properties['FunctionName']) === `\${${id}}`);
    for (const version of own)
      text = text.replaceAll(`\${${version.id}}`, `arn:aws:lambda:${REGION}:${ACCOUNT}:function:${step}`);
  }
  return JSON.parse(text) as Definition;
}

/** What a step was given. */
export interface Visit {
  readonly step: Step;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** What a step does; the number counts the visits of that step from 1. */
export type Answers = Partial<Record<Step, (visit: number) => unknown>>;

export interface Walk {
  readonly visits: readonly Visit[];
  /** Names of the states entered so far. */
  readonly entered: () => string[];
  /** Answers the wait that is open with `output`, as `resume-workflow` would. */
  readonly wake: (output: unknown) => Promise<void>;
  readonly outcome: () => Promise<{ status: string | undefined; error: string | undefined; output: unknown }>;
}

export interface CaseWorkflows {
  /** Starts an execution for a case, and waits until it waits or has ended. Steps without an answer say that the attempt is superseded. */
  readonly walk: (answers: Answers, input?: { readonly caseId: string; readonly attempt: number }) => Promise<Walk>;
  readonly advance: (seconds: number) => Promise<void>;
  /** Stops executions that still wait, so that none of them meets the next test's steps. */
  readonly stopWaiting: () => Promise<void>;
  readonly close: () => Promise<void>;
}

export const CASE = { caseId: 'c0ffee00c0ffee00c0ffee00c0ffee00', attempt: 3 } as const;

/** What a step answers; tests name the edge and seldom care about the wait. */
export const answer = (next: string, waitSeconds: unknown = 60): unknown => ({ ...CASE, next, waitSeconds });

/** Runs the synthesised case workflow on the local Step Functions, with closures for its steps. */
export async function startCaseWorkflows(): Promise<CaseWorkflows> {
  const world = await startStates();
  const client = world.client();
  const stateMachineArn = await world.machine(await caseWorkflowDefinition());
  let executions = 0;
  const walk: CaseWorkflows['walk'] = async (answers, input = CASE) => {
    const visits: Visit[] = [];
    const tokens: string[] = [];
    for (const step of STEPS) {
      world.functions.set(step, (payload: Visit['payload']) => {
        visits.push({ step, payload });
        const count = visits.filter((visit) => visit.step === step).length;
        if (step === 'await-party') tokens.push(String(payload['taskToken']));
        return answers[step] === undefined ? DEFAULTS[step] : answers[step](count);
      });
    }
    executions += 1;
    const { executionArn = '' } = await client.send(
      new StartExecutionCommand({ stateMachineArn, name: `walk-${executions}`, input: JSON.stringify(input) }),
    );
    await world.settled();
    return {
      visits,
      entered: () =>
        world.service
          .history(executionArn)
          .filter(({ type }) => type.endsWith('StateEntered'))
          .map(({ details }) => String(details['stateEnteredEventDetails']?.['name'])),
      wake: async (output) => {
        const text = typeof output === 'string' ? output : JSON.stringify(output);
        await client.send(new SendTaskSuccessCommand({ taskToken: tokens.at(-1), output: text }));
        await world.settled();
      },
      outcome: async () => {
        const { status, error, output } = await client.send(new DescribeExecutionCommand({ executionArn }));
        return { status, error, output: output === undefined ? undefined : (JSON.parse(output) as unknown) };
      },
    };
  };
  return {
    walk,
    advance: (seconds) => world.host.clock.advance(seconds * 1000),
    stopWaiting: async () => {
      for (const { arn, status } of world.service.executions()) {
        if (status === 'RUNNING') await client.send(new StopExecutionCommand({ executionArn: arn }));
      }
    },
    close: world.close,
  };
}

const STEPS: readonly Step[] = [
  'assess-request',
  'await-party',
  'seal-package',
  'open-release',
  'close-release',
  'record-failure',
];

/** An execution that no test tells where to go ends quietly. */
const DEFAULTS: Readonly<Record<Step, unknown>> = {
  'assess-request': answer('superseded', 1),
  'await-party': null,
  'seal-package': answer('superseded', 1),
  'open-release': answer('superseded', 1),
  'close-release': answer('superseded', 1),
  'record-failure': null,
};

import {
  DescribeExecutionCommand,
  DescribeStateMachineForExecutionCommand,
  ExecutionAlreadyExists,
  ExecutionDoesNotExist,
  InvalidToken,
  SFNClient,
  SendTaskSuccessCommand,
  StartExecutionCommand,
  TaskDoesNotExist,
  TaskTimedOut,
} from '@aws-sdk/client-sfn';

const sfn = new SFNClient({});

/** An execution is named after the case and the attempt, so that starting it twice starts it once. */
export const executionName = (caseId: string, attempt: number): string => `${caseId}-${attempt}`;

/** The case and attempt that an execution name stands for; undefined for a name of another form. */
export function parseExecutionName(name: string): { readonly caseId: string; readonly attempt: number } | undefined {
  const parts = /^([0-9a-f]{32})-([1-9]\d{0,8})$/.exec(name);
  return parts === null ? undefined : { caseId: String(parts[1]), attempt: Number(parts[2]) };
}

/** Starts the execution of an attempt, unless it was started before. https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html */
export async function startExecution(stateMachineArn: string, caseId: string, attempt: number): Promise<void> {
  try {
    await sfn.send(
      new StartExecutionCommand({
        stateMachineArn,
        name: executionName(caseId, attempt),
        input: JSON.stringify({ caseId, attempt }),
      }),
    );
  } catch (error) {
    if (!(error instanceof ExecutionAlreadyExists)) throw error;
  }
}

/** Wakes a waiting execution. A token that is spent, timed out or unknown means that its wait is over already. */
export async function wake(taskToken: string, output: object): Promise<void> {
  try {
    await sfn.send(new SendTaskSuccessCommand({ taskToken, output: JSON.stringify(output) }));
  } catch (error) {
    const over = error instanceof TaskTimedOut || error instanceof TaskDoesNotExist || error instanceof InvalidToken;
    if (!over) throw error;
  }
}

/** The ARN of the execution of an attempt. */
function executionArnOf(stateMachineArn: string, caseId: string, attempt: number): string {
  // arn:…:stateMachine:<name> and arn:…:execution:<name>:<execution>; a version or alias follows the machine's name.
  const [partition, service, region, account, machine] = [1, 2, 3, 4, 6].map(
    (index) => stateMachineArn.split(':')[index] ?? '',
  );
  return `arn:${partition}:${service}:${region}:${account}:execution:${machine}:${executionName(caseId, attempt)}`;
}

/** When the execution of an attempt began; undefined when it is not running, or there is none. */
async function runningSince(executionArn: string): Promise<Date | undefined> {
  try {
    const answer = await sfn.send(new DescribeExecutionCommand({ executionArn, includedData: 'METADATA_ONLY' }));
    return answer.status === 'RUNNING' ? answer.startDate : undefined;
  } catch (error) {
    if (error instanceof ExecutionDoesNotExist) return undefined;
    throw error;
  }
}

/** Whether an execution is running; one that does not exist is not. */
export const isRunning = async (stateMachineArn: string, caseId: string, attempt: number): Promise<boolean> =>
  (await runningSince(executionArnOf(stateMachineArn, caseId, attempt))) !== undefined;

/** What carries an attempt: the workflow as it was when the execution began, which it keeps to its end. */
export interface RunningAttempt {
  readonly startedAt: string;
  readonly revision: string;
  /** Functions that the definition names, as `name:version` (`name:$LATEST` for one without a version). */
  readonly functions: readonly string[];
  readonly role: string;
}

/** A function as a definition names it; what is no version is an alias, and stands as it is. */
const FUNCTION = /"arn:[a-z-]+:lambda:[a-z0-9-]+:\d{12}:function:([A-Za-z0-9_-]+)(?::([A-Za-z0-9_$-]+))?"/g;

/**
 * The execution of an attempt and the revision that it runs; undefined when none is running. Running executions keep the definition and
 * the role that they began with (https://docs.aws.amazon.com/step-functions/latest/apireference/API_UpdateStateMachine.html).
 * https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeStateMachineForExecution.html
 */
export async function runningAttempt(
  stateMachineArn: string,
  caseId: string,
  attempt: number,
): Promise<RunningAttempt | undefined> {
  const executionArn = executionArnOf(stateMachineArn, caseId, attempt);
  const since = await runningSince(executionArn);
  if (since === undefined) return undefined;
  const machine = await sfn.send(new DescribeStateMachineForExecutionCommand({ executionArn }));
  const named = [...(machine.definition ?? '').matchAll(FUNCTION)].map(
    ([, name, version = '$LATEST']) => `${name}:${version}`,
  );
  return {
    startedAt: since.toISOString(),
    revision: machine.revisionId ?? '',
    functions: [...new Set(named)].toSorted(),
    role: machine.roleArn?.split('/').at(-1) ?? '',
  };
}

import {
  DescribeExecutionCommand,
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

/** Whether an execution is running; one that does not exist is not. */
export async function isRunning(stateMachineArn: string, caseId: string, attempt: number): Promise<boolean> {
  // arn:…:stateMachine:<name> and arn:…:execution:<name>:<execution>; a version or alias follows the machine's name.
  const [partition, , region, account, machine] = [1, 2, 3, 4, 6].map(
    (index) => stateMachineArn.split(':')[index] ?? '',
  );
  const executionArn = `arn:${partition}:states:${region}:${account}:execution:${machine}:${executionName(caseId, attempt)}`;
  try {
    const answer = await sfn.send(new DescribeExecutionCommand({ executionArn }));
    return answer.status === 'RUNNING';
  } catch (error) {
    if (error instanceof ExecutionDoesNotExist) return false;
    throw error;
  }
}

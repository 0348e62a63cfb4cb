import type { DynamoDBBatchResponse, DynamoDBStreamEvent } from 'aws-lambda';
import { ENV } from '../../contracts/names.ts';
import type { CaseId } from '../../domain/ids.ts';
import { now } from '../../platform/clock.ts';
import { readHead } from '../../platform/case-index.ts';
import { dynamodb } from '../../platform/dynamodb.ts';
import { entryPoint } from '../../platform/entry-point.ts';
import { readEnvironment } from '../../platform/environment.ts';
import { resultFor, waitIsOver } from '../../platform/next-step.ts';
import { forgetToken, parkedTokens } from '../../platform/token-store.ts';
import { startExecution, wake } from '../../platform/workflow.ts';
import { eachCase } from '../stream.ts';

const env = readEnvironment([ENV.casesTable, ENV.tokensTable, ENV.stateMachine]);

/**
 * Brings the executions of a case in line with its file: the execution of the present attempt is started (its name makes that
 * happen once), and every wait that is over is woken. What it is woken with is where the case stands now; no step believes it.
 */
async function resume(caseId: CaseId, begins: boolean): Promise<void> {
  const head = await readHead(dynamodb, env[ENV.casesTable], caseId);
  if (head === undefined) return;
  if (begins) await startExecution(env[ENV.stateMachine], caseId, head.attempt);
  const tokens = await parkedTokens(dynamodb, env[ENV.tokensTable], caseId);
  for (const parked of tokens) {
    if (!waitIsOver(parked, head)) continue;
    await wake(parked.token, resultFor(head, parked.attempt, now()));
    await forgetToken(dynamodb, env[ENV.tokensTable], parked);
  }
}

/** Consumer of the case table's stream; the only one that reads tokens, and that may call `states:SendTask*` and `states:StartExecution`. */
export const handler = entryPoint((event: DynamoDBStreamEvent): Promise<DynamoDBBatchResponse> =>
  eachCase(event, 'RESUME_FAILED', resume),
);

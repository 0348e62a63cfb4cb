import { ENV } from '../../contracts/names.ts';
import { callbackInput } from '../../contracts/step.ts';
import { nudge } from '../../platform/case-index.ts';
import { loadCase } from '../../platform/case-store.ts';
import { dynamodb } from '../../platform/dynamodb.ts';
import { entryPoint } from '../../platform/entry-point.ts';
import { readEnvironment } from '../../platform/environment.ts';
import { caseIdOf, exchangeFromEnvironment } from '../../platform/exchange.ts';
import { waitIsOver } from '../../platform/next-step.ts';
import { parkToken } from '../../platform/token-store.ts';

const exchange = exchangeFromEnvironment();
const env = readEnvironment([ENV.tokensTable]);

/**
 * Parks the token of a waiting execution, then reads the case once more: when the wait was over before it was parked (the phase has
 * moved, another attempt has taken over, nobody is to be waited for), it has itself woken.
 */
export const handler = entryPoint(async (input: unknown): Promise<void> => {
  const step = callbackInput.parse(input);
  const caseId = caseIdOf(step);
  const { head: before } = await loadCase(dynamodb, exchange.casesTable, caseId);
  const { phase, dueAt } = before;
  const parked = {
    caseId,
    attempt: step.attempt,
    phase,
    token: step.taskToken,
    ...(dueAt === undefined ? {} : { dueAt }),
  };
  await parkToken(dynamodb, env[ENV.tokensTable], parked, exchange.now());
  const { head } = await loadCase(dynamodb, exchange.casesTable, caseId);
  if (waitIsOver(parked, head)) await nudge(dynamodb, exchange.casesTable, caseId);
});

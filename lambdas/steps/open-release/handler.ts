import { ENV } from '../../contracts/names.ts';
import { stepInput, type StepResult } from '../../contracts/step.ts';
import { loadCase } from '../../platform/case-store.ts';
import { dynamodb } from '../../platform/dynamodb.ts';
import { entryPoint } from '../../platform/entry-point.ts';
import { readEnvironment } from '../../platform/environment.ts';
import { caseIdOf, exchangeFromEnvironment, system } from '../../platform/exchange.ts';
import { execute } from '../../platform/execute.ts';
import { resultFor } from '../../platform/next-step.ts';
import { destroyedDeposits } from '../../platform/object-store.ts';

const exchange = exchangeFromEnvironment();
const env = readEnvironment([ENV.depositsBucket]);

/** Opens the release of a sealed package, once no deposit is left; the domain counts the quorum again from the people of now. */
export const handler = entryPoint(async (input: unknown): Promise<StepResult> => {
  const step = stepInput.parse(input);
  const caseId = caseIdOf(step);
  const read = await loadCase(dynamodb, exchange.casesTable, caseId);
  if (read.head.attempt !== step.attempt || read.state.phase !== 'SEALING' || read.state.sealed === null) {
    return resultFor(read.head, step.attempt, exchange.now());
  }
  const deposits = read.state.deposits.map(({ depositId }) => depositId);
  const depositsDestroyed = await destroyedDeposits(env[ENV.depositsBucket], caseId, deposits);
  const file = await execute(exchange, caseId, system('open-release'), ({ state }) =>
    state.phase === 'SEALING' ? { type: 'OpenRelease', depositsDestroyed } : undefined,
  );
  return resultFor(file.head, step.attempt, exchange.now());
});

import { failureInput } from '../../contracts/step.ts';
import { entryPoint } from '../../platform/entry-point.ts';
import { readEnvironment } from '../../platform/environment.ts';
import { caseIdOf, exchangeFromEnvironment, system } from '../../platform/exchange.ts';
import { execute } from '../../platform/execute.ts';
import { log } from '../../platform/log.ts';

const exchange = exchangeFromEnvironment();
/** Which release runs: executions invoke published versions. https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html */
const { AWS_LAMBDA_FUNCTION_VERSION: version } = readEnvironment(['AWS_LAMBDA_FUNCTION_VERSION']);

/** Records on the case that an attempt failed, by the names of the step and the error; the execution then fails, and the sweep begins the next. */
export const handler = entryPoint(async (input: unknown): Promise<void> => {
  const { caseId, attempt, failure } = failureInput.parse(input);
  log('error', 'ATTEMPT_FAILED', { step: failure.step, errorName: failure.error });
  const command = { type: 'RecordFailure', attempt, step: failure.step, error: failure.error, version } as const;
  await execute(exchange, caseIdOf({ caseId }), system('record-failure'), command);
});

import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import type * as z from 'zod';
import { sweepReport, type redriveRequest, type SweepReport } from '../contracts/operator.ts';
import type { CaseId } from '../domain/ids.ts';
import { Transient } from './errors.ts';

const lambda = new LambdaClient({});

/**
 * Has the sweep look at one case now. Its function alone repairs, so that operators and clock repair in the same way.
 * https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
 */
export async function sweepNow(functionName: string, caseId: CaseId): Promise<SweepReport> {
  const payload: z.output<typeof redriveRequest> = { redrive: caseId };
  const answer = await lambda.send(new InvokeCommand({ FunctionName: functionName, Payload: JSON.stringify(payload) }));
  if (answer.FunctionError !== undefined) throw new Transient('The sweep failed; its log says why.');
  return sweepReport.parse(JSON.parse(answer.Payload?.transformToString() ?? 'null'));
}

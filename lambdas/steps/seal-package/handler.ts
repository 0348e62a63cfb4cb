import { ENV } from '../../contracts/names.ts';
import { stepInput, type StepResult } from '../../contracts/step.ts';
import { loadCase } from '../../platform/case-store.ts';
import { dynamodb } from '../../platform/dynamodb.ts';
import { entryPoint } from '../../platform/entry-point.ts';
import { readEnvironment } from '../../platform/environment.ts';
import { caseIdOf, exchangeFromEnvironment, system } from '../../platform/exchange.ts';
import { execute } from '../../platform/execute.ts';
import { resultFor } from '../../platform/next-step.ts';
import {
  abortUploadsUnder,
  deleteObject,
  depositKey,
  destroyDeposit,
  objectsUnder,
  packageObjectKey,
} from '../../platform/object-store.ts';
import { nationKeys } from '../../platform/package-keys.ts';
import { sealPackage } from '../../platform/sealing.ts';

const exchange = exchangeFromEnvironment();
const env = readEnvironment([ENV.depositsBucket, ENV.packagesBucket, ENV.packageKeyId]);
const keys = nationKeys(env[ENV.packageKeyId]);
const actor = system('seal-package');

/** Removes what earlier attempts began and did not finish; a later attempt's objects are never touched. */
async function cleanUpBefore(caseId: string, attempt: number): Promise<void> {
  const bucket = env[ENV.packagesBucket];
  for (let earlier = 1; earlier < attempt; earlier += 1) {
    const prefix = packageObjectKey(caseId, earlier, '');
    await abortUploadsUnder(bucket, prefix);
    for (const key of (await objectsUnder(bucket, prefix)).keys()) await deleteObject(bucket, key);
  }
}

/** Seals the approved documents, records the package, and destroys the deposits. Begun again, it goes on where it stopped. */
export const handler = entryPoint(async (input: unknown): Promise<StepResult> => {
  const step = stepInput.parse(input);
  const caseId = caseIdOf(step);
  let file = await loadCase(dynamodb, exchange.casesTable, caseId);
  if (file.head.attempt !== step.attempt || file.state.phase !== 'SEALING') {
    return resultFor(file.head, step.attempt, exchange.now());
  }
  if (file.state.sealed === null) {
    await cleanUpBefore(caseId, step.attempt);
    const sealed = await sealPackage({
      caseId,
      attempt: step.attempt,
      documents: file.state.proposal.proposal.documents,
      depositsBucket: env[ENV.depositsBucket],
      packagesBucket: env[ENV.packagesBucket],
      keys,
    });
    file = await execute(exchange, caseId, actor, (current) =>
      current.state.phase === 'SEALING' ? { type: 'RecordSealed', sealed } : undefined,
    );
    const recorded = 'sealed' in file.state ? file.state.sealed?.objectKey : undefined;
    if (recorded !== sealed.objectKey) await deleteObject(env[ENV.packagesBucket], sealed.objectKey);
  }
  for (const deposit of file.state.deposits)
    await destroyDeposit(env[ENV.depositsBucket], depositKey(caseId, deposit.depositId));
  return resultFor(file.head, step.attempt, exchange.now());
});

import { ENV } from '../../contracts/names.ts';
import { stepInput, type StepResult } from '../../contracts/step.ts';
import { isFinal } from '../../domain/phases.ts';
import { claimAttempt } from '../../platform/case-index.ts';
import { loadCase, type CaseFile } from '../../platform/case-store.ts';
import { dynamodb } from '../../platform/dynamodb.ts';
import { entryPoint } from '../../platform/entry-point.ts';
import { readEnvironment } from '../../platform/environment.ts';
import { Transient } from '../../platform/errors.ts';
import { caseIdOf, exchangeFromEnvironment, system } from '../../platform/exchange.ts';
import { execute } from '../../platform/execute.ts';
import { hasRunItsTime, resultFor } from '../../platform/next-step.ts';
import {
  abortUploadsUnder,
  deleteObject,
  depositKey,
  destroyDeposit,
  destroyedDeposits,
  objectsUnder,
} from '../../platform/object-store.ts';

const exchange = exchangeFromEnvironment();
const env = readEnvironment([ENV.depositsBucket, ENV.packagesBucket]);
const actor = system('close-release');

/** Deletes a case's packages, and looks that nothing is left: destroyed is what was verified as gone (principle P5). */
async function destroyPackages(caseId: string): Promise<void> {
  const [bucket, prefix] = [env[ENV.packagesBucket], `${caseId}/`];
  await abortUploadsUnder(bucket, prefix);
  for (const key of (await objectsUnder(bucket, prefix)).keys()) await deleteObject(bucket, key);
  if ((await objectsUnder(bucket, prefix)).size > 0)
    throw new Transient('An object was written while it was being destroyed.');
}

/** Destroys every deposit that the case file knows, uploaded or not: the address of each may be good for a while. Answers those verified. */
async function destroyDeposits({ state }: CaseFile): Promise<readonly string[]> {
  const bucket = env[ENV.depositsBucket];
  const ids = state.deposits.map(({ depositId }) => depositId);
  for (const id of ids) await destroyDeposit(bucket, depositKey(state.caseId, id));
  const destroyed = await destroyedDeposits(bucket, state.caseId, ids);
  if (destroyed.length < ids.length) throw new Transient('A deposit was not found destroyed.');
  return destroyed;
}

/** Ends a release (or what is left of a case that never had one): record, act, verify, record. */
export const handler = entryPoint(async (input: unknown): Promise<StepResult> => {
  const step = stepInput.parse(input);
  const caseId = caseIdOf(step);
  let file = await loadCase(dynamodb, exchange.casesTable, caseId);
  if (file.head.attempt !== step.attempt) return resultFor(file.head, step.attempt, exchange.now());
  if (file.state.phase === 'RELEASED' || file.state.phase === 'SUSPENDED') {
    file = await execute(exchange, caseId, actor, (current) =>
      (current.state.phase === 'RELEASED' || current.state.phase === 'SUSPENDED') &&
      exchange.now() >= current.state.release.notAfter
        ? { type: 'RecordExpiry' }
        : undefined,
    );
  }
  if (file.state.phase !== 'CLOSING' && hasRunItsTime(step.startedAt, exchange.now())) {
    await claimAttempt(dynamodb, exchange.casesTable, file.head);
    return { ...resultFor(file.head, step.attempt, exchange.now()), next: 'continue-later' };
  }
  if (file.state.phase === 'CLOSING') {
    const depositsDestroyed = await destroyDeposits(file);
    await destroyPackages(caseId);
    file = await execute(exchange, caseId, actor, (current) => {
      if (current.state.phase !== 'CLOSING') return undefined;
      const { sealed } = current.state;
      return {
        type: 'RecordEnd',
        depositsDestroyed,
        packageDestroyed: sealed === null ? null : { packageId: sealed.packageId, objectKey: sealed.objectKey },
      };
    });
  } else if (isFinal(file.state.phase) && file.state.deposits.length > 0) {
    const depositsDestroyed = await destroyDeposits(file);
    file = await execute(exchange, caseId, actor, ({ state }) =>
      state.deposits.length === 0 ? undefined : { type: 'RecordDepositsDestroyed', depositsDestroyed },
    );
  }
  return resultFor(file.head, step.attempt, exchange.now());
});

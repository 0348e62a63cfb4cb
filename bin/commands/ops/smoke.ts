import { InvalidArgumentError } from 'commander';
import type { CanaryReport } from '../../../lambdas/contracts/canary-report.ts';
import { ClientError } from '../../client/errors.ts';
import { EXIT } from '../../client/exit-codes.ts';
import { columns } from '../../client/layout.ts';
import { operatorOf, type OperatorOptions } from '../../client/operator.ts';
import type { Paint } from '../../client/output.ts';
import type { AddOperatorCommand } from '../ops.ts';

interface Options extends OperatorOptions {
  readonly wait?: number;
}

/** Seconds as an option. */
function seconds(text: string): number {
  const value = Number(text);
  if (/^\d{1,3}$/.test(text) && value >= 1 && value <= 120) return value;
  throw new InvalidArgumentError('Give 1 to 120 seconds.');
}

function textOf({ steps, failed, caseId, cleaned }: CanaryReport, paint: Paint): string {
  const rows = steps.map(({ step, milliseconds }) => [paint('green', 'ok'), step, `${milliseconds} ms`]);
  if (failed !== null) rows.push([paint('red', 'failed'), failed.step, codeOf(failed)]);
  return [
    columns(rows),
    ...(cleaned === 0 ? [] : [`Ended ${cleaned} that earlier runs had left.`]),
    ...(caseId === null ? [] : [paint('dim', `case ${caseId}`)]),
  ].join('\n');
}

const codeOf = ({ code, status }: NonNullable<CanaryReport['failed']>): string =>
  status === null ? code : `${code} (${status})`;

function failure({ failed, ended }: CanaryReport): ClientError {
  const where = failed === null ? 'somewhere' : `at ${failed.step} with ${codeOf(failed)}`;
  return new ClientError(
    EXIT.failed,
    'CANARY_FAILED',
    `The canary did not come through: it failed ${where}.${ended ? '' : ' Its case could not be ended; the next run ends it.'}`,
    'docs/runbooks/canary-fails.md says what each code means.',
  );
}

/** ops smoke: an exercise case through the deployed API, from the request to the end. */
export const addSmoke: AddOperatorCommand = (ops, act) => {
  ops
    .command('smoke')
    .description('carry an exercise case through the exchange, open what it releases, and end it')
    .option('--wait <seconds>', 'longest wait for each phase of the case (default: 60)', seconds)
    .action(
      act(async (session, { wait, ...options }: Options) => {
        const operator = await operatorOf(session, options);
        const report = await operator.runCanary(wait === undefined ? {} : { waitSeconds: wait });
        session.out.answer({ environment: operator.environment, ...report }, (paint) => textOf(report, paint));
        if (!report.ok) throw failure(report);
      }),
    );
};

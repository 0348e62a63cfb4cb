import { redriveAnswer, type RedriveAnswer } from '../../../lambdas/contracts/operator.ts';
import { caseId } from '../../../lambdas/contracts/values.ts';
import { ClientError, usage } from '../../client/errors.ts';
import { EXIT } from '../../client/exit-codes.ts';
import { columns } from '../../client/layout.ts';
import { operatorOf, type OperatorOptions } from '../../client/operator.ts';
import { checked } from '../../client/options.ts';
import type { AddOperatorCommand } from '../ops.ts';
import { stuckOf } from './stuck.ts';

const DID = {
  restarted: 'the next attempt has begun',
  redelivered: 'what was not told is told again',
  looked: 'looked at, and its execution woken where it should not wait',
  'file-behind': 'nothing: its file is behind its tally (docs/runbooks/case-file-behind.md)',
  unknown: 'nothing: there is no such case',
} as const satisfies Record<RedriveAnswer['did'], string>;

/** ops redrive: has the sweep look now, without its patience. It decides nothing: what a case file does not allow does not happen. */
export const addRedrive: AddOperatorCommand = (ops, act) => {
  ops
    .command('redrive')
    .description('have the sweep repair a case now instead of later; it decides nothing')
    .argument('[case]', 'id of the case')
    .option('--all', 'every case that valiza ops stuck names')
    .action(
      act(async (session, { all = false, ...options }: OperatorOptions & { readonly all?: boolean }, one?: string) => {
        if (all === (one !== undefined)) throw usage('Name one case, or --all.', 'valiza ops redrive CASE');
        const operator = await operatorOf(session, options);
        const named = one === undefined ? undefined : caseId.parse(checked(caseId, one));
        const ids = named === undefined ? (await stuckOf(operator)).cases.map((row) => row.caseId) : [named];
        if (ids.length > 0) {
          await session.prompt.confirm(`This has ${ids.length} case(s) of ${operator.environment} repaired now.`);
        }
        const done: RedriveAnswer[] = [];
        for (const id of ids) done.push(await operator.ask({ ask: 'redrive', caseId: id }, redriveAnswer));
        if (done.length === 1 && done[0]?.did === 'unknown') {
          throw new ClientError(
            EXIT.failed,
            'NO_SUCH_CASE',
            'There is no such case.',
            'valiza ops stuck lists those that are held up.',
          );
        }
        session.out.answer({ environment: operator.environment, cases: done }, () =>
          done.length === 0 ? 'No case is held up.' : columns(done.map(({ caseId: id, did }) => [id, DID[did]])),
        );
      }),
    );
};

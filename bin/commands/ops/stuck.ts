import { stuckAnswer, type StuckAnswer, type StuckCase } from '../../../lambdas/contracts/operator.ts';
import { columns, times } from '../../client/layout.ts';
import { operatorOf, type Operator, type OperatorOptions } from '../../client/operator.ts';
import type { Paint } from '../../client/output.ts';
import type { AddOperatorCommand } from '../ops.ts';

/** The cases that something holds up, as they were asked for page by page. */
export async function stuckOf(operator: Operator): Promise<Omit<StuckAnswer, 'next'>> {
  const cases = new Map<string, StuckCase>();
  let asOf: StuckAnswer['asOf'] | undefined;
  let cursor: string | null = null;
  do {
    const page: StuckAnswer = await operator.ask({ ask: 'stuck', ...(cursor === null ? {} : { cursor }) }, stuckAnswer);
    asOf ??= page.asOf;
    for (const row of page.cases) cases.set(row.caseId, row);
    cursor = page.next;
  } while (cursor !== null);
  return { asOf, cases: [...cases.values()] };
}

/** What is the matter with a case, and what to do: the first that applies is the one to begin with. */
export function advice({ because, failed, failures, dueAt, phase }: StuckCase): readonly [why: string, next: string] {
  if (failed !== null) {
    return [
      `attempt failed (${failures} so far): ${failed.step}, ${failed.error}`,
      'find the error in docs/runbooks/attempts-fail.md, mend it, then redrive',
    ];
  }
  if (because.includes('no-execution')) return ['no execution carries it', 'redrive: the next attempt begins'];
  if (because.includes('late')) {
    const why = dueAt === null ? `has stood in ${phase} for too long` : `its clock ran out at ${dueAt.slice(0, 16)}Z`;
    return [why, 'redrive: its execution is woken; if it stays, docs/runbooks/work-late.md'];
  }
  return [
    'not everything of it has been told',
    'redrive: it is told again; if it stays, docs/runbooks/consumer-behind.md',
  ];
}

function textOf({ asOf, cases }: Omit<StuckAnswer, 'next'>, paint: Paint): string {
  if (cases.length === 0) return `No case is held up (${times(asOf)}).`;
  const rows = cases.map((row) => {
    const [why, next] = advice(row);
    return [row.phase, row.caseId, `attempt ${row.attempt}`, why, next];
  });
  return [paint('bold', `${cases.length} held up (${times(asOf)})`), columns(rows)].join('\n');
}

/** ops stuck: what the exchange does not get on with by itself. */
export const addStuck: AddOperatorCommand = (ops, act) => {
  ops
    .command('stuck')
    .description('list the cases that something holds up, each with why and what to do')
    .action(
      act(async (session, options: OperatorOptions) => {
        const operator = await operatorOf(session, options);
        const seen = await stuckOf(operator);
        const cases = seen.cases.map((row) => ({ ...row, next: advice(row)[1] }));
        session.out.answer({ environment: operator.environment, asOf: seen.asOf, cases }, (paint) =>
          textOf(seen, paint),
        );
        if (cases.length > 0) session.out.hint('valiza ops redrive CASE, or --all');
      }),
    );
};

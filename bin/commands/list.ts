import { columns } from '../client/layout.ts';
import type { AddCommand } from '../client/session.ts';

interface Options {
  readonly view?: string;
  readonly phase?: string;
  readonly limit?: string;
  readonly cursor?: string;
}

/** list: the work queue, or one's own agency's requests. */
export const addList: AddCommand = (program, act) => {
  program
    .command('list')
    .description('list the work queue of a phase, or the requests of your agency')
    .option('--view <view>', 'queue or own (default: what your roles suggest)')
    .option('--phase <phase>', 'for the queue: the phase (default: where your work is)')
    .option('--limit <number>', 'how many at most, 1 to 50 (default: 20)')
    .option('--cursor <cursor>', 'where the page before said that the next one begins')
    .action(
      act(async ({ api, out }, { view, phase, limit, cursor }: Options) => {
        const list = await api.listCases({ query: { view, phase, limit, cursor } });
        const rows = list.cases.map((row) => [
          row.caseId,
          row.registerNumber ?? '',
          row.phase,
          row.dueAt === null ? '' : `due ${row.dueAt.slice(0, 16)}Z`,
          row.requestingAgency,
          `${row.exercise && !row.title.startsWith('EXERCISE') ? 'EXERCISE ' : ''}${row.title}`,
        ]);
        out.answer(list, () => (rows.length === 0 ? 'No cases.' : columns(rows)));
        if (list.next !== null) out.hint(`valiza list --cursor ${list.next}`);
        else if (list.cases[0] !== undefined) out.hint(`valiza show ${list.cases[0].caseId}`);
      }),
    );
};

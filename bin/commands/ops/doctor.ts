import { inFlightOf, type InFlight } from '../../client/in-flight.ts';
import { columns, times } from '../../client/layout.ts';
import { operatorOf, type OperatorOptions } from '../../client/operator.ts';
import type { Paint } from '../../client/output.ts';
import { PHASE_NAMES } from '../../client/phase-words.ts';
import type { AddOperatorCommand } from '../ops.ts';

/** A revision's id is long; so much of it tells it from the others. */
const SHORT = 8;

/** By phase, in the order in which cases go through them; in a phase, by attempt. */
function rowsOf({ cases }: InFlight): string[][] {
  const place = (phase: string): number => PHASE_NAMES.findIndex((name) => name === phase);
  return cases
    .toSorted((one, other) => place(one.phase) - place(other.phase) || one.attempt - other.attempt)
    .map((row) => [
      row.phase,
      row.caseId,
      `attempt ${row.attempt}`,
      row.execution === null ? 'no execution' : `workflow ${row.execution.revision.slice(0, SHORT)}`,
      row.dueAt === null ? '' : `due ${row.dueAt.slice(0, 16)}Z`,
      row.failures === 0 ? '' : `${row.failures} failed`,
    ]);
}

function revisionRows({ cases, revisions }: InFlight): string[][] {
  return Object.entries(revisions).map(([id, { functions }]) => [
    `workflow ${id.slice(0, SHORT)}`,
    `${cases.filter((row) => row.execution?.revision === id).length} cases`,
    functions.join(' '),
  ]);
}

function textOf(seen: InFlight, paint: Paint): string {
  const { cases } = seen;
  if (cases.length === 0) return `No case is in flight (${times(seen.asOf)}).`;
  return [
    paint('bold', `${cases.length} in flight (${times(seen.asOf)})`),
    columns(rowsOf(seen)),
    ...(Object.keys(seen.revisions).length === 0 ? [] : ['', columns(revisionRows(seen))]),
  ].join('\n');
}

/** ops doctor: what a deployment would meet. */
export const addDoctor: AddOperatorCommand = (ops, act) => {
  ops
    .command('doctor')
    .description('list the cases in flight by phase, with the attempt and the workflow that carry each')
    .action(
      act(async (session, options: OperatorOptions) => {
        const operator = await operatorOf(session, options);
        const seen = await inFlightOf(operator);
        session.out.answer({ environment: operator.environment, ...seen }, (paint) => textOf(seen, paint));
      }),
    );
};

import { ClientError } from '../../client/errors.ts';
import { EXIT } from '../../client/exit-codes.ts';
import { inFlightOf, type InFlight } from '../../client/in-flight.ts';
import { columns, times } from '../../client/layout.ts';
import { operatorOf, type Operator, type OperatorOptions } from '../../client/operator.ts';
import type { Paint } from '../../client/output.ts';
import { PHASE_NAMES } from '../../client/phase-words.ts';
import { strandingFindings } from '../../client/release-check/carried.ts';
import { deployedRelease, nextRelease } from '../../client/release-check/read.ts';
import { statefulFindings } from '../../client/release-check/stateful.ts';
import { changesOf, type Finding } from '../../client/release-check/template.ts';
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

const findingText = ({ code, what, why, next }: Finding, paint: Paint): string =>
  [paint('red', `${code}: ${what}`), `  ${why}`, `  ${next}`].join('\n');

/** What would go wrong if the assembly in `directory` were deployed now. */
async function examine(operator: Operator, directory: string, seen: InFlight): Promise<readonly Finding[]> {
  const next = await nextRelease(directory, operator.environment);
  const deployed = await deployedRelease(operator);
  return [...changesOf(deployed, next).flatMap(statefulFindings), ...strandingFindings(deployed, next, seen)];
}

interface Options extends OperatorOptions {
  readonly next?: string;
}

/** ops doctor: what a deployment would meet, and whether it may go ahead. */
export const addDoctor: AddOperatorCommand = (ops, act) => {
  ops
    .command('doctor')
    .description('list the cases in flight by phase, with the attempt and the workflow that carry each')
    .option('--next <folder>', 'assembly of a release: fail if deploying it would strand a case or lose what is kept')
    .action(
      act(async ({ out, ...session }, options: Options) => {
        const operator = await operatorOf({ out, ...session }, options);
        const seen = await inFlightOf(operator);
        const findings = options.next === undefined ? undefined : await examine(operator, options.next, seen);
        const { environment } = operator;
        out.answer({ environment, ...seen, ...(findings === undefined ? {} : { findings }) }, (paint) =>
          [
            textOf(seen, paint),
            ...(findings ?? []).map((finding) => `\n${findingText(finding, paint)}`),
            ...(findings?.length === 0 ? ['\nThe release strands no case and loses nothing that is kept.'] : []),
          ].join('\n'),
        );
        if (findings === undefined || findings.length === 0) return;
        throw new ClientError(
          EXIT.failed,
          'NOT_TO_BE_DEPLOYED',
          `The release is not to be deployed as it is: ${findings.length} ${findings.length === 1 ? 'reason' : 'reasons'}.`,
          'Mend what is named, synthesise again, and ask again. docs/upgrade.md explains each.',
        );
      }),
    );
};

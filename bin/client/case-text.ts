import type { CaseView } from '../../lambdas/contracts/api-answers.ts';
import { commandsInWords } from './command-words.ts';
import { labelled, shown, times, type Row } from './layout.ts';
import type { Paint } from './output.ts';
import { phaseInWords } from './phase-words.ts';
import { proposalText } from './proposal-text.ts';

/** What is due and how it was computed, as the agreement says it (domain.md §6). */
function dueText({ dueAt, clock }: CaseView): string | undefined {
  if (dueAt === null) return undefined;
  if (clock === null) return times(dueAt);
  const { amount, unit, calendars, onDue } = clock.rule;
  const days = calendars.length === 0 ? '' : ` of ${calendars.join(' and ')}`;
  const stops = clock.stops.length === 0 ? '' : `, stopped ${clock.stops.length} time(s)`;
  return `${times(dueAt)}\n${amount} ${unit}${days} from ${times(clock.startedAt)}${stops}; then: ${onDue}`;
}

const questionRows = (seen: CaseView): Row[] =>
  seen.questions.flatMap(({ question, askedAt, answer, answeredAt }): Row[] => [
    ['Question', `${question}\n(${times(askedAt)})`],
    ['Answer', answer === undefined ? 'none yet' : `${answer}\n(${times(answeredAt ?? '')})`],
  ]);

function releaseRows({ release, accesses, receipts }: CaseView): Row[] {
  if (release === undefined) return [];
  return [
    ['Open from', times(release.notBefore)],
    ['until before', times(release.notAfter)],
    ...(accesses ?? []).map(({ recipient, copy, at, failed, accessId }): Row => {
      const receipt = receipts?.find((row) => row.accessId === accessId);
      const state = failed ? 'failed' : receipt === undefined ? 'no receipt yet' : `receipt ${times(receipt.at)}`;
      return ['Opened', `${recipient}, copy ${copy}, ${times(at)}; ${state}`];
    }),
  ];
}

/** A case for people: where it stands first, then what it is about, then what has happened. */
export function caseText(seen: CaseView, paint: Paint): string {
  const { request, agreement, outcome } = seen;
  const head = `${seen.exercise ? `${paint('yellow', 'EXERCISE')}  ` : ''}${paint('bold', seen.registerNumber ?? 'no register number yet')}  ${shown(request.title)}`;
  const rows: Row[] = [
    ['Case', seen.caseId],
    ['Phase', phaseInWords(seen.phase)],
    ['Outcome', outcome?.statement ?? undefined],
    ['Due', dueText(seen)],
    ['You may', commandsInWords(seen.yourCommands)],
    [
      'Asked',
      `${seen.requestingAgency} (${seen.recipientNation}) of ${seen.originatingNation}, ${times(seen.openedAt)}`,
    ],
    ['Under', `${agreement.id} version ${agreement.version}`],
    ['Purpose', `${request.purpose}${request.reference === undefined ? '' : ` (${request.reference})`}`],
    ['Level', `${request.levelSought.mark} (${request.levelSought.axis})`],
    ['Recipients', request.recipients.join(', ')],
    ['What', request.description],
    ['Why', request.justification],
    ...seen.failedChecks.map(({ rule, evidence }): Row => [`Rule ${rule}`, `not met: ${evidence}`]),
    ...questionRows(seen),
    ...(seen.deposits ?? []).map((row): Row => [
      'Deposit',
      `${row.depositId}, ${row.length} bytes, ${row.complete ? 'complete' : 'not uploaded yet'}`,
    ]),
    ...(seen.decisions ?? []).map((row): Row => [
      'Decision',
      [`${row.verdict} by ${row.personId} as ${row.role}`, row.ground, row.note].filter(Boolean).join('; '),
    ]),
    ['Still needed', seen.rolesMissing?.join(', ')],
    ...releaseRows(seen),
  ];
  const proposal =
    seen.proposal === undefined || seen.proposalDigest === undefined
      ? ''
      : `\n\n${proposalText(seen.proposal, seen.proposalDigest, paint)}`;
  return `${head}\n${labelled(rows, paint)}${proposal}`;
}

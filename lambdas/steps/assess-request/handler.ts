import { stepInput, type StepResult } from '../../contracts/step.ts';
import { isCanaryCase } from '../../domain/canary.ts';
import type { Command } from '../../domain/commands.ts';
import { claimAttempt } from '../../platform/case-index.ts';
import { lastRegistered, loadCase, type CaseFile } from '../../platform/case-store.ts';
import { dynamodb } from '../../platform/dynamodb.ts';
import { entryPoint } from '../../platform/entry-point.ts';
import { caseIdOf, exchangeFromEnvironment, system } from '../../platform/exchange.ts';
import { execute } from '../../platform/execute.ts';
import { hasRunItsTime, resultFor } from '../../platform/next-step.ts';

const exchange = exchangeFromEnvironment();
const actor = system('assess-request');

/** The registry's series of a year: `CAN-2026`. What the canary asks for takes no number of it. */
function series({ state }: CaseFile): string {
  const year = state.openedAt.slice(0, 4);
  return isCanaryCase(state) ? `${state.originatingNation}-CANARY-${year}` : `${state.originatingNation}-${year}`;
}

/** What the place where the case stands asks of the system: an assessment, a look at the clock, or nothing. */
function due(file: CaseFile, previous: number): Command | undefined {
  switch (file.state.phase) {
    case 'SUBMITTED':
      return { type: 'RecordAssessment', registerNumber: `${series(file)}-${String(previous + 1).padStart(6, '0')}` };
    case 'UNDER_REVIEW':
    case 'AWAITING_CLARIFICATION':
    case 'AWAITING_ASSURANCE':
      return { type: 'LookAtClock' };
    default:
      return undefined;
  }
}

/**
 * First step of every execution, and where each returns when a wait has timed out: reads where the case stands, does what is due
 * there, and says where to go. An execution near the service's limit ends here, and the next attempt goes on.
 */
export const handler = entryPoint(async (input: unknown): Promise<StepResult> => {
  const step = stepInput.parse(input);
  const caseId = caseIdOf(step);
  const read = await loadCase(dynamodb, exchange.casesTable, caseId);
  if (read.head.attempt !== step.attempt) return resultFor(read.head, step.attempt, exchange.now());
  if (hasRunItsTime(step.startedAt, exchange.now())) {
    await claimAttempt(dynamodb, exchange.casesTable, read.head);
    return { ...resultFor(read.head, step.attempt, exchange.now()), next: 'continue-later' };
  }
  let previous = 0;
  const file = await execute(
    exchange,
    caseId,
    actor,
    async (current) => {
      if (current.state.phase === 'SUBMITTED')
        previous = await lastRegistered(dynamodb, exchange.casesTable, series(current));
      return due(current, previous);
    },
    (current) => (current.state.phase === 'SUBMITTED' ? { register: { series: series(current), previous } } : {}),
  );
  return resultFor(file.head, step.attempt, exchange.now());
});

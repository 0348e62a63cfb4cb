import { inFlightAnswer, type InFlightAnswer, type InFlightCase } from '../../lambdas/contracts/operator.ts';
import type { Operator } from './operator.ts';

/** Every case that is not done, and what the revisions of the workflow that carry them run with. */
export interface InFlight {
  readonly asOf: string;
  readonly cases: readonly InFlightCase[];
  readonly revisions: InFlightAnswer['revisions'];
}

/** Asks page by page. A case that moves meanwhile may be listed as it was, and is listed once. */
export async function inFlightOf(operator: Operator): Promise<InFlight> {
  const cases = new Map<string, InFlightCase>();
  const revisions: InFlightAnswer['revisions'] = {};
  let asOf = '';
  let cursor: string | null = null;
  do {
    const page: InFlightAnswer = await operator.ask(
      { ask: 'in-flight', ...(cursor === null ? {} : { cursor }) },
      inFlightAnswer,
    );
    asOf ||= page.asOf;
    for (const row of page.cases) cases.set(row.caseId, row);
    Object.assign(revisions, page.revisions);
    cursor = page.next;
  } while (cursor !== null);
  return { asOf, cases: [...cases.values()], revisions };
}

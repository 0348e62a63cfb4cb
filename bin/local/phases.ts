import type { CaseView } from '../../lambdas/contracts/api-answers.ts';
import type { LocalExchange } from './exchange.ts';

/** Longest that the exchange may take to move a case on by itself, in real milliseconds. */
const PATIENCE = 60_000;

/**
 * Waits until a case stands in a phase, as one person sees it.
 * @throws when the runtime has refused the application a call (naming role, action and resource), or patience ends
 */
export async function untilPhase(
  exchange: LocalExchange,
  personId: string,
  caseId: string,
  phase: string,
): Promise<CaseView> {
  const api = exchange.as(personId);
  const end = Date.now() + PATIENCE;
  for (;;) {
    await exchange.runtime.settled();
    refuseDenials(exchange);
    const seen = await api.readCase({ params: { caseId } });
    if (seen.phase === phase) return seen;
    if (Date.now() > end) throw new Error(`The case is ${seen.phase} and did not become ${phase}.`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** A permission that the template does not give is a fault of the application: it ends the demonstration with its name. */
export function refuseDenials(exchange: LocalExchange): void {
  const denial = exchange.runtime.denials()[0];
  if (denial === undefined) return;
  throw new Error(
    `The application was refused a call.\n  role:     ${denial.caller}\n  action:   ${denial.action}\n  resource: ${denial.resource}\n  reason:   ${denial.reason}`,
  );
}

import { join } from 'node:path';
import { openPackage } from '../bin/client/open-package.ts';
import { silent } from '../bin/client/progress.ts';
import type { BodyOf } from '../lambdas/contracts/routes.ts';
import { HOUR, type Scene } from '../test/support/exchange.ts';

/** States of the workflow in which a case waits for somebody, and the last one. */
export const DECISION = 'Await decision';
export const ASSURANCE = 'Await assurance';
export const HOLD = 'Hold until expiry or recall';
const CLOSED = 'Closed';

/** Real milliseconds between two looks, which is how exactly a moment is known. */
const LOOK = 2;

/** Waits until the execution of a case enters a state: read from the runtime itself, so that waiting costs the exchange nothing. */
export async function stateEntered(scene: Scene, caseId: string, state: string): Promise<void> {
  const { states } = scene.runtime.services;
  let arn: string | undefined;
  for (const end = Date.now() + 120_000; Date.now() < end;) {
    arn ??= states.executions().find(({ name }) => name.startsWith(caseId))?.arn;
    const events = arn === undefined ? [] : states.history(arn);
    if (events.some(({ details }) => details['stateEnteredEventDetails']?.['name'] === state)) return;
    await new Promise((resolve) => setTimeout(resolve, LOOK));
  }
  throw new Error(`The case did not come to "${state}" in two minutes.`);
}

export interface Life {
  readonly caseId: string;
  /** From the answer to the vote that made the quorum, with the assurance given at once, to the release. Milliseconds. */
  readonly decisionToRelease: number;
  /** From the answer to the assurance, after which no person does anything, to the release. Milliseconds. */
  readonly assuranceToRelease: number;
}

const body = (scene: Scene): BodyOf<'submitRequest'> => ({
  agreementId: 'CAN-UKR-EXERCISE',
  purpose: 'tender',
  justification: 'To bid on the solicitation of the exercise.',
  title: 'Tender documents',
  description: 'The tender file of the exercise.',
  levelSought: { axis: 'protected', mark: scene.mark },
  recipients: [scene.who.recipient],
  language: 'en',
});

/**
 * The whole happy life of a case through the API, as its people live it: submitted, registered, a document deposited and proposed, read and
 * approved by two officers, read and assured by the authority, sealed, opened and acknowledged by the recipient, recalled, closed, and its
 * file read by the desk. @param pause what lies between two acts; nothing unless told
 */
export async function live(scene: Scene, pause: () => Promise<void> = () => Promise.resolve()): Promise<Life> {
  const { who } = scene;
  const { caseId } = await scene.as(who.requester).submitRequest({ body: body(scene) });
  const params = { caseId };
  await stateEntered(scene, caseId, DECISION);
  await pause();
  const proposed = await scene.propose(caseId, { endsIn: 1000 * HOUR });
  for (const approver of [who.releasing, who.security]) {
    await pause();
    await scene.as(approver).readCase({ params });
    await scene.approve(proposed, approver);
  }
  const decided = performance.now();
  await stateEntered(scene, caseId, ASSURANCE);
  const waited = performance.now();
  await pause();
  await scene.as(who.recipientAuthority).readCase({ params });
  const begun = performance.now();
  await scene.assure(proposed);
  const assured = performance.now();
  await stateEntered(scene, caseId, HOLD);
  const released = performance.now();
  await pause();
  const key = await scene.keyOf(who.recipient);
  const folder = join(scene.folder, 'opened', caseId);
  await openPackage(scene.as(who.recipient), { caseId, key, folder, force: false, progress: silent });
  await pause();
  await scene.as(who.authority).recallRelease({ params, body: { reason: 'The exercise is over.' } });
  await stateEntered(scene, caseId, CLOSED);
  await scene.as(who.desk).readEvents({ params });
  await pause();
  return {
    caseId,
    decisionToRelease: waited - decided + (released - begun),
    assuranceToRelease: released - assured,
  };
}

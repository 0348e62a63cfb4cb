import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { AccessView, CaseView } from '../../contracts/api-answers.ts';
import type { Api } from '../../contracts/api-calls.ts';
import type { CanaryStep } from '../../contracts/canary-report.ts';
import type { Canary } from '../../domain/canary-people.ts';
import { HOUR, plus } from '../../domain/instant.ts';
import type { Phase } from '../../domain/phases.ts';
import { CANARY_RECIPIENT_KEY } from '../../evidence/canary-key.ts';
import { digestOfBytes } from '../../evidence/digest.ts';
import { now } from '../../platform/clock.ts';
import { CanaryFailure } from './failure.ts';
import { openAndCompare } from './open.ts';

/** The API as each of the canary's people. */
export interface Cast {
  readonly canary: Canary;
  readonly desk: Api;
  readonly approvers: readonly Api[];
  readonly requester: Api;
  readonly recipient: Api;
  readonly recipientAuthority: Api;
}

/** Does a step, and takes its time. */
export type Step = <T>(step: CanaryStep, work: () => Promise<T>) => Promise<T>;

const REASON = 'EXERCISE. The canary has seen what it came for.';

/** How long a case is looked at without a change, in milliseconds: twice as long each time. */
const [FIRST_PAUSE, LONGEST_PAUSE] = [50, 2000];

/** Waits until the exchange has brought the case to a phase. @throws CanaryFailure with where it stands instead */
async function waitFor(api: Api, caseId: string, phase: Phase, seconds: number): Promise<CaseView> {
  const until = performance.now() + seconds * 1000;
  for (let wait = FIRST_PAUSE; ; wait = Math.min(2 * wait, LONGEST_PAUSE)) {
    const seen = await api.readCase({ params: { caseId } });
    if (seen.phase === phase) return seen;
    if (performance.now() >= until) throw new CanaryFailure(`STILL_${seen.phase}`);
    await pause(wait);
  }
}

/** A request that says of itself what it is. */
const submission = ({ agreement, marking, recipient }: Canary) => ({
  agreementId: agreement.id,
  purpose: agreement.purposes[0]?.code ?? '',
  title: 'EXERCISE canary',
  description: 'EXERCISE. A few random bytes, to see whether the exchange carries them.',
  justification: 'EXERCISE. Nobody needs to do anything.',
  levelSought: { axis: marking.axis, mark: marking.mark },
  recipients: [recipient.personId],
  language: 'en' as const,
});

/** Announces, uploads and completes a deposit; answers its id. */
async function deposit(desk: Api, caseId: string, document: Buffer): Promise<string> {
  const body = { digest: digestOfBytes(document), length: document.length };
  const { depositId, upload } = await desk.openDeposit({ params: { caseId }, body });
  if (upload === undefined) throw new CanaryFailure('NO_UPLOAD_ADDRESS');
  // Fetch sets the length by itself, from the same bytes.
  const { ['content-length']: _length, ...headers } = upload.headers;
  const answer = await fetch(upload.url, {
    method: upload.method,
    headers,
    body: Uint8Array.from(document),
    redirect: 'error',
    signal: AbortSignal.timeout(30_000),
  }).catch((error: unknown) => Promise.reject(new CanaryFailure('STORE_UNREACHABLE', null, error)));
  if (answer.status !== 200) throw new CanaryFailure('UPLOAD_REFUSED', answer.status);
  await desk.completeDeposit({ params: { caseId, depositId }, body: {} });
  return depositId;
}

function propose({ canary, desk }: Cast, caseId: string, depositId: string): Promise<CaseView> {
  const { axis, mark } = canary.marking;
  return desk.putProposal({
    params: { caseId },
    body: {
      documents: [{ depositId, title: 'EXERCISE canary', marking: { axis, mark }, pages: 1 }],
      recipients: [{ personId: canary.recipient.personId, keyFingerprint: CANARY_RECIPIENT_KEY.fingerprint }],
      conditions: [],
      copies: 1,
      // Should it be left behind, it ends by itself.
      notAfter: plus(now(), HOUR),
    },
  });
}

/** That nothing remains of it, as far as the API and the address of the package show. */
async function verifyGone({ desk, recipient }: Cast, caseId: string, access: AccessView): Promise<void> {
  const seen = await desk.readCase({ params: { caseId } });
  if ((seen.deposits ?? []).length > 0) throw new CanaryFailure('DEPOSIT_REMAINS');
  const answer = await fetch(access.url, { redirect: 'error', signal: AbortSignal.timeout(30_000) }).catch(
    () => undefined,
  );
  await answer?.body?.cancel();
  if (answer?.ok === true) throw new CanaryFailure('PACKAGE_REMAINS', answer.status);
  const opened = await recipient.grantAccess({ params: { caseId }, body: {} }).then(
    () => true,
    (error: unknown) => {
      if (error instanceof CanaryFailure && error.status !== null && error.status < 500) return false;
      throw error;
    },
  );
  if (opened) throw new CanaryFailure('STILL_OPENS');
}

/**
 * Carries one case through the exchange as agencies and officers do.
 * @param opened told the case's id as soon as there is one
 */
export async function carryCase(
  cast: Cast,
  step: Step,
  waitSeconds: number,
  opened: (caseId: string) => void,
): Promise<void> {
  const { canary, desk, approvers, requester, recipient, recipientAuthority } = cast;
  const document = randomBytes(64);
  const { caseId } = await step('submit', () => requester.submitRequest({ body: submission(canary) }));
  opened(caseId);
  const params = { caseId };
  const reach = (api: Api, phase: Phase): Promise<CaseView> => waitFor(api, caseId, phase, waitSeconds);
  await step('review', () => reach(requester, 'UNDER_REVIEW'));
  const depositId = await step('deposit', () => deposit(desk, caseId, document));
  const { proposalDigest = '' } = await step('propose', () => propose(cast, caseId, depositId));
  await step('decide', async () => {
    for (const approver of approvers)
      await approver.castDecision({ params, proposalDigest, body: { verdict: 'approve' } });
  });
  if (canary.agreement.assurance.required) {
    await step('assure', async () => {
      await reach(recipientAuthority, 'AWAITING_ASSURANCE');
      await recipientAuthority.giveAssurance({ params, body: { verdict: 'give', proposalDigest } });
    });
  }
  const seen = await step('release', () => reach(recipient, 'RELEASED'));
  const access = await step('open', async () => {
    const granted = await recipient.grantAccess({ params, body: {} });
    await openAndCompare(granted, seen, document);
    await recipient.acknowledgeReceipt({
      params,
      body: { accessId: granted.accessId, digest: granted.ciphertextDigest },
    });
    return granted;
  });
  await step('recall', () => recallBy(approvers, caseId));
  await step('close', () => reach(desk, 'CLOSED'));
  await step('verify', () => verifyGone(cast, caseId, access));
}

async function recallBy([approver]: readonly Api[], caseId: string): Promise<void> {
  if (approver === undefined) throw new CanaryFailure('NO_APPROVER');
  await approver.recallRelease({ params: { caseId }, body: { reason: REASON } });
}

/** Ends a case wherever it stands. @returns whether it has ended, or will by what was done */
export async function endCase({ approvers, requester }: Cast, caseId: string): Promise<boolean> {
  const params = { caseId };
  const { phase } = await requester.readCase({ params });
  if (phase === 'RELEASED' || phase === 'SUSPENDED') await recallBy(approvers, caseId);
  else if (!OVER.includes(phase)) await requester.withdrawRequest({ params, body: { reason: REASON } });
  return true;
}

const OVER: readonly string[] = [
  'CLOSING',
  'CLOSED',
  'WITHDRAWN',
  'REFUSED',
  'LAPSED',
  'INADMISSIBLE',
] satisfies Phase[];

/** Runs are shorter than this: what is older and open was left behind. */
const LEFT_AFTER = 11 * 60 * 1000;

/** Ends what earlier runs left behind. Of the latest fifty: a day's worth, after which their own clocks have ended them. */
export async function endOthers(cast: Cast): Promise<number> {
  const { cases } = await cast.requester.listCases({ query: { view: 'own', limit: '50' } });
  const left = cases.filter(
    ({ phase, openedAt }) => !OVER.includes(phase) && Date.parse(openedAt) + LEFT_AFTER < Date.now(),
  );
  for (const { caseId } of left) await endCase(cast, caseId);
  return left.length;
}

import { randomBytes } from 'node:crypto';
import { ClientError, ProblemError } from '../../bin/client/errors.ts';
import type { CaseView } from '../../lambdas/contracts/api-answers.ts';
import type { BodyOf } from '../../lambdas/contracts/routes.ts';
import type { Phase } from '../../lambdas/domain/phases.ts';
import { DAY, MINUTE, SECOND, sha256, type Scene } from './exchange.ts';

/** The second person who may open a release of these lives. */
export const SECOND_RECIPIENT = 'ukr-recipient-9';

const CONTENT = Buffer.from('EXERCISE tender, of a life that is disturbed');

/** A case that is led through a story, every act under a key of its own: an act that is done again is the same act. */
export interface Life {
  /** Begins the life's idempotency keys; eight characters at least, as keys ask for. */
  readonly tag: string;
  caseId: string;
  depositId: string;
  proposal: BodyOf<'putProposal'> | undefined;
  accesses: { accessId: string; ciphertextDigest: string; copy: number }[];
}

export const newLife = (tag = `life-${randomBytes(6).toString('hex')}`): Life => ({
  tag,
  caseId: '',
  depositId: '',
  proposal: undefined,
  accesses: [],
});

export interface Act {
  readonly name: string;
  /** Where the case stands once everything that follows from the act has happened. */
  readonly to: Phase;
  /** Whether the act is still to be done, as the case is seen; always unless told. */
  readonly needed?: (seen: CaseView) => boolean;
  do(scene: Scene, life: Life): Promise<unknown>;
  /** How far time is moved for the act, beyond what the sweep needs: an instant, in milliseconds. */
  readonly until?: (seen: CaseView) => number;
}

/** How often a request is sent again that nothing sensible came back for. */
const TRIES = 8;

/** Sends a request as a caller does whom nobody answered: again, and the same. */
export async function insist<T>(send: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await send();
    } catch (error) {
      const answered = error instanceof ProblemError && error.problem.status < 500;
      if (!(error instanceof ClientError) || answered || tries === TRIES) throw error;
    }
  }
}

/** Puts the document where the deposit says; what is there already is that document, since the address takes no other. */
async function upload({ url, headers }: { url: string; headers: Readonly<Record<string, string>> }): Promise<void> {
  const { ['content-length']: _length, ...rest } = headers;
  for (let tries = 1; ; tries += 1) {
    const answer = await fetch(url, { method: 'PUT', headers: rest, body: Uint8Array.from(CONTENT) }).catch(
      () => undefined,
    );
    if (answer !== undefined && [200, 412].includes(answer.status)) return;
    if (tries === TRIES) throw new Error(`The store answered ${answer?.status}.`);
  }
}

const key = (life: Life, act: string) => ({ idempotencyKey: `${life.tag}-${act}` });
const on = ({ caseId }: Life) => ({ params: { caseId } });
const asked = (name: string, to: Phase, send: (scene: Scene, life: Life) => Promise<unknown>): Act => ({
  name,
  to,
  do: (scene, life) => insist(() => send(scene, life)),
});

const submit = asked('submit', 'UNDER_REVIEW', async (scene, life) => {
  const { who, mark } = scene;
  const body = {
    agreementId: 'CAN-UKR-EXERCISE',
    purpose: 'tender',
    justification: 'To bid on the solicitation of the exercise.',
    title: 'Tender documents',
    description: 'The tender file of the exercise.',
    levelSought: { axis: 'protected' as const, mark },
    recipients: [who.recipient, SECOND_RECIPIENT],
    language: 'en' as const,
  };
  life.caseId = (await scene.as(who.requester).submitRequest({ body, ...key(life, 'submit') })).caseId;
});

const deposit: Act = {
  name: 'deposit',
  to: 'UNDER_REVIEW',
  needed: (seen) => seen.phase === 'UNDER_REVIEW' && seen.proposal === undefined,
  async do(scene, life) {
    const desk = scene.as(scene.who.desk);
    const body = { digest: sha256(CONTENT), length: CONTENT.length };
    const opened = await insist(() => desk.openDeposit({ ...on(life), body, ...key(life, 'deposit') }));
    life.depositId = opened.depositId;
    if (opened.upload !== undefined) await upload(opened.upload);
    const params = { caseId: life.caseId, depositId: life.depositId };
    await insist(() => desk.completeDeposit({ params, body: {}, ...key(life, 'complete') }));
  },
};

/** The same put again is the same proposal: its window is chosen once. */
async function proposalOf(scene: Scene, life: Life): Promise<BodyOf<'putProposal'>> {
  const { who, mark } = scene;
  const recipients = [who.recipient, SECOND_RECIPIENT];
  life.proposal ??= {
    documents: [{ depositId: life.depositId, title: 'The tender', marking: { axis: 'protected', mark }, pages: 3 }],
    recipients: await Promise.all(
      recipients.map(async (personId) => ({ personId, keyFingerprint: await scene.fingerprintOf(personId) })),
    ),
    conditions: ['For this tender only.'],
    copies: 4,
    notAfter: new Date(scene.runtime.clock.now() + 5 * DAY).toISOString(),
  };
  return life.proposal;
}

const propose: Act = {
  ...asked('propose', 'UNDER_REVIEW', async (scene, life) =>
    scene.as(scene.who.desk).putProposal({ ...on(life), body: await proposalOf(scene, life) }),
  ),
  needed: (seen) => seen.phase === 'UNDER_REVIEW' && seen.proposal === undefined,
};

async function decide(scene: Scene, life: Life, by: string, body: BodyOf<'castDecision'>): Promise<void> {
  const { proposalDigest = '' } = await insist(() => scene.read(life.caseId));
  await insist(() => scene.as(by).castDecision({ ...on(life), proposalDigest, body, ...key(life, `decide-${by}`) }));
}

const approval = (name: string, part: 'releasing' | 'security', to: Phase): Act => ({
  name,
  to,
  needed: (seen) => seen.phase === 'UNDER_REVIEW',
  do: (scene, life) => decide(scene, life, scene.who[part], { verdict: 'approve' }),
});

const assure: Act = {
  name: 'assure',
  to: 'RELEASED',
  needed: (seen) => seen.phase === 'AWAITING_ASSURANCE',
  async do(scene, life) {
    const { proposalDigest = '' } = await insist(() => scene.read(life.caseId));
    const authority = scene.as(scene.who.recipientAuthority);
    const body = { verdict: 'give' as const, proposalDigest };
    await insist(() => authority.giveAssurance({ ...on(life), body, ...key(life, 'assure') }));
  },
};

const open: Act = {
  name: 'open',
  to: 'RELEASED',
  needed: (seen) => seen.phase === 'RELEASED' && (seen.accesses ?? []).length < 2,
  async do(scene, life) {
    for (const recipient of [scene.who.recipient, SECOND_RECIPIENT]) {
      const send = () => scene.as(recipient).grantAccess({ ...on(life), body: {}, ...key(life, `open-${recipient}`) });
      life.accesses.push(await insist(send));
    }
  },
};

const acknowledge: Act = {
  name: 'acknowledge',
  to: 'RELEASED',
  needed: (seen) => seen.phase === 'RELEASED' && seen.receipts?.length === 0,
  async do(scene, life) {
    const [{ accessId, ciphertextDigest: digest } = { accessId: '', ciphertextDigest: '' }] = life.accesses;
    const recipient = scene.as(scene.who.recipient);
    const body = { accessId, digest };
    await insist(() => recipient.acknowledgeReceipt({ ...on(life), body, ...key(life, 'receipt') }));
  },
};

const waits = (name: string, to: Phase, least: number): Act => ({
  name,
  to,
  do: () => Promise.resolve(),
  until: (seen) => Date.parse(seen.dueAt ?? '') + least,
});

const toRelease: readonly Act[] = [
  submit,
  deposit,
  propose,
  approval('approve', 'releasing', 'UNDER_REVIEW'),
  approval('approve-last', 'security', 'AWAITING_ASSURANCE'),
  assure,
];

/** Every end of a case that was reviewed, and the way there. */
export const STORIES = {
  expire: [...toRelease, open, acknowledge, waits('expire', 'CLOSED', SECOND)],
  'expire unacknowledged': [...toRelease, open, waits('expire', 'CLOSED', SECOND)],
  refuse: [
    ...toRelease.slice(0, 4),
    {
      name: 'refuse',
      to: 'REFUSED',
      do: (scene, life) => decide(scene, life, scene.who.security, { verdict: 'refuse', ground: 'not-held' }),
    },
  ],
  lapse: [...toRelease.slice(0, 5), waits('lapse', 'LAPSED', SECOND)],
  withdraw: [
    ...toRelease.slice(0, 5),
    asked('withdraw', 'WITHDRAWN', (scene, life) =>
      scene.as(scene.who.requester).withdrawRequest({
        ...on(life),
        body: { reason: 'The solicitation was cancelled.' },
        ...key(life, 'withdraw'),
      }),
    ),
  ],
  recall: [
    ...toRelease,
    open,
    asked('recall', 'CLOSED', (scene, life) =>
      scene.as(scene.who.authority).recallRelease({
        ...on(life),
        body: { reason: 'It was a mistake.' },
        ...key(life, 'recall'),
      }),
    ),
  ],
} satisfies Readonly<Record<string, readonly Act[]>>;
export type Story = keyof typeof STORIES;

/** Longest that a case may need to get over what was done to it in one act, in virtual minutes. */
const PATIENCE = 60;

/** Advances time minute by minute until a condition holds, and says how many it took. @throws with `what` when it never does */
export async function minutesUntil(
  { runtime }: Scene,
  what: () => string,
  holds: () => Promise<boolean>,
  least = 0,
): Promise<number> {
  for (let minutes = 0; ; minutes += 1) {
    await runtime.settled();
    if (minutes >= least && (await holds())) return minutes;
    if (minutes === PATIENCE) throw new Error(`Not after ${PATIENCE} minutes: ${what()}.`);
    await runtime.clock.advance(MINUTE);
  }
}

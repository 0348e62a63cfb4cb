import { createHash } from 'node:crypto';
import type { AccessView, CaseView } from '../../lambdas/contracts/api-answers.ts';
import { PEOPLE } from '../../examples/exercise/people.ts';
import type { Person } from '../../lambdas/domain/people.ts';
import { newRecipientKey } from '../../lambdas/evidence/sealed-key.ts';
import { DAY, HOUR, MINUTE, openScene, refusalOf, SECOND, sha256, type Scene } from '../support/exchange.ts';
import { examined } from '../support/examined.ts';

jest.setTimeout(120_000);

let scene: Scene;
let recipientKey: Person['keys'][number];
/** A release that stays open, for what changes nothing of it or only adds openings. */
let lasting: CaseView;

beforeAll(async () => {
  scene = await openScene();
  const { publicKey } = await scene.keyOf(scene.who.recipient);
  recipientKey = { publicKey, fingerprint: await scene.fingerprintOf(scene.who.recipient) };
  await scene.enterRecipient('ukr-recipient-2');
  lasting = await scene.reach('RELEASED', { copies: 100, endsIn: 300 * DAY });
});
afterEach(() => {
  scene.runtime.faults.plan = undefined;
});
afterEach(() => examined('lives', 1));
afterAll(() => scene.close());

const open = (caseId: string, by = scene.who.recipient, idempotencyKey?: string): Promise<AccessView> =>
  scene
    .as(by)
    .grantAccess({ params: { caseId }, body: {}, ...(idempotencyKey === undefined ? {} : { idempotencyKey }) });

const suspend = ({ caseId }: CaseView, by: string) =>
  scene.as(by).suspendRelease({ params: { caseId }, body: { reason: 'Something is unclear.' } });
const resume = ({ caseId }: CaseView, by: string) => scene.as(by).resumeRelease({ params: { caseId } });
const recall = ({ caseId }: CaseView, by: string) =>
  scene.as(by).recallRelease({ params: { caseId }, body: { reason: 'It was a mistake.' } });

const moveTo = async (instant: string, distance = 0): Promise<void> => {
  await scene.runtime.settled();
  await scene.runtime.clock.advanceTo(Date.parse(instant) + distance);
};

/** Openings of the case file, and whether each counts. */
const openings = async (caseId: string) =>
  ((await scene.read(caseId)).accesses ?? []).map(({ copy, failed }) => ({ copy, failed }));

describe('the window', () => {
  test('is not open before it begins, and over at its end, not after it', async () => {
    const seen = await scene.reach('RELEASED', { opensIn: HOUR, endsIn: 2 * HOUR });
    const { notBefore = '', notAfter = '' } = seen.release ?? {};
    expect(await refusalOf(open(seen.caseId))).toBe('403 OUTSIDE_WINDOW');
    expect(await openings(seen.caseId)).toEqual([]);
    await moveTo(notBefore);
    expect((await open(seen.caseId)).copy).toBe(1);
    await moveTo(notAfter);
    // Whether the end has been recorded yet makes no difference.
    expect(['403 OUTSIDE_WINDOW', '409 PHASE_FORBIDS']).toContain(await refusalOf(open(seen.caseId)));
    expect(await refusalOf(suspend(seen, scene.who.authority))).toMatch(/^409 (WINDOW_OVER|PHASE_FORBIDS)$/);
    await moveTo(notAfter, 30 * SECOND);
    expect((await scene.waitFor(seen.caseId, 'CLOSED')).outcome?.statement).toBe('expired');
    expect(await refusalOf(open(seen.caseId))).toBe('409 PHASE_FORBIDS');
    expect(await openings(seen.caseId)).toEqual([{ copy: 1, failed: false }]);
  });
});

describe('an opening', () => {
  test('is for those whom the decision names', async () => {
    const seen = lasting;
    const before = (await scene.read(seen.caseId)).sequence;
    const refusals = await Promise.all(
      [
        scene.who.requester,
        scene.who.recipientAuthority,
        'ukr-recipient-2',
        'ukr-desk-1',
        scene.who.desk,
        scene.who.releasing,
        scene.who.authority,
        'can-recipient-1',
      ].map(async (by) => `${by}: ${await refusalOf(open(seen.caseId, by))}`),
    );
    expect(refusals).toEqual([
      'ukr-requester-1: 403 NOT_YOUR_PART',
      'ukr-authority-1: 403 NOT_YOUR_PART',
      'ukr-recipient-2: 404 NOT_FOUND',
      'ukr-desk-1: 404 NOT_FOUND',
      'can-desk-1: 403 NOT_YOUR_PART',
      'can-releasing-1: 403 NOT_YOUR_PART',
      'can-authority-1: 403 NOT_YOUR_PART',
      'can-recipient-1: 404 NOT_FOUND',
    ]);
    expect((await scene.read(seen.caseId)).sequence).toBe(before);
  });

  test('of the only copy succeeds once, however many are tried at once', async () => {
    const { caseId } = await scene.reach('RELEASED', { copies: 1 });
    const tries = await Promise.allSettled(
      Array.from({ length: 20 }, (_, index) => open(caseId, scene.who.recipient, `opening-${index}`)),
    );
    expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const refused = tries.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
    expect(refused).toHaveLength(19);
    for (const reason of refused) expect(reason).toMatchObject({ code: 'COPIES_EXHAUSTED' });
    expect(await openings(caseId)).toEqual([{ copy: 1, failed: false }]);
  });

  test('with the same key counts once within ten minutes, and is another act after them', async () => {
    const { caseId } = await scene.reach('RELEASED', { copies: 2 });
    const [first, again] = [
      await open(caseId, scene.who.recipient, 'the-same-key'),
      await open(caseId, scene.who.recipient, 'the-same-key'),
    ];
    expect([again.accessId, again.copy]).toEqual([first.accessId, 1]);
    // Made afresh: the sealed key is kept nowhere.
    expect(again.sealedKey).not.toEqual(first.sealedKey);
    expect(await openings(caseId)).toEqual([{ copy: 1, failed: false }]);
    await scene.runtime.settled();
    await scene.runtime.clock.advance(10 * MINUTE);
    expect(await refusalOf(open(caseId, scene.who.recipient, 'the-same-key'))).toBe('409 IDEMPOTENCY_KEY_USED');
    expect((await open(caseId, scene.who.recipient, 'another-key')).copy).toBe(2);
    expect(await refusalOf(open(caseId))).toBe('403 COPIES_EXHAUSTED');
  });

  test("with another recipient's key text is that recipient's own", async () => {
    const named = await Promise.all(
      [scene.who.recipient, 'ukr-recipient-2'].map(async (personId) => ({
        personId,
        keyFingerprint: await scene.fingerprintOf(personId),
      })),
    );
    const { caseId } = await scene.submit({ recipients: named.map(({ personId }) => personId) });
    const seen = await scene.propose(caseId, { recipients: named, copies: 1 });
    await scene.approve(seen, scene.who.releasing);
    await scene.approve(seen, scene.who.security);
    await scene.assure(seen);
    await scene.waitFor(caseId, 'RELEASED');
    const [one, other] = [
      await open(caseId, scene.who.recipient, 'shared-key'),
      await open(caseId, 'ukr-recipient-2', 'shared-key'),
    ];
    expect(one.accessId).not.toBe(other.accessId);
    expect(one.keyFingerprint).not.toBe(other.keyFingerprint);
    // Each sees their own openings alone.
    expect((await scene.read(caseId, 'ukr-recipient-2')).accesses?.map(({ accessId }) => accessId)).toEqual([
      other.accessId,
    ]);
    // And acknowledges none but their own.
    const receipt = scene
      .as('ukr-recipient-2')
      .acknowledgeReceipt({ params: { caseId }, body: { accessId: one.accessId, digest: one.ciphertextDigest } });
    expect(await refusalOf(receipt)).toBe('400 ACCESS_UNKNOWN');
  });

  test('without an idempotency key is refused', async () => {
    const { caseId } = lasting;
    const before = await openings(caseId);
    const answer = await scene.raw(scene.who.recipient, 'POST', `/v1/cases/${caseId}/accesses`, {}, '{}');
    expect([answer.status, JSON.parse(answer.text)]).toEqual([
      400,
      expect.objectContaining({ code: 'IDEMPOTENCY_KEY' }),
    ]);
    expect(await openings(caseId)).toEqual(before);
  });

  test('that the key service is too busy for is recorded as failed, and not counted', async () => {
    const { caseId } = await scene.reach('RELEASED', { copies: 1 });
    scene.runtime.faults.plan = ({ caller, service, operation }) =>
      caller.includes('ReleaseAccessRole') && service === 'kms' && operation === 'Decrypt' ? 'fail' : undefined;
    const answer = await scene.raw(
      scene.who.recipient,
      'POST',
      `/v1/cases/${caseId}/accesses`,
      { 'idempotency-key': 'kms-is-busy' },
      '{}',
    );
    expect([answer.status, JSON.parse(answer.text)]).toEqual([503, expect.objectContaining({ code: 'TRY_AGAIN' })]);
    expect(answer.text).not.toContain('sealedKey');
    expect(await openings(caseId)).toEqual([{ copy: 1, failed: true }]);
    scene.runtime.faults.plan = undefined;
    expect((await open(caseId, scene.who.recipient, 'kms-is-busy')).copy).toBe(1);
    expect(await openings(caseId)).toEqual([
      { copy: 1, failed: true },
      { copy: 1, failed: false },
    ]);
  });
});

describe('between decision and opening', () => {
  const recipient = PEOPLE.find(({ personId }) => personId === 'ukr-recipient-1');
  const clearances = recipient?.clearances ?? [];

  test.each<[string, (now: string) => Promise<Partial<Person>>, string]>([
    ['a clearance that is withdrawn', async () => ({ clearances: [] }), '403 NOT_CLEARED'],
    [
      'a clearance that ends',
      async (now) => ({ clearances: clearances.map((row) => ({ ...row, validTo: now as typeof row.validTo })) }),
      '403 NOT_CLEARED',
    ],
    ['a key that is withdrawn', async () => ({ keys: [] }), '403 KEY_NOT_CONFIRMED'],
    [
      'a key that is replaced by another confirmed one',
      async () => {
        const { publicKey } = await newRecipientKey();
        return { keys: [{ publicKey, fingerprint: sha256(Buffer.from(publicKey, 'base64url')) }] };
      },
      '403 KEY_NOT_CONFIRMED',
    ],
    ['a person who has left', async () => ({ active: false }), '403 NOT_IN_DIRECTORY'],
  ])('%s closes the release to its recipient', async (_, change, refusal) => {
    const { caseId } = lasting;
    const before = await openings(caseId);
    await scene.change(scene.who.recipient, await change(new Date(scene.runtime.clock.now() + 1).toISOString()));
    try {
      expect(await refusalOf(open(caseId))).toBe(refusal);
      expect(await openings(caseId)).toEqual(before);
    } finally {
      await scene.change(scene.who.recipient, { clearances, keys: [recipientKey], active: true });
    }
    expect((await open(caseId)).copy).toBe(before.length + 1);
  });

  test('an approver who loses the role takes their vote along: nothing is released', async () => {
    const seen = await scene.reach('AWAITING_ASSURANCE');
    await scene.change(scene.who.security, { roles: [] });
    try {
      await scene.assure(seen);
      const after = await scene.waitFor(seen.caseId, 'CLOSED');
      expect(after.outcome?.statement).toBe('quorum-lost');
      expect(after.release).toBeUndefined();
      for (const bucket of ['deposits', 'packages'] as const)
        expect([bucket, await scene.objectsOf(seen.caseId, bucket)]).toEqual([bucket, []]);
    } finally {
      await scene.change(scene.who.security, { roles: ['security-officer'] });
    }
  });
});

describe('a suspension', () => {
  test('is the originator’s to make, by one person', async () => {
    const seen = lasting;
    for (const by of [scene.who.desk, scene.who.recipient, scene.who.requester, scene.who.recipientAuthority])
      expect([by, await refusalOf(suspend(seen, by))]).toEqual([by, '403 NOT_YOUR_PART']);
    expect((await suspend(seen, scene.who.releasing)).phase).toBe('SUSPENDED');
    await resume(seen, scene.who.releasing);
    expect((await resume(seen, scene.who.security)).phase).toBe('RELEASED');
  });

  test('closes the release until two different people resume it', async () => {
    const seen = await scene.reach('SUSPENDED');
    expect(await refusalOf(open(seen.caseId))).toBe('409 PHASE_FORBIDS');
    expect((await resume(seen, scene.who.security)).phase).toBe('SUSPENDED');
    expect(await refusalOf(resume(seen, scene.who.security))).toBe('409 SECOND_PERSON_NEEDED');
    expect(await refusalOf(resume(seen, scene.who.requester))).toBe('403 NOT_YOUR_PART');
    expect(await refusalOf(open(seen.caseId))).toBe('409 PHASE_FORBIDS');
    const resumed = await resume(seen, scene.who.releasing);
    expect([resumed.phase, resumed.dueAt]).toEqual(['RELEASED', seen.dueAt]);
    expect((await open(seen.caseId)).copy).toBe(1);
    expect(scene.statesEntered(seen.caseId)).toHaveLength(1);
  });

  test('begun anew forgets who wanted to resume before', async () => {
    const seen = lasting;
    await suspend(seen, scene.who.authority);
    await resume(seen, scene.who.security);
    await resume(seen, scene.who.releasing);
    await suspend(seen, scene.who.authority);
    expect((await resume(seen, scene.who.releasing)).phase).toBe('SUSPENDED');
    expect((await resume(seen, scene.who.authority)).phase).toBe('RELEASED');
  });

  test('does not move the end: the release ends while it is suspended', async () => {
    const seen = await scene.reach('SUSPENDED', { endsIn: HOUR });
    await moveTo(seen.dueAt ?? '', 30 * SECOND);
    expect((await scene.waitFor(seen.caseId, 'CLOSED')).outcome?.statement).toBe('expired');
    expect(await refusalOf(resume(seen, scene.who.security))).toBe('409 PHASE_FORBIDS');
    expect(await scene.objectsOf(seen.caseId, 'packages')).toEqual([]);
  });
});

describe('a recall', () => {
  test('is the originator’s to make', async () => {
    const seen = lasting;
    for (const by of [scene.who.desk, scene.who.recipient, scene.who.requester, scene.who.recipientAuthority])
      expect([by, await refusalOf(recall(seen, by))]).toEqual([by, '403 NOT_YOUR_PART']);
    expect((await scene.read(seen.caseId)).phase).toBe('RELEASED');
  });

  test.each(['RELEASED', 'SUSPENDED'] as const)('of a %s one ends it at once and for good', async (phase) => {
    const seen = await scene.reach(phase);
    const access = phase === 'RELEASED' ? await open(seen.caseId) : undefined;
    expect((await recall(seen, scene.who.security)).phase).toBe('CLOSING');
    expect(await refusalOf(open(seen.caseId))).toBe('409 PHASE_FORBIDS');
    const closed = await scene.waitFor(seen.caseId, 'CLOSED');
    expect(closed.outcome).toEqual({ ended: 'CLOSED', statement: 'recalled' });
    expect(await scene.objectsOf(seen.caseId, 'packages')).toEqual([]);
    expect(await refusalOf(recall(seen, scene.who.security))).toBe('409 PHASE_FORBIDS');
    expect(await refusalOf(resume(seen, scene.who.security))).toBe('409 PHASE_FORBIDS');
    if (access === undefined) return;
    // The address still stands, what it led to does not.
    expect((await fetch(access.url)).status).toBeGreaterThanOrEqual(400);
    // What was opened before is acknowledged all the same.
    const receipt = { accessId: access.accessId, digest: access.ciphertextDigest };
    const acknowledged = await scene
      .as(scene.who.recipient)
      .acknowledgeReceipt({ params: { caseId: seen.caseId }, body: receipt });
    expect(acknowledged.receipts).toHaveLength(1);
  });
});

describe('the address of a package', () => {
  test('gives the ciphertext for sixty seconds, and nothing after them', async () => {
    const content = Buffer.from('EXERCISE in plain words '.repeat(20));
    const { caseId } = await scene.reach('RELEASED', { contents: [content] });
    const { url, ciphertextDigest, ciphertextLength, urlExpiresInSeconds } = await open(caseId);
    const answer = await fetch(url);
    const ciphertext = Buffer.from(await answer.arrayBuffer());
    expect([answer.status, ciphertext.length]).toEqual([200, ciphertextLength]);
    expect(`sha256:${createHash('sha256').update(ciphertext).digest('hex')}`).toBe(ciphertextDigest);
    expect(ciphertext.includes('plain words')).toBe(false);
    await scene.runtime.settled();
    await scene.runtime.clock.advance((urlExpiresInSeconds + 1) * SECOND);
    const late = await fetch(url);
    expect([urlExpiresInSeconds, late.status]).toEqual([60, 403]);
    expect(await late.text()).toContain('AccessDenied');
  });

  test('leads nowhere else', async () => {
    const { caseId } = lasting;
    const { url } = await open(caseId);
    const other = new URL(url);
    other.pathname = other.pathname.replace(/.$/, (last) => (last === '0' ? '1' : '0'));
    for (const [method, address] of [
      ['GET', other.href],
      ['PUT', url],
      ['DELETE', url],
    ] as const)
      expect([method, (await fetch(address, { method })).status]).toEqual([method, 403]);
  });
});

describe('a receipt', () => {
  test('is for the package that was released', async () => {
    const { caseId } = lasting;
    const { accessId, ciphertextDigest } = await open(caseId);
    const acknowledge = (body: { accessId: string; digest: string }) =>
      scene.as(scene.who.recipient).acknowledgeReceipt({ params: { caseId }, body });
    expect(await refusalOf(acknowledge({ accessId, digest: sha256(Buffer.from('x')) }))).toBe('400 DIGEST_DIFFERS');
    expect(await refusalOf(acknowledge({ accessId: '0'.repeat(32), digest: ciphertextDigest }))).toBe(
      '400 ACCESS_UNKNOWN',
    );
    const once = await acknowledge({ accessId, digest: ciphertextDigest });
    const twice = await acknowledge({ accessId, digest: ciphertextDigest });
    expect([once.receipts?.length, twice.sequence]).toEqual([1, once.sequence]);
  });
});

import type { CaseView } from '../../lambdas/contracts/api-answers.ts';
import { newRecipientKey } from '../../lambdas/evidence/sealed-key.ts';
import { fingerprintOf } from '../../bin/client/key-files.ts';
import type { RecipientKey } from '../../lambdas/domain/people.ts';
import {
  DAY,
  HOUR,
  MINUTE,
  SECOND,
  openScene,
  problemOf,
  refusalOf,
  sha256,
  until,
  type Scene,
} from '../support/exchange.ts';
import { examined } from '../support/examined.ts';

let scene: Scene;
beforeAll(async () => {
  scene = await openScene();
}, 120_000);
afterEach(() => examined('attacks', 1));
afterAll(() => scene.close());

const CONTENT = Buffer.from('EXERCISE canary-of-the-document '.repeat(20));

interface Address {
  readonly caseId: string;
  readonly depositId: string;
  readonly url: string;
  readonly headers: Record<string, string>;
}

/** A deposit that was announced, and where it may be uploaded. */
async function announced(caseId: string, content = CONTENT, idempotencyKey?: string): Promise<Address> {
  const { depositId, upload } = await scene.as('can-desk-1').openDeposit({
    params: { caseId },
    body: { digest: sha256(content), length: content.length },
    ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
  });
  if (upload === undefined) throw new Error('The deposit has no address.');
  return { caseId, depositId, url: upload.url, headers: { ...upload.headers } };
}

/** Sends bytes as they are; fetch sets the length from them. */
async function put({ url, headers }: Pick<Address, 'url' | 'headers'>, bytes: Buffer, method = 'PUT'): Promise<number> {
  const { 'content-length': _length, ...rest } = headers;
  const body = method === 'PUT' || method === 'POST' ? { body: Uint8Array.from(bytes) } : {};
  const answer = await fetch(url, { method, headers: rest, ...body });
  await answer.arrayBuffer();
  return answer.status;
}

const without = ({ [`x-amz-checksum-sha256`]: _checksum, ...rest }: Record<string, string>): Record<string, string> =>
  rest;

describe('an address for a deposit', () => {
  let caseId: string;
  beforeAll(async () => {
    ({ caseId } = await scene.submit());
  });

  it.each<[string, (address: Address) => [Pick<Address, 'url' | 'headers'>, Buffer, string?]]>([
    ['other bytes of the same length', (to) => [to, Buffer.from(CONTENT.map((byte) => byte ^ 1))]],
    ['fewer bytes', (to) => [to, CONTENT.subarray(0, -1)]],
    ['more bytes', (to) => [to, Buffer.concat([CONTENT, Buffer.from('x')])]],
    ['no bytes', (to) => [to, Buffer.alloc(0)]],
    [
      'other bytes and their checksum',
      (to) => {
        const other = Buffer.from(CONTENT.map((byte) => byte ^ 1));
        const checksum = Buffer.from(sha256(other).slice('sha256:'.length), 'hex').toString('base64');
        return [{ url: to.url, headers: { ...to.headers, 'x-amz-checksum-sha256': checksum } }, other];
      },
    ],
    ['no checksum', (to) => [{ url: to.url, headers: without(to.headers) }, CONTENT]],
    ['another type', (to) => [{ url: to.url, headers: { ...to.headers, 'content-type': 'text/html' } }, CONTENT]],
    ['no condition', (to) => [{ url: to.url, headers: { ...to.headers, 'if-none-match': '' } }, CONTENT]],
    [
      'a header nobody signed',
      (to) => [{ url: to.url, headers: { ...to.headers, 'x-amz-storage-class': 'GLACIER' } }, CONTENT],
    ],
    ['another deposit', (to) => [{ ...to, url: to.url.replace(to.depositId, '0'.repeat(32)) }, CONTENT]],
    ['another case', (to) => [{ ...to, url: to.url.replace(to.caseId, '0'.repeat(32)) }, CONTENT]],
    ['another bucket', (to) => [{ ...to, url: to.url.replace('-deposits-', '-packages-') }, CONTENT]],
    [
      'a path upwards',
      (to) => [{ ...to, url: to.url.replace(`/${to.depositId}`, `/x%2f..%2f${to.depositId}`) }, CONTENT],
    ],
    ['a longer life', (to) => [{ ...to, url: to.url.replace('X-Amz-Expires=900', 'X-Amz-Expires=604800') }, CONTENT]],
    [
      'no signature',
      (to) => [{ ...to, url: to.url.replace(/X-Amz-Signature=[0-9a-f]+/, 'X-Amz-Signature=') }, CONTENT],
    ],
    ['GET', (to) => [to, CONTENT, 'GET']],
    ['DELETE', (to) => [to, CONTENT, 'DELETE']],
    ['POST', (to) => [to, CONTENT, 'POST']],
  ])('takes nothing for %s', async (_, wrong) => {
    const address = await announced(caseId);
    const status = await put(...wrong(address));
    expect(status).toBeGreaterThanOrEqual(400);
    expect(await scene.objectsOf(caseId, 'deposits')).toEqual([]);
    const completion = scene
      .as('can-desk-1')
      .completeDeposit({ params: { caseId, depositId: address.depositId }, body: {} });
    expect(await refusalOf(completion)).toBe('409 DEPOSIT_INCOMPLETE');
  });

  it('is good for fifteen minutes', async () => {
    const address = await announced(caseId);
    await scene.runtime.settled();
    await scene.runtime.clock.advance(15 * MINUTE);
    expect(await put(address, CONTENT)).toBe(403);
    expect(await scene.objectsOf(caseId, 'deposits')).toEqual([]);
  });

  it('is good once: what was uploaded and completed stays as it is', async () => {
    const { caseId: own } = await scene.submit();
    const address = await announced(own);
    expect(await put(address, CONTENT)).toBe(200);
    expect(await put(address, CONTENT)).toBe(412);
    const params = { caseId: own, depositId: address.depositId };
    await scene.as('can-desk-1').completeDeposit({ params, body: {} });
    expect(await put(address, CONTENT)).toBe(412);
    expect(await put(address, Buffer.from(CONTENT.map((byte) => byte ^ 1)))).toBeGreaterThanOrEqual(400);
    expect(await scene.objectsOf(own, 'deposits')).toEqual([`${own}/${address.depositId}`]);
  });

  const proposedOf = async ({ caseId: of, depositId }: Address): Promise<CaseView> =>
    scene.as('can-desk-1').putProposal({
      params: { caseId: of },
      body: {
        documents: [
          {
            depositId,
            title: 'The tender file',
            marking: { axis: 'protected', mark: scene.mark },
            pages: 1,
          },
        ],
        recipients: [{ personId: scene.who.recipient, keyFingerprint: await scene.fingerprintOf(scene.who.recipient) }],
        conditions: [],
        notAfter: new Date(scene.runtime.clock.now() + DAY).toISOString(),
        copies: 3,
      },
    });

  it('takes the same bytes no second time, once they are sealed or the case has ended', async () => {
    const { caseId: own } = await scene.submit();
    const late = await announced(own);
    const content = Buffer.from('EXERCISE canary-of-the-sealed-document');
    const sealed = await announced(own, content);
    expect(await put(sealed, content)).toBe(200);
    const params = { caseId: own, depositId: sealed.depositId };
    await scene.as('can-desk-1').completeDeposit({ params, body: {} });
    const proposed = await proposedOf(sealed);
    await scene.approve(proposed, scene.who.releasing);
    await scene.approve(proposed, scene.who.security);
    await scene.assure(proposed);
    await scene.waitFor(own, 'RELEASED');
    for (const address of [sealed, late]) {
      expect(await put(address, address === sealed ? content : CONTENT)).toBe(412);
    }
    expect(await scene.objectsOf(own, 'deposits')).toEqual([]);
    await scene.as(scene.who.security).recallRelease({ params: { caseId: own }, body: { reason: 'It is over.' } });
    await scene.waitFor(own, 'CLOSED');
    for (const address of [sealed, late]) {
      expect(await put(address, address === sealed ? content : CONTENT)).toBe(412);
    }
    expect(await scene.objectsOf(own, 'deposits')).toEqual([]);
    // And when what keeps the place has been removed, no address is good any more.
    await scene.runtime.settled();
    await scene.runtime.clock.advance(3 * DAY);
    expect(await put(sealed, content)).toBe(403);
    expect(await scene.objectsOf(own, 'deposits')).toEqual([]);
  });

  it('takes nothing for a request that was withdrawn before anything was uploaded', async () => {
    const { caseId: own } = await scene.submit();
    const address = await announced(own);
    await scene
      .as(scene.who.requester)
      .withdrawRequest({ params: { caseId: own }, body: { reason: 'It is not needed.' } });
    await until('the place is taken', async () => ((await put(address, CONTENT)) === 412 ? true : undefined));
    await scene.runtime.settled();
    expect(await scene.objectsOf(own, 'deposits')).toEqual([]);
  });

  it('of one case completes nothing in another', async () => {
    const { caseId: own } = await scene.submit();
    const address = await announced(own);
    await put(address, CONTENT);
    const params = { caseId, depositId: address.depositId };
    expect(await refusalOf(scene.as('can-desk-1').completeDeposit({ params, body: {} }))).toBe('400 DEPOSIT_UNKNOWN');
    const proposal = scene.as('can-desk-1').putProposal({
      params: { caseId },
      body: {
        documents: [
          { depositId: address.depositId, title: 'One', marking: { axis: 'protected', mark: 'PROTECTED A' }, pages: 1 },
        ],
        recipients: [{ personId: 'ukr-recipient-1', keyFingerprint: await scene.fingerprintOf('ukr-recipient-1') }],
        conditions: [],
        notAfter: new Date(scene.runtime.clock.now() + DAY).toISOString(),
        copies: 1,
      },
    });
    expect(await refusalOf(proposal)).toBe('409 DEPOSIT_INCOMPLETE');
  });

  it('is not given again once the case has gone on: a repeated request reopens no way for plaintext', async () => {
    const { caseId: own } = await scene.submit();
    const key = `deposit-${crypto.randomUUID()}`;
    const { depositId } = await announced(own, CONTENT, key);
    const again = () =>
      scene.as('can-desk-1').openDeposit({
        params: { caseId: own },
        body: { digest: sha256(CONTENT), length: CONTENT.length },
        idempotencyKey: key,
      });
    expect((await again()).upload).toBeDefined();
    await scene.as('ukr-requester-1').withdrawRequest({ params: { caseId: own }, body: { reason: 'Not needed.' } });
    await scene.waitFor(own, 'WITHDRAWN');
    await scene.runtime.settled();
    expect(await again()).toEqual({ depositId, complete: false });
  });

  it('is not given again to whoever is no longer a desk officer', async () => {
    const { caseId: own } = await scene.submit();
    const key = `deposit-${crypto.randomUUID()}`;
    await announced(own, CONTENT, key);
    await scene.change('can-desk-1', { roles: ['requester'] });
    const body = { digest: sha256(CONTENT), length: CONTENT.length };
    const again = scene.as('can-desk-1').openDeposit({ params: { caseId: own }, body, idempotencyKey: key });
    expect(await refusalOf(again)).toBe('404 NOT_FOUND');
    await scene.change('can-desk-1', { roles: ['desk-officer'] });
  });
});

describe('a release', () => {
  const open = (caseId: string, idempotencyKey?: string) =>
    scene.as('ukr-recipient-1').grantAccess({
      params: { caseId },
      body: {},
      ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
    });
  const copiesOf = async (caseId: string): Promise<number> =>
    ((await scene.read(caseId)).accesses ?? []).filter(({ failed }) => !failed).length;
  const status = async (url: string, method = 'GET'): Promise<number> => {
    const answer = await fetch(url, { method });
    await answer.arrayBuffer();
    return answer.status;
  };

  it('is opened as often as was decided, of eight at once', async () => {
    const { caseId } = await scene.reach('RELEASED', { copies: 2 });
    const answers = await Promise.allSettled(Array.from({ length: 8 }, () => open(caseId)));
    const opened = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
    expect(opened.map(({ copy }) => copy).sort()).toEqual([1, 2]);
    expect(await copiesOf(caseId)).toBe(2);
    expect(await refusalOf(open(caseId))).toBe('403 COPIES_EXHAUSTED');
  });

  it('is opened once by one key, of eight at once, and again by it without another copy', async () => {
    const { caseId } = await scene.reach('RELEASED', { copies: 2 });
    const key = `opening-${crypto.randomUUID()}`;
    const answers = await Promise.allSettled(Array.from({ length: 8 }, () => open(caseId, key)));
    const opened = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
    expect(new Set(opened.map(({ accessId }) => accessId)).size).toBe(1);
    expect(await copiesOf(caseId)).toBe(1);
    await scene.runtime.settled();
    await scene.runtime.clock.advance(10 * MINUTE);
    expect(await refusalOf(open(caseId, key))).toBe('409 IDEMPOTENCY_KEY_USED');
    expect(await copiesOf(caseId)).toBe(1);
  });

  it('is not opened before its window, nor at its end', async () => {
    const { caseId } = await scene.reach('RELEASED', { opensIn: HOUR, endsIn: 2 * HOUR });
    expect(await refusalOf(open(caseId))).toBe('403 OUTSIDE_WINDOW');
    const { release } = await scene.read(caseId);
    await scene.runtime.settled();
    await scene.runtime.clock.advanceTo(Date.parse(release?.notBefore ?? ''));
    expect((await open(caseId)).copy).toBe(1);
    await scene.runtime.clock.advanceTo(Date.parse(release?.notAfter ?? ''));
    expect(['403 NOT_YOUR_PART', '403 OUTSIDE_WINDOW', '409 PHASE_FORBIDS']).toContain(await refusalOf(open(caseId)));
    await scene.waitFor(caseId, 'CLOSED');
  });

  it('is not opened after its end by a function whose clock is slow', async () => {
    const { caseId } = await scene.reach('RELEASED', { endsIn: HOUR });
    const { lambda } = scene.runtime.services;
    const slow = (by: number): void => {
      for (const name of ['grant-access', 'close-release']) lambda.skew(`valiza-can-local-${name}`, -by);
    };
    try {
      slow(10 * MINUTE);
      await scene.runtime.settled();
      await scene.runtime.clock.advance(HOUR + MINUTE);
      expect((await scene.read(caseId)).phase).toBe('RELEASED');
      expect(await refusalOf(open(caseId))).toBe('403 KEY_REFUSED');
      expect(await copiesOf(caseId)).toBe(0);
    } finally {
      slow(0);
    }
  });

  it('is not opened by a key other than the decided one, and not after that one was taken away', async () => {
    const { caseId } = await scene.reach('RELEASED');
    const { publicKey } = await scene.keyOf('ukr-recipient-1');
    const decided = { publicKey, fingerprint: fingerprintOf(publicKey) };
    const other = await newKey();
    await scene.change('ukr-recipient-1', { keys: [other] });
    expect(await refusalOf(open(caseId))).toBe('403 KEY_NOT_CONFIRMED');
    await scene.change('ukr-recipient-1', { keys: [other, decided] });
    expect((await open(caseId)).keyFingerprint).toBe(decided.fingerprint);
    await scene.change('ukr-recipient-1', { keys: [decided] });
  });

  it('is not opened by a recipient who is no longer cleared or no longer there', async () => {
    const { caseId } = await scene.reach('RELEASED');
    const cleared = { axis: 'protected' as const, mark: 'Для службового користування' };
    await scene.change('ukr-recipient-1', { clearances: [] });
    expect(await refusalOf(open(caseId))).toBe('403 NOT_CLEARED');
    await scene.change('ukr-recipient-1', { active: false });
    expect(await refusalOf(open(caseId))).toBe('403 NOT_IN_DIRECTORY');
    await scene.change('ukr-recipient-1', {
      active: true,
      clearances: [{ ...cleared, validTo: '2040-01-01T00:00:00.000Z' as never }],
    });
    expect((await open(caseId)).copy).toBe(1);
  });

  it.each(['ukr-requester-1', 'ukr-authority-1', 'can-desk-1', 'can-releasing-1', 'can-authority-1'])(
    'is not opened by %s, who sees the case',
    async (personId) => {
      const { caseId } = await released();
      const answer = await problemOf(scene.as(personId).grantAccess({ params: { caseId }, body: {} }));
      expect(answer).toMatchObject({ status: 403, code: 'NOT_YOUR_PART' });
    },
  );

  describe('its address', () => {
    it('gives ciphertext alone, of this package alone, by GET alone, for a minute', async () => {
      const { caseId } = await scene.reach('RELEASED', { contents: [CONTENT] });
      const { url } = await open(caseId);
      const answer = await fetch(url);
      const bytes = Buffer.from(await answer.arrayBuffer());
      expect(answer.status).toBe(200);
      expect(bytes.includes('canary')).toBe(false);
      const other = await released();
      const [otherObject] = await scene.objectsOf(other.caseId, 'packages');
      const [object = ''] = await scene.objectsOf(caseId, 'packages');
      for (const wrong of [
        status(url, 'PUT'),
        status(url, 'DELETE'),
        status(url, 'POST'),
        status(url.replace(object, otherObject ?? '')),
        status(url.replace('-packages-', '-deposits-')),
        status(url.replace(/X-Amz-Expires=\d+/, 'X-Amz-Expires=3600')),
        status(url.replace(/X-Amz-Security-Token=[^&]+/, 'X-Amz-Security-Token=x')),
        status(url.split('?')[0] ?? ''),
      ]) {
        expect(await wrong).toBeGreaterThanOrEqual(400);
      }
      await scene.runtime.settled();
      await scene.runtime.clock.advance(60 * SECOND);
      expect(await status(url)).toBe(403);
    });

    it('dies with the release, before its minute is over', async () => {
      const { caseId, release } = await scene.reach('RELEASED', { endsIn: HOUR });
      const end = Date.parse(release?.notAfter ?? '');
      const { lambda } = scene.runtime.services;
      // So that the package still lies there.
      lambda.skew('valiza-can-local-close-release', -10 * MINUTE);
      try {
        await scene.runtime.settled();
        await scene.runtime.clock.advanceTo(end - 20 * SECOND);
        const { url } = await open(caseId);
        expect(await status(url)).toBe(200);
        await scene.runtime.settled();
        await scene.runtime.clock.advanceTo(end);
        expect(await scene.objectsOf(caseId, 'packages')).toHaveLength(1);
        expect(await status(url)).toBe(403);
      } finally {
        lambda.skew('valiza-can-local-close-release', 0);
      }
    });

    it('gives nothing after a recall', async () => {
      const { caseId } = await scene.reach('RELEASED');
      const { url } = await open(caseId);
      await scene.as('can-authority-1').recallRelease({ params: { caseId }, body: { reason: 'A mistake.' } });
      expect(['409 PHASE_FORBIDS', '403 NOT_YOUR_PART']).toContain(await refusalOf(open(caseId)));
      await scene.waitFor(caseId, 'CLOSED');
      expect(await status(url)).toBeGreaterThanOrEqual(403);
      expect(await scene.objectsOf(caseId, 'packages')).toEqual([]);
    });
  });

  let kept: CaseView | undefined;
  const released = async (): Promise<CaseView> => (kept ??= await scene.reach('RELEASED', { endsIn: 5 * DAY }));
});

async function newKey(): Promise<RecipientKey> {
  const { publicKey } = await newRecipientKey();
  return { publicKey, fingerprint: fingerprintOf(publicKey) };
}

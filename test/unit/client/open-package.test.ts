import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AccessView } from '../../../lambdas/contracts/api-answers.ts';
import { newRecipientKey } from '../../../lambdas/evidence/sealed-key.ts';
import { CASE_ID, caseView } from './case-fixture.ts';
import { fakeExchange, problem, temporaryFolder, valiza, type Ran } from './harness.ts';
import { accessFor, CONTEXT, newDataKey, seal, type Documented } from './package-fixture.ts';

const exchange = fakeExchange();
const folder = temporaryFolder();
let count = 0;
let key: Awaited<ReturnType<typeof newRecipientKey>>;
let keyFile = '';

/** Three documents: of several frames, of less than one, and ending at a frame's end. */
const DOCUMENTS: readonly Documented[] = [
  { title: 'Part 1.md', content: randomBytes(200_000) },
  { title: '../Part/2', content: Buffer.from('EXERCISE') },
  { title: 'Part 1.md', content: randomBytes(4 * 65_536 - 200_008) },
];
const plaintextOf = (documents: readonly Documented[]): Buffer => Buffer.concat(documents.map((row) => row.content));

beforeAll(async () => {
  key = await newRecipientKey();
  keyFile = join(folder, 'key.json');
  writeFileSync(keyFile, JSON.stringify({ publicKey: key.publicKey, privateKey: key.privateKey }), { mode: 0o600 });
});

interface Offer {
  readonly documents?: readonly Documented[];
  /** What the store serves, of the sealed bytes. */
  readonly served?: (sealed: Buffer, dataKey: Uint8Array) => Buffer | Promise<Buffer>;
  /** Whether the exchange states length and digest of what is served, and seals the key to it: nothing but the package itself is left to tell. */
  readonly lying?: boolean;
  readonly context?: Readonly<Record<string, string>>;
  readonly access?: (access: AccessView) => Partial<AccessView>;
  readonly publicKey?: string;
}

/** Lets the exchange offer a package, and opens it into a folder of its own. */
async function open(offer: Offer = {}, ...options: string[]): Promise<Ran & { readonly to: string }> {
  const documents = offer.documents ?? DOCUMENTS;
  const dataKey = newDataKey();
  const sealed = await seal(plaintextOf(documents), dataKey, offer.context);
  const served = (await offer.served?.(sealed, dataKey)) ?? sealed;
  const stated = offer.lying === true ? served : sealed;
  const url = `${exchange.address}/package`;
  const access = await accessFor(stated, documents, dataKey, offer.publicKey ?? key.publicKey, url);
  exchange.answers.set(`GET /v1/cases/${CASE_ID}`, () => ({
    body: caseView({ phase: 'RELEASED', proposal: undefined }),
  }));
  exchange.answers.set(`POST /v1/cases/${CASE_ID}/accesses`, () => ({
    status: 201,
    body: { ...access, ...offer.access?.(access) },
  }));
  exchange.answers.set('GET /package', () => ({ body: served }));
  exchange.answers.set(`POST /v1/cases/${CASE_ID}/receipts`, () => ({
    status: 201,
    body: caseView({ phase: 'RELEASED' }),
  }));
  const to = join(folder, `to-${(count += 1)}`);
  const ran = await valiza(exchange, ['open', CASE_ID, '--key', keyFile, '--to', to, '--json', ...options]);
  return { ...ran, to };
}

/** What lies in a folder; none where it was not even made. */
const leftIn = (to: string): readonly string[] => (existsSync(to) ? readdirSync(to) : []);

const receipts = () => exchange.requests('POST', `/v1/cases/${CASE_ID}/receipts`);

test('a package opens into its documents, and the receipt is acknowledged', async () => {
  const { exit, stdout, stderr, to } = await open();
  expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' });
  expect(readdirSync(to).sort()).toEqual(['Part 1-2.md', 'Part 1.md', '_Part_2']);
  expect(readFileSync(join(to, 'Part 1.md'))).toEqual(DOCUMENTS[0]?.content);
  expect(readFileSync(join(to, '_Part_2'))).toEqual(DOCUMENTS[1]?.content);
  expect(readFileSync(join(to, 'Part 1-2.md'))).toEqual(DOCUMENTS[2]?.content);
  expect(statSync(join(to, 'Part 1.md')).mode & 0o777).toBe(0o600);
  const { accessId, digest } = JSON.parse(stdout) as { accessId: string; digest: string }; // as the command prints it
  expect(JSON.parse(String(receipts()[0]?.body))).toEqual({ accessId, digest });
});

const flipped = (bytes: Buffer, at: number): Buffer => {
  const other = Buffer.from(bytes);
  other[at] = (other[at] ?? 0) ^ 1;
  return other;
};
/** Where the frame of a number begins: each begins with it. */
const frameAt = (sealed: Buffer, frame: number): number => sealed.indexOf(Buffer.of(0, 0, 0, frame));
const FRAME = 65_536;
const ALTERATIONS: readonly (readonly [string, Offer['served']])[] = [
  ['a byte of the header altered', (sealed) => flipped(sealed, 40)],
  ['a byte of the context altered', (sealed) => flipped(sealed, 90)],
  ['a byte of the first frame altered', (sealed) => flipped(sealed, 5000)],
  ['a byte of a later frame altered', (sealed) => flipped(sealed, 3 * FRAME)],
  ['the last byte altered', (sealed) => flipped(sealed, sealed.length - 1)],
  ['a frame number altered', (sealed) => flipped(sealed, frameAt(sealed, 2) + 3)],
  ['nothing served', () => Buffer.alloc(0)],
  ['the header cut', (sealed) => sealed.subarray(0, 60)],
  ['nothing after the header', (sealed) => sealed.subarray(0, frameAt(sealed, 1))],
  ['a frame cut', (sealed) => sealed.subarray(0, FRAME)],
  ['the last frame missing', (sealed) => sealed.subarray(0, sealed.length - 100)],
  ['the last byte missing', (sealed) => sealed.subarray(0, sealed.length - 1)],
  [
    'a frame left out',
    (sealed) => Buffer.concat([sealed.subarray(0, frameAt(sealed, 2)), sealed.subarray(frameAt(sealed, 3))]),
  ],
  ['another message in its place', (_, dataKey) => seal(randomBytes(plaintextOf(DOCUMENTS).length), dataKey)],
  ['a message under another key', () => seal(plaintextOf(DOCUMENTS), newDataKey())],
  ['a shorter message', (_, dataKey) => seal(plaintextOf(DOCUMENTS).subarray(1), dataKey)],
  ['a longer message', (_, dataKey) => seal(Buffer.concat([plaintextOf(DOCUMENTS), Buffer.of(0)]), dataKey)],
  ['an empty message', (_, dataKey) => seal(Buffer.alloc(0), dataKey)],
];

describe.each([
  ['by the store', false],
  ['and the exchange says that it is so', true],
])('altered %s', (_where, lying) => {
  test.each(ALTERATIONS)('%s: nothing is left behind, and no receipt is given', async (_name, served) => {
    const { exit, stdout, stderr, to } = await open({ served, lying });
    expect({ exit, stdout }).toEqual({ exit: 65, stdout: '' });
    expect(JSON.parse(stderr)).toHaveProperty('error.next');
    expect(leftIn(to)).toEqual([]);
    expect(receipts()).toEqual([]);
  });
});

test.each<readonly [string, Offer['served']]>([
  ['trailing bytes', (sealed) => Buffer.concat([sealed, Buffer.from('more')])],
  ['a second message', async (sealed, dataKey) => Buffer.concat([sealed, await seal(Buffer.from('more'), dataKey)])],
])('%s are refused before anything is decrypted', async (_name, served) => {
  const { exit, stderr, to } = await open({ served });
  expect(exit).toBe(65);
  expect(stderr).toContain('LENGTH_DIFFERS');
  expect(leftIn(to)).toEqual([]);
});

test.each<readonly [string, Offer]>([
  ['another case in the package', { context: { ...CONTEXT, case: 'f'.repeat(32) } }],
  ['another release in the package', { context: { ...CONTEXT, release: 'f'.repeat(32) } }],
  ['more in the package', { context: { ...CONTEXT, purpose: 'x' } }],
  ['less in the package', { context: { case: CONTEXT.case, release: CONTEXT.release } }],
  ['another package in the answer', { access: () => ({ encryptionContext: { ...CONTEXT, package: 'f'.repeat(32) } }) }],
  ['another case in the answer', { access: () => ({ encryptionContext: { ...CONTEXT, case: 'f'.repeat(32) } }) }],
  ['more in the answer', { access: () => ({ encryptionContext: { ...CONTEXT, more: 'x' } }) }],
  ['another release in the answer', { access: () => ({ releaseId: 'f'.repeat(32) }) }],
  ['another recipient in the answer', { access: () => ({ recipient: 'ukr-recipient-2' }) }],
  ['another digest in the answer', { access: () => ({ ciphertextDigest: `sha256:${'0'.repeat(64)}` }) }],
  ['documents that overlap', { access: (row) => ({ documents: row.documents.map((own) => ({ ...own, offset: 0 })) }) }],
  ['a document less', { access: (row) => ({ documents: row.documents.slice(0, 2) }) }],
  ['documents in another order', { access: (row) => ({ documents: [...row.documents].reverse() }) }],
])('%s: nothing is left behind', async (_name, offer) => {
  const { exit, to } = await open(offer);
  expect(exit).toBe(65);
  expect(leftIn(to)).toEqual([]);
  expect(receipts()).toEqual([]);
});

test('a package sealed to another key says so', async () => {
  const other = await newRecipientKey();
  const { exit, stderr, to } = await open({ publicKey: other.publicKey });
  expect(exit).toBe(65);
  expect(stderr).toContain('WRONG_KEY');
  expect(leftIn(to)).toEqual([]);
});

test('a key sealed to another key under our fingerprint does not open', async () => {
  const other = await newRecipientKey();
  const fingerprint = (await accessFor(Buffer.alloc(0), [], newDataKey(), key.publicKey, '')).keyFingerprint;
  const { exit, stderr, to } = await open({
    publicKey: other.publicKey,
    access: () => ({ keyFingerprint: fingerprint }),
  });
  expect(exit).toBe(65);
  expect(stderr).toContain('KEY_DOES_NOT_OPEN');
  expect(leftIn(to)).toEqual([]);
});

test('an existing document is never replaced, unless told to', async () => {
  const to = join(folder, `to-${count + 1}`);
  mkdirSync(to);
  writeFileSync(join(to, 'Part 1.md'), 'mine');
  const { exit, stderr } = await open();
  expect(exit).toBe(1);
  expect(stderr).toContain('FILE_EXISTS');
  expect(readdirSync(to)).toEqual(['Part 1.md']);
  expect(readFileSync(join(to, 'Part 1.md'), 'utf8')).toBe('mine');
  count -= 1;
  expect((await open({}, '--force')).exit).toBe(0);
  expect(readFileSync(join(to, 'Part 1.md'))).toEqual(DOCUMENTS[0]?.content);
});

test('with the proposal in sight, a wrong key and an existing document cost no copy', async () => {
  await open();
  const seen = caseView({ phase: 'RELEASED' });
  exchange.answers.set(`GET /v1/cases/${CASE_ID}`, () => ({ body: seen }));
  exchange.seen.length = 0;
  const ran = await valiza(exchange, ['open', CASE_ID, '--key', keyFile, '--to', join(folder, 'none'), '--json']);
  expect(ran.exit).toBe(65);
  expect(exchange.requests('POST', `/v1/cases/${CASE_ID}/accesses`)).toEqual([]);
  expect(existsSync(join(folder, 'none'))).toBe(false);
});

test('an address that does not answer is asked for again as the same opening', async () => {
  let calls = 0;
  await open();
  const served = exchange.answers.get('GET /package');
  exchange.seen.length = 0;
  exchange.answers.set('GET /package', (seen) => ((calls += 1) === 1 ? { status: 403 } : (served?.(seen) ?? {})));
  const to = join(folder, 'again');
  const ran = await valiza(exchange, ['open', CASE_ID, '--key', keyFile, '--to', to, '--json']);
  expect({ exit: ran.exit, stderr: ran.stderr }).toEqual({ exit: 0, stderr: '' });
  const asked = exchange.requests('POST', `/v1/cases/${CASE_ID}/accesses`);
  expect(asked).toHaveLength(2);
  expect(asked[0]?.headers['idempotency-key']).toBe(asked[1]?.headers['idempotency-key']);
  exchange.answers.set('GET /package', () => ({ status: 403 }));
  const lost = await valiza(exchange, ['open', CASE_ID, '--key', keyFile, '--to', join(folder, 'lost'), '--json']);
  expect(lost.exit).toBe(69);
  expect(readdirSync(join(folder, 'lost'))).toEqual([]);
});

test('a receipt that does not arrive leaves the documents, and says how to give it', async () => {
  await open();
  exchange.answers.set(`POST /v1/cases/${CASE_ID}/receipts`, () => ({ status: 409, body: problem(409, 'CONFLICT') }));
  const to = join(folder, 'unacknowledged');
  const ran = await valiza(exchange, ['open', CASE_ID, '--key', keyFile, '--to', to, '--json']);
  expect(ran.exit).toBe(75);
  expect(ran.stderr).toContain('valiza receipt');
  expect(readdirSync(to)).toHaveLength(3);
});

test('a key file that others can read, is not there, or is none, is not used', async () => {
  const open = (path: string) => valiza(exchange, ['open', CASE_ID, '--key', path, '--json']);
  const shared = join(folder, 'shared.json');
  writeFileSync(shared, readFileSync(keyFile), { mode: 0o644 });
  expect((await open(shared)).stderr).toContain('chmod 600');
  expect((await open(join(folder, 'missing.json'))).exit).toBe(2);
  const swapped = join(folder, 'swapped.json');
  const { publicKey } = await newRecipientKey();
  writeFileSync(swapped, JSON.stringify({ publicKey, privateKey: key.privateKey }), { mode: 0o600 });
  expect((await open(swapped)).exit).toBe(65);
});

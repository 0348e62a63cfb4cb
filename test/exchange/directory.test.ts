import { asProposed, type ProposedEntry } from '../../bin/client/directory-entries.ts';
import { issuerOf } from '../../examples/exercise/nations.ts';
import { PEOPLE } from '../../examples/exercise/people.ts';
import { newRecipientKey } from '../../lambdas/evidence/sealed-key.ts';
import { DAY, HOUR, openScene, refusalOf, sha256, type Scene } from '../support/exchange.ts';

jest.setTimeout(120_000);

let scene: Scene;

beforeAll(async () => {
  scene = await openScene();
});
afterAll(() => scene.close());

/** The entry of a person of the exercise, or of a new one like them. */
function entryOf(personId: string, change: Partial<ProposedEntry> = {}, like = personId): ProposedEntry {
  const person = PEOPLE.find((row) => row.personId === like);
  if (person === undefined) throw new Error(`${like} is not a person of the exercise.`);
  const nation = personId.startsWith('can') ? 'CAN' : 'UKR';
  return { ...asProposed(person), personId, subjects: [`${issuerOf(nation)}|${personId}`], ...change };
}

const propose = (by: string, person: ProposedEntry, effectiveFrom?: string) =>
  scene.as(by).proposeChange({ body: { person, ...(effectiveFrom === undefined ? {} : { effectiveFrom }) } });
const confirm = (by: string, changeId: string) => scene.as(by).confirmChange({ params: { changeId }, body: {} });

/** Whether the exchange answers somebody at all. */
const isKnown = async (personId: string): Promise<boolean> =>
  (await scene.raw(personId, 'GET', '/v1/agreements')).status === 200;

const inHours = (hours: number): string => new Date(scene.runtime.clock.now() + hours * HOUR).toISOString();

test('a stranger is nobody until two people of their nation have entered them', async () => {
  const newcomer = entryOf('ukr-new-1', { roles: ['requester'] }, 'ukr-desk-1');
  expect(await refusalOf(scene.submit({}, 'ukr-new-1'))).toBe('403 NOT_IN_DIRECTORY');
  expect(await refusalOf(propose('ukr-desk-1', newcomer))).toBe('403 NOT_A_DIRECTORY_OFFICER');
  const { changeId, confirmedBy } = await propose('ukr-directory-1', newcomer);
  expect(confirmedBy).toBeNull();
  expect(await isKnown('ukr-new-1')).toBe(false);
  expect(await refusalOf(confirm('ukr-directory-1', changeId))).toBe('403 SECOND_PERSON_NEEDED');
  expect(await refusalOf(confirm('can-directory-1', changeId))).toBe('404 NOT_FOUND');
  expect(await refusalOf(confirm('can-authority-1', changeId))).toBe('404 NOT_FOUND');
  expect(await isKnown('ukr-new-1')).toBe(false);
  expect((await confirm('ukr-directory-2', changeId)).confirmedBy).toBe('ukr-directory-2');
  expect((await scene.submit({}, 'ukr-new-1')).phase).toBe('UNDER_REVIEW');
  expect(await refusalOf(confirm('ukr-directory-2', changeId))).toBe('409 ALREADY_CONFIRMED');
});

test('a nation reads its own changes; those who prepare and decide read the other’s', async () => {
  const list = (by: string, nation: string) => scene.as(by).listChanges({ query: { nation, limit: '50' } });
  for (const by of ['ukr-directory-1', 'ukr-authority-1', 'can-directory-1', 'can-requester-1']) {
    const other = by.startsWith('can') ? 'UKR' : 'CAN';
    expect([by, await refusalOf(list(by, other))]).toEqual([by, '404 NOT_FOUND']);
  }
  for (const by of [scene.who.desk, scene.who.security, scene.who.authority]) {
    const nations = (await list(by, 'UKR')).changes.map(({ nation }) => nation);
    expect([by, new Set(nations)]).toEqual([by, new Set(['UKR'])]);
  }
});

test('a nation cannot enter a person under the other nation’s name', async () => {
  // The entry is of the nation whose officer proposes it, whatever the id looks like: the other nation's person is untouched.
  const { changeId, nation } = await propose(
    'ukr-directory-1',
    entryOf('can-security-1', { roles: [], active: false }),
  );
  expect(nation).toBe('UKR');
  await confirm('ukr-directory-2', changeId);
  expect(await isKnown('can-security-1')).toBe(true);
  const seen = await scene.reach('PROPOSED');
  expect((await scene.approve(seen, scene.who.security)).decisions).toHaveLength(1);
});

test('a key counts once the competent authority has confirmed it', async () => {
  const { publicKey } = await newRecipientKey();
  const keyFingerprint = sha256(Buffer.from(publicKey, 'base64url'));
  const holder = entryOf('ukr-holder-1', { publicKeys: [publicKey] }, scene.who.recipient);
  const { changeId } = await propose('ukr-directory-1', holder);
  expect(await refusalOf(confirm('ukr-directory-2', changeId))).toBe('403 KEY_NEEDS_AUTHORITY');
  expect(await refusalOf(confirm('can-authority-1', changeId))).toBe('404 NOT_FOUND');
  // Before, nobody can be asked for in that name.
  expect(await refusalOf(scene.submit({ recipients: ['ukr-holder-1'] }))).toBe('400 RECIPIENT_UNKNOWN');
  await confirm('ukr-authority-1', changeId);
  const { caseId } = await scene.submit({ recipients: ['ukr-holder-1'] });
  const wish = { recipients: [{ personId: 'ukr-holder-1', keyFingerprint }] };
  expect((await scene.propose(caseId, wish)).proposal?.recipients).toEqual(wish.recipients);
});

test('a key that is no point of the curve is refused', async () => {
  const zero = Buffer.concat([Buffer.of(4), Buffer.alloc(64)]).toString('base64url');
  for (const publicKey of ['', 'AAAA', zero.slice(0, -1), zero]) {
    const entry = entryOf('ukr-holder-2', { publicKeys: [publicKey] }, scene.who.recipient);
    expect(await refusalOf(propose('ukr-directory-1', entry))).toBe('400 INVALID_INPUT');
  }
});

test('a credential belongs to one person, for good', async () => {
  const subjects = [`${issuerOf('UKR')}|ukr-desk-1`];
  const thief = entryOf('ukr-thief-1', { subjects, roles: ['requester'] }, 'ukr-desk-1');
  const { changeId } = await propose('ukr-directory-1', thief);
  expect(await refusalOf(confirm('ukr-directory-2', changeId))).toBe('409 CREDENTIAL_TAKEN');
  expect(await refusalOf(scene.submit({}, 'ukr-desk-1'))).toBe('403 NOT_A_REQUESTER');
  // Also when its person has left.
  await scene.change('ukr-desk-1', { active: false });
  const later = await propose('ukr-directory-1', thief);
  expect(await refusalOf(confirm('ukr-directory-2', later.changeId))).toBe('409 CREDENTIAL_TAKEN');
  expect(await isKnown('ukr-desk-1')).toBe(false);
});

test('whoever leaves is out at the next request, and back when they are entered again', async () => {
  const seen = await scene.reach('PROPOSED');
  await scene.change(scene.who.releasing, { active: false });
  expect(await refusalOf(scene.approve(seen, scene.who.releasing))).toBe('403 NOT_IN_DIRECTORY');
  expect(await refusalOf(scene.read(seen.caseId, scene.who.releasing))).toBe('403 NOT_IN_DIRECTORY');
  await scene.change(scene.who.releasing, { active: true });
  expect((await scene.approve(seen, scene.who.releasing)).decisions).toHaveLength(1);
});

test('a role that is taken away is gone at the next request', async () => {
  const seen = await scene.reach('PROPOSED');
  await scene.change(scene.who.releasing2, { roles: [] });
  expect(await refusalOf(scene.approve(seen, scene.who.releasing2))).toBe('404 NOT_FOUND');
});

test('a change may take effect later, not before, and changes nothing until then', async () => {
  const entry = entryOf('ukr-later-1', { roles: ['requester'] }, 'ukr-security-1');
  expect(await refusalOf(propose('ukr-directory-1', entry, inHours(-1)))).toBe('400 EFFECTIVE_IN_PAST');
  const from = inHours(24);
  const { changeId } = await propose('ukr-directory-1', entry, from);
  expect((await confirm('ukr-directory-2', changeId)).effectiveFrom).toBe(from);
  await scene.change('ukr-security-1', { active: false }, inHours(25));
  expect([await isKnown('ukr-later-1'), await isKnown('ukr-security-1')]).toEqual([false, true]);
  await scene.runtime.settled();
  await scene.runtime.clock.advanceTo(Date.parse(from));
  expect([await isKnown('ukr-later-1'), await isKnown('ukr-security-1')]).toEqual([true, true]);
  await scene.runtime.clock.advance(HOUR);
  expect([await isKnown('ukr-later-1'), await isKnown('ukr-security-1')]).toEqual([true, false]);
});

test('a change that is confirmed late takes effect when it is confirmed, not when it was proposed', async () => {
  const { changeId, effectiveFrom } = await propose('ukr-directory-1', entryOf('ukr-late-1', {}, 'ukr-security-1'));
  await scene.runtime.settled();
  await scene.runtime.clock.advance(DAY);
  const confirmed = await confirm('ukr-directory-2', changeId);
  expect(confirmed.effectiveFrom).toBe(confirmed.confirmedAt);
  expect(Date.parse(confirmed.effectiveFrom) - Date.parse(effectiveFrom)).toBeGreaterThanOrEqual(DAY);
});

import { newRecipientKey } from '../../lambdas/evidence/sealed-key.ts';
import { fromEpoch } from '../../lambdas/domain/instant.ts';
import type { BodyOf } from '../../lambdas/contracts/routes.ts';
import { asProposed } from '../../bin/client/directory-entries.ts';
import { PEOPLE } from '../../examples/exercise/people.ts';
import { issuerOf, type ExerciseNation } from '../../examples/exercise/nations.ts';
import { DAY, MINUTE, openScene, refusalOf, type Scene } from '../support/exchange.ts';

type Entry = BodyOf<'proposeChange'>['person'];

let scene: Scene;
beforeAll(async () => {
  scene = await openScene();
}, 120_000);
afterAll(() => scene.close());

const subject = (nation: ExerciseNation, name: string): string => `${issuerOf(nation)}|${name}`;

/** An entry like that of a person of the exercise, with something changed. */
function like(personId: string, change: Partial<Entry> = {}): Entry {
  const person = PEOPLE.find((row) => row.personId === personId);
  if (person === undefined) throw new Error(`${personId} is not a person of the exercise.`);
  return { ...asProposed(person), ...change };
}

/** A new person of a nation, with a credential of their own. */
const newcomer = (nation: ExerciseNation, name: string, change: Partial<Entry> = {}): Entry =>
  like(`${nation.toLowerCase()}-desk-1`, { personId: name, subjects: [subject(nation, name)], roles: [], ...change });

const propose = (by: string, person: Entry, effectiveFrom?: string) =>
  scene.as(by).proposeChange({ body: { person, ...(effectiveFrom === undefined ? {} : { effectiveFrom }) } });

const confirm = (by: string, changeId: string) => scene.as(by).confirmChange({ params: { changeId }, body: {} });

async function enter(proposer: string, confirmer: string, person: Entry, effectiveFrom?: string): Promise<void> {
  await confirm(confirmer, (await propose(proposer, person, effectiveFrom)).changeId);
}

const inTime = (milliseconds: number): string => new Date(scene.runtime.clock.now() + milliseconds).toISOString();
const isKnown = async (personId: string): Promise<boolean> =>
  (await scene.raw(personId, 'GET', '/v1/agreements')).status === 200;

describe('a credential of somebody else', () => {
  it.each<[string, ExerciseNation, string, () => Entry]>([
    [
      'a founding officer’s, by the other nation',
      'UKR',
      'can-authority-1',
      () => newcomer('UKR', 'ukr-thief-1', { subjects: [subject('CAN', 'can-authority-1')] }),
    ],
    [
      'an entered person’s, by the other nation under that person’s id',
      'UKR',
      'can-desk-1',
      () => newcomer('UKR', 'can-desk-1', { subjects: [subject('CAN', 'can-desk-1')] }),
    ],
  ])('is not taken: %s', async (_, nation, victim, entry) => {
    const own = nation.toLowerCase();
    await enter(`${own}-directory-1`, `${own}-directory-2`, entry()).catch(() => undefined);
    expect(await isKnown(victim)).toBe(true);
  });

  it('is not reserved by the other nation before its person is entered', async () => {
    const theirs = [subject('CAN', 'can-newcomer-1')];
    await enter('ukr-directory-1', 'ukr-directory-2', newcomer('UKR', 'ukr-squatter-1', { subjects: theirs }));
    await enter('can-directory-1', 'can-directory-2', newcomer('CAN', 'can-desk-9', { subjects: theirs }));
    expect(await isKnown('can-newcomer-1')).toBe(true);
  });

  it.each(['can-authority-1', 'can-desk-1'])('is not taken within the nation: %s', async (victim) => {
    const thief = newcomer('CAN', 'can-thief-1', { subjects: [subject('CAN', victim)] });
    const { changeId } = await propose('can-directory-1', thief);
    expect(await refusalOf(confirm('can-directory-2', changeId))).toBe('409 CREDENTIAL_TAKEN');
    expect(await isKnown(victim)).toBe(true);
  });

  it('does nothing with a person id of ours and the other nation’s issuer', async () => {
    const token = await scene.exchange.issuers.signToken({
      person: 'can-desk-1',
      nation: 'UKR',
      audience: 'valiza:can-local',
      at: fromEpoch(scene.runtime.clock.now()),
    });
    const answer = await fetch(`${scene.runtime.url}/v1/cases`, { headers: { authorization: `Bearer ${token}` } });
    expect(answer.status).toBe(403);
    expect(await answer.json()).toMatchObject({ code: 'NOT_IN_DIRECTORY' });
  });
});

describe('the second person', () => {
  it.each<[string, string, string, () => Entry, string]>([
    [
      'who proposed it',
      'can-directory-1',
      'can-directory-1',
      () => newcomer('CAN', 'can-new-1'),
      '403 SECOND_PERSON_NEEDED',
    ],
    ['of the other nation', 'can-directory-1', 'ukr-directory-1', () => newcomer('CAN', 'can-new-2'), '404 NOT_FOUND'],
    [
      'whom it concerns',
      'can-directory-1',
      'can-directory-2',
      () => like('can-directory-2'),
      '403 SECOND_PERSON_NEEDED',
    ],
    [
      'without the role',
      'can-directory-1',
      'can-desk-1',
      () => newcomer('CAN', 'can-new-3'),
      '403 NOT_A_DIRECTORY_OFFICER',
    ],
  ])('is not one %s', async (_, proposer, confirmer, entry, refusal) => {
    const { changeId } = await propose(proposer, entry());
    expect(await refusalOf(confirm(confirmer, changeId))).toBe(refusal);
  });

  it('is not a second account of the first', async () => {
    const two = [subject('CAN', 'can-directory-2'), subject('CAN', 'can-directory-2b')];
    await enter('can-directory-1', 'can-authority-1', like('can-directory-2', { subjects: two }));
    const { changeId } = await propose('can-directory-2', newcomer('CAN', 'can-new-4'));
    expect(await refusalOf(confirm('can-directory-2b', changeId))).toBe('403 SECOND_PERSON_NEEDED');
  });

  it('is needed for one’s own entry too: nobody proposes it', async () => {
    const roles = ['directory-officer', 'releasing-officer'] as const;
    expect(await refusalOf(propose('can-directory-1', like('can-directory-1', { roles: [...roles] })))).toBe(
      '403 OWN_ENTRY',
    );
  });

  it('confirms the change they name, not one whose name begins like it', async () => {
    const { changeId } = await propose('can-directory-1', newcomer('CAN', 'can-new-5'));
    for (const part of [changeId.slice(0, 1), changeId.slice(0, -1)]) {
      expect(await refusalOf(confirm('can-directory-2', part))).toBe('404 NOT_FOUND');
    }
    expect(await refusalOf(scene.as('can-new-5').listAgreements())).toBe('403 NOT_IN_DIRECTORY');
  });

  it('confirms once, of twenty at once', async () => {
    const { changeId } = await propose('can-directory-1', newcomer('CAN', 'can-new-6'));
    const answers = await Promise.allSettled(Array.from({ length: 20 }, () => confirm('can-directory-2', changeId)));
    expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const { changes } = await scene.as('can-directory-1').listChanges({ query: { limit: '50' } });
    expect(changes.filter((change) => change.changeId === changeId)).toHaveLength(1);
  });
});

describe('a key', () => {
  const fingerprints = async (personId: string): Promise<string[]> => {
    const { changes } = await scene.as('can-desk-1').listChanges({ query: { nation: 'UKR', limit: '50' } });
    const found = changes.find(({ person, confirmedBy }) => person['personId'] === personId && confirmedBy !== null);
    return ((found?.person['keys'] ?? []) as { fingerprint: string }[]).map((key) => key.fingerprint);
  };

  it.each<[string, () => Promise<Entry>]>([
    ['a new one', async () => like('ukr-recipient-1', { publicKeys: [(await newRecipientKey()).publicKey] })],
    [
      'another person’s',
      async () => newcomer('UKR', 'ukr-new-1', { publicKeys: [(await scene.keyOf('ukr-recipient-1')).publicKey] }),
    ],
  ])('is not confirmed by directory officers: %s', async (_, entry) => {
    const before = await fingerprints('ukr-recipient-1');
    const { changeId } = await propose('ukr-directory-1', await entry());
    expect(await refusalOf(confirm('ukr-directory-2', changeId))).toBe('403 KEY_NEEDS_AUTHORITY');
    expect(await fingerprints('ukr-recipient-1')).toEqual(before);
  });

  it('is not confirmed by an authority that two officers made', async () => {
    const puppet = newcomer('UKR', 'ukr-puppet-1', { roles: ['competent-authority'] });
    const { changeId } = await propose('ukr-directory-1', puppet);
    expect(await refusalOf(confirm('ukr-directory-2', changeId))).toBe('403 AUTHORITY_NEEDED');
  });

  it('is not confirmed with a credential that two officers gave the authority', async () => {
    const two = [subject('UKR', 'ukr-authority-1'), subject('UKR', 'ukr-puppet-2')];
    const { changeId } = await propose('ukr-directory-1', like('ukr-authority-1', { subjects: two }));
    expect(await refusalOf(confirm('ukr-directory-2', changeId))).toBe('403 AUTHORITY_NEEDED');
  });

  it('that was taken away does not come back by a change planned before', async () => {
    const { publicKey } = await newRecipientKey();
    const holder = newcomer('UKR', 'ukr-holder-1', { publicKeys: [publicKey], roles: ['requester'] });
    await enter('ukr-directory-1', 'ukr-authority-1', holder);
    // Two officers plan the entry as it stands for tomorrow; then the key is found to be stolen, and its holder is suspended.
    await enter('ukr-directory-1', 'ukr-directory-2', holder, inTime(DAY));
    await enter('ukr-directory-2', 'ukr-authority-1', { ...holder, publicKeys: [], active: false });
    expect(await isKnown('ukr-holder-1')).toBe(false);
    await scene.runtime.clock.advance(2 * DAY);
    expect(await isKnown('ukr-holder-1')).toBe(false);
    const back = await propose('ukr-directory-1', holder);
    expect(await refusalOf(confirm('ukr-directory-2', back.changeId))).toBe('403 KEY_NEEDS_AUTHORITY');
  });
});

describe('an instant of effect', () => {
  it('is not in the past', async () => {
    expect(await refusalOf(propose('can-directory-1', newcomer('CAN', 'can-new-7'), inTime(-MINUTE)))).toBe(
      '400 EFFECTIVE_IN_PAST',
    );
  });

  it('in the future gives nothing before it', async () => {
    await enter('can-directory-1', 'can-directory-2', newcomer('CAN', 'can-new-8'), inTime(DAY));
    expect(await isKnown('can-new-8')).toBe(false);
    await scene.runtime.clock.advance(DAY);
    expect(await isKnown('can-new-8')).toBe(true);
  });
});

describe('who has left', () => {
  it('does nothing any more, from the next request on; what waits for them ends by its clock', async () => {
    const waiting = await scene.reach('PROPOSED', { endsIn: 40 * DAY });
    await scene.approve(waiting, 'can-releasing-1');
    await enter('can-directory-1', 'can-directory-2', like('can-security-1', { active: false }));
    expect(await refusalOf(scene.approve(waiting, 'can-security-1'))).toBe('403 NOT_IN_DIRECTORY');
    await scene.runtime.settled();
    await scene.runtime.clock.advance(60 * DAY);
    expect((await scene.waitFor(waiting.caseId, 'LAPSED')).phase).toBe('LAPSED');
    await enter('can-directory-1', 'can-directory-2', like('can-security-1'));
  });
});

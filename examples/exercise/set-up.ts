import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Api } from '../../bin/client/api.ts';
import { asProposed, entryInEffect, MOST_CHANGES, personOf, type Change } from '../../bin/client/directory-entries.ts';
import { fingerprintOf, readKey, writeNewKey } from '../../bin/client/key-files.ts';
import { codeOf } from '../../bin/client/errors.ts';
import type { Person, RecipientKey } from '../../lambdas/domain/people.ts';
import { canonical } from '../../lambdas/evidence/canonical.ts';
import { NATIONS_OF_EXERCISE, type ExerciseNation } from './nations.ts';
import { FOUNDING_OFFICERS, PEOPLE, RECIPIENTS } from './people.ts';

export interface SetUp {
  /** The API as a person of the exercise calls it. */
  readonly apiAs: (personId: string) => Api;
  /** Where the recipients' key pairs are kept, or made. */
  readonly keysFolder: string;
  /** The time of the exchange, in UTC: what is in effect then is left alone. */
  readonly at: string;
}

export interface SetUpDone {
  /** Ids of those whose entry was made or changed. */
  readonly entered: readonly string[];
  /** Ids of those whose entry was already as wanted. */
  readonly unchanged: readonly string[];
}

/** The key pair of a recipient, made the first time. */
async function keyOf(folder: string, personId: string): Promise<RecipientKey> {
  const path = join(folder, `${personId}.json`);
  const { publicKey } = await writeNewKey(path, personId).catch((error: unknown) => readExisting(path, error));
  return { publicKey, fingerprint: fingerprintOf(publicKey) };
}

async function readExisting(path: string, error: unknown): ReturnType<typeof readKey> {
  try {
    return await readKey(path);
  } catch (other) {
    throw codeOf(other) === 'ENOENT' ? error : other;
  }
}

/** Everyone who is not there from the start, as their entry is to be. */
async function wantedPeople(keysFolder: string): Promise<readonly Person[]> {
  await mkdir(keysFolder, { recursive: true, mode: 0o700 });
  const others = PEOPLE.filter((person) => !FOUNDING_OFFICERS.includes(person));
  return Promise.all(
    others.map(async (person) =>
      RECIPIENTS.includes(person.personId) ? { ...person, keys: [await keyOf(keysFolder, person.personId)] } : person,
    ),
  );
}

const same = (one: Person | undefined, other: Person): boolean =>
  one !== undefined && canonical(one) === canonical(other);

/** Whether an entry is as wanted; keys that have been confirmed beside the wanted ones stay. */
const isAsWanted = (found: Person | undefined, wanted: Person): boolean => {
  const keys = found?.keys.filter((key) => wanted.keys.some((row) => row.fingerprint === key.fingerprint)) ?? [];
  return found !== undefined && same({ ...found, keys }, wanted);
};

/** Two people enter a third one: the first directory officer proposes, the second confirms, or the authority where a key comes with it. */
async function enter(person: Person, pending: readonly Change[], apiAs: SetUp['apiAs']): Promise<void> {
  const officer = (part: string): Api => apiAs(`${person.nation.toLowerCase()}-${part}`);
  // What an earlier set-up proposed and could not confirm.
  const earlier = pending.find((change) => same(personOf(change), person));
  const change = earlier ?? (await officer('directory-1').proposeChange({ body: { person: asProposed(person) } }));
  const second = officer(person.keys.length > 0 ? 'authority-1' : 'directory-2');
  await second.confirmChange({ params: { changeId: change.changeId }, body: {} });
}

async function enterNation(nation: ExerciseNation, wanted: readonly Person[], setUp: SetUp): Promise<SetUpDone> {
  const { changes } = await setUp
    .apiAs(`${nation.toLowerCase()}-directory-1`)
    .listChanges({ query: { limit: MOST_CHANGES } });
  const own = wanted.filter((person) => person.nation === nation);
  const missing = own.filter((person) => !isAsWanted(entryInEffect(changes, person.personId, setUp.at), person));
  const pending = changes.filter((change) => change.confirmedBy === null);
  // One after the other: a crowd at once would only have the exchange start an instance of its functions for each.
  for (const person of missing) await enter(person, pending, setUp.apiAs);
  return {
    entered: missing.map((person) => person.personId),
    unchanged: own.filter((person) => !missing.includes(person)).map((person) => person.personId),
  };
}

/**
 * Enters everyone of the exercise through the public API, as its officers would: one proposes, another confirms. Doing it again changes
 * nothing that is as it should be.
 */
export async function enterPeople(setUp: SetUp): Promise<SetUpDone> {
  const wanted = await wantedPeople(setUp.keysFolder);
  const done = await Promise.all(NATIONS_OF_EXERCISE.map((nation) => enterNation(nation, wanted, setUp)));
  return { entered: done.flatMap((row) => row.entered), unchanged: done.flatMap((row) => row.unchanged) };
}

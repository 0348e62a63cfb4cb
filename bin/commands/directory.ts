import type { Command } from 'commander';
import { existsSync } from 'node:fs';
import { changeBody } from '../../lambdas/contracts/api-bodies.ts';
import type { Instant } from '../../lambdas/domain/instant.ts';
import type { Person } from '../../lambdas/domain/people.ts';
import {
  asProposed,
  entryInEffect,
  MOST_CHANGES,
  personOf,
  type Change,
  type ProposedEntry,
} from '../client/directory-entries.ts';
import { ClientError, usage } from '../client/errors.ts';
import { EXIT } from '../client/exit-codes.ts';
import { askExchange } from '../client/exchange-time.ts';
import { fingerprintOf, readKey } from '../client/key-files.ts';
import { columns, labelled, times, type Row } from '../client/layout.ts';
import { checked, given, instantOption, jsonFrom } from '../client/options.ts';
import type { Paint } from '../client/output.ts';
import type { Act, AddCommand, Session } from '../client/session.ts';

const changesOf = async ({ api }: Session, nation?: string): Promise<readonly Change[]> =>
  (await api.listChanges({ query: { nation, limit: MOST_CHANGES } })).changes;

const personRows = (person: Person): Row[] => [
  ['Person', `${person.personId}${person.active ? '' : ' (not active)'}`],
  ['Agency', `${person.agency} (${person.nation})`],
  ['Roles', person.roles.join(', ') || 'none'],
  ['Credentials', person.subjects.join('\n')],
  ['Clearances', person.clearances.map((row) => `${row.mark} (${row.axis}) until ${times(row.validTo)}`).join('\n')],
  ['Citizenships', person.citizenships.join(', ')],
  ['Mail', `${person.mail}, in ${person.language}, ${person.zone}`],
  ['Keys', person.keys.map((key) => key.fingerprint).join('\n') || 'none'],
  ['Conflicts', person.conflicts.join(', ')],
];

function changeText(change: Change, paint: Paint): string {
  const person = personOf(change);
  const rows: Row[] = [
    ['Change', change.changeId],
    ['Proposed', `by ${change.proposedBy}, ${times(change.proposedAt)}`],
    [
      'Confirmed',
      change.confirmedBy === null ? 'not yet' : `by ${change.confirmedBy}, ${times(change.confirmedAt ?? '')}`,
    ],
    ['In effect', `from ${times(change.effectiveFrom)}`],
    ...(person === undefined ? [['Entry', JSON.stringify(change.person)] as const] : personRows(person)),
  ];
  return labelled(rows, paint);
}

function unknownPerson(personId: string): ClientError {
  return new ClientError(
    EXIT.failed,
    'PERSON_NOT_SHOWN',
    `The changes that you may see show no entry of ${personId} in effect.`,
    'Check the person id and --nation. Founding officers show only once their entry has been changed.',
  );
}

async function proposeEntry(session: Session, person: ProposedEntry, effectiveFrom?: Instant): Promise<void> {
  const body = checked(changeBody, { person, ...given({ effectiveFrom }) });
  const change = await session.api.proposeChange({ body });
  session.out.answer(change, (paint) => changeText(change, paint));
  session.out.hint(
    `a second officer (the authority, where a key is added): valiza directory confirm ${change.changeId}`,
  );
}

/** The public key that is meant: itself, or the one of a key file. */
async function publicKeyIn(text: string): Promise<string> {
  if (existsSync(text)) return (await readKey(text)).publicKey;
  fingerprintOf(text);
  return text;
}

function addReading(directory: Command, act: Act): void {
  directory
    .command('list')
    .description('list changes, newest first')
    .option('--nation <nation>', 'of which nation (default: yours)')
    .option('--pending', 'only those that await a second officer')
    .action(
      act(async (session, options: { nation?: string; pending?: boolean }) => {
        const all = await changesOf(session, options.nation);
        const changes = options.pending === true ? all.filter((change) => change.confirmedBy === null) : all;
        session.out.answer({ changes }, () =>
          changes.length === 0
            ? 'No changes.'
            : columns(
                changes.map((change) => [
                  change.changeId,
                  String(change.person['personId'] ?? ''),
                  `${change.effectiveFrom.slice(0, 16)}Z`,
                  change.confirmedBy === null
                    ? `proposed by ${change.proposedBy}`
                    : `confirmed by ${change.confirmedBy}`,
                ]),
              ),
        );
      }),
    );
  directory
    .command('show')
    .description("show a person's entry as it is in effect, with the fingerprints of their keys")
    .argument('<person>', 'id of the person')
    .option('--nation <nation>', 'of which nation (default: yours)')
    .action(
      act(async (session, options: { nation?: string }, personId: string) => {
        const [changes, { at }] = await Promise.all([
          changesOf(session, options.nation),
          askExchange(session.connection),
        ]);
        const person = entryInEffect(changes, personId, at);
        if (person === undefined) throw unknownPerson(personId);
        session.out.answer(person, (paint) => labelled(personRows(person), paint));
      }),
    );
}

function addProposing(directory: Command, act: Act): void {
  directory
    .command('propose')
    .description("propose a person's entry as it is to be, whole")
    .argument('<file>', 'JSON file of the entry, or - for stdin')
    .option('--effective-from <instant>', 'from when (default: once confirmed)', instantOption)
    .action(
      act(async (session, options: { effectiveFrom?: Instant }, file: string) => {
        const person = await jsonFrom(file, session.surroundings.stdin);
        // Held to the schema before it is sent.
        await proposeEntry(session, person as ProposedEntry, options.effectiveFrom);
      }),
    );
  directory
    .command('propose-key')
    .description("propose that a recipient's public key be added to their entry")
    .argument('<person>', 'id of the person')
    .argument('<key>', 'public key, as valiza keys new prints it, or the key file')
    .action(
      act(async (session, _options: object, personId: string, key: string) => {
        const publicKey = await publicKeyIn(key);
        const [changes, { at }] = await Promise.all([changesOf(session), askExchange(session.connection)]);
        const person = entryInEffect(changes, personId, at);
        if (person === undefined) throw unknownPerson(personId);
        const entry = asProposed(person);
        await proposeEntry(session, { ...entry, publicKeys: [...entry.publicKeys, publicKey] });
        session.out.note(
          `Fingerprint ${fingerprintOf(publicKey)}: the authority compares it with what the recipient reads out.`,
        );
      }),
    );
}

/** A change is confirmed as it was read, and a key by what its owner says of it over another way. */
function addConfirming(directory: Command, act: Act): void {
  directory
    .command('confirm')
    .description('confirm a change that somebody else proposed')
    .argument('<change>', 'id of the change')
    .option('--fingerprint <digest>', 'the key that the change must add, as its owner told you')
    .action(
      act(async (session, options: { fingerprint?: string }, changeId: string) => {
        const changes = await changesOf(session);
        const change = changes.find((row) => row.changeId === changeId);
        if (change === undefined) {
          throw usage(
            `There is no change ${changeId} among the newest ${MOST_CHANGES} of your nation.`,
            'Look for it: valiza directory list --pending',
          );
        }
        const keys = personOf(change)?.keys ?? [];
        if (options.fingerprint !== undefined && !keys.some((key) => key.fingerprint === options.fingerprint)) {
          throw usage(
            'The change adds another key than the one you name.',
            'Do not confirm it. Ask the recipient again, over another way, for the fingerprint of their key.',
          );
        }
        session.out.show((paint) => `${changeText(change, paint)}\n`);
        await session.prompt.confirm('You confirm this entry.');
        const confirmed = await session.api.confirmChange({ params: { changeId }, body: {} });
        session.out.answer(
          confirmed,
          () => `Confirmed.\n${changeId}  in effect from ${times(confirmed.effectiveFrom)}`,
        );
      }),
    );
}

/** directory: who an exchange knows; every change is proposed by one officer and confirmed by another. */
export const addDirectory: AddCommand = (program, act) => {
  const directory = program.command('directory').description('who the exchange knows: see, propose and confirm');
  addReading(directory, act);
  addProposing(directory, act);
  addConfirming(directory, act);
};

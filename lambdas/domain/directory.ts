import { CANARY_AGENCY, isCanary, isCanaryCredential } from './canary.ts';
import type { Nation, PersonId } from './ids.ts';
import type { Instant } from './instant.ts';
import { hasRole, type Person } from './people.ts';
import { conflict, forbidden, invalid, type Refusal } from './refusal.ts';

/** A change of one person's entry: proposed by one officer, confirmed by another of the same nation (domain.md §4). */
export interface DirectoryChange {
  readonly changeId: string;
  readonly nation: Nation;
  /** The entry as it is to be, whole. */
  readonly person: Person;
  readonly effectiveFrom: Instant;
  readonly proposedBy: PersonId;
  readonly proposedAt: Instant;
  readonly confirmedBy: PersonId | null;
  readonly confirmedAt: Instant | null;
}

export interface ChangeProposal {
  readonly changeId: string;
  readonly person: Person;
  readonly effectiveFrom: Instant;
}

/**
 * Proposes a change. A nation changes only its own people, and a person never changes nation: they leave one directory and enter another.
 * @param current the person's entry now, undefined for a new person
 */
export function proposeChange(
  proposal: ChangeProposal,
  officer: Person,
  current: Person | undefined,
  now: Instant,
): DirectoryChange | Refusal {
  const { person, changeId, effectiveFrom } = proposal;
  if (!hasRole(officer, 'directory-officer')) {
    return forbidden({
      code: 'NOT_A_DIRECTORY_OFFICER',
      message: 'Changes of the directory are proposed and confirmed by directory officers.',
      next: 'Ask a directory officer of your nation.',
    });
  }
  if (person.nation !== officer.nation || (current !== undefined && current.nation !== person.nation)) {
    return forbidden({
      code: 'OTHER_NATION',
      message: `You change the people of ${officer.nation} only.`,
      next: 'Ask the other nation to change its own entry.',
    });
  }
  const reserved = isCanary(person) || person.subjects.some(isCanaryCredential);
  if (reserved || (current !== undefined && isCanary(current))) {
    return forbidden({
      code: 'RESERVED_FOR_CANARY',
      message: `The agency ${CANARY_AGENCY}, its people and their credentials belong to the exchange's canary; no nation enters or changes them.`,
      next: 'Choose another person id, another agency and credentials of your own identity provider.',
      pointer: isCanary(person) ? '/person/agency' : reserved ? '/person/subjects' : '/person/personId',
    });
  }
  if (officer.personId === person.personId) {
    return forbidden({
      code: 'OWN_ENTRY',
      message: 'Nobody proposes a change of their own entry: two others of their nation make it.',
      next: 'Ask another directory officer to propose it.',
    });
  }
  if (effectiveFrom < now) {
    return invalid({
      code: 'EFFECTIVE_IN_PAST',
      message: `A change takes effect now (${now}) or later, never before.`,
      next: 'Leave effectiveFrom out, or choose a later instant.',
      pointer: '/effectiveFrom',
    });
  }
  return {
    changeId,
    nation: person.nation,
    person,
    effectiveFrom,
    proposedBy: officer.personId,
    proposedAt: now,
    confirmedBy: null,
    confirmedAt: null,
  };
}

/** Whether a change adds a public key to those of the entry now. */
function addsKey(change: DirectoryChange, current: Person | undefined): boolean {
  const known = current?.keys ?? [];
  // Compared with its bytes: a known fingerprint over other bytes is another key.
  return change.person.keys.some(
    (key) => !known.some((row) => row.fingerprint === key.fingerprint && row.publicKey === key.publicKey),
  );
}

/** Whether a change gives the authority to somebody who does not have it now, or another credential to somebody who does. */
function givesAuthority({ person }: DirectoryChange, current: Person | undefined): boolean {
  if (!hasRole(person, 'competent-authority')) return false;
  if (current === undefined || !hasRole(current, 'competent-authority')) return true;
  return person.subjects.some((subject) => !current.subjects.includes(subject));
}

/**
 * Confirms a change. Two people, neither of them its subject. Where it adds a public key, the second is of the competent authority,
 * because a key counts only once the authority has confirmed it; and so that two officers cannot make an authority of their own for that,
 * it takes one to make one, or to give one another credential.
 */
export function confirmChange(
  change: DirectoryChange,
  officer: Person,
  current: Person | undefined,
  now: Instant,
): DirectoryChange | Refusal {
  if (change.confirmedBy !== null) {
    return conflict({
      code: 'ALREADY_CONFIRMED',
      message: 'This change has been confirmed.',
      next: 'Nothing is left to do.',
    });
  }
  const newKey = addsKey(change, current);
  const needsAuthority = newKey || givesAuthority(change, current);
  const may = needsAuthority
    ? hasRole(officer, 'competent-authority')
    : hasRole(officer, 'directory-officer', 'competent-authority');
  if (!may || officer.nation !== change.nation) {
    return forbidden({
      code: newKey ? 'KEY_NEEDS_AUTHORITY' : needsAuthority ? 'AUTHORITY_NEEDED' : 'NOT_A_DIRECTORY_OFFICER',
      message: needsAuthority
        ? `A public key, the authority's role and its credentials are confirmed by the competent authority of ${change.nation}.`
        : `The change is confirmed by a directory officer or the competent authority of ${change.nation}.`,
      next: 'Ask a person in that role.',
    });
  }
  if (officer.personId === change.proposedBy || officer.personId === change.person.personId) {
    return forbidden({
      code: 'SECOND_PERSON_NEEDED',
      message: 'A change is confirmed by someone other than who proposed it and whom it concerns.',
      next: 'Ask a second officer of your nation.',
    });
  }
  return {
    ...change,
    effectiveFrom: change.effectiveFrom < now ? now : change.effectiveFrom,
    confirmedBy: officer.personId,
    confirmedAt: now,
  };
}

import type { Axis } from './agreement.ts';
import { isCanary, takesPart } from './canary.ts';
import type { Digest, Nation, PersonId } from './ids.ts';
import type { Instant } from './instant.ts';

/** What a person may be in an exchange. Approving roles (`releasing-officer`, `security-officer`) are those that quorums name. */
export type Role =
  | 'requester'
  | 'desk-officer'
  | 'releasing-officer'
  | 'security-officer'
  | 'competent-authority'
  | 'directory-officer'
  | 'auditor';

export const APPROVING_ROLES: readonly Role[] = ['releasing-officer', 'security-officer'];

export interface Clearance {
  readonly axis: Axis;
  readonly mark: string;
  /** The clearance ends at this instant, not after it. */
  readonly validTo: Instant;
}

/** A recipient's public key (raw P-256 point, base64url) for HPKE; it counts once the competent authority has confirmed it. */
export interface RecipientKey {
  readonly fingerprint: Digest;
  readonly publicKey: string;
}

/** One person as the directory knows them. The credential only says who; everything else stands here. */
export interface Person {
  readonly personId: PersonId;
  readonly nation: Nation;
  readonly agency: string;
  /** The subject claims that are this person: one person may have several accounts, and counts once. */
  readonly subjects: readonly string[];
  readonly roles: readonly Role[];
  readonly clearances: readonly Clearance[];
  readonly citizenships: readonly Nation[];
  readonly mail: string;
  readonly language: 'en' | 'fr' | 'uk';
  readonly zone: string;
  readonly keys: readonly RecipientKey[];
  /** Agencies with which the person has declared a conflict of interest. */
  readonly conflicts: readonly string[];
  /** False once the person has left: nothing is granted to, and nothing accepted from, an inactive person. */
  readonly active: boolean;
  /** Set when mail to the address of the entry does not arrive; no part of the entry. */
  readonly unreachable?: true;
}

/** An address of a person from which mail came back. */
export interface DeadAddress {
  readonly personId: PersonId;
  readonly mail: string;
}

/** The person of an entry, with whether mail reaches them: an address that failed is remembered until the entry names another. */
export const withReach = (entry: Person, dead: readonly DeadAddress[]): Person =>
  dead.some(({ personId, mail }) => personId === entry.personId && mail === entry.mail)
    ? { ...entry, unreachable: true }
    : entry;

/** Who performs a command: a person with what the directory says of them now, or a step of the system. */
export type Actor =
  { readonly kind: 'person'; readonly person: Person } | { readonly kind: 'system'; readonly step: string };

/** Whether an active person has one of the roles, wherever it counts. */
export const holds = (person: Person, ...roles: readonly Role[]): boolean =>
  person.active && roles.some((role) => person.roles.includes(role));

/** Whether somebody holds a role in the exchange at large: the canary's people hold none. */
export const hasRole = (person: Person, ...roles: readonly Role[]): boolean =>
  !isCanary(person) && holds(person, ...roles);

/** Whether somebody holds a role in a case: a role counts in the cases that its holder has part in. */
export const hasRoleIn = (
  state: { readonly requestingAgency: string },
  person: Person,
  ...roles: readonly Role[]
): boolean => takesPart(state, person) && holds(person, ...roles);

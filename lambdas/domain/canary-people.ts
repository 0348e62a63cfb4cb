import { equivalenceFor, otherParty, type Agreement, type Marking } from './agreement.ts';
import { CANARY_AGENCY, canaryIssuer } from './canary.ts';
import type { Nation, PersonId } from './ids.ts';
import type { Instant } from './instant.ts';
import type { Person, RecipientKey, Role } from './people.ts';
import { neededRoles } from './quorum.ts';

/** The lowest mark of a nation that may travel electronically and that the other party knows: what the canary asks for. */
function canaryMarking(agreement: Agreement, nation: Nation, recipient: Nation): Marking | undefined {
  const axes = agreement.electronicCeiling.filter((row) => row.nation === nation).map((row) => row.axis);
  return agreement.marks
    .filter((row) => row.nation === nation && axes.includes(row.axis))
    .flatMap(({ axis, ladder }) => ladder.map((mark) => ({ axis, nation, mark })))
    .find((marking) => equivalenceFor(agreement, marking, recipient)?.to);
}

/** What the canary of an exchange is made of. */
export interface Canary {
  readonly agreement: Agreement;
  readonly marking: Marking;
  readonly desk: Person;
  /** One for each role of the quorum. */
  readonly approvers: readonly Person[];
  readonly requester: Person;
  readonly recipient: Person;
  readonly recipientAuthority: Person;
}

/** Delivered and looked at by nobody. https://docs.aws.amazon.com/ses/latest/dg/send-an-email-from-console.html#send-email-simulator */
const MAIL = 'success@simulator.amazonses.com';

const ALWAYS = '2100-01-01T00:00:00.000Z' as Instant; // in the one form of an instant

/**
 * The canary of an exchange under an exercise agreement: as many people as a case needs, each in one part, cleared to everything on the axis.
 * Undefined where the agreement is no exercise, or nothing could be released under it.
 */
export function canaryOf(agreement: Agreement, nation: Nation, key: RecipientKey): Canary | undefined {
  const other = otherParty(agreement, nation);
  const marking = other === undefined ? undefined : canaryMarking(agreement, nation, other);
  if (!agreement.exercise || other === undefined || marking === undefined) return undefined;
  const roles = neededRoles(agreement, [{ marking }]);
  if (roles === undefined) return undefined;
  const person = (of: Nation, part: string, ...held: readonly Role[]): Person => {
    const personId = `${of.toLowerCase()}-canary-${part}` as PersonId; // letters and hyphens, as ids of people are
    const { axis } = marking;
    const ladder = agreement.marks.find((row) => row.nation === of && row.axis === axis)?.ladder ?? [];
    return {
      personId,
      nation: of,
      agency: CANARY_AGENCY,
      subjects: [`${canaryIssuer(of)}|${personId}`],
      roles: held,
      clearances: ladder.map((mark) => ({ axis, mark, validTo: ALWAYS })),
      citizenships: [of],
      mail: MAIL,
      language: 'en',
      zone: 'UTC',
      keys: part === 'recipient' ? [key] : [],
      conflicts: [],
      active: true,
    };
  };
  return {
    agreement,
    marking,
    desk: person(nation, 'desk', 'desk-officer'),
    approvers: roles.map((role, index) => person(nation, `approver-${index + 1}`, role as Role)), // the agreement's schema knows them
    requester: person(other, 'requester', 'requester'),
    recipient: person(other, 'recipient'),
    recipientAuthority: person(other, 'authority', 'competent-authority'),
  };
}

export const peopleOf = ({ desk, approvers, requester, recipient, recipientAuthority }: Canary): readonly Person[] => [
  desk,
  ...approvers,
  requester,
  recipient,
  recipientAuthority,
];

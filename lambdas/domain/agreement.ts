import type { Digest, Nation } from './ids.ts';
import type { Instant } from './instant.ts';

/** A text that users read, in the three languages of the product. */
export interface Localised {
  readonly en: string;
  readonly fr: string;
  readonly uk: string;
}

/** Three separate axes, never one ladder (domain rule C8, §2.4): national-interest classification, protected or controlled, handling. */
export type Axis = 'classified' | 'protected' | 'handling';

/** A nation's own mark on one axis. */
export interface Marking {
  readonly axis: Axis;
  readonly nation: Nation;
  readonly mark: string;
}

export type EquivalenceKind = 'EXACT' | 'TREAT_AS' | 'TREAT_AS_WITH_MEASURES' | 'CASE_BY_CASE' | 'NONE';

/** One directed row of the equivalence table; it is never read backwards (rule D5). */
export interface EquivalenceRow {
  readonly axis: Axis;
  readonly from: { readonly nation: Nation; readonly mark: string };
  readonly to: { readonly nation: Nation; readonly mark: string } | null;
  readonly kind: EquivalenceKind;
  readonly warning?: string;
  readonly source: string;
}

export type ClockUnit = 'hours' | 'calendarDays' | 'workingDays';

/** How long a party has, counted in what, and what happens when it is over. */
export interface ClockRule {
  readonly amount: number;
  readonly unit: ClockUnit;
  /** Ids of `calendars`; a day must be a working day in every one of them. */
  readonly calendars: readonly string[];
  readonly onDue: 'lapse' | 'escalate';
  readonly source: string;
}

export interface Calendar {
  readonly id: string;
  /** ISO weekdays of rest. */
  readonly restDays: readonly number[];
  /** `YYYY-MM-DD`. */
  readonly holidays: readonly string[];
  readonly source: string;
}

/** How many, from which roles: every role is to be filled by a different person (AND across roles). */
export interface QuorumRow {
  readonly axis: Axis;
  /** Marks of the originating nation this row is for; `*` for every mark of the axis. */
  readonly mark: string;
  readonly roles: readonly string[];
}

export interface Purpose {
  readonly code: string;
  readonly text: Localised;
}

export interface RefusalGround {
  readonly code: string;
  readonly text: Localised;
  /** Whether the requester may be told this ground (rule A3). */
  readonly disclosable: boolean;
}

/** A bilateral security-of-information instrument as data: one version, never edited once cited. */
export interface Agreement {
  readonly id: string;
  readonly version: number;
  readonly exercise: boolean;
  readonly title: Localised;
  readonly parties: readonly [Nation, Nation];
  readonly status:
    'NEGOTIATING' | 'SIGNED' | 'RATIFICATION_AUTHORISED' | 'IN_FORCE' | 'SUSPENDED' | 'NOTICE_GIVEN' | 'TERMINATED';
  readonly dates: {
    readonly done: string | null;
    readonly signed: string | null;
    readonly ratified: string | null;
    readonly inForce: Instant | null;
    readonly notice: Instant | null;
    readonly terminated: Instant | null;
  };
  readonly scope: readonly string[];
  readonly purposes: readonly Purpose[];
  readonly marks: readonly { readonly axis: Axis; readonly nation: Nation; readonly ladder: readonly string[] }[];
  readonly equivalence: readonly EquivalenceRow[];
  /** Highest mark that may travel electronically, by originating nation and axis; above it there are only consignments. */
  readonly electronicCeiling: readonly {
    readonly nation: Nation;
    readonly axis: Axis;
    readonly mark: string;
    readonly accreditation: string;
  }[];
  readonly authorities: readonly { readonly nation: Nation; readonly name: Localised; readonly source: string }[];
  /** Marks for which the home authority's endorsement must accompany a request (rule A5); empty: none. */
  readonly endorsement: {
    readonly requiredFor: readonly { readonly axis: Axis; readonly mark: string }[];
    readonly source: string;
  };
  readonly assurance: { readonly required: boolean; readonly text: Localised; readonly source: string };
  readonly quorum: readonly QuorumRow[];
  readonly clocks: {
    readonly decision: ClockRule;
    readonly clarification: ClockRule;
    readonly assurance: ClockRule;
  };
  readonly calendars: readonly Calendar[];
  /** Longest release, in days. */
  readonly longestRelease: { readonly days: number; readonly source: string };
  readonly onward: { readonly allowed: boolean; readonly source: string };
  readonly reproduction: { readonly consentFrom: string | null; readonly source: string };
  readonly translation: { readonly consentFrom: string | null; readonly source: string };
  /** Marks for which every holding is to be returned or destroyed after the end; empty: none is prescribed. */
  readonly disposition: {
    readonly required: readonly {
      readonly axis: Axis;
      readonly mark: string;
      readonly methods: readonly ('RETURN' | 'DESTROY')[];
    }[];
    readonly source: string;
  };
  readonly retention: { readonly years: number; readonly source: string };
  readonly refusalGrounds: readonly RefusalGround[];
  readonly sources: readonly string[];
}

/** The version of an agreement that a case was opened under; every later rule is read from exactly this one. */
export interface AgreementPin {
  readonly id: string;
  readonly version: number;
  readonly digest: Digest;
}

/** The other party, or undefined when `nation` is none. */
export function otherParty(agreement: Agreement, nation: Nation): Nation | undefined {
  const [first, second] = agreement.parties;
  if (nation === first) return second;
  return nation === second ? first : undefined;
}

/**
 * Whether the agreement is in force at `at` (rules A1, A7): a missing date of entry into force means no (principle P8).
 * The interval is half-open: at the instant of termination it is over.
 */
export function inForce(agreement: Agreement, at: Instant): boolean {
  const { inForce: from, terminated } = agreement.dates;
  const standing = agreement.status === 'IN_FORCE' || agreement.status === 'NOTICE_GIVEN';
  return standing && from !== null && from <= at && (terminated === null || at < terminated);
}

/** The directed row for a mark of `marking.nation` as read by `recipient`, or undefined (rule D4: missing blocks). */
export const equivalenceFor = (agreement: Agreement, marking: Marking, recipient: Nation): EquivalenceRow | undefined =>
  agreement.equivalence.find(
    (row) =>
      row.axis === marking.axis &&
      row.from.nation === marking.nation &&
      row.from.mark === marking.mark &&
      (row.to === null || row.to.nation === recipient),
  );

/** Rank of a mark on its nation's ladder, lowest 0; undefined for a mark the agreement does not list. */
export function rankOf(agreement: Agreement, marking: Marking): number | undefined {
  const ladder = agreement.marks.find((row) => row.axis === marking.axis && row.nation === marking.nation)?.ladder;
  const rank = ladder?.indexOf(marking.mark) ?? -1;
  return rank === -1 ? undefined : rank;
}

/** Whether a mark may travel electronically (rule E3): listed, and not above the ceiling of its own nation and axis. */
export function withinElectronicCeiling(agreement: Agreement, marking: Marking): boolean {
  const ceiling = agreement.electronicCeiling.find((row) => row.axis === marking.axis && row.nation === marking.nation);
  const rank = rankOf(agreement, marking);
  const limit = ceiling === undefined ? undefined : rankOf(agreement, { ...marking, mark: ceiling.mark });
  return rank !== undefined && limit !== undefined && rank <= limit;
}

/** Whether a request for this level needs the endorsement of the requester's own authority (rule A5). */
export const needsEndorsement = ({ endorsement }: Agreement, { axis, mark }: Marking): boolean =>
  endorsement.requiredFor.some((row) => row.axis === axis && row.mark === mark);

/** The quorum for a mark: the row naming it, else the row of its axis for every mark, else undefined (deny). */
export const quorumFor = (agreement: Agreement, marking: Marking): QuorumRow | undefined =>
  agreement.quorum.find((row) => row.axis === marking.axis && row.mark === marking.mark) ??
  agreement.quorum.find((row) => row.axis === marking.axis && row.mark === '*');

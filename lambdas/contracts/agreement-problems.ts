import type { Agreement, Axis } from '../domain/agreement.ts';
import type { Nation } from '../domain/ids.ts';
import { APPROVING_ROLES } from '../domain/people.ts';

/** What makes no sense in an agreement although each member has its form. */
export interface Problem {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** The source of a value that was made up for training; only an exercise may rest on it. */
export const EXERCISE_VALUE = 'exercise value';
/** How the source of a value begins that the parties have not published; an agreement in force rests on none. */
export const NOT_PUBLISHED = 'not published';

/** KMS keeps imported key material at most 365 days (security.md §3). https://docs.aws.amazon.com/kms/latest/APIReference/API_ImportKeyMaterial.html */
const LONGEST_KEY_LIFE = 365;

type Check = (agreement: Agreement) => readonly Problem[];

const listed = (agreement: Agreement, axis: Axis, nation: Nation | null, mark: string): boolean =>
  agreement.marks.some(
    (row) => row.axis === axis && (nation === null || row.nation === nation) && row.ladder.includes(mark),
  );

/** Places of a list whose key stood in the list before. */
function repeated<T>(list: readonly T[], keyOf: (item: T) => string): readonly number[] {
  const keys = list.map(keyOf);
  return keys.flatMap((key, index) => (keys.indexOf(key) < index ? [index] : []));
}

const twice = <T>(path: string, list: readonly T[], keyOf: (item: T) => string): readonly Problem[] =>
  repeated(list, keyOf).map((index) => ({ path: [path, index], message: `${keyOf(list[index] as T)} is there twice` })); // index is a place of the list

const parties: Check = ({ id, parties: [first, second], marks, authorities }) => [
  ...(first === second ? [{ path: ['parties'], message: 'An agreement is between two different nations' }] : []),
  ...(id.startsWith(`${first}-${second}`) ? [] : [{ path: ['id'], message: `must begin with ${first}-${second}` }]),
  ...[marks, authorities].flatMap((list, which) =>
    list.flatMap((row, index) =>
      row.nation === first || row.nation === second
        ? []
        : [{ path: [which === 0 ? 'marks' : 'authorities', index, 'nation'], message: `${row.nation} is no party` }],
    ),
  ),
];

/** Exercises are never mixed with real agreements: the word is in the id, and values without a source are nowhere else. */
const exercise: Check = (agreement) => [
  ...(agreement.exercise === agreement.id.endsWith('-EXERCISE')
    ? []
    : [{ path: ['id'], message: 'ends in -EXERCISE exactly when the agreement is an exercise' }]),
  ...(agreement.exercise
    ? []
    : sourcesIn(agreement)
        .filter(({ source }) => source.startsWith(EXERCISE_VALUE))
        .map(({ path }) => ({ path, message: 'An exercise value has no place in a real agreement' }))),
];

/** Rules A1, P8: a status says only what its dates say; what is in force is published. */
const standing: Check = (agreement) => {
  const { status, dates } = agreement;
  const problems: Problem[] = [];
  const needs = (...members: readonly (keyof typeof dates)[]) => {
    for (const member of members) {
      if (dates[member] === null) problems.push({ path: ['dates', member], message: `${status} needs this date` });
    }
  };
  if (status === 'IN_FORCE' || status === 'SUSPENDED') needs('inForce');
  if (status === 'NOTICE_GIVEN') needs('inForce', 'notice');
  if (status === 'TERMINATED') needs('inForce', 'terminated');
  const before = status === 'NEGOTIATING' || status === 'SIGNED' || status === 'RATIFICATION_AUTHORISED';
  if (before && dates.inForce !== null) {
    problems.push({ path: ['dates', 'inForce'], message: `${status} is before the entry into force` });
  }
  if (dates.inForce !== null && dates.terminated !== null && dates.terminated <= dates.inForce) {
    problems.push({ path: ['dates', 'terminated'], message: 'must be after the entry into force' });
  }
  if (dates.inForce === null) return problems;
  const unpublished = sourcesIn(agreement).filter(({ source }) => source.startsWith(NOT_PUBLISHED));
  return [
    ...problems,
    ...unpublished.map(({ path }) => ({ path, message: 'An agreement in force rests on published values only' })),
  ];
};

/** Rules D4, D5: both ends are marks of the agreement, each direction has one row at most, and a row says what its kind needs. */
const equivalence: Check = (agreement) => [
  ...twice('equivalence', agreement.equivalence, (row) => `${row.axis}: ${row.from.nation} ${row.from.mark}`),
  ...agreement.equivalence.flatMap(({ axis, from, to, kind, warning }, index): Problem[] => {
    const path = ['equivalence', index];
    const problems: Problem[] = [];
    if (!listed(agreement, axis, from.nation, from.mark)) {
      problems.push({ path: [...path, 'from'], message: `${from.nation} ${from.mark} is not in marks` });
    }
    if (to !== null && (to.nation === from.nation || !listed(agreement, axis, to.nation, to.mark))) {
      problems.push({ path: [...path, 'to'], message: `${to.nation} ${to.mark} is not in marks of the other party` });
    }
    const maps = kind === 'EXACT' || kind === 'TREAT_AS' || kind === 'TREAT_AS_WITH_MEASURES';
    if (kind !== 'CASE_BY_CASE' && maps !== (to !== null)) {
      problems.push({ path: [...path, 'to'], message: maps ? `${kind} names a mark` : 'NONE names no mark' });
    }
    if (kind === 'TREAT_AS_WITH_MEASURES' && warning === undefined) {
      problems.push({ path: [...path, 'warning'], message: 'The measures are to be named' });
    }
    return problems;
  }),
];

const unlisted = (agreement: Agreement, rows: readonly { axis: Axis; mark: string }[], ...path: string[]) =>
  rows.flatMap((row, index) =>
    listed(agreement, row.axis, null, row.mark)
      ? []
      : [{ path: [...path, index, 'mark'], message: `${row.mark} is not in marks` }],
  );

const markReferences: Check = (agreement) => {
  const { electronicCeiling, endorsement, disposition, reproduction, translation, marks } = agreement;
  const ladder = marks.flatMap((row) => row.ladder);
  return [
    ...twice('marks', marks, (row) => `${row.axis} of ${row.nation}`),
    ...marks.flatMap((row, index) =>
      repeated(row.ladder, (mark) => mark).map((rung) => ({
        path: ['marks', index, 'ladder', rung],
        message: `${row.ladder[rung]} is there twice`,
      })),
    ),
    ...twice('electronicCeiling', electronicCeiling, (row) => `${row.axis} of ${row.nation}`),
    ...electronicCeiling.flatMap((row, index) =>
      listed(agreement, row.axis, row.nation, row.mark)
        ? []
        : [{ path: ['electronicCeiling', index, 'mark'], message: `${row.nation} ${row.mark} is not in marks` }],
    ),
    ...unlisted(agreement, endorsement.requiredFor, 'endorsement', 'requiredFor'),
    ...unlisted(agreement, disposition.required, 'disposition', 'required'),
    ...Object.entries({ reproduction, translation }).flatMap(([path, { consentFrom }]) =>
      consentFrom === null || ladder.includes(consentFrom)
        ? []
        : [{ path: [path, 'consentFrom'], message: `${consentFrom} is not in marks` }],
    ),
  ];
};

/** Principle P9: nobody releases alone, and every axis that travels has a quorum that living people could fill. */
const quorum: Check = (agreement) => [
  ...twice('quorum', agreement.quorum, (row) => `${row.axis} ${row.mark}`),
  ...unlisted(
    agreement,
    agreement.quorum.map((row) => (row.mark === '*' ? { axis: row.axis, mark: anyMark(agreement, row.axis) } : row)),
    'quorum',
  ),
  ...agreement.quorum.flatMap(({ roles }, index) => [
    ...(roles.length < 2 ? [{ path: ['quorum', index, 'roles'], message: 'At least two people decide' }] : []),
    ...roles.flatMap((role, place) =>
      (APPROVING_ROLES as readonly string[]).includes(role)
        ? []
        : [{ path: ['quorum', index, 'roles', place], message: `Approving roles are ${APPROVING_ROLES.join(', ')}` }],
    ),
  ]),
  ...agreement.electronicCeiling.flatMap((ceiling, index) =>
    agreement.quorum.some((row) => row.axis === ceiling.axis)
      ? []
      : [{ path: ['electronicCeiling', index], message: `There is no quorum for the ${ceiling.axis} axis` }],
  ),
];

const anyMark = (agreement: Agreement, axis: Axis): string =>
  agreement.marks.find((row) => row.axis === axis)?.ladder[0] ?? '*';

const clocks: Check = (agreement) => {
  const known = new Map(agreement.calendars.map((calendar) => [calendar.id, calendar]));
  return [
    ...twice('calendars', agreement.calendars, (calendar) => calendar.id),
    ...Object.entries(agreement.clocks).flatMap(([name, rule]) => {
      const path = ['clocks', name];
      const problems: Problem[] = rule.calendars.flatMap((id, index) =>
        known.has(id) ? [] : [{ path: [...path, 'calendars', index], message: `${id} is not in calendars` }],
      );
      if ((rule.unit === 'workingDays') !== rule.calendars.length > 0) {
        problems.push({ path: [...path, 'calendars'], message: 'Working days, and only they, name calendars' });
      }
      if (new Set(rule.calendars.flatMap((id) => known.get(id)?.restDays ?? [])).size === 7) {
        problems.push({ path: [...path, 'calendars'], message: 'Together these calendars leave no working day' });
      }
      if (name !== 'decision' && rule.onDue !== 'lapse') {
        problems.push({ path: [...path, 'onDue'], message: 'Only the decision clock can be escalated' });
      }
      return problems;
    }),
  ];
};

const rest: Check = ({ purposes, refusalGrounds, longestRelease, exercise: isExercise, dates }) => [
  ...twice('purposes', purposes, (row) => row.code),
  ...twice('refusalGrounds', refusalGrounds, (row) => row.code),
  ...(longestRelease.days <= LONGEST_KEY_LIFE
    ? []
    : [{ path: ['longestRelease', 'days'], message: `A release key lives ${LONGEST_KEY_LIFE} days at most` }]),
  ...(dates.inForce !== null && !refusalGrounds.some((row) => row.disclosable)
    ? [{ path: ['refusalGrounds'], message: 'A withheld ground needs a disclosable one to be answered like (rule A3)' }]
    : []),
  ...(isExercise || dates.done !== null || dates.inForce === null
    ? []
    : [{ path: ['dates', 'done'], message: 'What is in force has been done on a day' }]),
];

/** Every `source` in the file with its path. */
export function sourcesIn(
  value: unknown,
  path: readonly (string | number)[] = [],
): readonly { readonly path: readonly (string | number)[]; readonly source: string }[] {
  if (typeof value !== 'object' || value === null) return [];
  const entries: readonly [string | number, unknown][] = Array.isArray(value)
    ? [...value.entries()]
    : Object.entries(value);
  return entries.flatMap(([key, member]) =>
    (key === 'source' || key === 'accreditation') && typeof member === 'string'
      ? [{ path: [...path, key], source: member }]
      : sourcesIn(member, [...path, key]),
  );
}

/** Everything that is wrong with an agreement as a whole, each with its path; empty when nothing is. */
export const agreementProblems: Check = (agreement) =>
  [parties, exercise, standing, equivalence, markReferences, quorum, clocks, rest].flatMap((check) => check(agreement));

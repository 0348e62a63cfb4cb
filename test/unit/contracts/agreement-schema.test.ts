import type { Agreement } from '../../../lambdas/domain/agreement.ts';
import { agreementSchema, parseAgreement } from '../../../lambdas/contracts/agreement-schema.ts';
import { EXERCISE, REAL } from '../../support/domain.ts';

type Draft = { -readonly [K in keyof Agreement]: Agreement[K] };

/** Where the schema finds fault with an agreement after an edit, as `path: message`. */
function faults(edit: (draft: Draft) => void, of: Agreement = EXERCISE): readonly string[] {
  const draft = structuredClone(of);
  edit(draft);
  const result = agreementSchema.safeParse(draft);
  return result.success ? [] : result.error.issues.map((issue) => `/${issue.path.join('/')}: ${issue.message}`);
}

/** An edit that the types forbid, which is what the schema is for. */
const set =
  (path: string, value: unknown) =>
  (draft: object): void => {
    const keys = path.split('.');
    const parent = keys
      .slice(0, -1)
      .reduce((at, key) => at[key] as Record<string, unknown>, draft as Record<string, unknown>);
    const last = keys.at(-1) ?? '';
    if (value === undefined) delete parent[last];
    else parent[last] = value;
  };

describe('a malformed file is refused with the place', () => {
  it.each<[string, unknown, string]>([
    ['id', 'can-ukr', '/id'],
    ['version', 0, '/version'],
    ['exercise', undefined, '/exercise'],
    ['extra', 1, '/'],
    ['title.uk', undefined, '/title/uk'],
    ['title.fr', '', '/title/fr'],
    ['title.fr', ' padded', '/title/fr'],
    ['title.en', 'hidden\u200B', '/title/en'],
    ['title.uk', 'Україна'.normalize('NFD'), '/title/uk'],
    ['parties', ['CAN'], '/parties'],
    ['parties', ['CAN', 'Ukraine'], '/parties/1'],
    ['status', 'PENDING', '/status'],
    ['dates.inForce', '2026-01-01', '/dates/inForce'],
    ['dates.inForce', '2026-01-01T00:00:00Z', '/dates/inForce'],
    ['dates.done', '2026-02-30', '/dates/done'],
    ['dates.withdrawn', null, '/dates'],
    ['marks.0.ladder', [], '/marks/0/ladder'],
    ['marks.0.axis', 'secret', '/marks/0/axis'],
    ['equivalence.0.kind', 'SIMILAR', '/equivalence/0/kind'],
    ['equivalence.0.source', undefined, '/equivalence/0/source'],
    ['equivalence.0.source', '', '/equivalence/0/source'],
    ['clocks.decision.unit', 'days', '/clocks/decision/unit'],
    ['clocks.decision.amount', 0, '/clocks/decision/amount'],
    ['clocks.decision.amount', 1.5, '/clocks/decision/amount'],
    ['calendars.0.holidays.0', '2026-13-01', '/calendars/0/holidays/0'],
    ['calendars.0.restDays', [0], '/calendars/0/restDays/0'],
    ['calendars.0.restDays', [1, 2, 3, 4, 5, 6, 7], '/calendars/0/restDays'],
    ['purposes.0.code', 'Tender Bid', '/purposes/0/code'],
    ['sources', [], '/sources'],
  ])('%s = %j', (path, value, place) => {
    const found = faults(set(path, value));
    expect(found.some((fault) => fault.startsWith(`${place}:`))).toBe(true);
  });
});

describe('a file that makes no sense is refused', () => {
  it.each<[string, string, unknown, string]>([
    ['one nation with itself', 'parties', ['CAN', 'CAN'], '/parties: An agreement is between two different nations'],
    ['an id that names others', 'id', 'CAN-POL-EXERCISE', '/id: must begin with CAN-UKR'],
    [
      'an exercise without the word',
      'id',
      'CAN-UKR',
      '/id: ends in -EXERCISE exactly when the agreement is an exercise',
    ],
    ['marks of a third nation', 'marks.0.nation', 'POL', '/marks/0/nation: POL is no party'],
    ['an authority of a third nation', 'authorities.1.nation', 'POL', '/authorities/1/nation: POL is no party'],
    ['a ladder of one nation and axis twice', 'marks.1.nation', 'CAN', '/marks/1: protected of CAN is there twice'],
    [
      'a rung twice',
      'marks.0.ladder',
      ['PROTECTED A', 'PROTECTED B', 'PROTECTED A'],
      '/marks/0/ladder/2: PROTECTED A is there twice',
    ],
    ['in force without a date', 'dates.inForce', null, '/dates/inForce: IN_FORCE needs this date'],
    ['notice without a date', 'status', 'NOTICE_GIVEN', '/dates/notice: NOTICE_GIVEN needs this date'],
    ['terminated without a date', 'status', 'TERMINATED', '/dates/terminated: TERMINATED needs this date'],
    [
      'ended before it began',
      'dates.terminated',
      '2025-01-01T00:00:00.000Z',
      '/dates/terminated: must be after the entry into force',
    ],
    ['signed, yet in force', 'status', 'SIGNED', '/dates/inForce: SIGNED is before the entry into force'],
    [
      'negotiating, yet in force',
      'status',
      'NEGOTIATING',
      '/dates/inForce: NEGOTIATING is before the entry into force',
    ],
    [
      'an equivalence from an unlisted mark',
      'equivalence.0.from.mark',
      'PROTECTED C',
      '/equivalence/0/from: CAN PROTECTED C is not in marks',
    ],
    [
      'an equivalence to an unlisted mark',
      'equivalence.0.to.mark',
      'RESTRICTED',
      '/equivalence/0/to: UKR RESTRICTED is not in marks of the other party',
    ],
    [
      'an equivalence across axes',
      'equivalence.0.axis',
      'classified',
      '/equivalence/0/from: CAN PROTECTED A is not in marks',
    ],
    [
      'an equivalence with itself',
      'equivalence.0.to',
      { nation: 'CAN', mark: 'PROTECTED A' },
      '/equivalence/0/to: CAN PROTECTED A is not in marks of the other party',
    ],
    ['a mapping to nothing', 'equivalence.0.to', null, '/equivalence/0/to: TREAT_AS names a mark'],
    ['no equivalence, to something', 'equivalence.0.kind', 'NONE', '/equivalence/0/to: NONE names no mark'],
    [
      'measures that are not named',
      'equivalence.0.kind',
      'TREAT_AS_WITH_MEASURES',
      '/equivalence/0/warning: The measures are to be named',
    ],
    [
      'two rows for one mark',
      'equivalence.1.from.mark',
      'PROTECTED A',
      '/equivalence/1: protected: CAN PROTECTED A is there twice',
    ],
    [
      'a ceiling at an unlisted mark',
      'electronicCeiling.0.mark',
      'PROTECTED C',
      '/electronicCeiling/0/mark: CAN PROTECTED C is not in marks',
    ],
    [
      'a ceiling at the other nation’s mark',
      'electronicCeiling.0.mark',
      'Для службового користування',
      '/electronicCeiling/0/mark: CAN Для службового користування is not in marks',
    ],
    [
      'two ceilings for one axis',
      'electronicCeiling.1.nation',
      'CAN',
      '/electronicCeiling/1: protected of CAN is there twice',
    ],
    [
      'an axis that travels without a quorum',
      'quorum.0.axis',
      'handling',
      '/electronicCeiling/0: There is no quorum for the protected axis',
    ],
    ['a quorum for an axis without marks', 'quorum.0.axis', 'handling', '/quorum/0/mark: * is not in marks'],
    ['a quorum for an unlisted mark', 'quorum.0.mark', 'PROTECTED C', '/quorum/0/mark: PROTECTED C is not in marks'],
    ['two quorums for one mark', 'quorum.1.axis', 'protected', '/quorum/1: protected * is there twice'],
    ['a quorum of one', 'quorum.0.roles', ['releasing-officer'], '/quorum/0/roles: At least two people decide'],
    [
      'a quorum of a role that cannot approve',
      'quorum.0.roles',
      ['releasing-officer', 'desk-officer'],
      '/quorum/0/roles/1: Approving roles are releasing-officer, security-officer',
    ],
    [
      'an endorsement for an unlisted mark',
      'endorsement.requiredFor',
      [{ axis: 'protected', mark: 'SECRET' }],
      '/endorsement/requiredFor/0/mark: SECRET is not in marks',
    ],
    [
      'a disposition for an unlisted mark',
      'disposition.required',
      [{ axis: 'classified', mark: 'PROTECTED A', methods: ['RETURN'] }],
      '/disposition/required/0/mark: PROTECTED A is not in marks',
    ],
    [
      'consent to copy from an unlisted mark on',
      'reproduction.consentFrom',
      'PROTECTED C',
      '/reproduction/consentFrom: PROTECTED C is not in marks',
    ],
    [
      'consent to translate from an unlisted mark on',
      'translation.consentFrom',
      'PROTECTED C',
      '/translation/consentFrom: PROTECTED C is not in marks',
    ],
    [
      'a clock in an unknown calendar',
      'clocks.decision.calendars',
      ['POL-working'],
      '/clocks/decision/calendars/0: POL-working is not in calendars',
    ],
    [
      'working days of no calendar',
      'clocks.decision.calendars',
      [],
      '/clocks/decision/calendars: Working days, and only they, name calendars',
    ],
    [
      'calendar days of a calendar',
      'clocks.assurance.calendars',
      ['CAN-federal'],
      '/clocks/assurance/calendars: Working days, and only they, name calendars',
    ],
    [
      'calendars that leave no day',
      'calendars.0.restDays',
      [1, 2, 3, 4, 5],
      '/clocks/decision/calendars: Together these calendars leave no working day',
    ],
    [
      'an assurance clock that escalates',
      'clocks.assurance.onDue',
      'escalate',
      '/clocks/assurance/onDue: Only the decision clock can be escalated',
    ],
    [
      'a clarification clock that escalates',
      'clocks.clarification.onDue',
      'escalate',
      '/clocks/clarification/onDue: Only the decision clock can be escalated',
    ],
    ['two calendars of one name', 'calendars.1.id', 'CAN-federal', '/calendars/1: CAN-federal is there twice'],
    ['a purpose twice', 'purposes.1.code', 'tender', '/purposes/1: tender is there twice'],
    ['a ground twice', 'refusalGrounds.1.code', 'not-held', '/refusalGrounds/1: not-held is there twice'],
    [
      'grounds of which none may be told',
      'refusalGrounds',
      [],
      '/refusalGrounds: A withheld ground needs a disclosable one to be answered like (rule A3)',
    ],
    [
      'a release longer than a key lives',
      'longestRelease.days',
      366,
      '/longestRelease/days: A release key lives 365 days at most',
    ],
    [
      'an exercise in force that rests on what is not published',
      'retention.source',
      'not published',
      '/retention/source: An agreement in force rests on published values only',
    ],
  ])('%s', (_, path, value, fault) => {
    expect(faults(set(path, value))).toContain(fault);
  });

  it.each<[string, string, unknown, string]>([
    [
      'a real agreement with an exercise value',
      'retention.source',
      'exercise value',
      '/retention/source: An exercise value has no place in a real agreement',
    ],
    [
      'a real agreement that calls itself an exercise',
      'exercise',
      true,
      '/id: ends in -EXERCISE exactly when the agreement is an exercise',
    ],
    [
      'an entry into force before the values are published',
      'dates.inForce',
      '2027-01-01T00:00:00.000Z',
      '/assurance/source: An agreement in force rests on published values only',
    ],
  ])('%s', (_, path, value, fault) => {
    expect(faults(set(path, value), REAL)).toContain(fault);
  });

  it('suspended before it was ever in force', () => {
    const found = faults((draft) => {
      set('status', 'SUSPENDED')(draft);
      set('dates.inForce', null)(draft);
    });
    expect(found).toEqual(['/dates/inForce: SUSPENDED needs this date']);
    expect(faults(set('status', 'SUSPENDED'))).toEqual([]);
  });

  it('an agreement in force that was never done', () => {
    const found = faults((draft) => {
      set('dates.inForce', '2027-01-01T00:00:00.000Z')(draft);
      set('dates.done', null)(draft);
    }, REAL);
    expect(found).toContain('/dates/done: What is in force has been done on a day');
  });
});

it('tells everything that is wrong at once', () => {
  const found = faults((draft) => {
    set('quorum.0.roles', ['releasing-officer'])(draft);
    set('clocks.decision.calendars', ['POL-working'])(draft);
  });
  expect(found).toHaveLength(2);
});

it('takes a case-by-case row with or without a mark', () => {
  expect(faults(set('equivalence.0.kind', 'CASE_BY_CASE'))).toEqual([]);
  const open = { ...EXERCISE.equivalence[0], kind: 'CASE_BY_CASE', to: null };
  expect(faults(set('equivalence.0', open))).toEqual([]);
});

it('gives back the agreement it was given', () => {
  expect(parseAgreement(structuredClone(EXERCISE))).toEqual(EXERCISE);
});

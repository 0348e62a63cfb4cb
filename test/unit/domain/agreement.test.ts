import fc from 'fast-check';
import {
  equivalenceFor,
  inForce,
  otherParty,
  quorumFor,
  rankOf,
  withinElectronicCeiling,
  type Agreement,
  type EquivalenceRow,
  type Marking,
} from '../../../lambdas/domain/agreement.ts';
import { clearedUntil } from '../../../lambdas/domain/clearance.ts';
import type { Nation } from '../../../lambdas/domain/ids.ts';
import { DAY, plus } from '../../../lambdas/domain/instant.ts';
import type { Clearance } from '../../../lambdas/domain/people.ts';
import { CAN, EXERCISE, PEOPLE, REAL, START, UKR, agreementWith, id, instant, person } from '../../support/domain.ts';

const POL = 'POL' as Nation;
const marking = (axis: Marking['axis'], nation: Nation, mark: string): Marking => ({ axis, nation, mark });
const CLASSIFIED = (nation: Nation, mark: string) => marking('classified', nation, mark);

it('knows the other party, and that a third nation has none', () => {
  expect(otherParty(EXERCISE, CAN)).toBe(UKR);
  expect(otherParty(EXERCISE, UKR)).toBe(CAN);
  expect(otherParty(EXERCISE, POL)).toBeUndefined();
});

describe('in force (rules A1, A7)', () => {
  const from = instant('2026-01-01T00:00:00.000Z');
  const end = instant('2027-01-01T00:00:00.000Z');
  const standing = (members: Partial<Agreement>, dates: Partial<Agreement['dates']> = {}): Agreement =>
    agreementWith({ dates: { ...EXERCISE.dates, inForce: from, ...dates }, ...members }).agreement;

  it.each<[string, Agreement, string]>([
    ['the real agreement, which has no date', REAL, '2030-01-01T00:00:00.000Z'],
    ['a status without a date', standing({}, { inForce: null }), '2026-06-01T00:00:00.000Z'],
    ['before the date', standing({}), '2025-12-31T23:59:59.999Z'],
    ['at the instant of termination', standing({ status: 'NOTICE_GIVEN' }, { terminated: end }), end],
    ...(['NEGOTIATING', 'SIGNED', 'RATIFICATION_AUTHORISED', 'SUSPENDED', 'TERMINATED'] as const).map(
      (status): [string, Agreement, string] => [status, standing({ status }), '2026-06-01T00:00:00.000Z'],
    ),
  ])('not: %s', (_, agreement, at) => expect(inForce(agreement, instant(at))).toBe(false));

  it.each<[string, Agreement, string]>([
    ['at the date', standing({}), from],
    [
      'after notice, before the end',
      standing({ status: 'NOTICE_GIVEN' }, { terminated: end }),
      '2026-12-31T23:59:59.999Z',
    ],
  ])('yes: %s', (_, agreement, at) => expect(inForce(agreement, instant(at))).toBe(true));
});

describe('equivalence (rules D4, D5)', () => {
  it('is never read backwards', () => {
    for (const { axis, from, to } of EXERCISE.equivalence) {
      if (to === null) continue;
      const { agreement } = agreementWith({
        equivalence: EXERCISE.equivalence.filter((row) => row.from.nation === from.nation),
      });
      expect(equivalenceFor(agreement, marking(axis, to.nation, to.mark), from.nation)).toBeUndefined();
    }
  });

  it('goes its own way in each direction', () => {
    expect(equivalenceFor(EXERCISE, CLASSIFIED(CAN, 'CONFIDENTIAL'), UKR)?.to?.mark).toBe('Таємно');
    expect(equivalenceFor(EXERCISE, CLASSIFIED(UKR, 'Таємно'), CAN)?.to?.mark).toBe('SECRET');
  });

  it('finds nothing for another axis, another nation, an unknown mark, or a part of one', () => {
    expect(equivalenceFor(EXERCISE, marking('protected', CAN, 'SECRET'), UKR)).toBeUndefined();
    expect(equivalenceFor(EXERCISE, marking('classified', CAN, 'PROTECTED B'), UKR)).toBeUndefined();
    expect(equivalenceFor(EXERCISE, CLASSIFIED(UKR, 'SECRET'), CAN)).toBeUndefined();
    expect(equivalenceFor(EXERCISE, CLASSIFIED(CAN, 'SECRET'), POL)).toBeUndefined();
    expect(equivalenceFor(EXERCISE, CLASSIFIED(CAN, 'secret'), UKR)).toBeUndefined();
    expect(equivalenceFor(EXERCISE, CLASSIFIED(UKR, 'таємно'), CAN)).toBeUndefined();
    expect(equivalenceFor(REAL, CLASSIFIED(CAN, 'SECRET'), UKR)).toBeUndefined();
  });

  it('gives a row that maps to nothing as that', () => {
    const none: EquivalenceRow = {
      axis: 'handling',
      from: { nation: CAN, mark: 'CEO' },
      to: null,
      kind: 'NONE',
      source: 'test',
    };
    const { agreement } = agreementWith({ equivalence: [none] });
    expect(equivalenceFor(agreement, marking('handling', CAN, 'CEO'), UKR)).toBe(none);
  });

  it.each([
    // Annex to the agreement of the EU member states of 2011: the same word on different levels.
    ['ESP', 'RESERVADO', 'SECRET UE'],
    ['PRT', 'Reservado', 'RESTREINT UE'],
    ['ITA', 'Riservato', 'RESTREINT UE'],
    ['ROU', 'Secret', 'CONFIDENTIEL UE'],
    ['IRL', 'Secret', 'SECRET UE'],
  ])('false friends: %s %s is %s', (nation, mark, level) => {
    const EUR = 'EUR' as Nation;
    const row = (from: string, own: string, to: string): EquivalenceRow => ({
      axis: 'classified',
      from: { nation: from as Nation, mark: own },
      to: { nation: EUR, mark: to },
      kind: 'EXACT',
      source: 'BWBV0005395',
    });
    const { agreement } = agreementWith({
      equivalence: [
        row('PRT', 'Reservado', 'RESTREINT UE'),
        row('ESP', 'RESERVADO', 'SECRET UE'),
        row('ITA', 'Riservato', 'RESTREINT UE'),
        row('ROU', 'Secret', 'CONFIDENTIEL UE'),
        row('ROU', 'Strict secret', 'SECRET UE'),
        row('IRL', 'Secret', 'SECRET UE'),
      ],
    });
    expect(equivalenceFor(agreement, CLASSIFIED(nation as Nation, mark), EUR)?.to?.mark).toBe(level);
  });
});

describe('ranks and the electronic ceiling (rule E3)', () => {
  it('ranks a mark on the ladder of its own nation and axis only', () => {
    expect(rankOf(EXERCISE, CLASSIFIED(UKR, 'Таємно'))).toBe(0);
    expect(rankOf(EXERCISE, CLASSIFIED(UKR, 'Цілком таємно'))).toBe(1);
    expect(rankOf(EXERCISE, CLASSIFIED(UKR, 'SECRET'))).toBeUndefined();
    expect(rankOf(EXERCISE, CLASSIFIED(CAN, 'PROTECTED B'))).toBeUndefined();
    expect(rankOf(EXERCISE, marking('handling', CAN, 'PROTECTED B'))).toBeUndefined();
    expect(rankOf(EXERCISE, CLASSIFIED(POL, 'TAJNE'))).toBeUndefined();
  });

  it.each<[boolean, Marking]>([
    [true, marking('protected', CAN, 'PROTECTED A')],
    [true, marking('protected', CAN, 'PROTECTED B')],
    [true, marking('protected', UKR, 'Для службового користування')],
    [false, marking('protected', CAN, 'PROTECTED C')],
    [false, marking('classified', CAN, 'PROTECTED B')],
    [false, CLASSIFIED(CAN, 'CONFIDENTIAL')],
    [false, CLASSIFIED(UKR, 'Таємно')],
    [false, marking('protected', POL, 'PROTECTED A')],
  ])('%s for %j', (may, of) => expect(withinElectronicCeiling(EXERCISE, of)).toBe(may));

  it('no ceiling, or one at an unlisted mark, lets nothing travel', () => {
    const of = marking('protected', CAN, 'PROTECTED A');
    expect(withinElectronicCeiling(REAL, of)).toBe(false);
    const { agreement } = agreementWith({
      electronicCeiling: [{ nation: CAN, axis: 'protected', mark: 'PROTECTED C', accreditation: 'test' }],
    });
    expect(withinElectronicCeiling(agreement, of)).toBe(false);
  });

  it('no mark above the ceiling passes, wherever it is put', () => {
    const ladder = ['A', 'B', 'C', 'D', 'E'];
    fc.assert(
      fc.property(fc.nat(4), fc.nat(4), (limit, rank) => {
        const { agreement } = agreementWith({
          marks: [{ axis: 'handling', nation: CAN, ladder }],
          electronicCeiling: [{ nation: CAN, axis: 'handling', mark: ladder[limit] ?? '', accreditation: 'test' }],
        });
        expect(withinElectronicCeiling(agreement, marking('handling', CAN, ladder[rank] ?? ''))).toBe(rank <= limit);
      }),
    );
  });
});

it('the quorum is that of the mark, else that of its axis, else none', () => {
  const [general, special] = [
    ['a', 'b'],
    ['c', 'd'],
  ];
  const { agreement } = agreementWith({
    quorum: [
      { axis: 'protected', mark: '*', roles: general },
      { axis: 'protected', mark: 'PROTECTED B', roles: special },
    ],
  });
  expect(quorumFor(agreement, marking('protected', CAN, 'PROTECTED B'))?.roles).toBe(special);
  expect(quorumFor(agreement, marking('protected', CAN, 'PROTECTED A'))?.roles).toBe(general);
  expect(quorumFor(agreement, CLASSIFIED(CAN, 'SECRET'))).toBeUndefined();
});

describe('clearances (rules B1, B2, B5)', () => {
  const until = (days: number) => plus(START, days * DAY);
  const held = (mark: string, days: number, axis: Clearance['axis'] = 'classified'): Clearance => ({
    axis,
    mark,
    validTo: until(days),
  });
  const reader = (...clearances: readonly Clearance[]) => person({ personId: id('reader'), clearances });
  const SECRET = CLASSIFIED(CAN, 'SECRET'); // to Ukraine: Цілком таємно

  it.each<[string, readonly Clearance[]]>([
    ['nobody without a clearance', []],
    ['nobody cleared lower', [held('Таємно', 10)]],
    [
      'nobody cleared on another axis',
      [held('Для службового користування', 10, 'protected'), held('Цілком таємно', 10, 'protected')],
    ],
    ['nobody cleared by the other nation’s word', [held('SECRET', 10), held('TOP SECRET', 10)]],
  ])('%s', (_, clearances) => expect(clearedUntil(EXERCISE, reader(...clearances), SECRET, UKR)).toBeUndefined());

  it('nobody where there is no equivalent, or of the other nation', () => {
    const all = reader(held('Особливої важливості', 10));
    expect(clearedUntil(EXERCISE, all, CLASSIFIED(CAN, 'COSMIC'), UKR)).toBeUndefined();
    expect(clearedUntil(REAL, all, SECRET, UKR)).toBeUndefined();
    expect(clearedUntil(EXERCISE, { ...all, nation: CAN }, SECRET, UKR)).toBeUndefined();
    expect(clearedUntil(EXERCISE, all, CLASSIFIED(CAN, 'ULTRA'), CAN)).toBeUndefined();
  });

  it('as long as the longest clearance that covers the mark, counting higher ones', () => {
    const both = reader(held('Таємно', 99), held('Цілком таємно', 10), held('Особливої важливості', 20));
    expect(clearedUntil(EXERCISE, both, SECRET, UKR)).toBe(until(20));
    expect(clearedUntil(EXERCISE, both, CLASSIFIED(CAN, 'CONFIDENTIAL'), UKR)).toBe(until(99));
  });

  it('on the own ladder for an own mark', () => {
    expect(clearedUntil(EXERCISE, PEOPLE.releasing, marking('protected', CAN, 'PROTECTED A'), CAN)).toBeDefined();
    expect(clearedUntil(EXERCISE, PEOPLE.releasing, CLASSIFIED(CAN, 'CONFIDENTIAL'), CAN)).toBeUndefined();
  });
});

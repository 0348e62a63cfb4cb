import fc from 'fast-check';
import {
  DAY,
  dateIn,
  earliest,
  fromEpoch,
  parseInstant,
  plus,
  toEpoch,
  weekday,
} from '../../../lambdas/domain/instant.ts';
import { instant } from '../../support/domain.ts';

const FIRST = Date.parse('0000-01-01T00:00:00.000Z');
const LAST = Date.parse('9999-12-31T23:59:59.999Z');
const epochs = fc.integer({ min: FIRST, max: LAST });

describe('what is no instant is not read', () => {
  it.each([
    '',
    '2026-03-02',
    '2026-03-02T09:00Z',
    '2026-03-02T09:00:00',
    '2026-03-02T09:00:00+00:00',
    '2026-03-02T09:00:00+02:00',
    '2026-03-02t09:00:00z',
    '2026-03-02 09:00:00Z',
    '2026-03-02T09:00:00.1234Z',
    '2026-03-02T09:00:00.Z',
    ' 2026-03-02T09:00:00Z',
    '2026-03-02T09:00:00Z\n',
    '٢٠٢٦-03-02T09:00:00Z',
    '12026-03-02T09:00:00Z',
    '2026-00-02T09:00:00Z',
    '2026-13-02T09:00:00Z',
    '2026-03-00T09:00:00Z',
    '2026-03-32T09:00:00Z',
    '2026-02-29T09:00:00Z',
    '2100-02-29T09:00:00Z',
    '2026-04-31T09:00:00Z',
    '2026-03-02T24:00:00Z',
    '2026-03-02T09:60:00Z',
    '2026-12-31T23:59:60Z',
  ])('%j', (text) => expect(parseInstant(text)).toBeUndefined());
});

it.each([
  ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00.000Z'],
  ['2000-02-29T23:59:59.9Z', '2000-02-29T23:59:59.900Z'],
  ['2026-03-02T09:00:00.04Z', '2026-03-02T09:00:00.040Z'],
])('reads %s as %s', (text, written) => expect(parseInstant(text)).toBe(written));

describe('agrees with Date', () => {
  it('in writing, reading, weekday and date, over ten thousand years', () => {
    fc.assert(
      fc.property(epochs, (epoch) => {
        const oracle = new Date(epoch);
        const written = fromEpoch(epoch);
        expect(written).toBe(oracle.toISOString());
        expect(toEpoch(written)).toBe(epoch);
        expect(parseInstant(written)).toBe(written);
        expect(weekday(written)).toBe(oracle.getUTCDay() === 0 ? 7 : oracle.getUTCDay());
        expect(dateIn(written)).toBe(oracle.toISOString().slice(0, 10));
      }),
      { numRuns: 2000 },
    );
  });

  it('on every day of leap and common years around the turns of centuries', () => {
    let days = 0;
    for (const year of [0, 4, 100, 400, 1600, 1899, 1900, 1969, 1970, 1972, 1999, 2000, 2024, 2026, 2100, 2400, 9999]) {
      for (
        let epoch = Date.parse(`${String(year).padStart(4, '0')}-01-01T00:00:00.000Z`);
        epoch <= LAST;
        epoch += DAY
      ) {
        const oracle = new Date(epoch);
        if (oracle.getUTCFullYear() !== year) break;
        expect(fromEpoch(epoch)).toBe(oracle.toISOString());
        expect(toEpoch(fromEpoch(epoch))).toBe(epoch);
        days += 1;
      }
    }
    // Eight of the seventeen are leap years: 0, 4, 400, 1600, 1972, 2000, 2024, 2400.
    expect(days).toBe(17 * 365 + 8);
  });

  it('in order: instants compare as text', () => {
    fc.assert(
      fc.property(epochs, epochs, (one, other) => {
        expect(fromEpoch(one) < fromEpoch(other)).toBe(one < other);
      }),
    );
  });

  it('in sums', () => {
    fc.assert(
      fc.property(epochs, fc.integer({ min: -400 * DAY, max: 400 * DAY }), (epoch, milliseconds) => {
        fc.pre(epoch + milliseconds >= FIRST && epoch + milliseconds <= LAST);
        expect(plus(fromEpoch(epoch), milliseconds)).toBe(new Date(epoch + milliseconds).toISOString());
      }),
    );
  });
});

it('stays within the years it can write', () => {
  expect(plus(instant('9999-12-31T00:00:00.000Z'), 2 * DAY)).toBe('9999-12-31T23:59:59.999Z');
  expect(plus(instant('0000-01-01T00:00:00.000Z'), -1)).toBe('0000-01-01T00:00:00.000Z');
});

it('cuts fractions of a millisecond off', () => {
  expect(fromEpoch(0.9)).toBe('1970-01-01T00:00:00.000Z');
  expect(fromEpoch(-0.1)).toBe('1969-12-31T23:59:59.999Z');
});

it('finds the earliest', () => {
  const [a, b, c] = [
    instant('2026-01-02T00:00:00.000Z'),
    instant('2026-01-01T00:00:00.000Z'),
    instant('2026-01-03T00:00:00.000Z'),
  ];
  expect(earliest(a)).toBe(a);
  expect(earliest(a, b, c)).toBe(b);
});

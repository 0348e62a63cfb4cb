import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sourcesIn } from '../../../lambdas/contracts/agreement-problems.ts';
import { parseAgreement } from '../../../lambdas/contracts/agreement-schema.ts';
import { InvariantBroken } from '../../../lambdas/domain/case.ts';
import { dueAt } from '../../../lambdas/domain/case.ts';
import { isPlain } from '../../../lambdas/domain/text-hygiene.ts';
import { agreementById, agreementByPin, allAgreements } from '../../../lambdas/platform/agreements.ts';
import { Refused } from '../../../lambdas/platform/errors.ts';
import { EXERCISE, EXERCISE_PIN, REAL, digest, inPhase, underReview } from '../../support/domain.ts';

const ROOT = join(__dirname, '../../../agreements');
const files = readdirSync(ROOT, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.json'));

describe('every file under agreements/', () => {
  it('is there', () => expect(files.length).toBeGreaterThanOrEqual(2));

  it('is named one by one in the release', () => {
    const named = allAgreements().map(({ pin }) => join(pin.id, `${pin.version}.json`));
    expect(named.toSorted()).toEqual(files.toSorted());
  });

  describe.each(files)('%s', (file) => {
    const content: unknown = JSON.parse(readFileSync(join(ROOT, file), 'utf8'));
    const agreement = parseAgreement(content);

    it('stands in the directory of its id, under its version', () => {
      expect(file).toBe(join(agreement.id, `${agreement.version}.json`));
    });

    it('gives a source for every value', () => {
      const sources = sourcesIn(content);
      expect(sources.length).toBeGreaterThan(10);
      expect(sources.filter(({ source }) => source.trim().length < 10)).toEqual([]);
    });

    it('is read as it stands: nothing is dropped or changed by the schema', () => {
      expect(agreement).toEqual(content);
    });

    it('is written in the three languages, Ukrainian in Cyrillic', () => {
      const texts = localisedIn(content);
      expect(texts.length).toBeGreaterThan(0);
      for (const { en, fr, uk } of texts) {
        expect(new Set([en, fr, uk]).size).toBe(3);
        expect(uk).toMatch(/\p{Script=Cyrillic}/u);
        expect(`${en}${fr}`).not.toMatch(/\p{Script=Cyrillic}/u);
        expect([en, fr, uk].every((text) => isPlain(text))).toBe(true);
      }
    });
  });
});

function localisedIn(value: unknown): readonly { en: string; fr: string; uk: string }[] {
  if (typeof value !== 'object' || value === null) return [];
  if ('en' in value) return [value as { en: string; fr: string; uk: string }]; // only localised texts have this member
  return Object.values(value).flatMap(localisedIn);
}

describe('CAN-UKR, the real instrument', () => {
  it('is not in force, maps no mark and lets nothing travel electronically', () => {
    expect(REAL).toMatchObject({
      exercise: false,
      status: 'RATIFICATION_AUTHORISED',
      dates: { done: '2024-12-02', inForce: null },
      equivalence: [],
      electronicCeiling: [],
      quorum: [],
    });
  });

  it('covers classified information only: PROTECTED and official information are no rungs of its ladder', () => {
    expect(new Set(REAL.marks.map((row) => row.axis))).toEqual(new Set(['classified']));
    expect(JSON.stringify(REAL.marks)).not.toMatch(/PROTECTED|службового/);
  });
});

describe('CAN-UKR-EXERCISE', () => {
  it('says EXERCISE in every language', () => {
    const { en, fr, uk } = EXERCISE.title;
    expect([en, fr, uk]).toEqual([
      expect.stringContaining('EXERCISE'),
      expect.stringContaining('EXERCICE'),
      expect.stringContaining('НАВЧАННЯ'),
    ]);
  });

  it('has every row of equivalence in both directions, and no clock on a holiday', () => {
    for (const { axis, nation, ladder } of EXERCISE.marks) {
      for (const mark of ladder) {
        const rows = EXERCISE.equivalence.filter(
          (row) => row.axis === axis && row.from.nation === nation && row.from.mark === mark,
        );
        expect(rows).toHaveLength(1);
      }
    }
    // Ten working days from Monday 2 March 2026.
    expect(dueAt(inPhase(underReview(), 'UNDER_REVIEW'))).toMatch(/^2026-03-16T/);
  });

  it('lists holidays that are weekdays of rest nowhere else, in order', () => {
    for (const { holidays } of EXERCISE.calendars) expect(holidays).toEqual(holidays.toSorted());
  });
});

describe('finding an agreement', () => {
  it('refuses an unknown one, with the ones there are', () => {
    expect(() => agreementById('CAN-XXX')).toThrow(Refused);
    expect(() => agreementById('CAN-UKR', 99)).toThrow(
      expect.objectContaining({
        refusal: expect.objectContaining({ code: 'AGREEMENT_UNKNOWN', next: expect.stringContaining('CAN-UKR') }),
      }),
    );
  });

  it('parks a case whose agreement was edited or removed', () => {
    expect(() => agreementByPin({ ...EXERCISE_PIN, digest: digest('edited') })).toThrow(InvariantBroken);
    expect(() => agreementByPin({ ...EXERCISE_PIN, version: 99 })).toThrow(/not in this release/);
    expect(() => agreementByPin({ ...EXERCISE_PIN, id: 'CAN-XXX' })).toThrow(InvariantBroken);
  });

  it('finds the latest version, a version, and a pin', () => {
    const latest = Math.max(...allAgreements().flatMap(({ pin }) => (pin.id === 'CAN-UKR' ? [pin.version] : [])));
    expect(agreementById('CAN-UKR').pin.version).toBe(latest);
    expect(agreementById('CAN-UKR', 1).pin.version).toBe(1);
    for (const { agreement, pin } of allAgreements()) expect(agreementByPin(pin)).toBe(agreement);
  });
});

/**
 * An instant in UTC, always written `YYYY-MM-DDTHH:mm:ss.sssZ` (RFC 3339, 24 characters): two instants compare as text.
 * The domain has no clock and no `Date`; instants are given to it.
 */
export type Instant = string & { readonly __brand: 'Instant' };

const FORM = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,3}))?Z$/;

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** Days since 1970-01-01 of a date in the proleptic Gregorian calendar (H. Hinnant, "chrono-compatible low-level date algorithms"). */
function dayNumber(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146097 + dayOfEra - 719468;
}

/** The date of a day number, as `YYYY-MM-DD`; the inverse of {@link dayNumber}. */
function dateOf(days: number): string {
  const shifted = days + 719468;
  const era = Math.floor(shifted / 146097);
  const dayOfEra = shifted - era * 146097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36524) - Math.floor(dayOfEra / 146096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1;
  const month = shiftedMonth + (shiftedMonth < 10 ? 3 : -9);
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  return `${pad(year, 4)}-${pad(month, 2)}-${pad(day, 2)}`;
}

const pad = (value: number, width: number): string => String(value).padStart(width, '0');

/** Milliseconds since 1970-01-01T00:00:00Z. */
export function toEpoch(instant: Instant): number {
  // An Instant matches the form by construction (see parseInstant), so every group is there.
  const [, year, month, day, hour, minute, second, fraction] = FORM.exec(instant) as unknown as string[];
  return (
    dayNumber(Number(year), Number(month), Number(day)) * DAY +
    Number(hour) * HOUR +
    Number(minute) * MINUTE +
    Number(second) * SECOND +
    Number(String(fraction).padEnd(3, '0'))
  );
}

/** The first and the last instant that the form can write, years 0000 and 9999. */
const FIRST = -62_167_219_200_000;
const LAST = 253_402_300_799_999;

/**
 * The instant `epoch` milliseconds after 1970-01-01T00:00:00Z; fractions of a millisecond are cut off. What lies outside the years that
 * the form can write is its nearest end, so that instants always compare as text.
 */
export function fromEpoch(epoch: number): Instant {
  const whole = Math.min(Math.max(Math.floor(epoch), FIRST), LAST);
  const days = Math.floor(whole / DAY);
  const rest = whole - days * DAY;
  const time = [Math.floor(rest / HOUR), Math.floor(rest / MINUTE) % 60, Math.floor(rest / SECOND) % 60];
  // The form is produced here and nowhere else, which is what the brand stands for.
  return `${dateOf(days)}T${time.map((part) => pad(part, 2)).join(':')}.${pad(rest % SECOND, 3)}Z` as Instant;
}

/**
 * Reads an instant in UTC (`Z` required, seconds required, up to three decimals), or gives undefined: no such day, a leap second, another zone.
 */
export function parseInstant(text: string): Instant | undefined {
  const parts = FORM.exec(text);
  if (parts === null) return undefined;
  const [year, month, day, hour, minute, second] = parts.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const dated = `${text.slice(0, 10)}T${text.slice(11, 19)}.${(parts[7] ?? '').padEnd(3, '0')}Z` as Instant;
  if (month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 59) return undefined;
  return dateOf(dayNumber(year, month, day)) === text.slice(0, 10) ? dated : undefined;
}

/** `instant` plus `milliseconds`, which may be negative. */
export const plus = (instant: Instant, milliseconds: number): Instant => fromEpoch(toEpoch(instant) + milliseconds);

/** The calendar date of an instant in UTC, `YYYY-MM-DD`. */
export const dateIn = (instant: Instant): string => instant.slice(0, 10);

/** ISO weekday of an instant in UTC: 1 is Monday, 7 is Sunday. */
export const weekday = (instant: Instant): number => ((((Math.floor(toEpoch(instant) / DAY) + 3) % 7) + 7) % 7) + 1;

export const earliest = (first: Instant, ...others: readonly Instant[]): Instant =>
  others.reduce((least, other) => (other < least ? other : least), first);

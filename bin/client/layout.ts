import type { Paint } from './output.ts';

const HIDDEN = /(?![\n\t])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/**
 * Text of somebody else's as it can be put on a terminal: what would move the cursor, hide or turn text is written out, so that what is seen
 * is what is there.
 */
export const shown = (text: string): string =>
  text.replace(HIDDEN, (hidden) => {
    const point = hidden.codePointAt(0) ?? 0;
    return `\\u{${point.toString(16)}}`;
  });

/** The same for JSON, in its own escapes: what is read from it is what was there. */
export const jsonShown = (value: unknown): string =>
  JSON.stringify(value, undefined, 2).replace(HIDDEN, (hidden) =>
    // By UTF-16 code units, as JSON escapes.
    hidden
      .split('')
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
      .join(''),
  );

export type Row = readonly [label: string, value: string | undefined];

/** Labels and values in two columns; rows without a value are left out, further lines of a value stand under its first. */
export function labelled(rows: readonly Row[], paint: Paint, indent = ''): string {
  const present = rows.filter((row): row is readonly [string, string] => row[1] !== undefined && row[1] !== '');
  const width = Math.max(0, ...present.map(([label]) => label.length));
  return present
    .map(([label, value]) => {
      const under = `\n${indent}${' '.repeat(width + 2)}`;
      return `${indent}${paint('dim', label.padEnd(width))}  ${shown(value).replaceAll('\n', under)}`;
    })
    .join('\n');
}

/** Rows of cells, each column as wide as its widest cell. */
export function columns(cells: readonly (readonly string[])[]): string {
  const rows = cells.map((row) => row.map(shown));
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => [...(row[column] ?? '')].length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - [...cell].length))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

const UNITS = ['bytes', 'KiB', 'MiB', 'GiB'];

/** A number of bytes as people read it. */
export function size(bytes: number): string {
  const step = Math.min(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), UNITS.length - 1);
  const value = bytes / 1024 ** step;
  return `${step === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[step] ?? ''}`;
}

/** An instant in UTC and in the zone of this machine (domain.md §6); a date that is none is shown as it is. */
export function times(instant: string, zone = Intl.DateTimeFormat().resolvedOptions().timeZone): string {
  const at = new Date(instant);
  if (Number.isNaN(at.getTime())) return instant;
  const utc = `${at.toISOString().slice(0, 19).replace('T', ' ')}Z`;
  if (zone === 'UTC') return utc;
  // The Swedish locale writes dates as ISO 8601 does.
  const local = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'medium' }).format(
    at,
  );
  return `${utc} (${local.slice(0, 10) === utc.slice(0, 10) ? local.slice(11) : local} ${zone})`;
}

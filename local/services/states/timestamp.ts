/** RFC 3339 with an upper-case T, and Z where there is no offset. https://states-language.net/spec.html#timestamps */
const TIMESTAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

/** Milliseconds since the epoch; undefined for anything that is not such a timestamp. */
export function parseTimestamp(text: string): number | undefined {
  if (!TIMESTAMP.test(text)) return undefined;
  const milliseconds = Date.parse(text);
  return Number.isNaN(milliseconds) ? undefined : milliseconds;
}

/**
 * ISO 8601 in UTC as the context object writes it: without trailing zeros in the fraction.
 * https://docs.aws.amazon.com/step-functions/latest/dg/input-output-contextobject.html
 */
export const contextTimestamp = (milliseconds: number): string =>
  new Date(milliseconds)
    .toISOString()
    .replace(/\.(\d*?)0*Z$/, (_, digits: string) => (digits === '' ? 'Z' : `.${digits}Z`));

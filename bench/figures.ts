/** One measured number. */
export interface Figure {
  readonly name: string;
  readonly value: number | string;
  readonly unit: string;
  /** What it should be, where there is such a thing: `≤ 450`. */
  readonly limit?: string;
  /** False when it is not; a figure without a limit has neither. */
  readonly within?: boolean;
  readonly note?: string;
}

/** What one subject has measured. */
export interface Subject {
  /** What `--only` calls it. */
  readonly name: string;
  readonly title: string;
  /** How long it takes on two quiet cores, in seconds. */
  readonly seconds: number;
  measure(): Promise<readonly Figure[]>;
}

export const round = (value: number, digits = 1): number => Number(value.toFixed(digits));

export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** The nearest-rank quantile. @throws when there is no value */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const found = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
  if (found === undefined) throw new Error('Nothing was measured.');
  return found;
}

export const atMost = (limit: number, value: number, unit = ''): Pick<Figure, 'limit' | 'within'> => ({
  limit: `≤ ${limit}${unit}`,
  within: value <= limit,
});

export const atLeast = (limit: number, value: number): Pick<Figure, 'limit' | 'within'> => ({
  limit: `≥ ${limit}`,
  within: value >= limit,
});

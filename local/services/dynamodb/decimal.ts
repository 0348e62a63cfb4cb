/** A decimal with `scale` digits after the point, as an integer. */
function scaled(decimal: string, scale: number): bigint {
  const [whole = '', fraction = ''] = decimal.split('.');
  return BigInt(whole + fraction.padEnd(scale, '0'));
}

const fractionLength = (decimal: string): number => decimal.split('.')[1]?.length ?? 0;

/** Exact sum of two plain decimals: DynamoDB's numbers have 38 digits, JavaScript's do not. */
export function addDecimals(left: string, right: string): string {
  const scale = Math.max(fractionLength(left), fractionLength(right));
  const sum = scaled(left, scale) + scaled(right, scale);
  if (scale === 0) return sum.toString();
  const digits = (sum < 0n ? -sum : sum).toString().padStart(scale + 1, '0');
  return `${sum < 0n ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

export const negateDecimal = (decimal: string): string => (decimal.startsWith('-') ? decimal.slice(1) : `-${decimal}`);

import { createHash } from 'node:crypto';

/**
 * `<stack>-<logicalId>`, the same on every start; cut to `limit` characters with a digest of the whole when it is longer.
 */
export function physicalName(stackName: string, logicalId: string, limit = 64): string {
  const whole = `${stackName}-${logicalId}`;
  if (whole.length <= limit) return whole;
  const digest = createHash('sha256').update(whole).digest('hex').slice(0, 8);
  return `${whole.slice(0, limit - digest.length - 1)}-${digest}`;
}

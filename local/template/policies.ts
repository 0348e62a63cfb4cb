import { type PolicyKind, validatePolicy } from '../iam/validate.ts';
import { isRecord } from './problem.ts';

const isPolicy = (value: Readonly<Record<string, unknown>>): boolean =>
  'Statement' in value && ('Version' in value || Object.keys(value).length === 1);

const kindOf = (type: string, property: string): PolicyKind => {
  if (property === 'AssumeRolePolicyDocument') return 'trust';
  return type.startsWith('AWS::IAM::') ? 'identity' : 'resource';
};

/**
 * Checks every policy document among a resource's properties, wherever the service puts it, so that a policy that AWS would refuse stops
 * the start. @throws {PolicyProblem}
 */
export function checkPolicies(type: string, value: unknown, property = ''): void {
  if (Array.isArray(value)) for (const item of value) checkPolicies(type, item, property);
  if (!isRecord(value)) return;
  if (isPolicy(value)) validatePolicy(value, kindOf(type, property));
  else for (const [name, inner] of Object.entries(value)) checkPolicies(type, inner, name);
}

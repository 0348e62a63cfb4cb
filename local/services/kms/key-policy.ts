import type { PolicyDocument, Statement } from '../../iam/policy.ts';
import { PolicyProblem, validatePolicy } from '../../iam/validate.ts';
import { matchesWildcard } from '../../iam/wildcard.ts';
import { ServiceError } from '../../service.ts';
import { awsPrincipals, statementsOf, unknownPrincipal, type PrincipalExists } from '../policy-principals.ts';

const malformed = (why: string): ServiceError => new ServiceError('MalformedPolicyDocumentException', why);

/** https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateKey.html#KMS-CreateKey-request-Policy */
const LONGEST_POLICY = 32_768;

/**
 * The policy of a key that was created without one: the account, and through it every identity policy.
 * https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
 */
export const defaultKeyPolicy = (account: string): PolicyDocument => ({
  Version: '2012-10-17',
  Statement: {
    Sid: 'Enable IAM User Permissions',
    Effect: 'Allow',
    Principal: { AWS: `arn:aws:iam::${account}:root` },
    Action: 'kms:*',
    Resource: '*',
  },
});

/**
 * Reads and checks a key policy as CreateKey does: form, principals, and that the key stays manageable.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateKey.html
 * @throws MalformedPolicyDocumentException, LimitExceededException
 */
export function readKeyPolicy(
  value: unknown,
  account: string,
  exists: PrincipalExists,
  bypassLockoutCheck: boolean,
): PolicyDocument {
  const text = JSON.stringify(value);
  if (Buffer.byteLength(text) > LONGEST_POLICY) {
    throw new ServiceError('LimitExceededException', `The key policy exceeds ${LONGEST_POLICY} bytes.`);
  }
  if (!/^[\t\n\r\u0020-\u00FF]*$/.test(text)) throw malformed('The key policy contains a character beyond \\u00FF.');
  const policy = wellFormed(value);
  const stranger = unknownPrincipal(policy, account, exists);
  if (stranger !== undefined) {
    throw malformed(`Policy contains a statement with one or more invalid principals: ${stranger}`);
  }
  if (!bypassLockoutCheck && !someoneManages(policy, account)) {
    throw malformed('The new key policy will not allow you to update the key policy in the future.');
  }
  return policy;
}

function wellFormed(value: unknown): PolicyDocument {
  try {
    return validatePolicy(value, 'resource');
  } catch (error) {
    throw error instanceof PolicyProblem ? malformed(error.message) : error;
  }
}

const covers = (patterns: Statement['Action']): boolean =>
  [patterns ?? []].flat().some((pattern) => matchesWildcard(pattern.toLowerCase(), 'kms:putkeypolicy'));

const isAboutPolicy = ({ Action, NotAction }: Statement): boolean =>
  Action === undefined ? !covers(NotAction) : covers(Action);

/**
 * Whether some principal of the account may change the policy for certain: allowed without condition, not denied without condition.
 * AWS asks this of the principal that calls CreateKey, which here is nobody in particular; a conditional Allow is not counted, as nothing
 * says that its condition can be met.
 * https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html#prevent-unmanageable-key
 */
function someoneManages(policy: PolicyDocument, account: string): boolean {
  const root = `arn:aws:iam::${account}:root`;
  const canonical = (principal: string): string => (principal === account || principal === '*' ? root : principal);
  const named = (element: Statement['Principal']): string[] => awsPrincipals(element).map(canonical);
  const certain = statementsOf(policy).filter(
    (statement) => statement.Condition === undefined && isAboutPolicy(statement),
  );
  const allowed = certain
    .filter(({ Effect }) => Effect === 'Allow')
    .flatMap(({ Principal }) => named(Principal))
    .filter((principal) => principal.startsWith(`arn:aws:iam::${account}:`));
  const denies = certain.filter(({ Effect }) => Effect === 'Deny');
  return allowed.some((principal) =>
    denies.every(({ Principal, NotPrincipal }) =>
      Principal === undefined
        ? named(NotPrincipal).includes(principal)
        : !named(Principal).includes(principal) && !named(Principal).includes(root),
    ),
  );
}

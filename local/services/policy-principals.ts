import type { PolicyDocument, Statement } from '../iam/policy.ts';

/** Says whether a role (by ARN) exists in the account; a resource policy may name no other. */
export type PrincipalExists = (arn: string) => boolean;

/** The statements of a policy, one or many. */
export const statementsOf = (policy: PolicyDocument): readonly Statement[] => [policy.Statement].flat();

/** The `AWS` principals that an element names; `*` stands for everyone. */
export function awsPrincipals(element: Statement['Principal']): readonly string[] {
  if (element === undefined) return [];
  return element === '*' ? ['*'] : [element['AWS'] ?? []].flat();
}

const ANYONE_OR_ACCOUNT = /^(\*|\d{12}|arn:aws:iam::\d{12}:root)$/;
const ROLE = /^arn:aws:iam::(\d{12}):role\/[\w+=,.@/-]+$/;

/**
 * The first principal that cannot exist: when a resource policy is attached, AWS refuses one that names a role which is not there.
 * Sessions, and roles of other accounts, are never there.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
 */
export function unknownPrincipal(policy: PolicyDocument, account: string, exists: PrincipalExists): string | undefined {
  return statementsOf(policy)
    .flatMap(({ Principal, NotPrincipal }) => awsPrincipals(Principal ?? NotPrincipal))
    .find((arn) => !ANYONE_OR_ACCOUNT.test(arn) && (ROLE.exec(arn)?.[1] !== account || !exists(arn)));
}

import type { AccessRequest, PolicyDocument } from './policy.ts';
import type { NamedPolicy, Role } from './roles.ts';
import { namedBy, type Naming, statementApplies, statementsOf, STRENGTH, type Subject } from './statement.ts';

/** Everything that has a say about one request. */
export interface Policies {
  /** The caller's role; undefined for a service. */
  readonly role: Role | undefined;
  readonly session: PolicyDocument | undefined;
  readonly resource: PolicyDocument | undefined;
}

const allows = (document: PolicyDocument, subject: Subject): boolean =>
  statementsOf(document).some((statement) => statement.Effect === 'Allow' && statementApplies(statement, subject));

const denyIn = (document: PolicyDocument, subject: Subject): string | undefined => {
  const index = statementsOf(document).findIndex(
    (statement) => statement.Effect === 'Deny' && statementApplies(statement, subject),
  );
  return index < 0 ? undefined : `statement ${statementsOf(document)[index]?.Sid ?? index}`;
};

const resourcePolicyName = (action: string): string => {
  if (action.startsWith('kms:')) return 'key policy';
  return action.startsWith('sts:') ? 'trust policy' : 'resource-based policy';
};

function explicitDeny({ role, session, resource }: Policies, subject: Subject): string | undefined {
  const named: readonly { readonly kind: string; readonly policy: NamedPolicy }[] = [
    ...(role?.policies ?? []).map((policy) => ({ kind: 'identity-based policy', policy })),
    ...(role?.boundary === undefined ? [] : [{ kind: 'permissions boundary', policy: role.boundary }]),
  ];
  for (const { kind, policy } of named) {
    const where = denyIn(policy.document, subject);
    if (where !== undefined) return `of an explicit deny in the ${kind} ${policy.name}, ${where}`;
  }
  const inSession = session === undefined ? undefined : denyIn(session, subject);
  if (inSession !== undefined) return `of an explicit deny in the session policy, ${inSession}`;
  if (resource === undefined) return undefined;
  const statements = statementsOf(resource);
  const index = statements.findIndex(
    (statement) =>
      statement.Effect === 'Deny' && namedBy(statement, subject) !== undefined && statementApplies(statement, subject),
  );
  return index < 0
    ? undefined
    : `of an explicit deny in the ${resourcePolicyName(subject.action)}, statement ${statements[index]?.Sid ?? index}`;
}

/** The strongest way in which a resource policy allows the request. */
function allowedByResource(document: PolicyDocument | undefined, subject: Subject): Naming | undefined {
  if (document === undefined) return undefined;
  const namings = statementsOf(document)
    .filter((statement) => statement.Effect === 'Allow')
    .map((statement) => ({ statement, naming: namedBy(statement, subject) }))
    .filter(({ statement, naming }) => naming !== undefined && statementApplies(statement, subject))
    .map(({ naming }) => naming);
  return STRENGTH.find((naming) => namings.includes(naming));
}

/**
 * Why a request is refused; undefined when it is allowed.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
 */
export function refusal(
  policies: Policies,
  subject: Subject,
  mode: NonNullable<AccessRequest['mode']>,
): string | undefined {
  const denied = explicitDeny(policies, subject);
  if (denied !== undefined) return denied;
  const noneAllows = (kind: string): string => `no ${kind} allows the ${subject.action} action`;
  const byResource = allowedByResource(policies.resource, subject);
  if (byResource === 'session' || byResource === 'service') return undefined;

  const direct = byResource === 'role' || byResource === 'anyone';
  if (subject.caller.kind === 'service') return direct ? undefined : noneAllows(resourcePolicyName(subject.action));
  if (!direct) {
    if (mode === 'required' || (mode === 'key' && byResource === undefined))
      return noneAllows(resourcePolicyName(subject.action));
    const byIdentity = policies.role?.policies.some((policy) => allows(policy.document, subject)) ?? false;
    if (!byIdentity) return noneAllows('identity-based policy');
  }
  const boundary = policies.role?.boundary;
  if (boundary !== undefined && !allows(boundary.document, subject)) return noneAllows('permissions boundary');
  if (policies.session !== undefined && !allows(policies.session, subject)) return noneAllows('session policy');
  return undefined;
}

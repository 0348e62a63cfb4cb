import { conditionMet } from './conditions.ts';
import type { Caller, OneOrMany, PolicyDocument, RoleCaller, Statement } from './policy.ts';
import { listOf, type RequestContext } from './request-context.ts';
import { substitute } from './variables.ts';
import { matchesArn, matchesWildcard, mayMatchArn } from './wildcard.ts';

/** What a statement is compared with. */
export interface Subject {
  readonly caller: Caller;
  readonly action: string;
  readonly resource: string;
  readonly context: RequestContext;
  /** Whether the caller's role has a permissions boundary. */
  readonly bounded: boolean;
}

/**
 * How a resource policy names the caller, weakest last. `session`: the session itself, `service`: the service principal; `role` and
 * `anyone` are limited by session policies and boundaries; `account` only delegates to identity policies.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics-resource-identity.html
 */
export type Naming = 'session' | 'service' | 'role' | 'anyone' | 'account';

export const STRENGTH: readonly Naming[] = ['session', 'service', 'role', 'anyone', 'account'];

const accountRoot = (account: string): string => `arn:aws:iam::${account}:root`;

function namingOf(principal: NonNullable<Statement['Principal']>, caller: Caller): Naming | undefined {
  if (principal === '*') return 'anyone';
  const aws = listOf(principal['AWS']);
  if (caller.kind === 'service') {
    if (listOf(principal['Service']).includes(caller.principal)) return 'service';
    return aws.includes('*') ? 'anyone' : undefined;
  }
  if (aws.includes(caller.arn)) return 'session';
  if (aws.includes(caller.roleArn)) return 'role';
  if (aws.includes('*')) return 'anyone';
  return aws.includes(caller.account) || aws.includes(accountRoot(caller.account)) ? 'account' : undefined;
}

/**
 * Whether NotPrincipal spares a role: it must name the account, the role and the session, and never spares one with a boundary.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
 */
const spares = (names: Readonly<Record<string, OneOrMany<string>>>, caller: RoleCaller, bounded: boolean): boolean => {
  const aws = listOf(names['AWS']);
  const account = aws.includes(caller.account) || aws.includes(accountRoot(caller.account));
  return !bounded && account && aws.includes(caller.roleArn) && aws.includes(caller.arn);
};

/** How a statement of a resource policy names the caller; undefined when it does not concern the caller. */
export function namedBy(statement: Statement, { caller, bounded }: Subject): Naming | undefined {
  if (statement.NotPrincipal !== undefined) {
    const spared =
      caller.kind === 'service'
        ? listOf(statement.NotPrincipal['Service']).includes(caller.principal)
        : spares(statement.NotPrincipal, caller, bounded);
    return spared ? undefined : 'anyone';
  }
  return statement.Principal === undefined ? undefined : namingOf(statement.Principal, caller);
}

function actionMatches(statement: Statement, action: string): boolean {
  const matches = (patterns: OneOrMany<string>): boolean =>
    listOf(patterns).some((pattern) => matchesWildcard(pattern.toLowerCase(), action.toLowerCase()));
  return statement.Action !== undefined ? matches(statement.Action) : !matches(statement.NotAction ?? []);
}

function resourceMatches(statement: Statement, { resource, context }: Subject): boolean {
  const negated = statement.Resource === undefined;
  // In doubt an Allow covers less and a Deny covers more.
  const compare = (statement.Effect === 'Deny') !== negated ? mayMatchArn : matchesArn;
  const patterns = statement.Resource ?? statement.NotResource;
  // Trust policies have no resource: the role is meant.
  if (patterns === undefined) return true;
  const matches = listOf(patterns).some((pattern) => {
    const filled = substitute(pattern, (key) => context.single(key));
    return filled !== undefined && compare(filled, resource);
  });
  return matches !== negated;
}

const conditionsMeet = (statement: Statement, context: RequestContext): boolean =>
  Object.entries(statement.Condition ?? {}).every(([operator, keys]) =>
    Object.entries(keys).every(([key, value]) => conditionMet(operator, key, listOf(value).map(String), context)),
  );

/** Whether action, resource and conditions of a statement fit. Who is meant is a separate question, see {@link namedBy}. */
export const statementApplies = (statement: Statement, subject: Subject): boolean =>
  actionMatches(statement, subject.action) &&
  resourceMatches(statement, subject) &&
  conditionsMeet(statement, subject.context);

/** Statements of a document. */
export const statementsOf = (document: PolicyDocument): readonly Statement[] => listOf(document.Statement);

import type { Clock } from '../clock.ts';
import type { Denials } from './denials.ts';
import { refusal } from './evaluate.ts';
import { AccessDenied, type AccessRequest, type Authorize, type Caller, type ConditionContext } from './policy.ts';
import type { PolicyDocument } from './policy.ts';
import { listOf, RequestContext } from './request-context.ts';
import type { Probation } from './probation.ts';
import type { Role, Roles } from './roles.ts';
import type { Sessions } from './sessions.ts';
import { validatePolicy } from './validate.ts';

export interface AuthorizeParts {
  readonly roles: Roles;
  readonly sessions: Sessions;
  readonly denials: Denials;
  readonly probation: Probation;
  readonly clock: Clock;
  readonly region: string;
}

const principalTags = (tags: Readonly<Record<string, string>>): ConditionContext =>
  Object.fromEntries(Object.entries(tags).map(([key, value]) => [`aws:PrincipalTag/${key.toLowerCase()}`, value]));

/** Keys that AWS adds to every request. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html */
function globalContext(
  caller: Caller,
  role: Role | undefined,
  { sessions, clock, region }: AuthorizeParts,
): ConditionContext {
  const now = clock.now();
  const common = {
    'aws:CurrentTime': new Date(now).toISOString(),
    'aws:EpochTime': String(Math.floor(now / 1000)),
    'aws:RequestedRegion': region,
    // The loopback interface stands for TLS: nothing leaves the machine.
    'aws:SecureTransport': 'true',
  };
  if (caller.kind === 'service')
    return {
      ...common,
      'aws:PrincipalIsAWSService': 'true',
      'aws:PrincipalServiceName': caller.principal,
      'aws:SourceArn': caller.sourceArn === '' ? undefined : caller.sourceArn,
      'aws:SourceAccount': caller.account,
    };
  const session = sessions.find(caller.accessKeyId);
  return {
    ...common,
    'aws:PrincipalAccount': caller.account,
    'aws:PrincipalArn': caller.roleArn,
    'aws:PrincipalIsAWSService': 'false',
    'aws:PrincipalType': 'AssumedRole',
    'aws:SourceIdentity': session?.sourceIdentity,
    'aws:SourceIp': '127.0.0.1',
    'aws:TokenIssueTime': new Date(session?.issuedAt ?? now).toISOString(),
    'aws:ViaAWSService': 'false',
    'aws:userid': role === undefined ? undefined : `${role.id}:${caller.arn.split('/').at(-1) ?? ''}`,
    // A tag of the session overrides one of the role, whatever the case of its key.
    // https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html
    ...principalTags(role?.tags ?? {}),
    ...principalTags(session?.tags ?? {}),
  };
}

/** Resource policies that were made while running (a key's policy) are checked when first seen. */
const checked = new WeakSet<PolicyDocument>();

const checkOnce = (document: PolicyDocument | undefined, kind: 'resource' | 'trust'): void => {
  // A service that builds its policy from grants has none to begin with.
  if (document === undefined || checked.has(document) || listOf(document.Statement).length === 0) return;
  validatePolicy(document, kind);
  checked.add(document);
};

/** The evaluator that every service asks before it acts. Refusals are recorded in `parts.denials`. */
export function authorizer(parts: AuthorizeParts): Authorize {
  return (request: AccessRequest): void => {
    const { caller, action, resource, resourcePolicy } = request;
    checkOnce(resourcePolicy, action.startsWith('sts:') ? 'trust' : 'resource');
    const role = caller.kind === 'role' ? parts.roles.find(caller.roleArn) : undefined;
    const subject = {
      caller,
      action,
      resource,
      bounded: role?.boundary !== undefined,
      context: new RequestContext(globalContext(caller, role, parts), request.context ?? {}),
    };
    const session = caller.kind === 'role' ? caller.sessionPolicy : undefined;
    const who = caller.kind === 'role' ? caller.roleName : caller.principal;
    const reason = parts.probation.judge(
      { role, session, resource: resourcePolicy },
      { caller: who, action, resource },
      (policies) => refusal(policies, subject, request.mode ?? 'union'),
    );
    if (reason === undefined) return;
    parts.denials.record(request, reason, parts.clock.now());
    throw new AccessDenied(request, reason);
  };
}

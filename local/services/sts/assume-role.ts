import type { PolicyDocument, RoleCaller } from '../../iam/policy.ts';
import { AccessDenied } from '../../iam/policy.ts';
import type { Role } from '../../iam/roles.ts';
import { SESSION_NAME } from '../../iam/sessions.ts';
import { validatePolicy } from '../../iam/validate.ts';
import type { Host } from '../../service.ts';
import { notImplemented, ServiceError } from '../../service.ts';

/** https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html */
export interface AssumeRole {
  readonly roleArn: string;
  readonly name: string;
  readonly seconds: number;
  readonly policy: PolicyDocument | undefined;
  readonly sourceIdentity: string | undefined;
  readonly externalId: string | undefined;
  readonly tags: Readonly<Record<string, string>>;
}

const PARAMETERS = [
  'Action',
  'Version',
  'RoleArn',
  'RoleSessionName',
  'DurationSeconds',
  'Policy',
  'SourceIdentity',
  'ExternalId',
];
const SHORTEST = 900;
/** A role that assumes a role gets at most an hour, and every caller here is a role. */
const LONGEST_CHAINED = 3600;
const LONGEST_POLICY = 2048;
const SOURCE_IDENTITY = /^(?!aws:)[\w+=,.@-]{2,64}$/;
const ROLE_ARN = /^arn:aws:iam::\d{12}:role\/[\w+=,.@/-]+$/;
const EXTERNAL_ID = /^[\w+=,.@:/-]{2,1224}$/;

const invalid = (message: string): ServiceError => new ServiceError('ValidationError', message);

const required = (form: URLSearchParams, name: string): string => {
  const value = form.get(name);
  if (value === null || value === '')
    throw invalid(`Value at '${name}' failed to satisfy constraint: Member must not be null`);
  return value;
};

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html#id_session-tags_know */
const MOST_TAGS = 50;
const TAG_KEY = /^(?!aws:)[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,128}$/iu;
const TAG_VALUE = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]{0,256}$/u;
const TAG_PARAMETER = /^Tags\.member\.([1-9]\d?)\.(Key|Value)$/;

/** Session tags: keys are told apart without regard to case, and each comes once. */
function sessionTags(form: URLSearchParams): Record<string, string> {
  const count = [...form.keys()].filter((name) => TAG_PARAMETER.test(name) && name.endsWith('.Key')).length;
  if (count > MOST_TAGS) throw invalid(`1 validation error detected: at most ${MOST_TAGS} session tags`);
  const tags: Record<string, string> = {};
  for (let index = 1; index <= count; index += 1) {
    const key = required(form, `Tags.member.${index}.Key`);
    const value = form.get(`Tags.member.${index}.Value`);
    if (!TAG_KEY.test(key) || value === null || !TAG_VALUE.test(value))
      throw invalid(
        `Value at 'tags.${index}.member' failed to satisfy constraint: a key of 128 characters, a value of 256`,
      );
    if (Object.keys(tags).some((known) => known.toLowerCase() === key.toLowerCase()))
      throw new ServiceError(
        'InvalidParameterValue',
        `Duplicate tag keys found. Please note that Tag keys are case insensitive.`,
      );
    tags[key] = value;
  }
  return tags;
}

const matching = (form: URLSearchParams, name: string, pattern: RegExp): string | undefined => {
  const value = form.get(name) ?? undefined;
  if (value !== undefined && !pattern.test(value))
    throw invalid(
      `Value '${value}' at '${name}' failed to satisfy constraint: Member must satisfy regular expression pattern`,
    );
  return value;
};

function sessionPolicy(text: string | null): PolicyDocument | undefined {
  if (text === null) return undefined;
  if (text.length < 1 || text.length > LONGEST_POLICY)
    throw invalid(
      `Value at 'policy' failed to satisfy constraint: Member must have length less than or equal to ${LONGEST_POLICY}`,
    );
  try {
    return validatePolicy(JSON.parse(text), 'identity');
  } catch (error) {
    if (error instanceof SyntaxError)
      throw new ServiceError('MalformedPolicyDocument', 'The policy is not in valid JSON format.');
    throw error;
  }
}

/** Reads and checks the parameters. @throws {ServiceError} */
export function readAssumeRole(form: URLSearchParams): AssumeRole {
  const unknown = [...form.keys()].find((name) => !PARAMETERS.includes(name) && !TAG_PARAMETER.test(name));
  if (unknown !== undefined) throw notImplemented(`the parameter ${unknown} of sts:AssumeRole`);
  const name = required(form, 'RoleSessionName');
  matching(form, 'RoleSessionName', SESSION_NAME);
  const seconds = form.get('DurationSeconds') ?? String(LONGEST_CHAINED);
  if (!/^\d{1,9}$/.test(seconds) || Number(seconds) < SHORTEST)
    throw invalid(
      `Value '${seconds}' at 'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to ${SHORTEST}`,
    );
  return {
    roleArn: matching(form, 'RoleArn', ROLE_ARN) ?? required(form, 'RoleArn'),
    name,
    seconds: Number(seconds),
    policy: sessionPolicy(form.get('Policy')),
    sourceIdentity: matching(form, 'SourceIdentity', SOURCE_IDENTITY),
    externalId: matching(form, 'ExternalId', EXTERNAL_ID),
    tags: sessionTags(form),
  };
}

/**
 * Checks that `caller` may assume `role`. Within an account a trust policy that names the caller's role suffices; one that names the
 * account needs the caller's own policies to allow it too.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics-resource-identity.html
 * @throws {AccessDenied} also for a role that does not exist, so that names cannot be probed
 */
export function authorizeAssumeRole(
  host: Host,
  caller: RoleCaller,
  role: Role | undefined,
  { roleArn, name, sourceIdentity, externalId, seconds, tags }: AssumeRole,
): Role {
  if (role === undefined)
    throw new AccessDenied(
      { caller, action: 'sts:AssumeRole', resource: roleArn },
      'there is no such role in the template',
    );
  const context = {
    'sts:RoleSessionName': name,
    'sts:SourceIdentity': sourceIdentity,
    'sts:ExternalId': externalId,
    'aws:TagKeys': Object.keys(tags),
    ...Object.fromEntries(Object.entries(tags).map(([key, value]) => [`aws:RequestTag/${key}`, value])),
  };
  // Passing tags is an action of its own. https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html#id_session-tags_permissions-required
  const actions = [
    'sts:AssumeRole',
    ...(sourceIdentity === undefined ? [] : ['sts:SetSourceIdentity']),
    ...(Object.keys(tags).length === 0 ? [] : ['sts:TagSession']),
  ];
  for (const action of actions)
    host.authorize({ caller, action, resource: role.arn, context, resourcePolicy: role.trust, mode: 'key' });
  if (seconds > role.maxSessionDuration)
    throw invalid('The requested DurationSeconds exceeds the MaxSessionDuration set for this role.');
  if (seconds > LONGEST_CHAINED)
    throw invalid('The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.');
  return role;
}

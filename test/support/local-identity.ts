import { Activity } from '../../local/activity.ts';
import { Clock } from '../../local/clock.ts';
import { Faults } from '../../local/faults.ts';
import { authorizer } from '../../local/iam/authorize.ts';
import { Denials } from '../../local/iam/denials.ts';
import { Probation } from '../../local/iam/probation.ts';
import { type Role, Roles } from '../../local/iam/roles.ts';
import { Sessions } from '../../local/iam/sessions.ts';
import { Meter } from '../../local/meter.ts';
import type { Properties } from '../../local/resource.ts';
import type { Host } from '../../local/service.ts';

export const ACCOUNT = '000000000000';
export const REGION = 'ca-central-1';

/** Statements as a whole policy. */
export const policy = (...statements: readonly object[]): Properties => ({
  Version: '2012-10-17',
  Statement: statements,
});

export const allow = (actions: string | readonly string[], resource: string | readonly string[] = '*'): object => ({
  Effect: 'Allow',
  Action: actions,
  Resource: resource,
});

export const trusting = (principal: Properties | string, more: object = {}): Properties =>
  policy({ Effect: 'Allow', Principal: principal, Action: 'sts:AssumeRole', ...more });

/** Roles, sessions and the evaluator as the runtime joins them, without any service. */
export interface Identity {
  readonly host: Host;
  readonly roles: Roles;
  readonly sessions: Sessions;
  readonly denials: Denials;
  readonly probation: Probation;
  /** Creates a role as a template would. */
  role(name: string, properties?: Properties): Role;
  create(type: string, logicalId: string, properties: Properties): { readonly ref: string };
}

export function identity(): Identity {
  const activity = new Activity();
  const clock = new Clock(() => activity.settled());
  const roles = new Roles();
  const sessions = new Sessions(clock);
  const denials = new Denials();
  const probation = new Probation(roles);
  const host: Host = {
    account: ACCOUNT,
    region: REGION,
    clock,
    activity,
    meter: new Meter(),
    faults: new Faults(),
    authorize: authorizer({ roles, sessions, denials, probation, clock, region: REGION }),
    dataDirectory: undefined,
    endpoint: () => 'http://127.0.0.1:0',
  };
  const create = (type: string, logicalId: string, properties: Properties): { readonly ref: string } => {
    const found = roles.types.find((known) => known.type === type);
    if (found === undefined) throw new Error(`${type} is not a type of IAM`);
    const context = {
      host,
      stackName: 'Test',
      logicalId,
      physicalName: () => `Test-${logicalId}`,
      assemblyDirectory: '',
      kept: false,
    };
    // IAM's types are created at once.
    return found.create(properties, context) as { readonly ref: string };
  };
  return {
    host,
    roles,
    sessions,
    denials,
    probation,
    create,
    role: (name, properties = {}) => {
      const trust = trusting({ Service: 'lambda.amazonaws.com' });
      create('AWS::IAM::Role', name, { RoleName: name, AssumeRolePolicyDocument: trust, ...properties });
      // It has just been created.
      return roles.find(name) as Role;
    },
  };
}

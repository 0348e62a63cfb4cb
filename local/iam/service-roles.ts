import type { RoleCallerFor } from '../ports.ts';
import type { Host } from '../service.ts';
import { AccessDenied } from './policy.ts';
import { listOf } from './request-context.ts';
import type { Role, Roles } from './roles.ts';
import { accessKeyId, callerOf, type Credentials, type Session, sessionName, type Sessions } from './sessions.ts';

/** Functions keep their credentials as long as the runtime lives; on AWS, Lambda replaces them before they end. */
const WHILE_RUNNING = 100 * 365 * 86_400;

const principalOf = (service: string): string => (service.includes('.') ? service : `${service}.amazonaws.com`);

/** How AWS services of the account assume the roles of the templates. */
export const serviceRoleCaller =
  (host: Host, roles: Roles): RoleCallerFor =>
  (roleArn, service, name, sourceArn = '') => {
    const caller = {
      kind: 'service' as const,
      account: host.account,
      principal: principalOf(service),
      sourceArn,
    };
    const request = { caller, action: 'sts:AssumeRole', resource: roleArn, mode: 'required' as const };
    const role = roles.find(roleArn);
    if (role === undefined) throw new AccessDenied(request, 'there is no such role in the template');
    host.authorize({ ...request, resourcePolicy: role.trust });
    return callerOf(role, sessionName(name), accessKeyId());
  };

/** Whether a role trusts its account as such: whoever administers it decides who assumes the role. */
const trustsAccount = ({ trust }: Role, account: string): boolean =>
  listOf(trust.Statement).some(
    ({ Effect, Action, Condition, Principal }) =>
      Effect === 'Allow' &&
      Condition === undefined &&
      listOf(Action).includes('sts:AssumeRole') &&
      typeof Principal === 'object' &&
      listOf(Principal['AWS']).some((who) => who === account || who === `arn:aws:iam::${account}:root`),
  );

/** An hour's credentials of a role that trusts the account: on a laptop its administrator is whoever sits there. Undefined for any other. */
export const administratorCredentials =
  (account: string, roles: Roles, sessions: Sessions) =>
  (roleName: string): Session | undefined => {
    const role = roles.find(roleName);
    if (role === undefined || !trustsAccount(role, account)) return undefined;
    return sessions.issue({ role, name: 'administrator', seconds: 3600 });
  };

/** Credentials of a new session of a role, given by ARN or name. @throws when there is no such role */
export const sessionCredentials =
  (roles: Roles, sessions: Sessions) =>
  (roleArnOrName: string, name: string): Credentials => {
    const role = roles.find(roleArnOrName);
    if (role === undefined) throw new Error(`The templates have no role ${roleArnOrName}.`);
    const {
      accessKeyId: key,
      secretAccessKey,
      sessionToken,
    } = sessions.issue({
      role,
      name: sessionName(name),
      seconds: WHILE_RUNNING,
    });
    return { accessKeyId: key, secretAccessKey, sessionToken };
  };

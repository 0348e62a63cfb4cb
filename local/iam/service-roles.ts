import type { RoleCallerFor } from '../ports.ts';
import type { Host } from '../service.ts';
import { AccessDenied } from './policy.ts';
import type { Roles } from './roles.ts';
import { accessKeyId, callerOf, type Credentials, sessionName, type Sessions } from './sessions.ts';

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

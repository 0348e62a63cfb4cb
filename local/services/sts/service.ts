import type { Roles } from '../../iam/roles.ts';
import type { Sessions } from '../../iam/sessions.ts';
import {
  type Host,
  notImplemented,
  readBody,
  type Service,
  ServiceError,
  type ServiceRequest,
  type ServiceResponse,
} from '../../service.ts';
import { authorizeAssumeRole, readAssumeRole } from './assume-role.ts';
import { xmlError, xmlResult } from '../query-xml.ts';

const VERSION = '2011-06-15';
const NAMESPACE = 'https://sts.amazonaws.com/doc/2011-06-15/';

/** AWS Security Token Service: AssumeRole and GetCallerIdentity. https://docs.aws.amazon.com/STS/latest/APIReference/welcome.html */
export class StsService implements Service {
  readonly signingName = 'sts';
  #host: Host;
  #roles: Roles;
  #sessions: Sessions;

  constructor(host: Host, roles: Roles, sessions: Sessions) {
    this.#host = host;
    this.#roles = roles;
    this.#sessions = sessions;
  }

  operationOf(request: Pick<ServiceRequest, 'query'>, body?: Buffer): string | undefined {
    return new URLSearchParams(body?.toString()).get('Action') ?? request.query.get('Action') ?? undefined;
  }

  async handle(request: ServiceRequest): Promise<ServiceResponse> {
    const form = new URLSearchParams((await readBody(request.body)).toString());
    if (request.method === 'GET')
      for (const [name, value] of request.query) if (!name.startsWith('X-Amz-')) form.append(name, value);
    const operation = form.get('Action');
    if (form.get('Version') !== VERSION) throw notImplemented(`version ${form.get('Version')} of the sts API`);
    if (operation === 'AssumeRole') return this.#assumeRole(form, request);
    if (operation === 'GetCallerIdentity') return this.#getCallerIdentity(request);
    throw notImplemented(`sts:${operation}`);
  }

  renderError(error: ServiceError, { requestId }: { readonly requestId: string }): ServiceResponse {
    return xmlError(NAMESPACE, error, requestId);
  }

  #assumeRole(form: URLSearchParams, { caller, requestId }: ServiceRequest): ServiceResponse {
    if (caller.kind !== 'role') throw notImplemented('sts:AssumeRole for a service');
    const asked = readAssumeRole(form);
    // A source identity stays with every session that a session begets.
    const inherited = this.#sessions.find(caller.accessKeyId)?.sourceIdentity;
    const sourceIdentity = asked.sourceIdentity ?? inherited;
    if (inherited !== undefined && sourceIdentity !== inherited)
      throw new ServiceError('AccessDenied', 'The source identity of a session cannot be changed.', 403);
    const wanted = { ...asked, sourceIdentity };
    const role = authorizeAssumeRole(this.#host, caller, this.#roles.find(asked.roleArn), wanted);
    const { name, seconds, policy, tags } = asked;
    const session = this.#sessions.issue({
      role,
      name,
      seconds,
      sessionPolicy: policy,
      sourceIdentity,
      tags,
      parent: caller.accessKeyId,
    });
    return xmlResult(
      NAMESPACE,
      'AssumeRole',
      {
        Credentials: {
          AccessKeyId: session.accessKeyId,
          SecretAccessKey: session.secretAccessKey,
          SessionToken: session.sessionToken,
          Expiration: new Date(session.expiresAt).toISOString(),
        },
        AssumedRoleUser: { AssumedRoleId: `${role.id}:${name}`, Arn: session.caller.arn },
        ...(sourceIdentity === undefined ? {} : { SourceIdentity: sourceIdentity }),
      },
      requestId,
    );
  }

  /** Needs no permission, and an explicit deny does not apply. https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html */
  #getCallerIdentity({ caller, requestId }: ServiceRequest): ServiceResponse {
    if (caller.kind !== 'role') throw notImplemented('sts:GetCallerIdentity for a service');
    const role = this.#roles.find(caller.roleArn);
    return xmlResult(
      NAMESPACE,
      'GetCallerIdentity',
      {
        UserId: `${role?.id ?? ''}:${caller.arn.split('/').at(-1) ?? ''}`,
        Account: caller.account,
        Arn: caller.arn,
      },
      requestId,
    );
  }
}

import type { PolicyDocument, Statement } from './policy.ts';
import { listOf } from './request-context.ts';
import type { Policies } from './evaluate.ts';
import type { Roles } from './roles.ts';
import { statementsOf } from './statement.ts';

/** One action on one resource that one statement allows. */
export interface Grant {
  /** Whose policy it is: the name of a role; the ARN of a key, or of a role whose trust it is; nothing for the policy of another resource. */
  readonly owner: string;
  readonly sid: string | undefined;
  /** As written: both may have wildcards. */
  readonly action: string;
  /** None in a trust policy. */
  readonly resource: string | undefined;
  /** The statement with nothing else in it. */
  readonly statement: Statement;
}

/** A grant with the refusal that showed that it was needed. */
export interface Missed extends Grant {
  readonly refused: { readonly caller: string; readonly action: string; readonly resource: string };
}

const grantsOf = (document: PolicyDocument, owner: string): Grant[] =>
  statementsOf(document)
    .filter(({ Effect }) => Effect === 'Allow')
    .flatMap((statement) =>
      listOf(statement.Action).flatMap((action) => {
        const resources = statement.Resource === undefined ? [undefined] : listOf(statement.Resource);
        return resources.map((resource) => ({
          owner,
          sid: statement.Sid,
          action,
          resource,
          statement: { ...statement, Action: action, ...(resource === undefined ? {} : { Resource: resource }) },
        }));
      }),
    );

const nameOf = ({ owner, statement }: Grant): string => `${owner} ${JSON.stringify(statement)}`;

/** Keys and trusts have policies that say `*`, or nothing, of what they are of; other policies name their resources. */
const ownerOf = ({ action, resource }: Missed['refused']): string => (/^(kms|sts):/.test(action) ? resource : '');

/**
 * Takes every permission away that a policy gives, and gives each back at the moment when something is refused for want of it and of nothing else.
 * What was never given back, nothing needed: one run tells of each action what a start without it would.
 */
export class Probation {
  readonly #roles: Roles;
  #on = false;
  #missed = new Map<string, Missed>();

  constructor(roles: Roles) {
    this.#roles = roles;
  }

  begin(): void {
    this.#on = true;
  }

  /** Every grant of the roles of the templates. */
  grants(): Grant[] {
    return this.#roles
      .all()
      .flatMap(({ name, policies }) => policies.flatMap(({ document }) => grantsOf(document, name)));
  }

  /** What was given back so far, in order. */
  missed(): readonly Missed[] {
    return [...this.#missed.values()];
  }

  /**
   * Judges a request by what is left of the policies. When that refuses it, and would answer otherwise with one grant more, the grant is given back for
   * the next request; this one stays refused.
   */
  judge(
    policies: Policies,
    refused: Missed['refused'],
    judge: (left: Policies) => string | undefined,
  ): string | undefined {
    if (!this.#on) return judge(policies);
    const { role, session, resource } = policies;
    const documents = [
      ...(role?.policies ?? []).map(({ document }) => ({ document, owner: role?.name ?? '' })),
      ...(resource === undefined ? [] : [{ document: resource, owner: ownerOf(refused) }]),
    ];
    const left = (besides?: Grant): Policies => ({
      session,
      role: role && {
        ...role,
        policies: role.policies.map(({ name, document }) => ({
          name,
          document: this.#kept(document, role.name, besides),
        })),
      },
      resource: resource && this.#kept(resource, ownerOf(refused), besides),
    });
    const reason = judge(left());
    if (reason === undefined) return undefined;
    const wanted = documents
      .flatMap(({ document, owner }) => grantsOf(document, owner))
      .find((grant) => !this.#missed.has(nameOf(grant)) && judge(left(grant)) !== reason);
    if (wanted !== undefined) this.#missed.set(nameOf(wanted), { ...wanted, refused });
    return reason;
  }

  /** A policy without the grants that nothing has missed yet. */
  #kept(document: PolicyDocument, owner: string, besides: Grant | undefined): PolicyDocument {
    const given = grantsOf(document, owner).filter(
      (grant) => this.#missed.has(nameOf(grant)) || (besides !== undefined && nameOf(grant) === nameOf(besides)),
    );
    const denies = statementsOf(document).filter(({ Effect }) => Effect === 'Deny');
    return { ...document, Statement: [...denies, ...given.map(({ statement }) => statement)] };
  }
}

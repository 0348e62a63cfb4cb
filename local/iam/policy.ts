/** IAM policy documents as templates carry them. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html */
export type OneOrMany<T> = T | readonly T[];

export interface Statement {
  readonly Sid?: string;
  readonly Effect: 'Allow' | 'Deny';
  readonly Principal?: '*' | Readonly<Record<string, OneOrMany<string>>>;
  readonly NotPrincipal?: Readonly<Record<string, OneOrMany<string>>>;
  readonly Action?: OneOrMany<string>;
  readonly NotAction?: OneOrMany<string>;
  readonly Resource?: OneOrMany<string>;
  readonly NotResource?: OneOrMany<string>;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, OneOrMany<string | number | boolean>>>>>;
}

export interface PolicyDocument {
  readonly Version: '2012-10-17';
  readonly Statement: OneOrMany<Statement>;
}

/** Values of condition keys at the time of a request; keys as AWS writes them (matched without regard to case). */
export type ConditionContext = Readonly<Record<string, OneOrMany<string> | undefined>>;

/** A signed caller: a session of a role of the template. */
export interface RoleCaller {
  readonly kind: 'role';
  readonly account: string;
  /** `arn:aws:iam::<account>:role/<name>` */
  readonly roleArn: string;
  readonly roleName: string;
  /** `arn:aws:sts::<account>:assumed-role/<name>/<session>` */
  readonly arn: string;
  /** Inline session policy given to AssumeRole: limits, never adds. */
  readonly sessionPolicy: PolicyDocument | undefined;
  readonly accessKeyId: string;
}

/** An AWS service acting by itself (a rule, an API, a schedule), known by principal and source. */
export interface ServiceCaller {
  readonly kind: 'service';
  readonly account: string;
  /** For example `events.amazonaws.com`. */
  readonly principal: string;
  readonly sourceArn: string;
}

export type Caller = RoleCaller | ServiceCaller;

export interface AccessRequest {
  readonly caller: Caller;
  /** `service:Operation`, for example `dynamodb:PutItem`. */
  readonly action: string;
  /** ARN, or `*` for an action that has no resource. */
  readonly resource: string;
  /** Service-specific condition keys; the global ones (`aws:CurrentTime`, `aws:PrincipalArn`, …) are added by the evaluator. */
  readonly context?: ConditionContext;
  /** Policy attached to the resource, where there is one. */
  readonly resourcePolicy?: PolicyDocument;
  /**
   * `union` (default): within the account either an identity or the resource policy may allow.
   * `key`: KMS; the key policy must allow, directly or by allowing the account's root principal, which delegates to identity policies.
   * `required`: only the resource policy counts (a service principal invoking a function, delivering to a queue).
   */
  readonly mode?: 'union' | 'key' | 'required';
}

/** Throws {@link AccessDenied} unless the request is allowed; an explicit Deny anywhere wins. */
export type Authorize = (request: AccessRequest) => void;

/** Names role, action and resource, and says why, so that a missing permission reads as it would on AWS. */
export class AccessDenied extends Error {
  override readonly name = 'AccessDenied';
  readonly request: AccessRequest;

  constructor(request: AccessRequest, because: string) {
    const who = request.caller.kind === 'role' ? request.caller.arn : request.caller.principal;
    super(
      `User: ${who} is not authorized to perform: ${request.action} on resource: ${request.resource} because ${because}`,
    );
    this.request = request;
  }
}

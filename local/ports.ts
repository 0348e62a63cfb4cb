import type { Caller, RoleCaller, ServiceCaller } from './iam/policy.ts';

/** What services ask of each other inside the runtime. Each stands for what AWS does between its own services. */

/** Use of a KMS key by a service on a caller's behalf (forward access session): authorizes the caller with `kms:ViaService`. */
export interface KeyUse {
  /**
   * Throws `AccessDenied`, or a KMS key-state error, unless `caller` may perform every one of `actions` on the key through `viaService`.
   * https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service
   * @param keyId key id, key ARN, alias name or alias ARN
   * @param viaService for example `dynamodb`, `s3`, `sqs`, `states`, `lambda`; undefined where AWS calls KMS with the caller's own
   *   credentials, so that `kms:ViaService` is absent (a state machine's execution role,
   *   https://docs.aws.amazon.com/step-functions/latest/dg/encryption-at-rest.html)
   */
  assertUsable(use: {
    readonly caller: Caller;
    readonly keyId: string;
    readonly actions: readonly ('kms:Decrypt' | 'kms:GenerateDataKey')[];
    readonly viaService: string | undefined;
    readonly encryptionContext?: Readonly<Record<string, string>>;
  }): void;
}

/** Outcome of a function: its answer, or the error it threw, as Lambda reports them. */
export type InvocationOutcome =
  | { readonly ok: true; readonly payload: unknown }
  | { readonly ok: false; readonly errorType: string; readonly errorMessage: string };

export interface FunctionInvoker {
  /**
   * Invokes a function by ARN (plain, or qualified by version or alias) and waits for its outcome. A role caller is authorized for
   * `lambda:InvokeFunction` by its policies, a service caller by the function's resource policy (`AWS::Lambda::Permission`).
   */
  invoke(functionArn: string, payload: unknown, caller: RoleCaller | ServiceCaller): Promise<InvocationOutcome>;
}

/** One change of an item. https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_Record.html */
export interface StreamRecord {
  readonly eventID: string;
  readonly eventName: 'INSERT' | 'MODIFY' | 'REMOVE';
  readonly eventVersion: '1.1';
  readonly eventSource: 'aws:dynamodb';
  readonly awsRegion: string;
  readonly eventSourceARN: string;
  readonly dynamodb: {
    readonly ApproximateCreationDateTime: number;
    readonly Keys: Readonly<Record<string, unknown>>;
    readonly NewImage?: Readonly<Record<string, unknown>>;
    readonly OldImage?: Readonly<Record<string, unknown>>;
    /** Decimal, zero-padded to 21 digits: compares as text. */
    readonly SequenceNumber: string;
    readonly SizeBytes: number;
    readonly StreamViewType: string;
  };
  /** Only on a deletion by TTL. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-streams.html */
  readonly userIdentity?: { readonly type: 'Service'; readonly principalId: 'dynamodb.amazonaws.com' };
}

/** A table's stream: one shard, in order. Records older than 24 hours are gone. */
export interface TableStream {
  readonly arn: string;
  /** Up to `limit` records after `sequenceNumber` (undefined: from the oldest). */
  read(sequenceNumber: string | undefined, limit: number): Promise<readonly StreamRecord[]>;
  /** Calls back whenever records were appended. */
  onAppend(listener: () => void): void;
}

/** Delivery of a message to a queue of the template by a service (dead letters, failure destinations). */
export interface QueueSink {
  /** Authorized by the queue's policy for a service caller, by identity policies for a role. */
  deliver(queueArn: string, body: string, caller: Caller): void;
}

/** Puts an event of an AWS service on the account's default bus (for example an execution's status change). */
export type EventSink = (event: {
  readonly source: string;
  readonly detailType: string;
  readonly resources: readonly string[];
  readonly detail: Readonly<Record<string, unknown>>;
}) => void;

/**
 * The caller that an AWS service becomes when it assumes `roleArn` (a state machine, a function, a rule with a role); checks the role's trust.
 * @param service principal, for example `states.amazonaws.com` (or just `states`)
 * @param sourceArn the resource on whose behalf, for trust policies with `aws:SourceArn`
 */
export type RoleCallerFor = (roleArn: string, service: string, sessionName: string, sourceArn?: string) => RoleCaller;

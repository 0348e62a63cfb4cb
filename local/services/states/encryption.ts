import { AccessDenied, type Caller, type RoleCaller } from '../../iam/policy.ts';
import type { KeyUse } from '../../ports.ts';
import { ServiceError } from '../../service.ts';
import type { Encryption } from './machines.ts';

type KeyAction = 'kms:Decrypt' | 'kms:GenerateDataKey';

/** A use of a machine's key by its execution role. */
interface RoleUse {
  readonly machineArn: string;
  readonly encryption: Encryption | undefined;
  readonly role: RoleCaller;
  readonly actions: readonly KeyAction[];
}

/**
 * Use of a machine's customer managed key, as documented. An API that returns data asks for its caller, through Step Functions. The
 * execution role calls KMS directly, so `kms:ViaService` is absent and a condition on it denies; what it was allowed holds for
 * `KmsDataKeyReusePeriodSeconds`, because the data key is reused for so long.
 * https://docs.aws.amazon.com/step-functions/latest/dg/encryption-at-rest.html
 */
export class MachineEncryption {
  readonly #keys: KeyUse;
  readonly #now: () => number;
  /** Until when, in virtual time, a role need not ask again. */
  #allowedUntil = new Map<string, number>();

  constructor(keys: KeyUse, now: () => number) {
    this.#keys = keys;
    this.#now = now;
  }

  /** Asks whatever was allowed before. Throws `KmsAccessDeniedException` or `KmsInvalidStateException`. */
  askForRole({ machineArn, encryption, role, actions }: RoleUse): void {
    if (encryption === undefined) return;
    this.#assert(machineArn, encryption, role, actions, undefined);
    const until = this.#now() + encryption.reuseSeconds * 1000;
    for (const action of actions) this.#allowedUntil.set(useOf(machineArn, encryption, role, action), until);
  }

  /** Asks for what has not been allowed within the reuse period. Throws as {@link askForRole}. */
  assertUsableByRole(use: RoleUse): void {
    const { machineArn, encryption, role } = use;
    if (encryption === undefined) return;
    const now = this.#now();
    const actions = use.actions.filter(
      (action) => (this.#allowedUntil.get(useOf(machineArn, encryption, role, action)) ?? 0) <= now,
    );
    if (actions.length > 0) this.askForRole({ ...use, actions });
  }

  /** Throws as {@link askForRole}. */
  assertReadableByCaller(machineArn: string, encryption: Encryption | undefined, caller: Caller): void {
    if (encryption !== undefined) this.#assert(machineArn, encryption, caller, ['kms:Decrypt'], 'states');
  }

  #assert(
    machineArn: string,
    { keyId }: Encryption,
    caller: Caller,
    actions: readonly KeyAction[],
    viaService: string | undefined,
  ): void {
    const encryptionContext = { 'aws:states:stateMachineArn': machineArn };
    try {
      this.#keys.assertUsable({ caller, keyId, actions, viaService, encryptionContext });
    } catch (error) {
      throw keyError(error);
    }
  }
}

const useOf = (machineArn: string, { keyId }: Encryption, role: RoleCaller, action: KeyAction): string =>
  JSON.stringify([machineArn, keyId, role.roleArn, action]);

/** https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html#API_StartExecution_Errors */
function keyError(error: unknown): unknown {
  if (error instanceof AccessDenied) return new ServiceError('KmsAccessDeniedException', error.message);
  if (!(error instanceof ServiceError) || error.status === 501) return error;
  const states = { DisabledException: 'DISABLED', KMSInvalidStateException: stateIn(error.message) };
  const kmsKeyState = error.code in states ? states[error.code as keyof typeof states] : undefined;
  return new ServiceError(
    'KmsInvalidStateException',
    error.message,
    400,
    kmsKeyState === undefined ? {} : { kmsKeyState },
  );
}

/** KMS names the state only within its message: `<arn> is pending deletion.` */
function stateIn(message: string): string | undefined {
  if (/pending ?deletion/i.test(message)) return 'PENDING_DELETION';
  if (/pending ?import/i.test(message)) return 'PENDING_IMPORT';
  return undefined;
}

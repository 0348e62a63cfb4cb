import { AccessDenied, type Caller } from '../../iam/policy.ts';
import type { KeyUse } from '../../ports.ts';
import { ServiceError } from '../../service.ts';
import type { Encryption } from './machines.ts';

type KeyAction = 'kms:Decrypt' | 'kms:GenerateDataKey';

/**
 * Use of a machine's customer managed key. Data keys are not reused here: every use asks for permission, so that a disabled key or a
 * revoked permission shows at once instead of after `KmsDataKeyReusePeriodSeconds`.
 * https://docs.aws.amazon.com/step-functions/latest/dg/encryption-at-rest.html
 */
export class MachineEncryption {
  readonly #keys: KeyUse;

  constructor(keys: KeyUse) {
    this.#keys = keys;
  }

  /**
   * By the execution role, which calls KMS directly: `kms:ViaService` is absent, and a condition on it denies.
   * Throws `KmsAccessDeniedException` or `KmsInvalidStateException`.
   */
  assertUsableByRole(
    machineArn: string,
    encryption: Encryption | undefined,
    role: Caller,
    actions: readonly KeyAction[],
  ): void {
    this.#assert(machineArn, encryption, role, actions, undefined);
  }

  /** By the caller of an API that returns data, through Step Functions. Throws as {@link assertUsableByRole}. */
  assertReadableByCaller(machineArn: string, encryption: Encryption | undefined, caller: Caller): void {
    this.#assert(machineArn, encryption, caller, ['kms:Decrypt'], 'states');
  }

  #assert(
    machineArn: string,
    encryption: Encryption | undefined,
    caller: Caller,
    actions: readonly KeyAction[],
    viaService: string | undefined,
  ): void {
    if (encryption === undefined) return;
    const encryptionContext = { 'aws:states:stateMachineArn': machineArn };
    try {
      this.#keys.assertUsable({ caller, keyId: encryption.keyId, actions, viaService, encryptionContext });
    } catch (error) {
      throw keyError(error);
    }
  }
}

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

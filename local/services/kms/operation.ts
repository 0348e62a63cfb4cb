import * as z from 'zod';
import type { Caller } from '../../iam/policy.ts';
import { ServiceError, notImplemented, type Host } from '../../service.ts';
import type { KeyRing } from './key-ring.ts';
import type { Key, KeyUsage } from './key.ts';

/** What an operation works with. */
export interface Call {
  readonly host: Host;
  readonly ring: KeyRing;
  readonly caller: Caller;
}

export type Operation = (input: unknown, call: Call) => Readonly<Record<string, unknown>>;

/** A member that the service has and this runtime refuses, except with a value that asks for nothing. */
export const refused = (name: string, harmless: z.ZodType = z.never()): z.ZodType =>
  z.unknown().superRefine((value) => {
    if (value !== undefined && !harmless.safeParse(value).success) throw notImplemented(`the parameter ${name}`);
  });

export const common = {
  GrantTokens: refused('GrantTokens', z.array(z.unknown()).length(0)).optional(),
  DryRun: refused('DryRun', z.literal(false)).optional(),
};

export const keyId = z.string().min(1).max(2048);
/** @throws ValidationException; NotImplemented for a member that is not in the schema */
export function read<S extends z.ZodObject>(schema: S, input: unknown): z.infer<S> {
  const parsed = schema.safeParse(input);
  if (!parsed.success) throw new ServiceError('ValidationException', z.prettifyError(parsed.error));
  const unknown = Object.keys(parsed.data).find((name) => !(name in schema.shape));
  if (unknown !== undefined) throw notImplemented(`the parameter ${unknown}`);
  return parsed.data;
}

/**
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_Sign.html#API_Sign_Errors, and likewise for the others
 * @throws InvalidKeyUsageException when the key is for something else
 */
export function assertUsage({ arn, settings }: Key, usage: KeyUsage, operation: string): void {
  if (settings.keyUsage === usage) return;
  throw new ServiceError(
    'InvalidKeyUsageException',
    `${arn} key usage is ${settings.keyUsage} which is not valid for ${operation}.`,
  );
}

import type { Caller, ConditionContext } from '../../iam/policy.ts';
import type { Host } from '../../service.ts';
import type { EncryptionContext } from './ciphertext.ts';
import type { FoundKey, KeyRing } from './key-ring.ts';

/** One use of a key. */
export interface Use {
  readonly caller: Caller;
  /** For example `kms:Decrypt`. */
  readonly action: string;
  readonly found: FoundKey;
  /** undefined for operations without one */
  readonly encryptionContext?: EncryptionContext;
  /** undefined for operations that neither sign nor verify */
  readonly signing?: { readonly algorithm: string; readonly messageType: string };
  /** The service that asks on the caller's behalf, for example `s3`; undefined for a call of the caller's own. */
  readonly viaService?: string | undefined;
}

/** https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html */
function conditionContext(host: Host, ring: KeyRing, use: Use): ConditionContext {
  const { key, alias } = use.found;
  const { settings } = key;
  const pairs = Object.entries(use.encryptionContext ?? {});
  const cryptographic = use.encryptionContext !== undefined;
  return {
    'kms:CallerAccount': use.caller.account,
    'kms:KeyOrigin': settings.origin,
    'kms:KeySpec': settings.keySpec,
    'kms:KeyUsage': settings.keyUsage,
    'kms:MultiRegion': 'false',
    'kms:ResourceAliases': ring.aliasesOf(key),
    'kms:RequestAlias': alias,
    'kms:ViaService': use.viaService === undefined ? undefined : `${use.viaService}.${host.region}.amazonaws.com`,
    'kms:EncryptionAlgorithm': cryptographic ? 'SYMMETRIC_DEFAULT' : undefined,
    'kms:SigningAlgorithm': use.signing?.algorithm,
    'kms:MessageType': use.signing?.messageType,
    'kms:EncryptionContextKeys': pairs.length > 0 ? pairs.map(([name]) => name) : undefined,
    ...Object.fromEntries(pairs.map(([name, value]) => [`kms:EncryptionContext:${name}`, value])),
    ...Object.fromEntries(Object.entries(settings.tags).map(([name, value]) => [`aws:ResourceTag/${name}`, value])),
  };
}

/** @throws AccessDenied unless the key's policy (or, through it, the caller's own) allows the use */
export function authorizeUse(host: Host, ring: KeyRing, use: Use): void {
  host.authorize({
    caller: use.caller,
    action: use.action,
    resource: use.found.key.arn,
    context: conditionContext(host, ring, use),
    resourcePolicy: use.found.key.settings.policy,
    mode: 'key',
  });
}

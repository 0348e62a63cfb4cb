import * as z from 'zod';
import type { ResourceType } from '../../resource.ts';
import { notImplemented, ServiceError } from '../../service.ts';
import type { PrincipalExists } from '../policy-principals.ts';
import { booleanProperty, numberProperty, resourceType } from '../template-properties.ts';
import { defaultKeyPolicy, readKeyPolicy } from './key-policy.ts';
import type { KeyRing } from './key-ring.ts';
import type { KeySettings, KeySpec, KeyUsage } from './key.ts';

const days = (least: number, most: number): z.ZodType<number> => numberProperty.pipe(z.int().min(least).max(most));

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-kms-key.html */
const keyProperties = z.strictObject({
  KeyPolicy: z.unknown().optional(),
  KeySpec: z.string().default('SYMMETRIC_DEFAULT'),
  KeyUsage: z.string().default('ENCRYPT_DECRYPT'),
  Origin: z.string().default('AWS_KMS'),
  MultiRegion: booleanProperty.default(false),
  Enabled: booleanProperty.default(true),
  EnableKeyRotation: booleanProperty.default(false),
  RotationPeriodInDays: days(90, 2560).optional(),
  PendingWindowInDays: days(7, 30).default(30),
  Description: z.string().max(8192).default(''),
  BypassPolicyLockoutSafetyCheck: booleanProperty.default(false),
  Tags: z.array(z.strictObject({ Key: z.string(), Value: z.string() })).default([]),
});

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-kms-alias.html */
const aliasProperties = z.strictObject({
  AliasName: z
    .string()
    .max(256)
    .regex(/^alias\/(?!aws\/)[a-zA-Z0-9/_-]+$/),
  TargetKeyId: z.string().min(1).max(256),
});

/** The usage that each spec has; other specs, usages and origins need other operations, which are not there. */
const USAGES: Readonly<Record<KeySpec, KeyUsage>> = {
  SYMMETRIC_DEFAULT: 'ENCRYPT_DECRYPT',
  ECC_NIST_P256: 'SIGN_VERIFY',
};

const isSpec = (spec: string): spec is KeySpec => Object.hasOwn(USAGES, spec);

function kindOf(settings: z.infer<typeof keyProperties>): Pick<KeySettings, 'keySpec' | 'keyUsage' | 'origin'> {
  const { KeySpec, KeyUsage, Origin, MultiRegion, EnableKeyRotation } = settings;
  if (!isSpec(KeySpec)) throw notImplemented(`AWS::KMS::Key with KeySpec ${KeySpec}`);
  if (KeyUsage !== USAGES[KeySpec])
    throw notImplemented(`AWS::KMS::Key with KeySpec ${KeySpec} and KeyUsage ${KeyUsage}`);
  if (Origin !== 'AWS_KMS') throw notImplemented(`AWS::KMS::Key with Origin ${Origin}`);
  if (MultiRegion) throw notImplemented('AWS::KMS::Key with MultiRegion');
  // https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html
  if (EnableKeyRotation && KeySpec !== 'SYMMETRIC_DEFAULT') {
    throw new ServiceError(
      'UnsupportedOperationException',
      `Automatic rotation is for symmetric keys, not for ${KeySpec}.`,
    );
  }
  return { keySpec: KeySpec, keyUsage: USAGES[KeySpec], origin: Origin };
}

/** The resource type `AWS::KMS::Key`: Ref is the key id. */
export const keyResource = (ring: KeyRing, exists: PrincipalExists): ResourceType =>
  resourceType('AWS::KMS::Key', keyProperties, (settings, { host, stackName, logicalId }) => {
    const kind = kindOf(settings);
    const { KeyPolicy, BypassPolicyLockoutSafetyCheck: bypass } = settings;
    const { arn, stored } = ring.put(stackName, logicalId, {
      policy:
        KeyPolicy === undefined
          ? defaultKeyPolicy(host.account)
          : readKeyPolicy(KeyPolicy, host.account, exists, bypass),
      description: settings.Description,
      enabled: settings.Enabled,
      rotationPeriodInDays: settings.EnableKeyRotation ? (settings.RotationPeriodInDays ?? 365) : undefined,
      pendingWindowInDays: settings.PendingWindowInDays,
      tags: Object.fromEntries(settings.Tags.map(({ Key, Value }) => [Key, Value])),
      ...kind,
    });
    return { ref: stored.keyId, attributes: { Arn: arn, KeyId: stored.keyId } };
  });

/** The resource type `AWS::KMS::Alias`: Ref is the alias name. */
export const aliasResource = (ring: KeyRing): ResourceType =>
  resourceType('AWS::KMS::Alias', aliasProperties, ({ AliasName, TargetKeyId }, { stackName, logicalId }) => {
    ring.setAlias(AliasName, TargetKeyId, `${stackName}/${logicalId}`);
    return { ref: AliasName, attributes: {} };
  });

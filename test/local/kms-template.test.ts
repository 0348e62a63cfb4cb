import { KmsService } from '../../local/services/kms/service.ts';
import { ACCOUNT, Gate, create, testHost } from '../support/kms-s3-server.ts';

const host = testHost(new Gate().authorize);
const known = `arn:aws:iam::${ACCOUNT}:role/known`;
const service = new KmsService(host, (arn) => arn === known);
const root = {
  Effect: 'Allow',
  Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` },
  Action: 'kms:*',
  Resource: '*',
};

const key = (properties: object) => create(host, service.types, 'AWS::KMS::Key', { ...properties });
const withPolicy = (...Statement: object[]) => key({ KeyPolicy: { Version: '2012-10-17', Statement } });

describe('a key policy is refused when', () => {
  test.each([
    ['an element is unknown', { ...root, Effects: 'Allow' }],
    ['the effect is unknown', { ...root, Effect: 'Permit' }],
    ['there is no principal', { Effect: 'Allow', Action: 'kms:*', Resource: '*' }],
    ['a role does not exist', { ...root, Principal: { AWS: `arn:aws:iam::${ACCOUNT}:role/ghost` } }],
    ['a role is of another account', { ...root, Principal: { AWS: 'arn:aws:iam::444455556666:role/known' } }],
    ['a user is named', { ...root, Principal: { AWS: `arn:aws:iam::${ACCOUNT}:user/somebody` } }],
    ['a service is malformed', { ...root, Principal: { Service: 'dynamodb' } }],
    ['a condition operator is unknown', { ...root, Condition: { StringIs: { 'kms:ViaService': 'x' } } }],
  ])('%s', async (_, statement) => {
    await expect(withPolicy(root, statement)).rejects.toMatchObject({ name: 'MalformedPolicyDocumentException' });
  });

  test.each([
    ['only a stranger may', { ...root, Principal: { AWS: 'arn:aws:iam::444455556666:root' } }],
    ['only a service may', { ...root, Principal: { Service: 'logs.amazonaws.com' } }],
    ['nobody may for certain', { ...root, Condition: { StringEquals: { 'kms:ViaService': 'x' } } }],
    ['other actions are allowed', { ...root, Action: ['kms:Decrypt', 'kms:Put?'] }],
  ])('nobody could change it: %s', async (_, statement) => {
    await expect(withPolicy(statement)).rejects.toThrow('will not allow you to update the key policy');
    const KeyPolicy = { Version: '2012-10-17', Statement: statement };
    await expect(key({ KeyPolicy, BypassPolicyLockoutSafetyCheck: true })).resolves.toBeDefined();
  });

  test('a Deny takes the right to change it away again', async () => {
    const deny = { ...root, Effect: 'Deny', Principal: '*', Action: 'kms:Put*' };
    await expect(withPolicy(root, deny)).rejects.toThrow('will not allow you to update the key policy');
    await expect(withPolicy(root, { ...deny, Principal: { AWS: known } })).resolves.toBeDefined();
    await expect(withPolicy({ ...root, Principal: { AWS: known } })).resolves.toBeDefined();
  });

  test('it is longer than 32 KiB or has other characters', async () => {
    const wordy = { ...root, Resource: Array.from({ length: 800 }, () => `arn:aws:kms:ca-central-1:${ACCOUNT}:key/*`) };
    await expect(withPolicy(wordy)).rejects.toMatchObject({ name: 'LimitExceededException' });
    await expect(withPolicy({ ...root, Sid: 'Ключ' })).rejects.toMatchObject({
      name: 'MalformedPolicyDocumentException',
    });
  });
});

test('kinds of keys that are not there are refused by name', async () => {
  for (const properties of [
    { KeySpec: 'ECC_NIST_P384', KeyUsage: 'SIGN_VERIFY' },
    { KeyUsage: 'GENERATE_VERIFY_MAC' },
    { Origin: 'EXTERNAL' },
    { MultiRegion: true },
    { PendingWindowInDays: 5 },
    { Nonsense: 1 },
  ]) {
    await expect(key(properties)).rejects.toMatchObject({ status: 501 });
  }
});

test('an alias is refused when its name is reserved, malformed or taken, or its target unknown', async () => {
  const { ref } = await key({});
  const alias = (AliasName: string, TargetKeyId: string, logicalId: string) =>
    create(host, service.types, 'AWS::KMS::Alias', { AliasName, TargetKeyId }, logicalId);
  await expect(alias('alias/aws/mine', ref, 'A')).rejects.toMatchObject({ status: 501 });
  await expect(alias('vault', ref, 'A')).rejects.toMatchObject({ status: 501 });
  await expect(alias('alias/a', '1234abcd-12ab-34cd-56ef-1234567890ab', 'A')).rejects.toMatchObject({
    name: 'NotFoundException',
  });
  expect(await alias('alias/a', ref, 'A')).toEqual({ ref: 'alias/a', attributes: {} });
  await expect(alias('alias/a', ref, 'B')).rejects.toMatchObject({ name: 'AlreadyExistsException' });
  await expect(alias('alias/b', 'alias/a', 'B')).rejects.toMatchObject({ name: 'ValidationException' });
});

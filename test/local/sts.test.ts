import {
  AssumeRoleCommand,
  type AssumeRoleCommandInput,
  type AssumeRoleCommandOutput,
  GetCallerIdentityCommand,
  GetSessionTokenCommand,
  STSClient,
} from '@aws-sdk/client-sts';
import type { Credentials } from '../../local/iam/sessions.ts';
import type { Properties } from '../../local/resource.ts';
import { testDoor, type TestDoor } from '../support/front-door.ts';
import { ACCOUNT, allow, policy, REGION, trusting } from '../support/local-identity.ts';

let door: TestDoor;
const clients: STSClient[] = [];

beforeEach(async () => {
  door = await testDoor();
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await door.stop();
});

const roleArn = (name: string): string => `arn:aws:iam::${ACCOUNT}:role/${name}`;

function sts(credentials: Credentials): STSClient {
  const client = new STSClient({ endpoint: door.url, region: REGION, credentials, maxAttempts: 1 });
  clients.push(client);
  return client;
}

const grants = (...statements: readonly object[]): Properties => ({
  Policies: [{ PolicyName: 'inline', PolicyDocument: policy(...statements) }],
});

/** `Asker` asks for `Target`. */
function roles(asker: Properties, trust: Properties, target: Properties = {}): void {
  door.role('Asker', asker);
  door.role('Target', { AssumeRolePolicyDocument: trust, ...target });
}

const assume = (more: Partial<AssumeRoleCommandInput> = {}): Promise<AssumeRoleCommandOutput> =>
  sts(door.credentials('Asker')).send(
    new AssumeRoleCommand({ RoleArn: roleArn('Target'), RoleSessionName: 'release-1', ...more }),
  );

const mayAssume = grants(allow('sts:AssumeRole', roleArn('Target')));
const trustsAsker = trusting({ AWS: roleArn('Asker') });
const trustsAccount = trusting({ AWS: `arn:aws:iam::${ACCOUNT}:root` });

describe('who may assume a role', () => {
  test.each<[string, Properties, Properties, string]>([
    ['trusts another role', mayAssume, trusting({ AWS: roleArn('Other') }), 'no trust policy allows'],
    ['trusts a service', mayAssume, trusting({ Service: 'lambda.amazonaws.com' }), 'no trust policy allows'],
    ['trusts the account, and the caller may not', {}, trustsAccount, 'no identity-based policy allows'],
    [
      'trusts the caller, who is denied',
      grants({ Effect: 'Deny', Action: 'sts:*', Resource: '*' }),
      trustsAsker,
      'explicit deny',
    ],
    [
      'trusts the caller under another session name',
      mayAssume,
      trusting({ AWS: roleArn('Asker') }, { Condition: { StringEquals: { 'sts:RoleSessionName': 'other' } } }),
      'no trust policy allows',
    ],
    [
      'trusts the caller with an external id',
      mayAssume,
      trusting({ AWS: roleArn('Asker') }, { Condition: { StringEquals: { 'sts:ExternalId': 'secret' } } }),
      'no trust policy allows',
    ],
  ])('refused when the role %s', async (_, asker, trust, because) => {
    roles(asker, trust);
    await expect(assume()).rejects.toMatchObject({ name: 'AccessDenied', message: expect.stringContaining(because) });
    expect(door.denials.read()).toHaveLength(1);
  });

  test('refused for a role that does not exist, in the same words', async () => {
    roles(mayAssume, trustsAsker);
    await expect(assume({ RoleArn: roleArn('Nobody') })).rejects.toMatchObject({ name: 'AccessDenied' });
  });

  test('a trust policy that names the role suffices; one that names the account needs the caller to be allowed', async () => {
    roles({}, trustsAsker);
    await assume();
    door.role('Second', { AssumeRolePolicyDocument: trustsAccount });
    door.role('Able', grants(allow('sts:AssumeRole', roleArn('Second'))));
    const able = sts(door.credentials('Able'));
    await able.send(new AssumeRoleCommand({ RoleArn: roleArn('Second'), RoleSessionName: 'two' }));
  });

  test('an external id is compared', async () => {
    roles({}, trusting({ AWS: roleArn('Asker') }, { Condition: { StringEquals: { 'sts:ExternalId': 'secret' } } }));
    await assume({ ExternalId: 'secret' });
  });
});

describe('what a session is', () => {
  const session = async (more: Partial<AssumeRoleCommandInput> = {}): Promise<STSClient> => {
    const { Credentials: issued } = await assume(more);
    return sts({
      accessKeyId: issued?.AccessKeyId ?? '',
      secretAccessKey: issued?.SecretAccessKey ?? '',
      sessionToken: issued?.SessionToken ?? '',
    });
  };

  test('it signs, and knows who it is', async () => {
    roles({}, trustsAsker);
    const identity = await (await session()).send(new GetCallerIdentityCommand({}));
    expect(identity).toMatchObject({
      Account: ACCOUNT,
      Arn: `arn:aws:sts::${ACCOUNT}:assumed-role/Target/release-1`,
      UserId: expect.stringMatching(/^AROA[A-Z2-7]{17}:release-1$/),
    });
    expect(door.host.meter.read()).toEqual({ sts: { AssumeRole: 1, GetCallerIdentity: 1 } });
  });

  test('it ends', async () => {
    roles({}, trustsAsker);
    const client = await session({ DurationSeconds: 900 });
    await door.host.clock.advance(900_000);
    client.config.systemClockOffset = door.host.clock.offset;
    await expect(client.send(new GetCallerIdentityCommand({}))).rejects.toMatchObject({ name: 'ExpiredToken' });
  });

  test('a crash during its calls ends the instance that assumed the role', async () => {
    roles({}, trustsAsker);
    const client = await session();
    const asker = await client.config.credentials();
    door.host.faults.plan = ({ caller }) => (caller === 'Target' ? 'crash' : undefined);
    await expect(client.send(new GetCallerIdentityCommand({}))).rejects.toThrow();
    expect(door.crashed).toHaveLength(1);
    expect(door.crashed).not.toContain(asker.accessKeyId);
    expect(door.sessions.find(door.crashed[0] ?? '')?.role.name).toBe('Asker');
  });

  test('its policy limits what it may do', async () => {
    const third = grants(allow('sts:AssumeRole'));
    roles({}, trustsAsker, third);
    door.role('Third', { AssumeRolePolicyDocument: trusting({ AWS: roleArn('Target') }) });
    const next = new AssumeRoleCommand({ RoleArn: roleArn('Third'), RoleSessionName: 'three' });
    const limited = await session({ Policy: JSON.stringify(policy(allow('kms:Decrypt'))) });
    await expect(limited.send(next)).rejects.toMatchObject({
      message: expect.stringContaining('no session policy allows'),
    });
    await (await session()).send(next);
  });

  test('a source identity must be allowed, stays, and cannot be changed', async () => {
    roles({}, trustsAsker);
    await expect(assume({ SourceIdentity: 'officer' })).rejects.toMatchObject({
      name: 'AccessDenied',
      message: expect.stringContaining('sts:SetSourceIdentity'),
    });
    const both = {
      Effect: 'Allow',
      Principal: { AWS: roleArn('Asker') },
      Action: ['sts:AssumeRole', 'sts:SetSourceIdentity'],
    };
    door.role('Named', { AssumeRolePolicyDocument: policy(both) });
    const answer = await assume({ RoleArn: roleArn('Named'), SourceIdentity: 'officer' });
    expect(answer).toMatchObject({ SourceIdentity: 'officer' });
  });
});

describe('tags of a session', () => {
  const tagged = (Key: string, Value: string): Partial<AssumeRoleCommandInput> => ({ Tags: [{ Key, Value }] });
  const trust = policy({
    Effect: 'Allow',
    Principal: { AWS: roleArn('Asker') },
    Action: ['sts:AssumeRole', 'sts:TagSession'],
    Condition: {
      Null: { 'aws:RequestTag/case': 'false' },
      'ForAllValues:StringEquals': { 'aws:TagKeys': ['case'] },
    },
  });
  // What a tag says is where the session may go on to.
  const go = (name: string): object => allow('sts:AssumeRole', roleArn(name));

  test.each<[string, Partial<AssumeRoleCommandInput>]>([
    ['no tag', {}],
    ['another tag', tagged('other', '1')],
    [
      'one tag more',
      {
        Tags: [
          { Key: 'case', Value: '1' },
          { Key: 'other', Value: '1' },
        ],
      },
    ],
  ])('are demanded by a trust: %s is refused', async (_, more) => {
    roles({}, trust);
    await expect(assume(more)).rejects.toMatchObject({ name: 'AccessDenied' });
  });

  test('fill policy variables, and stand before a tag of the role', async () => {
    roles({}, trust, {
      Tags: [{ Key: 'Case', Value: 'OfRole' }],
      ...grants(go('${aws:PrincipalTag/case}')),
    });
    for (const name of ['One', 'OfRole']) door.role(name, { AssumeRolePolicyDocument: trustsAccount });
    const { Credentials: issued } = await assume(tagged('case', 'One'));
    const client = sts({
      accessKeyId: issued?.AccessKeyId ?? '',
      secretAccessKey: issued?.SecretAccessKey ?? '',
      sessionToken: issued?.SessionToken ?? '',
    });
    const next = (name: string) => new AssumeRoleCommand({ RoleArn: roleArn(name), RoleSessionName: 'two' });
    await client.send(next('One'));
    await expect(client.send(next('OfRole'))).rejects.toMatchObject({ name: 'AccessDenied' });
  });
});

describe('what is refused', () => {
  beforeEach(() => {
    roles({}, trustsAsker, { MaxSessionDuration: 43_200 });
  });

  test.each<[string, Partial<AssumeRoleCommandInput>, string]>([
    ['a session name with a space', { RoleSessionName: 'a b' }, 'ValidationError'],
    ['a session name of one letter', { RoleSessionName: 'a' }, 'ValidationError'],
    ['a role name instead of an ARN', { RoleArn: 'Target' }, 'ValidationError'],
    ['less than 900 seconds', { DurationSeconds: 899 }, 'ValidationError'],
    ['more than an hour, as callers are roles', { DurationSeconds: 3601 }, 'ValidationError'],
    ['a policy that is no JSON', { Policy: '{' }, 'MalformedPolicyDocumentException'],
    [
      'a policy with a principal',
      { Policy: JSON.stringify(policy({ ...allow('s3:*'), Principal: '*' })) },
      'MalformedPolicyDocumentException',
    ],
    [
      'a policy of 2049 characters',
      { Policy: `${JSON.stringify(policy(allow('s3:*')))}${' '.repeat(2049)}` },
      'ValidationError',
    ],
    ['a session tag, which the trust says nothing about', { Tags: [{ Key: 'a', Value: 'b' }] }, 'AccessDenied'],
    ['a tag of AWS', { Tags: [{ Key: 'aws:a', Value: 'b' }] }, 'ValidationError'],
    ['a tag with a wildcard', { Tags: [{ Key: 'a', Value: '*' }] }, 'ValidationError'],
    ['a tag of 257 characters', { Tags: [{ Key: 'a', Value: 'b'.repeat(257) }] }, 'ValidationError'],
    [
      'two tags that differ in capitals alone',
      {
        Tags: [
          { Key: 'a', Value: 'b' },
          { Key: 'A', Value: 'c' },
        ],
      },
      'InvalidParameterValue',
    ],
    [
      'more than 50 tags',
      { Tags: Array.from({ length: 51 }, (_, index) => ({ Key: `a${index}`, Value: 'b' })) },
      'ValidationError',
    ],
    ['a tag that is to be inherited', { TransitiveTagKeys: ['a'] }, 'NotImplemented'],
    ['a managed session policy', { PolicyArns: [{ arn: 'arn:aws:iam::aws:policy/ReadOnlyAccess' }] }, 'NotImplemented'],
  ])('%s', async (_, more, name) => {
    await expect(assume(more)).rejects.toMatchObject({ name });
  });

  test('a duration above what the role allows', async () => {
    door.role('Short', { AssumeRolePolicyDocument: trustsAsker });
    await expect(assume({ RoleArn: roleArn('Short'), DurationSeconds: 3601 })).rejects.toMatchObject({
      name: 'ValidationError',
      message: expect.stringContaining('MaxSessionDuration'),
    });
  });

  test('another operation, by name', async () => {
    const asked = sts(door.credentials('Asker')).send(new GetSessionTokenCommand({}));
    await expect(asked).rejects.toMatchObject({ message: expect.stringContaining('sts:GetSessionToken') });
  });
});

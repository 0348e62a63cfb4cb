import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  DecryptCommand,
  DescribeKeyCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  KMSClient,
} from '@aws-sdk/client-kms';
import { KmsService } from '../../local/services/kms/service.ts';
import type { Host } from '../../local/service.ts';
import { ACCOUNT, Gate, REGION, create, role, serve, testHost, type Running } from '../support/kms-s3-server.ts';

const DAY = 24 * 60 * 60 * 1000;
const reader = role('reader');

let gate: Gate;
let host: Host;
let service: KmsService;
let running: Running;
let client: KMSClient;

const makeKey = async (properties = {}, logicalId = 'Key'): Promise<string> =>
  (await create(host, service.types, 'AWS::KMS::Key', properties, logicalId)).ref;

const generate = (KeyId: string, EncryptionContext?: Record<string, string>) =>
  client.send(new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256', EncryptionContext }));

beforeEach(async () => {
  gate = new Gate();
  host = testHost(gate.authorize);
  service = new KmsService(host);
  running = await serve(service, [reader]);
  client = new KMSClient({
    endpoint: running.endpoint,
    region: REGION,
    credentials: { accessKeyId: reader.accessKeyId, secretAccessKey: 'secret' },
    maxAttempts: 1,
  });
});

afterEach(async () => {
  client.destroy();
  await running.close();
});

describe('Decrypt refuses', () => {
  test('another encryption context, less of it, and none', async () => {
    const key = await makeKey();
    const { CiphertextBlob } = await generate(key, { case: 'c1', release: 'r1' });
    const others: (Record<string, string> | undefined)[] = [{ case: 'c1', release: 'r2' }, { case: 'c1' }, undefined];
    for (const EncryptionContext of others) {
      await expect(client.send(new DecryptCommand({ CiphertextBlob, EncryptionContext }))).rejects.toMatchObject({
        name: 'InvalidCiphertextException',
      });
    }
  });

  test('a blob of which any byte was changed', async () => {
    const key = await makeKey();
    const blob = Buffer.from((await generate(key)).CiphertextBlob ?? new Uint8Array());
    for (let index = 0; index < blob.length; index += 1) {
      const changed = Buffer.from(blob);
      changed.writeUInt8(blob.readUInt8(index) ^ 1, index);
      await expect(client.send(new DecryptCommand({ CiphertextBlob: changed }))).rejects.toMatchObject({
        name: 'InvalidCiphertextException',
      });
    }
  });

  test('what was never a ciphertext', async () => {
    await expect(client.send(new DecryptCommand({ CiphertextBlob: Buffer.from('hello') }))).rejects.toMatchObject({
      name: 'InvalidCiphertextException',
    });
  });

  test('with a key that did not seal it', async () => {
    const [one, other] = [await makeKey({}, 'One'), await makeKey({}, 'Other')];
    const { CiphertextBlob } = await generate(one);
    await expect(client.send(new DecryptCommand({ CiphertextBlob, KeyId: other }))).rejects.toMatchObject({
      name: 'IncorrectKeyException',
    });
    expect(gate.last('kms:Decrypt').resource).toContain(other);
  });

  test('a caller whom no policy allows', async () => {
    const { CiphertextBlob } = await generate(await makeKey());
    gate.denied = ({ action }) => action === 'kms:Decrypt';
    await expect(client.send(new DecryptCommand({ CiphertextBlob }))).rejects.toMatchObject({
      name: 'AccessDeniedException',
    });
  });

  test('grant tokens, dry runs, recipients and other algorithms', async () => {
    const { CiphertextBlob } = await generate(await makeKey());
    for (const extra of [
      { GrantTokens: ['token'] },
      { DryRun: true },
      { Recipient: { KeyEncryptionAlgorithm: 'RSAES_OAEP_SHA_256' as const } },
      { EncryptionAlgorithm: 'RSAES_OAEP_SHA_1' as const },
    ]) {
      await expect(client.send(new DecryptCommand({ CiphertextBlob, ...extra }))).rejects.toMatchObject({
        name: 'NotImplemented',
        $metadata: { httpStatusCode: 501 },
      });
    }
  });
});

describe('GenerateDataKey refuses', () => {
  test('an unknown key, alias, region and form of name', async () => {
    const missing = '1234abcd-12ab-34cd-56ef-1234567890ab';
    for (const KeyId of [
      missing,
      `arn:aws:kms:${REGION}:${ACCOUNT}:key/${missing}`,
      `arn:aws:kms:eu-west-1:${ACCOUNT}:key/${await makeKey()}`,
      'alias/nothing',
      'what?',
    ]) {
      await expect(generate(KeyId)).rejects.toMatchObject({ name: 'NotFoundException' });
    }
  });

  test('both or neither of KeySpec and NumberOfBytes, and lengths out of range', async () => {
    const KeyId = await makeKey();
    for (const input of [
      {},
      { KeySpec: 'AES_256', NumberOfBytes: 32 },
      { NumberOfBytes: 0 },
      { NumberOfBytes: 1025 },
    ]) {
      // The inputs are wrong on purpose.
      await expect(client.send(new GenerateDataKeyCommand({ KeyId, ...input } as never))).rejects.toMatchObject({
        name: 'ValidationException',
      });
    }
  });

  test('a disabled key, and one that awaits deletion', async () => {
    const disabled = await makeKey({ Enabled: false }, 'Off');
    await expect(generate(disabled)).rejects.toMatchObject({ name: 'DisabledException' });
    const dying = await makeKey({ PendingWindowInDays: 7 }, 'Dying');
    const { CiphertextBlob } = await generate(dying);
    service.scheduleDeletion(dying);
    await expect(generate(dying)).rejects.toMatchObject({ name: 'KMSInvalidStateException' });
    const described = await client.send(new DescribeKeyCommand({ KeyId: dying }));
    expect(described.KeyMetadata).toMatchObject({ KeyState: 'PendingDeletion', Enabled: false });
    await host.clock.advance(7 * DAY);
    await expect(generate(dying)).rejects.toMatchObject({ name: 'NotFoundException' });
    await expect(client.send(new DecryptCommand({ CiphertextBlob }))).rejects.toMatchObject({
      name: 'InvalidCiphertextException',
    });
  });

  test('a key that awaits deletion from when that has taken effect, and not before', async () => {
    const dying = await makeKey();
    host.faults.keyChangeLag = 60_000;
    service.scheduleDeletion(dying);
    await host.clock.advance(59_000);
    await expect(generate(dying)).resolves.toBeDefined();
    const described = await client.send(new DescribeKeyCommand({ KeyId: dying }));
    expect(described.KeyMetadata).toMatchObject({ KeyState: 'Enabled' });
    await host.clock.advance(2000);
    await expect(generate(dying)).rejects.toMatchObject({ name: 'KMSInvalidStateException' });
  });

  test('AWS managed keys and AES_128', async () => {
    await expect(generate('alias/aws/s3')).rejects.toMatchObject({ name: 'NotImplemented' });
    const input = { KeyId: await makeKey(), KeySpec: 'AES_128' as const };
    await expect(client.send(new GenerateDataKeyCommand(input))).rejects.toMatchObject({ name: 'NotImplemented' });
  });
});

test('DescribeKey refuses a caller whom no policy allows, and other operations are not there', async () => {
  const KeyId = await makeKey();
  gate.denied = ({ action }) => action === 'kms:DescribeKey';
  await expect(client.send(new DescribeKeyCommand({ KeyId }))).rejects.toMatchObject({ name: 'AccessDeniedException' });
  await expect(client.send(new EncryptCommand({ KeyId, Plaintext: Buffer.from('x') }))).rejects.toMatchObject({
    name: 'NotImplemented',
    message: expect.stringContaining('kms:Encrypt'),
  });
});

describe('a key', () => {
  test('opens what it sealed, whatever the order of the context, by id, ARN, alias and alias ARN', async () => {
    const key = await makeKey();
    await create(host, service.types, 'AWS::KMS::Alias', { AliasName: 'alias/vault', TargetKeyId: key }, 'Alias');
    const arn = `arn:aws:kms:${REGION}:${ACCOUNT}:key/${key}`;
    const alias = `arn:aws:kms:${REGION}:${ACCOUNT}:alias/vault`;
    const { CiphertextBlob, Plaintext, KeyId } = await generate('alias/vault', { a: '1', b: '2' });
    expect(KeyId).toBe(arn);
    expect(Plaintext).toHaveLength(32);
    for (const name of [undefined, key, arn, 'alias/vault', alias]) {
      const opened = await client.send(
        new DecryptCommand({ CiphertextBlob, KeyId: name, EncryptionContext: { b: '2', a: '1' } }),
      );
      expect(opened.Plaintext).toEqual(Plaintext);
      expect(opened).toMatchObject({ KeyId: arn, EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' });
    }
  });

  test('makes data keys of any length', async () => {
    const KeyId = await makeKey();
    const made = await client.send(new GenerateDataKeyCommand({ KeyId, NumberOfBytes: 7 }));
    expect(made.Plaintext).toHaveLength(7);
  });

  test('is authorized by its policy, with the condition keys that KMS documents', async () => {
    const key = await makeKey({ Tags: [{ Key: 'use', Value: 'test' }] });
    await create(host, service.types, 'AWS::KMS::Alias', { AliasName: 'alias/vault', TargetKeyId: key }, 'Alias');
    await generate('alias/vault', { case: 'c1' });
    const { context, mode, resourcePolicy, resource } = gate.last('kms:GenerateDataKey');
    expect(mode).toBe('key');
    expect(resource).toBe(`arn:aws:kms:${REGION}:${ACCOUNT}:key/${key}`);
    expect(resourcePolicy?.Statement).toMatchObject({ Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` } });
    expect(context).toMatchObject({
      'kms:CallerAccount': ACCOUNT,
      'kms:EncryptionContext:case': 'c1',
      'kms:EncryptionContextKeys': ['case'],
      'kms:KeyOrigin': 'AWS_KMS',
      'kms:KeySpec': 'SYMMETRIC_DEFAULT',
      'kms:KeyUsage': 'ENCRYPT_DECRYPT',
      'kms:RequestAlias': 'alias/vault',
      'kms:ResourceAliases': ['alias/vault'],
      'aws:ResourceTag/use': 'test',
    });
    expect(context?.['kms:ViaService']).toBeUndefined();
  });

  test('rotates when its period is over, and still opens what it sealed before', async () => {
    const key = await makeKey({ EnableKeyRotation: true, RotationPeriodInDays: 90 });
    const before = await generate(key);
    await host.clock.advance(89 * DAY);
    expect((await generate(key)).KeyMaterialId).toBe(before.KeyMaterialId);
    await host.clock.advance(2 * DAY);
    expect((await generate(key)).KeyMaterialId).not.toBe(before.KeyMaterialId);
    const opened = await client.send(new DecryptCommand({ CiphertextBlob: before.CiphertextBlob }));
    expect(opened.Plaintext).toEqual(before.Plaintext);
  });

  test('describes itself', async () => {
    const KeyId = await makeKey({ Description: 'the vault' });
    const { KeyMetadata } = await client.send(new DescribeKeyCommand({ KeyId }));
    expect(KeyMetadata).toMatchObject({
      AWSAccountId: ACCOUNT,
      KeyId,
      Description: 'the vault',
      Enabled: true,
      KeyState: 'Enabled',
      KeyManager: 'CUSTOMER',
      MultiRegion: false,
    });
    expect(KeyMetadata?.CreationDate).toBeInstanceOf(Date);
  });
});

describe('use by another service', () => {
  test('refuses a caller whom no policy allows through that service, and a disabled key', async () => {
    const keyId = await makeKey();
    gate.denied = ({ context }) => context?.['kms:ViaService'] !== `dynamodb.${REGION}.amazonaws.com`;
    const use = { caller: reader, keyId, actions: ['kms:Decrypt'] as const };
    expect(() => service.assertUsable({ ...use, viaService: 's3' })).toThrow(/kms:Decrypt/);
    service.assertUsable({ ...use, viaService: 'dynamodb' });
    gate.denied = () => false;
    const off = await makeKey({ Enabled: 'false' }, 'Off');
    expect(() => service.assertUsable({ ...use, keyId: off, viaService: 's3' })).toThrow(/is disabled/);
  });

  test('is counted beside the calls of the application', async () => {
    const actions = ['kms:Decrypt', 'kms:GenerateDataKey'] as const;
    service.assertUsable({ caller: reader, keyId: await makeKey(), actions, viaService: 's3' });
    expect(host.meter.read()).toEqual({ 'kms for s3': { Decrypt: 1, GenerateDataKey: 1 } });
  });
});

test('keys and what they sealed survive a restart, in a file that only its owner reads', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'kms-'));
  try {
    const start = () => {
      host = testHost(gate.authorize, directory);
      return (service = new KmsService(host));
    };
    const handle = (operation: string, input: object) =>
      service.handle({
        method: 'POST',
        path: '/',
        query: new URLSearchParams(),
        headers: { 'x-amz-target': `TrentService.${operation}` },
        body: (async function* () {
          yield Buffer.from(JSON.stringify(input));
        })() as never, // readBody asks only for an async iterable
        caller: reader,
        presigned: false,
        requestId: 'r',
      });
    start();
    const key = await makeKey();
    const sealed = JSON.parse(String((await handle('GenerateDataKey', { KeyId: key, NumberOfBytes: 16 })).body));
    start();
    expect(await makeKey()).toBe(key);
    const opened = JSON.parse(String((await handle('Decrypt', { CiphertextBlob: sealed.CiphertextBlob })).body));
    expect(opened.Plaintext).toBe(sealed.Plaintext);
    const file = join(directory, 'kms.json');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(file, 'utf8')).toContain(key);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

import {
  DecryptCommand,
  DescribeKeyCommand,
  GenerateDataKeyCommand,
  GetPublicKeyCommand,
  KMSClient,
  SignCommand,
  VerifyCommand,
  type SignCommandInput,
} from '@aws-sdk/client-kms';
import { createHash, createPublicKey, verify } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KmsService } from '../../local/services/kms/service.ts';
import type { Host } from '../../local/service.ts';
import { create, Gate, REGION, role, serve, testHost, type Running } from '../support/kms-s3-server.ts';

const signer = role('signer');
const MESSAGE = Buffer.from('what is signed');
const SIGNING_KEY = { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' };

let gate: Gate;
let host: Host;
let service: KmsService;
let running: Running;
let client: KMSClient;

const makeKey = async (properties: object = SIGNING_KEY, logicalId = 'Key'): Promise<string> =>
  (await create(host, service.types, 'AWS::KMS::Key', { ...properties }, logicalId)).ref;

const sign = (KeyId: string, input: Partial<SignCommandInput> = {}) =>
  client.send(new SignCommand({ KeyId, Message: MESSAGE, SigningAlgorithm: 'ECDSA_SHA_256', ...input }));

const check = (KeyId: string, Signature: Uint8Array | undefined, input: Partial<SignCommandInput> = {}) =>
  client.send(new VerifyCommand({ KeyId, Message: MESSAGE, SigningAlgorithm: 'ECDSA_SHA_256', Signature, ...input }));

const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();

beforeEach(async () => {
  gate = new Gate();
  host = testHost(gate.authorize);
  service = new KmsService(host);
  running = await serve(service, [signer]);
  client = new KMSClient({
    endpoint: running.endpoint,
    region: REGION,
    credentials: { accessKeyId: signer.accessKeyId, secretAccessKey: 'secret' },
    maxAttempts: 1,
  });
});

afterEach(async () => {
  client.destroy();
  await running.close();
});

describe('Sign refuses', () => {
  test('a key that encrypts', async () => {
    await expect(sign(await makeKey({}))).rejects.toMatchObject({ name: 'InvalidKeyUsageException' });
  });

  test('an algorithm that is not one of the key', async () => {
    const key = await makeKey();
    for (const SigningAlgorithm of ['ECDSA_SHA_384', 'RSASSA_PSS_SHA_256', 'toString'] as const) {
      // One of them is no algorithm at all, on purpose.
      await expect(sign(key, { SigningAlgorithm: SigningAlgorithm as 'ECDSA_SHA_384' })).rejects.toMatchObject({
        name: 'InvalidKeyUsageException',
      });
    }
  });

  test('no message, one of more than 4096 bytes, and a digest that is not one', async () => {
    const key = await makeKey();
    for (const input of [
      { Message: Buffer.alloc(0) },
      { Message: Buffer.alloc(4097) },
      { Message: Buffer.alloc(31), MessageType: 'DIGEST' as const },
      { Message: Buffer.alloc(48), MessageType: 'DIGEST' as const },
    ]) {
      await expect(sign(key, input)).rejects.toMatchObject({ name: 'ValidationException' });
    }
  });

  test('a disabled key, one that awaits deletion, and one that does not exist', async () => {
    await expect(sign(await makeKey({ ...SIGNING_KEY, Enabled: false }, 'Off'))).rejects.toMatchObject({
      name: 'DisabledException',
    });
    const dying = await makeKey(SIGNING_KEY, 'Dying');
    service.scheduleDeletion(dying);
    await expect(sign(dying)).rejects.toMatchObject({ name: 'KMSInvalidStateException' });
    await expect(client.send(new GetPublicKeyCommand({ KeyId: dying }))).rejects.toMatchObject({
      name: 'KMSInvalidStateException',
    });
    await expect(sign('alias/nothing')).rejects.toMatchObject({ name: 'NotFoundException' });
  });

  test('a caller whom no policy allows, told the algorithm and the kind of message', async () => {
    const key = await makeKey();
    gate.denied = ({ action }) => action === 'kms:Sign';
    await expect(sign(key)).rejects.toMatchObject({ name: 'AccessDeniedException' });
    expect(gate.last('kms:Sign')).toMatchObject({
      mode: 'key',
      context: {
        'kms:SigningAlgorithm': 'ECDSA_SHA_256',
        'kms:MessageType': 'RAW',
        'kms:KeySpec': 'ECC_NIST_P256',
        'kms:KeyUsage': 'SIGN_VERIFY',
      },
    });
  });

  test('grant tokens, dry runs and what it does not know', async () => {
    const key = await makeKey();
    for (const extra of [{ GrantTokens: ['token'] }, { DryRun: true }]) {
      await expect(sign(key, extra)).rejects.toMatchObject({ name: 'NotImplemented' });
    }
  });
});

describe('Verify refuses', () => {
  test('another message, another key, and a signature of which any bit was changed', async () => {
    const key = await makeKey();
    const { Signature = new Uint8Array() } = await sign(key);
    const wrong = { name: 'KMSInvalidSignatureException' };
    await expect(check(key, Signature, { Message: Buffer.from('something else') })).rejects.toMatchObject(wrong);
    await expect(check(await makeKey(SIGNING_KEY, 'Other'), Signature)).rejects.toMatchObject(wrong);
    for (let index = 0; index < Signature.length; index += 1) {
      const changed = Buffer.from(Signature);
      changed.writeUInt8(changed.readUInt8(index) ^ 1, index);
      await expect(check(key, changed)).rejects.toMatchObject(wrong);
    }
    await expect(check(key, Buffer.concat([Signature, Buffer.of(0)]))).rejects.toMatchObject(wrong);
  });

  test('zeroes, which some verifiers take for a signature of everything', async () => {
    const key = await makeKey();
    for (const none of [Buffer.from('3006020100020100', 'hex'), Buffer.of(0x30, 0), Buffer.alloc(64)]) {
      await expect(check(key, none)).rejects.toMatchObject({ name: 'KMSInvalidSignatureException' });
    }
  });

  test('a caller whom no policy allows', async () => {
    const key = await makeKey();
    const { Signature } = await sign(key);
    gate.denied = ({ action }) => action === 'kms:Verify';
    await expect(check(key, Signature)).rejects.toMatchObject({ name: 'AccessDeniedException' });
  });
});

test('GetPublicKey refuses a symmetric key, a disabled one and a caller whom no policy allows', async () => {
  const publicKeyOf = (KeyId: string) => client.send(new GetPublicKeyCommand({ KeyId }));
  await expect(publicKeyOf(await makeKey({}))).rejects.toMatchObject({ name: 'UnsupportedOperationException' });
  const off = await makeKey({ ...SIGNING_KEY, Enabled: false }, 'Off');
  await expect(publicKeyOf(off)).rejects.toMatchObject({ name: 'DisabledException' });
  const key = await makeKey(SIGNING_KEY, 'Signing');
  gate.denied = ({ action }) => action === 'kms:GetPublicKey';
  await expect(publicKeyOf(key)).rejects.toMatchObject({ name: 'AccessDeniedException' });
});

test('a key that signs encrypts nothing, is not rotated, and stays of its kind', async () => {
  const key = await makeKey();
  await expect(client.send(new GenerateDataKeyCommand({ KeyId: key, KeySpec: 'AES_256' }))).rejects.toMatchObject({
    name: 'InvalidKeyUsageException',
  });
  const symmetric = await makeKey({}, 'Symmetric');
  const { CiphertextBlob } = await client.send(new GenerateDataKeyCommand({ KeyId: symmetric, KeySpec: 'AES_256' }));
  await expect(client.send(new DecryptCommand({ CiphertextBlob, KeyId: key }))).rejects.toMatchObject({
    name: 'InvalidKeyUsageException',
  });
  await expect(makeKey({ ...SIGNING_KEY, EnableKeyRotation: true }, 'Turning')).rejects.toMatchObject({
    name: 'UnsupportedOperationException',
  });
  await expect(makeKey({ KeySpec: 'ECC_NIST_P256' }, 'Unclear')).rejects.toMatchObject({ status: 501 });
  await expect(makeKey({})).rejects.toMatchObject({ status: 501, message: expect.stringContaining('KeySpec changes') });
});

test('signatures of messages and of digests are the same to whoever verifies', async () => {
  const KeyId = await makeKey();
  const { PublicKey = new Uint8Array(), ...described } = await client.send(new GetPublicKeyCommand({ KeyId }));
  expect(described).toMatchObject({
    KeyId: expect.stringMatching(new RegExp(`key/${KeyId}$`)),
    KeySpec: 'ECC_NIST_P256',
    KeyUsage: 'SIGN_VERIFY',
    SigningAlgorithms: ['ECDSA_SHA_256'],
  });
  expect(described.EncryptionAlgorithms).toBeUndefined();
  const key = createPublicKey({ key: Buffer.from(PublicKey), format: 'der', type: 'spki' });
  const digest = { Message: sha256(MESSAGE), MessageType: 'DIGEST' as const };
  // Often enough for numbers with leading zeroes and leading ones.
  for (let round = 0; round < 40; round += 1) {
    const { Signature = new Uint8Array() } = await sign(KeyId, round % 2 === 0 ? {} : digest);
    expect(verify('sha256', MESSAGE, key, Signature)).toBe(true);
    expect(await check(KeyId, Signature, round % 4 < 2 ? {} : digest)).toMatchObject({ SignatureValid: true });
  }
  expect((await client.send(new DescribeKeyCommand({ KeyId }))).KeyMetadata).toMatchObject({
    KeySpec: 'ECC_NIST_P256',
    KeyUsage: 'SIGN_VERIFY',
    SigningAlgorithms: ['ECDSA_SHA_256'],
  });
});

test('a key pair survives a restart', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'kms-signing-'));
  try {
    const publicKeyAfterStart = async (): Promise<unknown> => {
      host = testHost(gate.authorize, directory);
      service = new KmsService(host);
      const KeyId = await makeKey();
      const answer = await service.handle({
        method: 'POST',
        path: '/',
        query: new URLSearchParams(),
        headers: { 'x-amz-target': 'TrentService.GetPublicKey' },
        body: (async function* () {
          yield Buffer.from(JSON.stringify({ KeyId }));
        })() as never, // readBody asks only for an async iterable
        caller: signer,
        presigned: false,
        requestId: 'r',
      });
      return (JSON.parse(String(answer.body)) as { PublicKey: string }).PublicKey;
    };
    const first = await publicKeyAfterStart();
    expect(first).toMatch(/^[\w+/]{100,}=*$/);
    expect(await publicKeyAfterStart()).toBe(first);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

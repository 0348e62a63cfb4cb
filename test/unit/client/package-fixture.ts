import { buildEncrypt } from '@aws-crypto/encrypt-node';
import { AlgorithmSuiteIdentifier, CommitmentPolicy } from '@aws-crypto/material-management-node';
import { RawAesKeyringNode, RawAesWrappingSuiteIdentifier } from '@aws-crypto/raw-aes-keyring-node';
import { randomBytes } from 'node:crypto';
import type { AccessView } from '../../../lambdas/contracts/api-answers.ts';
import { digestOfBytes } from '../../../lambdas/evidence/digest.ts';
import { sealKey } from '../../../lambdas/evidence/sealed-key.ts';
import { KEYRING } from '../../../lambdas/evidence/package-keyring.ts';
import { CASE_ID } from './case-fixture.ts';

export const RELEASE_ID = 'e'.repeat(32);
export const CONTEXT = { case: CASE_ID, release: RELEASE_ID, package: 'c'.repeat(32) };
const { encrypt } = buildEncrypt({
  commitmentPolicy: CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT,
  maxEncryptedDataKeys: 1,
});

/** Seals as the sealing step does, with whatever a test wants to be otherwise. */
export async function seal(
  plaintext: Buffer,
  dataKey: Uint8Array,
  encryptionContext: Readonly<Record<string, string>> = CONTEXT,
): Promise<Buffer> {
  const keyring = new RawAesKeyringNode({
    ...KEYRING,
    unencryptedMasterKey: Uint8Array.from(dataKey),
    wrappingSuite: RawAesWrappingSuiteIdentifier.AES256_GCM_IV12_TAG16_NO_PADDING,
  });
  const { result } = await encrypt(keyring, plaintext, {
    suiteId: AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY,
    frameLength: 64 * 1024,
    encryptionContext,
  });
  return result;
}

export const newDataKey = (): Uint8Array => Uint8Array.from(randomBytes(32));

export interface Documented {
  readonly title: string;
  readonly content: Buffer;
}

/** The answer to an opening, for a ciphertext and the documents it is said to hold. */
export async function accessFor(
  ciphertext: Buffer,
  documents: readonly Documented[],
  dataKey: Uint8Array,
  publicKey: string,
  url: string,
): Promise<AccessView> {
  const ciphertextDigest = digestOfBytes(ciphertext);
  let offset = 0;
  const placed = documents.map(({ title, content }) => {
    const document = {
      title,
      digest: digestOfBytes(content),
      length: content.length,
      offset,
      marking: { axis: 'protected' as const, nation: 'CAN', mark: 'PROTECTED A' },
    };
    offset += content.length;
    return document;
  });
  return {
    accessId: 'ab'.repeat(16),
    caseId: CASE_ID,
    releaseId: RELEASE_ID,
    copy: 1,
    recipient: 'ukr-recipient-1',
    keyFingerprint: digestOfBytes(Buffer.from(publicKey, 'base64url')),
    sealedKey: await sealKey(dataKey, publicKey, {
      caseId: CASE_ID,
      releaseId: RELEASE_ID,
      recipient: 'ukr-recipient-1',
      ciphertextDigest,
    }),
    url,
    urlExpiresInSeconds: 60,
    ciphertextDigest,
    ciphertextLength: ciphertext.length,
    encryptionContext: CONTEXT,
    documents: placed,
    notAfter: '2026-12-04T00:00:00.000Z',
  };
}

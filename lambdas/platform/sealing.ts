import { buildEncrypt } from '@aws-crypto/encrypt-node';
import { AlgorithmSuiteIdentifier, CommitmentPolicy } from '@aws-crypto/material-management-node';
import { RawAesKeyringNode, RawAesWrappingSuiteIdentifier } from '@aws-crypto/raw-aes-keyring-node';
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { InvariantBroken } from '../domain/case.ts';
import type { ProposedDocument, SealedPackage } from '../domain/events.ts';
import type { CaseId } from '../domain/ids.ts';
import { KEYRING } from '../evidence/package-keyring.ts';
import { depositKey, packageObjectKey, readObject } from './object-store.ts';
import { encryptionContext, type PackageKeys } from './package-keys.ts';
import { PackageUpload } from './package-upload.ts';
import { randomId } from './identifiers.ts';

/** Frames of 64 KiB: each is authenticated by itself, and larger ones are slower (measured). */
const FRAME_BYTES = 64 * 1024;

const { encryptStream } = buildEncrypt({
  commitmentPolicy: CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT,
  maxEncryptedDataKeys: 1,
});

/** The documents one after the other, each held to its digest and length while it passes. */
async function* documentsOf(
  bucket: string,
  caseId: CaseId,
  documents: readonly ProposedDocument[],
): AsyncGenerator<Uint8Array> {
  for (const document of documents) {
    const hash = createHash('sha256');
    let length = 0;
    for await (const chunk of await readObject(bucket, depositKey(caseId, document.depositId))) {
      const bytes = chunk as Uint8Array; // S3 streams bytes
      hash.update(bytes);
      length += bytes.length;
      yield bytes;
    }
    if (`sha256:${hash.digest('hex')}` !== document.digest || length !== document.length) {
      throw new InvariantBroken('A deposit is not the document that was decided on.');
    }
  }
}

/**
 * Seals documents into one package: an AWS Encryption SDK message (suite 0x0478: AES-256-GCM, HKDF-SHA512, key commitment) streamed from the
 * deposits to a new object, with memory that does not grow with the size.
 * https://docs.aws.amazon.com/encryption-sdk/latest/developer-guide/supported-algorithms.html
 * @throws InvariantBroken when a deposit is not the approved document; nothing is left behind then
 */
export async function sealPackage(seal: {
  readonly caseId: CaseId;
  readonly attempt: number;
  readonly documents: readonly ProposedDocument[];
  readonly depositsBucket: string;
  readonly packagesBucket: string;
  readonly keys: PackageKeys;
}): Promise<SealedPackage> {
  const ids = { packageId: randomId(), releaseId: randomId() };
  const objectKey = packageObjectKey(seal.caseId, seal.attempt, ids.packageId);
  const context = encryptionContext(seal.caseId, ids);
  const dataKey = await seal.keys.dataKeyFor(seal.caseId, ids);
  const keyring = new RawAesKeyringNode({
    ...KEYRING,
    // A copy of its own, outside the shared buffer pool; the one KMS answered is zeroed at once.
    unencryptedMasterKey: Uint8Array.from(dataKey.plaintext),
    wrappingSuite: RawAesWrappingSuiteIdentifier.AES256_GCM_IV12_TAG16_NO_PADDING,
  });
  dataKey.plaintext.fill(0);
  const upload = new PackageUpload(seal.packagesBucket, objectKey);
  const encrypt = encryptStream(keyring, {
    suiteId: AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY,
    frameLength: FRAME_BYTES,
    encryptionContext: context,
  });
  const source = Readable.from(documentsOf(seal.depositsBucket, seal.caseId, seal.documents));
  let sealed: Awaited<ReturnType<PackageUpload['complete']>>;
  try {
    await pipeline(source, encrypt, upload.sink());
    sealed = await upload.complete();
  } catch (error) {
    await upload.abort().catch(() => undefined);
    throw error;
  }
  let offset = 0;
  const documents = seal.documents.map((document) => {
    const placed = {
      depositId: document.depositId,
      title: document.title,
      digest: document.digest,
      length: document.length,
      marking: document.marking,
      offset,
    };
    offset += document.length;
    return placed;
  });
  return {
    ...ids,
    objectKey,
    documents,
    ciphertextDigest: sealed.digest,
    ciphertextLength: sealed.length,
    wrappedKey: dataKey.wrapped,
    keyId: dataKey.keyId,
  };
}

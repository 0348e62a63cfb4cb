import { Readable } from 'node:stream';
import { problemWith } from '../../contracts/announced-package.ts';
import type { AccessView, CaseView } from '../../contracts/api-answers.ts';
import { CANARY_RECIPIENT_KEY, CANARY_SEED } from '../../evidence/canary-key.ts';
import { digestOfBytes } from '../../evidence/digest.ts';
import { openKey, recipientKeyFrom } from '../../evidence/sealed-key.ts';
import { PackageDamaged, unseal } from '../../evidence/unseal.ts';
import { CanaryFailure } from './failure.ts';

const DOWNLOAD_WITHIN = 30_000;

/** The ciphertext, held to length and digest before anything of it is decrypted (security.md §4). */
async function downloaded({ url, ciphertextLength, ciphertextDigest }: AccessView): Promise<Buffer> {
  const answer = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(DOWNLOAD_WITHIN) }).catch(
    (error: unknown) => Promise.reject(new CanaryFailure('PACKAGE_UNREACHABLE', null, error)),
  );
  if (answer.status !== 200) throw new CanaryFailure('PACKAGE_UNREACHABLE', answer.status);
  const bytes = Buffer.from(await answer.arrayBuffer());
  if (bytes.length !== ciphertextLength) throw new CanaryFailure('LENGTH_DIFFERS');
  if (digestOfBytes(bytes) !== ciphertextDigest) throw new CanaryFailure('DIGEST_DIFFERS');
  return bytes;
}

async function dataKeyOf(access: AccessView): Promise<Uint8Array> {
  const { privateKey } = await recipientKeyFrom(CANARY_SEED);
  const { caseId, releaseId, recipient, ciphertextDigest, sealedKey } = access;
  try {
    return await openKey(sealedKey, privateKey, { caseId, releaseId, recipient, ciphertextDigest });
  } catch (error) {
    throw new CanaryFailure('KEY_DOES_NOT_OPEN', null, error);
  }
}

/**
 * Opens a package as its recipient does, and compares what is in it.
 * @throws CanaryFailure when it is not exactly this one document
 */
export async function openAndCompare(access: AccessView, seen: CaseView, document: Buffer): Promise<void> {
  const problem = problemWith(access, seen, CANARY_RECIPIENT_KEY.fingerprint);
  if (problem !== undefined) throw new CanaryFailure(problem.code);
  const ciphertext = await downloaded(access);
  const dataKey = await dataKeyOf(access);
  const found: Buffer[] = [];
  const open = async () => ({
    write: async (bytes: Uint8Array): Promise<void> => {
      found.push(Buffer.from(bytes));
    },
    close: async (): Promise<void> => undefined,
  });
  try {
    await unseal({
      ciphertext: Readable.from([ciphertext]),
      dataKey,
      encryptionContext: access.encryptionContext,
      documents: access.documents.map(({ length, digest }) => ({ length, digest, open })),
      onBytes: () => undefined,
    });
  } catch (error) {
    throw error instanceof PackageDamaged ? new CanaryFailure('PACKAGE_DAMAGED', null, error) : error;
  } finally {
    dataKey.fill(0);
  }
  if (!Buffer.concat(found).equals(document)) throw new CanaryFailure('DOCUMENT_DIFFERS');
}

import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { AccessView, CaseView } from '../../lambdas/contracts/api-answers.ts';
import { problemWith } from '../../lambdas/contracts/announced-package.ts';
import { openKey } from '../../lambdas/evidence/sealed-key.ts';
import type { Api } from './api.ts';
import { download, DownloadFailed, notDownloaded } from './download.ts';
import { ClientError, damaged } from './errors.ts';
import { fileNamesFor } from './file-names.ts';
import { fingerprintOf, type RecipientKeyFile } from './key-files.ts';
import { PartFiles, refuseExisting } from './part-files.ts';
import type { Progress } from './progress.ts';
import { unsealFiles } from './unseal.ts';

export interface Opening {
  readonly caseId: string;
  readonly key: RecipientKeyFile;
  /** Where the documents go; made if it is not there. */
  readonly folder: string;
  readonly force: boolean;
  readonly progress: Progress;
  /** The same key within ten minutes is the same opening, and counts no second copy. */
  readonly idempotencyKey?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface OpenedPackage {
  readonly caseId: string;
  readonly releaseId: string;
  readonly accessId: string;
  readonly copy: number;
  readonly notAfter: string;
  readonly digest: string;
  readonly documents: readonly {
    readonly path: string;
    readonly title: string;
    readonly digest: string;
    readonly length: number;
    readonly marking: AccessView['documents'][number]['marking'];
  }[];
}

/** How often an address is asked for in one opening: each is good for a minute. */
const ADDRESSES = 3;

/** What can be seen to be wrong before an opening counts. */
async function beforeOpening(seen: CaseView, fingerprint: string, opening: Opening): Promise<void> {
  if (seen.proposal === undefined) return;
  if (!seen.proposal.recipients.some((recipient) => recipient.keyFingerprint === fingerprint)) {
    throw damaged(
      'WRONG_KEY',
      `The release is for other keys than ${fingerprint}.`,
      'Give the private key whose fingerprint the decision names: valiza show says which.',
    );
  }
  if (opening.force) return;
  for (const name of fileNamesFor(seen.proposal.documents.map((document) => document.title))) {
    await refuseExisting(join(opening.folder, name));
  }
}

/** What is to be done about an answer that is not to be believed. */
const NEXT = {
  NOT_WHAT_WAS_DECIDED: 'Do not go on. Report an incident to your competent authority.',
  WRONG_KEY: 'Give the private key of that fingerprint with --key.',
} as const;

function checkAccess(access: AccessView, seen: CaseView, fingerprint: string): void {
  const problem = problemWith(access, seen, fingerprint);
  if (problem !== undefined) throw damaged(problem.code, problem.message, NEXT[problem.code]);
}

/** The data key, opened with the recipient's own: bound to case, release, recipient and ciphertext (security.md §5). */
async function dataKeyOf(access: AccessView, key: RecipientKeyFile): Promise<Uint8Array> {
  const { caseId, releaseId, recipient, ciphertextDigest } = access;
  try {
    return await openKey(access.sealedKey, key.privateKey, { caseId, releaseId, recipient, ciphertextDigest });
  } catch (error) {
    throw damaged(
      'KEY_DOES_NOT_OPEN',
      'Your key does not open the key of this package: it is another key, or the answer has been altered.',
      'Check --key; if it is the right one, report an incident to your competent authority.',
      error,
    );
  }
}

/** Asks for the release and downloads it; when the bytes do not come, asks again as the same opening. */
async function fetchPackage(
  api: Api,
  opening: Opening,
  check: (access: AccessView) => void,
  files: PartFiles,
): Promise<{ readonly access: AccessView; readonly ciphertext: string }> {
  const { caseId, folder, progress, signal } = opening;
  const idempotencyKey = opening.idempotencyKey ?? randomUUID();
  for (let attempt = 1; ; attempt += 1) {
    const access = await api.grantAccess({ params: { caseId }, body: {}, idempotencyKey });
    check(access);
    // Not before: a refused opening leaves no folder either.
    await mkdir(folder, { recursive: true });
    const ciphertext = join(folder, `${access.accessId}-${attempt}.enc.part`);
    const expected = { url: access.url, length: access.ciphertextLength, digest: access.ciphertextDigest };
    progress.start(2 * access.ciphertextLength);
    try {
      await download(expected, await files.create(ciphertext), progress.add, signal);
      await files.complete(ciphertext);
      return { access, ciphertext };
    } catch (error) {
      if (!(error instanceof DownloadFailed)) throw error;
      if (attempt === ADDRESSES) throw notDownloaded(error, idempotencyKey);
    }
  }
}

/**
 * Opens a release: everything of it is verified before any of its documents appears under its name, and nothing of it is left
 * behind otherwise. Then the receipt is acknowledged.
 * @throws ClientError (65) for a package that is not what was decided, or another key
 */
export async function openPackage(api: Api, opening: Opening): Promise<OpenedPackage> {
  const { caseId, key, folder, progress, signal } = opening;
  const fingerprint = fingerprintOf(key.publicKey);
  const seen = await api.readCase({ params: { caseId } });
  await beforeOpening(seen, fingerprint, opening);
  const files = new PartFiles(opening.force);
  try {
    const { access, ciphertext } = await fetchPackage(
      api,
      opening,
      (answer) => checkAccess(answer, seen, fingerprint),
      files,
    );
    const names = fileNamesFor(access.documents.map((document) => document.title)).map((name) => join(folder, name));
    const placed = access.documents.map((document, index) => ({ ...document, path: String(names[index]) }));
    const documents = placed.map(({ path, ...document }) => ({ ...document, part: `${path}.part` }));
    const dataKey = await dataKeyOf(access, key);
    try {
      const { encryptionContext } = access;
      await unsealFiles({ ciphertext, dataKey, encryptionContext, documents, files, onBytes: progress.add, signal });
    } finally {
      dataKey.fill(0);
    }
    signal?.throwIfAborted();
    await files.place(placed.map(({ path }) => ({ part: `${path}.part`, final: path })));
    const { accessId, releaseId, copy, notAfter, ciphertextDigest: digest } = access;
    await acknowledge(api, { caseId, accessId, digest });
    return {
      caseId,
      releaseId,
      accessId,
      copy,
      notAfter,
      digest,
      documents: placed.map(({ path, title, digest: own, length, marking }) => ({
        path,
        title,
        digest: own,
        length,
        marking,
      })),
    };
  } finally {
    progress.stop();
    await files.discard();
  }
}

/** The documents are there and stay, also when the exchange does not hear of it now. */
async function acknowledge(
  api: Api,
  { caseId, accessId, digest }: { readonly caseId: string; readonly accessId: string; readonly digest: string },
): Promise<void> {
  try {
    await api.acknowledgeReceipt({ params: { caseId }, body: { accessId, digest } });
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    throw new ClientError(
      error.exit,
      'RECEIPT_NOT_ACKNOWLEDGED',
      `The documents are in place; the receipt could not be acknowledged: ${error.message}`,
      `Acknowledge it later: valiza receipt ${caseId} --access ${accessId} --digest ${digest}`,
      error,
    );
  }
}

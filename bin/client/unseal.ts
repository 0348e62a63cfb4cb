import { createReadStream } from 'node:fs';
import { PackageDamaged, unseal, type PlacedDocument, type Unsealing } from '../../lambdas/evidence/unseal.ts';
import { damaged } from './errors.ts';
import type { PartFiles } from './part-files.ts';

/** Many frames at once: what is cut between two reads is copied together again, and reads of one frame made this three times slower (measured). */
const READ_BYTES = 1024 * 1024;

interface UnsealingOfFiles extends Omit<Unsealing, 'ciphertext' | 'documents'> {
  /** The ciphertext, already held to its length and digest. */
  readonly ciphertext: string;
  /** Each with the part into which it is written until everything has been verified. */
  readonly documents: readonly (Omit<PlacedDocument, 'open'> & { readonly part: string })[];
  readonly files: PartFiles;
}

/**
 * Decrypts a package from a file into the parts of its documents.
 * @throws ClientError (65) for anything that is not exactly the package
 */
export async function unsealFiles({ ciphertext, documents, files, ...unsealing }: UnsealingOfFiles): Promise<void> {
  try {
    await unseal({
      ...unsealing,
      ciphertext: createReadStream(ciphertext, { highWaterMark: READ_BYTES }),
      documents: documents.map(({ part, ...document }) => ({
        ...document,
        async open() {
          const file = await files.create(part);
          return { write: (bytes) => file.writeFile(bytes), close: () => files.complete(part) };
        },
      })),
    });
  } catch (error) {
    if (!(error instanceof PackageDamaged)) throw error;
    throw damaged(
      'PACKAGE_DAMAGED',
      error.message,
      'Do not use it. Report an incident to your competent authority, with the case and the time.',
      error,
    );
  }
}

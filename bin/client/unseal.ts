import {
  AlgorithmSuiteIdentifier,
  buildDecrypt,
  CommitmentPolicy,
  RawAesKeyringNode,
  RawAesWrappingSuiteIdentifier,
  type MessageHeader,
} from '@aws-crypto/client-node';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { ClientError, damaged } from './errors.ts';
import type { PartFiles } from './part-files.ts';

/** Name and namespace under which packages are sealed; they stand in the message header. */
export const KEYRING = { keyNamespace: 'valiza', keyName: 'package' } as const;

const { decryptUnsignedMessageStream } = buildDecrypt({
  commitmentPolicy: CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT,
  maxEncryptedDataKeys: 1,
});

/** A document as it lies in the plaintext of a package. */
export interface PlacedDocument {
  /** Bytes. */
  readonly length: number;
  readonly digest: string;
  /** Where it is written until everything has been verified. */
  readonly part: string;
}

export interface Unsealing {
  /** The ciphertext, already held to its length and digest. */
  readonly ciphertext: string;
  readonly dataKey: Uint8Array;
  readonly encryptionContext: Readonly<Record<string, string>>;
  /** One after the other, in the order of the plaintext. */
  readonly documents: readonly PlacedDocument[];
  readonly files: PartFiles;
  readonly onBytes: (count: number) => void;
  readonly signal?: AbortSignal | undefined;
}

const notThePackage = (message: string, cause?: unknown): ClientError =>
  damaged(
    'PACKAGE_DAMAGED',
    message,
    'Do not use it. Report an incident to your competent authority, with the case and the time.',
    cause,
  );

/** The context is authenticated with the message; that it is this release's is for us to see. */
function checkHeader(header: MessageHeader, expected: Readonly<Record<string, string>>): void {
  const found = header.encryptionContext;
  for (const key of new Set([...Object.keys(expected), ...Object.keys(found)])) {
    if (!Object.hasOwn(expected, key) || found[key] !== expected[key]) {
      throw notThePackage(`The package belongs to another release: its context differs in "${key}".`);
    }
  }
  if (header.suiteId !== AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY) {
    throw notThePackage('The package is encrypted in another way than packages are.');
  }
}

/** Cuts the plaintext into documents, each into its part, each held to its digest. */
async function writeDocuments(plaintext: AsyncIterable<Buffer>, unsealing: Unsealing): Promise<void> {
  const { documents, files, onBytes } = unsealing;
  const pieces = plaintext[Symbol.asyncIterator]();
  let rest: Buffer = Buffer.alloc(0);
  const next = async (): Promise<boolean> => {
    const piece = await pieces.next();
    if (piece.done === true) return false;
    rest = piece.value;
    onBytes(rest.length);
    return true;
  };
  for (const [index, document] of documents.entries()) {
    const file = await files.create(document.part);
    const hash = createHash('sha256');
    let left = document.length;
    while (left > 0) {
      if (rest.length === 0 && !(await next())) throw notThePackage(`The package ends within document ${index + 1}.`);
      const own = rest.subarray(0, left);
      rest = rest.subarray(own.length);
      left -= own.length;
      hash.update(own);
      await file.writeFile(own);
    }
    if (`sha256:${hash.digest('hex')}` !== document.digest) {
      throw notThePackage(`Document ${index + 1} is not the one that was decided on: its digest is another.`);
    }
    await files.complete(document.part);
  }
  do {
    if (rest.length > 0) throw notThePackage('The package holds more than its documents.');
  } while (await next());
}

/**
 * Decrypts a package into the parts of its documents, as a stream: memory does not grow with its size. When it returns, every frame has been
 * authenticated and every document verified; until then no part counts.
 * @throws ClientError (65) for anything that is not exactly the package
 */
export async function unseal(unsealing: Unsealing): Promise<void> {
  const keyring = new RawAesKeyringNode({
    ...KEYRING,
    // A copy of its own, outside the shared buffer pool, as the library asks.
    unencryptedMasterKey: Uint8Array.from(unsealing.dataKey),
    wrappingSuite: RawAesWrappingSuiteIdentifier.AES256_GCM_IV12_TAG16_NO_PADDING,
  });
  const decrypt = decryptUnsignedMessageStream(keyring);
  let headerSeen = false;
  decrypt.once('MessageHeader', (header: MessageHeader) => {
    try {
      checkHeader(header, unsealing.encryptionContext);
      headerSeen = true;
    } catch (error) {
      decrypt.destroy(error as Error); // checkHeader throws nothing else
    }
  });
  try {
    await pipeline(
      createReadStream(unsealing.ciphertext, { highWaterMark: 64 * 1024 }),
      decrypt,
      async function* (plaintext: AsyncIterable<Buffer>) {
        for await (const piece of plaintext) {
          if (!headerSeen) throw notThePackage('The package has no header.');
          yield piece;
        }
      },
      (plaintext: AsyncIterable<Buffer>) => writeDocuments(plaintext, unsealing),
      unsealing.signal === undefined ? {} : { signal: unsealing.signal },
    );
  } catch (error) {
    unsealing.signal?.throwIfAborted();
    if (error instanceof ClientError) throw error;
    throw notThePackage('The package cannot be decrypted: it is damaged, or the key is another.', error);
  }
}

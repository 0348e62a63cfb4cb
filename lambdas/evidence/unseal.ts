import { buildDecrypt, type MessageHeader } from '@aws-crypto/decrypt-node';
import { AlgorithmSuiteIdentifier, CommitmentPolicy } from '@aws-crypto/material-management-node';
import { RawAesKeyringNode, RawAesWrappingSuiteIdentifier } from '@aws-crypto/raw-aes-keyring-node';
import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { KEYRING } from './package-keyring.ts';

const { decryptUnsignedMessageStream } = buildDecrypt({
  commitmentPolicy: CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT,
  maxEncryptedDataKeys: 1,
});

/** These bytes are not exactly the package that they should be. */
export class PackageDamaged extends Error {
  override readonly name = 'PackageDamaged';
}

/** A sink failed, which is no fault of the package. */
class SinkFailed extends Error {}

const ofSink = <T>(work: Promise<T>): Promise<T> =>
  work.catch((cause: unknown) => Promise.reject(new SinkFailed('The bytes could not be written.', { cause })));

/** Where a document's bytes go until everything has been verified. */
export interface DocumentSink {
  write(bytes: Uint8Array): Promise<void>;
  /** After the last byte, once the digest is right. */
  close(): Promise<void>;
}

/** A document as it lies in the plaintext of a package. */
export interface PlacedDocument {
  /** Bytes. */
  readonly length: number;
  readonly digest: string;
  open(): Promise<DocumentSink>;
}

export interface Unsealing {
  /** Already held to its length and digest. */
  readonly ciphertext: Readable;
  readonly dataKey: Uint8Array;
  readonly encryptionContext: Readonly<Record<string, string>>;
  /** One after the other, in the order of the plaintext. */
  readonly documents: readonly PlacedDocument[];
  /** Told how many bytes of plaintext came. */
  readonly onBytes: (count: number) => void;
  readonly signal?: AbortSignal | undefined;
}

/** The context is authenticated with the message; that it is this release's is for us to see. */
function checkHeader(header: MessageHeader, expected: Readonly<Record<string, string>>): void {
  const found = header.encryptionContext;
  for (const key of new Set([...Object.keys(expected), ...Object.keys(found)])) {
    if (!Object.hasOwn(expected, key) || found[key] !== expected[key]) {
      throw new PackageDamaged(`The package belongs to another release: its context differs in "${key}".`);
    }
  }
  if (header.suiteId !== AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY) {
    throw new PackageDamaged('The package is encrypted in another way than packages are.');
  }
}

/** Cuts the plaintext into documents, each into its sink, each held to its digest. */
async function writeDocuments(plaintext: AsyncIterable<Buffer>, { documents, onBytes }: Unsealing): Promise<void> {
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
    const sink = await ofSink(document.open());
    const hash = createHash('sha256');
    let left = document.length;
    while (left > 0) {
      if (rest.length === 0 && !(await next()))
        throw new PackageDamaged(`The package ends within document ${index + 1}.`);
      const own = rest.subarray(0, left);
      rest = rest.subarray(own.length);
      left -= own.length;
      hash.update(own);
      await ofSink(sink.write(own));
    }
    if (`sha256:${hash.digest('hex')}` !== document.digest) {
      throw new PackageDamaged(`Document ${index + 1} is not the one that was decided on: its digest is another.`);
    }
    await ofSink(sink.close());
  }
  do {
    if (rest.length > 0) throw new PackageDamaged('The package holds more than its documents.');
  } while (await next());
}

/**
 * Decrypts a package into the sinks of its documents, as a stream: memory does not grow with its size. When it returns, every frame has been
 * authenticated and every document verified; until then no sink's content counts.
 * @throws PackageDamaged for anything that is not exactly the package; what a sink throws
 */
export async function unseal(unsealing: Unsealing): Promise<void> {
  const { ciphertext, dataKey, encryptionContext, signal } = unsealing;
  const keyring = new RawAesKeyringNode({
    ...KEYRING,
    // A copy of its own, outside the shared buffer pool, as the library asks.
    unencryptedMasterKey: Uint8Array.from(dataKey),
    wrappingSuite: RawAesWrappingSuiteIdentifier.AES256_GCM_IV12_TAG16_NO_PADDING,
  });
  const decrypt = decryptUnsignedMessageStream(keyring);
  let headerSeen = false;
  decrypt.once('MessageHeader', (header: MessageHeader) => {
    try {
      checkHeader(header, encryptionContext);
      headerSeen = true;
    } catch (error) {
      decrypt.destroy(error as Error); // checkHeader throws nothing else
    }
  });
  try {
    await pipeline(
      ciphertext,
      decrypt,
      async function* (plaintext: AsyncIterable<Buffer>) {
        for await (const piece of plaintext) {
          if (!headerSeen) throw new PackageDamaged('The package has no header.');
          yield piece;
        }
      },
      (plaintext: AsyncIterable<Buffer>) => writeDocuments(plaintext, unsealing),
      signal === undefined ? {} : { signal },
    );
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof SinkFailed) throw error.cause;
    if (error instanceof PackageDamaged) throw error;
    throw new PackageDamaged('The package cannot be decrypted: it is damaged, or the key is another.', {
      cause: error,
    });
  }
}

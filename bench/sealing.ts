import { spawnSync } from 'node:child_process';
import { createCipheriv, createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdtemp, open, rm, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { buildEncrypt } from '@aws-crypto/encrypt-node';
import { AlgorithmSuiteIdentifier, CommitmentPolicy } from '@aws-crypto/material-management-node';
import { RawAesKeyringNode, RawAesWrappingSuiteIdentifier } from '@aws-crypto/raw-aes-keyring-node';
import type { SealedPackage } from '../lambdas/domain/events.ts';
import type { CaseId, Digest, Nation } from '../lambdas/domain/ids.ts';
import { unseal } from '../lambdas/evidence/unseal.ts';
import { s3 } from '../lambdas/platform/object-store.ts';
import { encryptionContext } from '../lambdas/platform/package-keys.ts';
import { PART_BYTES } from '../lambdas/platform/package-upload.ts';
import { sealPackage } from '../lambdas/platform/sealing.ts';
import { storeInProcess } from '../test/support/store-in-process.ts';
import { atLeast, round, type Figure, type Subject } from './figures.ts';
import { releaseOnRuntime } from './release-on-runtime.ts';

const MIB = 1024 ** 2;
const FRAME = 64 * 1024;
const CASE = 'c'.repeat(32) as CaseId;
const CANADA = 'CAN' as Nation;
const PIECE = randomBytes(MIB);

/** As HTTP delivers an object: pieces of 64 KiB. */
function* pieces(mib: number): Generator<Buffer> {
  for (let count = 0; count < mib; count += 1)
    for (let from = 0; from < MIB; from += FRAME) yield PIECE.subarray(from, from + FRAME);
}

function digestOf(mib: number): Digest {
  const hash = createHash('sha256');
  for (const piece of pieces(mib)) hash.update(piece);
  return `sha256:${hash.digest('hex')}`;
}

interface Run {
  readonly mibPerSecond: number;
  /** Above what the process had before. */
  readonly peakMib: number;
}

/** Runs something that passes so many MiB, while its memory is watched. */
async function timed(mib: number, work: () => Promise<unknown>): Promise<Run> {
  global.gc?.();
  const idle = process.memoryUsage.rss();
  let peak = idle;
  const watch = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), 5);
  const begun = performance.now();
  await work();
  const seconds = (performance.now() - begun) / 1000;
  clearInterval(watch);
  return { mibPerSecond: round(mib / seconds, 0), peakMib: round((peak - idle) / MIB, 0) };
}

/** Best of a few: what the code can do, not what the machine was busy with. */
async function best(times: number, mib: number, work: () => Promise<unknown>): Promise<Run> {
  const runs: Run[] = [];
  for (let time = 0; time < times; time += 1) runs.push(await timed(mib, work));
  return {
    mibPerSecond: Math.max(...runs.map((run) => run.mibPerSecond)),
    peakMib: Math.max(...runs.map((run) => run.peakMib)),
  };
}

/** MiB/s of `openssl speed` for pieces of 64 KiB, undefined where there is no openssl. */
function openssl(): number | undefined {
  const args = ['speed', '-seconds', '2', '-bytes', String(FRAME), '-evp', 'aes-256-gcm'];
  const { status, stdout } = spawnSync('openssl', args, { encoding: 'utf8' });
  // `AES-256-GCM    4995342.10k`: thousands of bytes per second.
  const thousands = /AES-256-GCM\s+([\d.]+)k/i.exec(stdout ?? '')?.[1];
  return status !== 0 || thousands === undefined ? undefined : (Number(thousands) * 1000) / MIB;
}

const dataKey = randomBytes(32);
const keys = {
  dataKeyFor: () =>
    Promise.resolve({ plaintext: Uint8Array.from(dataKey), wrapped: 'w', keyId: 'arn:aws:kms:x:0:key/x' }),
};

/** Seals with the product's own code against a store in this process. @param keep where the ciphertext is written; otherwise it is dropped */
function seal(mib: number, digest: Digest, keep?: FileHandle): Promise<SealedPackage> {
  s3.config.requestHandler = storeInProcess({
    object: () => ({ body: Readable.from(pieces(mib)), length: mib * MIB }),
    async onPart(number, bytes) {
      await keep?.write(bytes, 0, bytes.length, Math.max(0, number - 1) * PART_BYTES);
      return undefined;
    },
  });
  const marking = { axis: 'protected', nation: CANADA, mark: 'PROTECTED A' } as const;
  const document = {
    depositId: 'd',
    title: 't',
    digest,
    length: mib * MIB,
    marking,
    pages: 1,
    origin: CANADA,
  };
  return sealPackage({
    caseId: CASE,
    attempt: 1,
    documents: [document],
    depositsBucket: 'deposits',
    packagesBucket: 'packages',
    keys,
  });
}

/** Opens as the client does: the download is hashed, then every frame is authenticated and every document verified. */
async function openPackage(file: string, mib: number, digest: Digest, sealed: SealedPackage): Promise<void> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file, { highWaterMark: MIB })) hash.update(chunk as Buffer);
  if (`sha256:${hash.digest('hex')}` !== sealed.ciphertextDigest) throw new Error('The ciphertext is another.');
  const sink = { write: () => Promise.resolve(), close: () => Promise.resolve() };
  await unseal({
    ciphertext: createReadStream(file, { highWaterMark: MIB }),
    dataKey,
    encryptionContext: encryptionContext(CASE, sealed),
    documents: [{ length: mib * MIB, digest, open: () => Promise.resolve(sink) }],
    onBytes: () => undefined,
  });
}

/** What sealing consists of, each by itself on the same bytes: says where the time goes. */
async function parts(mib: number): Promise<readonly Figure[]> {
  const frames = await best(3, mib, async () => {
    const key = randomBytes(32);
    for (const piece of pieces(mib)) {
      const cipher = createCipheriv('aes-256-gcm', key, randomBytes(12));
      cipher.update(piece);
      cipher.final();
      cipher.getAuthTag();
    }
    return Promise.resolve();
  });
  const hashing = await best(3, mib, async () => Promise.resolve(digestOf(mib)));
  const { encryptStream } = buildEncrypt(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT);
  const library = await best(3, mib, async () => {
    const keyring = new RawAesKeyringNode({
      keyNamespace: 'bench',
      keyName: 'bench',
      unencryptedMasterKey: Uint8Array.from(dataKey),
      wrappingSuite: RawAesWrappingSuiteIdentifier.AES256_GCM_IV12_TAG16_NO_PADDING,
    });
    const suiteId = AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY;
    const drop = new Writable({ write: (_chunk, _encoding, done) => done() });
    await pipeline(Readable.from(pieces(mib)), encryptStream(keyring, { suiteId, frameLength: FRAME }), drop);
  });
  const of = (name: string, run: Run, note: string): Figure => ({ name, value: run.mibPerSecond, unit: 'MiB/s', note });
  return [
    of('part: AES-256-GCM by node:crypto, 64 KiB frames', frames, 'a tag for each frame'),
    of(
      'part: SHA-256 by node:crypto',
      hashing,
      'sealing and opening hash every byte twice, as document and as ciphertext',
    ),
    of('part: AWS Encryption SDK, nothing else', library, 'frames, headers, streams of the library'),
  ];
}

async function ofSize(mib: number, reference: number | undefined, folder: string): Promise<readonly Figure[]> {
  const digest = digestOf(mib);
  const times = mib > 256 ? 1 : 3;
  const sealing = await best(times, mib, () => seal(mib, digest));
  const file = join(folder, 'ciphertext');
  const handle = await open(file, 'w');
  const sealed = await seal(mib, digest, handle);
  await handle.close();
  const opening = await best(times, mib, () => openPackage(file, mib, digest, sealed));
  await rm(file);
  const whole = await releaseOnRuntime(mib, folder);
  const row = (what: string, run: Run): Figure[] => [
    { name: `${what} ${mib} MiB`, value: run.mibPerSecond, unit: 'MiB/s' },
    { name: `${what} ${mib} MiB, peak above idle`, value: run.peakMib, unit: 'MiB' },
    ...(reference === undefined ? [] : [ratio(`${what} ${mib} MiB, of openssl`, run.mibPerSecond / reference)]),
  ];
  return [
    ...row('seal', sealing),
    ...row('open', opening),
    {
      name: `seal ${mib} MiB on the local runtime`,
      value: whole.sealed,
      unit: 'MiB/s',
      note: 'last act to RELEASED, with the local S3, its signatures and its disk',
    },
    {
      name: `open ${mib} MiB from the local runtime`,
      value: whole.opened,
      unit: 'MiB/s',
      note: 'the client: access, download, verification, documents on the disk',
    },
  ];
}

const ratio = (name: string, value: number): Figure => ({
  name,
  value: round(value, 3),
  unit: '',
  ...atLeast(0.08, value),
});

async function measure(): Promise<readonly Figure[]> {
  // The client reads them when it is first asked, and signs with them; the store is in this process.
  Object.assign(process.env, { AWS_REGION: 'ca-central-1', AWS_ACCESS_KEY_ID: 'x', AWS_SECRET_ACCESS_KEY: 'x' });
  const folder = await mkdtemp(join(tmpdir(), 'valiza-bench-'));
  try {
    const reference = openssl();
    const figures: Figure[] = [
      {
        name: 'openssl speed -evp aes-256-gcm, 64 KiB',
        value: reference === undefined ? 'no openssl on this machine' : round(reference, 0),
        unit: reference === undefined ? '' : 'MiB/s',
      },
      ...(await parts(256)),
    ];
    for (const mib of [64, 1024]) figures.push(...(await ofSize(mib, reference, folder)));
    return figures;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export const sealing: Subject = {
  name: 'sealing',
  title: 'Sealing and opening, with all digests',
  seconds: 150,
  measure,
};

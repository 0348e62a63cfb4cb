import { createHash, randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { s3 } from '../../../lambdas/platform/object-store.ts';
import { PackageUpload, PART_BYTES } from '../../../lambdas/platform/package-upload.ts';
import { storeInProcess, type StoreBehaviour } from '../../support/store-in-process.ts';

Object.assign(process.env, { AWS_REGION: 'ca-central-1', AWS_ACCESS_KEY_ID: 'x', AWS_SECRET_ACCESS_KEY: 'x' });

interface Taken {
  readonly parts: Map<number, Buffer>;
  readonly headers: Record<string, string>[];
  completed: string[];
  aborted: number;
}

/** Uploads bytes in pieces of a size that fits nothing. */
async function upload(content: Buffer, onPart?: StoreBehaviour['onPart']) {
  const taken: Taken = { parts: new Map(), headers: [], completed: [], aborted: 0 };
  s3.config.requestHandler = storeInProcess({
    async onPart(number, body, headers) {
      // A copy at once: the buffer of a part is used again for another.
      taken.parts.set(number, Buffer.from(body));
      taken.headers.push(headers);
      return onPart?.(number, body, headers);
    },
    onComplete: (document) => taken.completed.push(document),
    onAbort: () => (taken.aborted += 1),
  });
  const made = new PackageUpload('packages', 'key');
  const sink = made.sink();
  const ended = new Promise<void>((resolve, reject) => sink.once('finish', resolve).once('error', reject));
  ended.catch(() => undefined);
  for (let from = 0; from < content.length; from += 65_537) sink.write(content.subarray(from, from + 65_537));
  sink.end();
  const outcome = ended.then(() => made.complete());
  return { taken, made, outcome };
}

const PARTS = /<PartNumber>(\d+)<\/PartNumber>/g;

it.each([1, PART_BYTES - 1, PART_BYTES, PART_BYTES + 1, 3 * PART_BYTES + 12_345])(
  'uploads %i bytes as they are, and tells their digest',
  async (length) => {
    const content = randomBytes(length);
    const { taken, outcome } = await upload(content);
    const digest = `sha256:${createHash('sha256').update(content).digest('hex')}`;
    expect(await outcome).toEqual({ digest, length });
    const numbers = [...taken.parts.keys()].sort((one, other) => one - other);
    const together = Buffer.concat(numbers.map((number) => taken.parts.get(number) ?? Buffer.alloc(0)));
    expect(together.equals(content)).toBe(true);
    expect(taken.aborted).toBe(0);
    if (length < PART_BYTES) {
      expect([numbers, taken.headers[0]?.['if-none-match']]).toEqual([[0], '*']);
      expect(taken.completed).toEqual([]);
    } else {
      const listed = [...(taken.completed[0] ?? '').matchAll(PARTS)].map(([, number]) => Number(number));
      expect([listed, taken.completed.length]).toEqual([numbers, 1]);
    }
  },
);

it('sends a CRC-32 of what it sends, and signs no digest of it', async () => {
  const content = randomBytes(100_000);
  const { taken, outcome } = await upload(content);
  await outcome;
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(crc32(content));
  expect(taken.headers[0]).toMatchObject({
    'x-amz-checksum-crc32': checksum.toString('base64'),
    'x-amz-content-sha256': 'UNSIGNED-PAYLOAD',
  });
});

it.each([1, 2, 4])('makes no object when part %i of four is refused, and leaves nothing behind', async (refused) => {
  const { taken, made, outcome } = await upload(randomBytes(4 * PART_BYTES - 5), (number) =>
    Promise.resolve(number === refused ? 403 : undefined),
  );
  await expect(outcome).rejects.toMatchObject({ $metadata: { httpStatusCode: 403 } });
  expect(taken.completed).toEqual([]);
  await made.abort();
  expect(taken.aborted).toBe(1);
});

import { s3Error } from './errors.ts';

const LONGEST_LINE = 4096;

const incomplete = () =>
  s3Error('IncompleteBody', 'You did not provide the number of bytes specified by the Content-Length HTTP header.');

const invalid = (why: string) => s3Error('InvalidRequest', `The aws-chunked body is malformed: ${why}.`);

/** Bytes that arrive in pieces, taken by line or by length. */
class Pieces {
  #buffer: Buffer = Buffer.alloc(0);
  readonly #source: AsyncIterator<Buffer>;

  constructor(source: AsyncIterator<Buffer>) {
    this.#source = source;
  }

  /** Up to `most` bytes, at least one. @throws IncompleteBody at the end */
  async take(most: number): Promise<Buffer> {
    if (this.#buffer.length === 0) await this.#more();
    const taken = this.#buffer.subarray(0, most);
    this.#buffer = this.#buffer.subarray(taken.length);
    return taken;
  }

  async line(): Promise<string> {
    for (;;) {
      const end = this.#buffer.indexOf('\r\n');
      if (end >= 0) {
        const line = this.#buffer.toString('latin1', 0, end);
        this.#buffer = this.#buffer.subarray(end + 2);
        return line;
      }
      if (this.#buffer.length > LONGEST_LINE) throw invalid('a line is too long');
      await this.#more();
    }
  }

  async assertEnd(): Promise<void> {
    if (this.#buffer.length > 0 || (await this.#source.next()).done !== true) throw invalid('it goes on after its end');
  }

  async #more(): Promise<void> {
    const next = await this.#source.next();
    if (next.done === true) throw incomplete();
    this.#buffer = this.#buffer.length === 0 ? next.value : Buffer.concat([this.#buffer, next.value]);
  }
}

/**
 * Decodes `Content-Encoding: aws-chunked` without chunk signatures and collects the trailing headers.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
 * @param trailers filled, names in lower case, once the last piece was given
 */
export async function* decodeAwsChunked(
  body: AsyncIterable<Buffer>,
  trailers: Map<string, string>,
): AsyncGenerator<Buffer> {
  const source = body[Symbol.asyncIterator]();
  try {
    const pieces = new Pieces(source);
    yield* decodeChunks(pieces);
    await readTrailers(pieces, trailers);
    await pieces.assertEnd();
  } finally {
    // Lets go of the body, also when it is malformed.
    await source.return?.();
  }
}

async function* decodeChunks(pieces: Pieces): AsyncGenerator<Buffer> {
  for (;;) {
    const size = await pieces.line();
    if (!/^[\da-f]{1,12}$/i.test(size)) throw invalid('a chunk size is not a hexadecimal number');
    let left = Number.parseInt(size, 16);
    if (left === 0) return;
    while (left > 0) {
      const bytes = await pieces.take(left);
      left -= bytes.length;
      yield bytes;
    }
    if ((await pieces.line()) !== '') throw invalid('a chunk is longer than its size');
  }
}

async function readTrailers(pieces: Pieces, trailers: Map<string, string>): Promise<void> {
  for (let line = await pieces.line(); line !== ''; line = await pieces.line()) {
    const colon = line.indexOf(':');
    if (colon < 1 || trailers.size >= 8) throw invalid('a trailing header');
    trailers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
  }
}

import { Readable } from 'node:stream';
import type { FileHandle } from 'node:fs/promises';
import type { s3 } from '../lambdas/platform/object-store.ts';

type Handler = typeof s3.config.requestHandler;
type Request = Parameters<Handler['handle']>[0];

const xml = (text: string): Readable => Readable.from([Buffer.from(`<?xml version="1.0"?>${text}`)]);

/**
 * A store that is no store: answers what sealing asks of S3 from this process, so that what is measured is the product and the AWS SDK
 * (with its signatures and checksums), and neither a network nor a server.
 * @param keep where what is uploaded is written, in order; otherwise it is dropped
 */
export function storeInProcess(object: () => Readable, length: number, keep?: FileHandle): Handler {
  const parts = new Map<number, Uint8Array>();
  let next = 1;
  const take = async (number: number, body: Uint8Array): Promise<void> => {
    if (keep === undefined) return;
    parts.set(number, body);
    for (let part = parts.get(next); part !== undefined; part = parts.get(next)) {
      parts.delete(next);
      next += 1;
      await keep.appendFile(part);
    }
  };
  const answer = async ({
    method,
    query,
    body,
  }: Request): Promise<{ headers?: Record<string, string>; body?: Readable }> => {
    if (method === 'GET') return { headers: { 'content-length': String(length) }, body: object() };
    const partNumber = Number(query?.['partNumber'] ?? 0);
    if (method === 'PUT') {
      await take(partNumber === 0 ? 1 : partNumber, body as Uint8Array); // the SDK's uploader sends buffers
      return { headers: { etag: `"${partNumber}"` } };
    }
    return query !== undefined && 'uploads' in query
      ? { body: xml('<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>') }
      : { body: xml('<CompleteMultipartUploadResult><ETag>"e"</ETag></CompleteMultipartUploadResult>') };
  };
  return {
    async handle(request: Request) {
      const { headers = {}, body } = await answer(request);
      return { response: { statusCode: 200, headers, body: body ?? Readable.from([]) } };
    },
  } as unknown as Handler; // the SDK calls nothing else of it
}

import { Readable } from 'node:stream';
import type { s3 } from '../../lambdas/platform/object-store.ts';

type Handler = typeof s3.config.requestHandler;
type Request = Parameters<Handler['handle']>[0];

/** What a store is asked, and what it answers beside a status of 200. */
export interface StoreBehaviour {
  /** The object that is read. */
  readonly object?: () => { readonly body: Readable; readonly length: number };
  /** Told of what is uploaded; a part number of 0 is the whole object. @returns another status than 200 */
  readonly onPart?: (
    partNumber: number,
    body: Uint8Array,
    headers: Record<string, string>,
  ) => Promise<number | undefined>;
  readonly onComplete?: (document: string, headers: Record<string, string>) => void;
  readonly onAbort?: () => void;
}

const xml = (text: string): Readable => Readable.from([Buffer.from(`<?xml version="1.0"?>${text}`)]);

/**
 * Answers what sealing asks of S3 within this process, so that what runs is the product and the AWS SDK, with its signatures and checksums,
 * and neither a network nor a server.
 */
export function storeInProcess({ object, onPart, onComplete, onAbort }: StoreBehaviour): Handler {
  const answer = async (request: Request): Promise<{ status?: number; headers?: object; body?: Readable }> => {
    const { method, query = {}, headers } = request;
    if (method === 'GET') {
      const found = object?.();
      return found === undefined
        ? { status: 404 }
        : { headers: { 'content-length': String(found.length) }, body: found.body };
    }
    if (method === 'PUT') {
      const partNumber = Number(query['partNumber'] ?? 0);
      const status = (await onPart?.(partNumber, request.body as Uint8Array, headers)) ?? 200; // uploads are buffers
      return { status, headers: { etag: `"${partNumber}"` } };
    }
    if (method === 'DELETE') {
      onAbort?.();
      return { status: 204 };
    }
    if ('uploads' in query)
      return { body: xml('<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>') };
    onComplete?.(String(request.body), headers);
    return { body: xml('<CompleteMultipartUploadResult><ETag>"e"</ETag></CompleteMultipartUploadResult>') };
  };
  return {
    async handle(request: Request) {
      const { status = 200, headers = {}, body = Readable.from([]) } = await answer(request);
      return { response: { statusCode: status, headers, body } };
    },
  } as unknown as Handler; // the SDK calls nothing else of it
}

import type { ServiceRequest } from '../../service.ts';
import type { Operation } from './call.ts';
import { completeMultipartUpload } from './complete-upload.ts';
import { listMultipartUploads, listObjectsV2, listParts } from './lists.ts';
import { abortMultipartUpload, createMultipartUpload, uploadPart } from './multipart.ts';
import { deleteObject, putObject } from './objects.ts';
import { getObject, headObject } from './read-objects.ts';

/** Every operation that is implemented, by name. https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html */
export const operations = {
  PutObject: putObject,
  GetObject: getObject,
  HeadObject: headObject,
  DeleteObject: deleteObject,
  ListObjectsV2: listObjectsV2,
  CreateMultipartUpload: createMultipartUpload,
  UploadPart: uploadPart,
  CompleteMultipartUpload: completeMultipartUpload,
  AbortMultipartUpload: abortMultipartUpload,
  ListParts: listParts,
  ListMultipartUploads: listMultipartUploads,
} as const satisfies Readonly<Record<string, Operation>>;

export type OperationName = keyof typeof operations;

/** Bucket and key of a path-style request, still percent-encoded; an empty key means the bucket itself. */
export function splitPath(path: string): { readonly bucket: string; readonly key: string } {
  const [, bucket = '', key = ''] = /^\/([^/]*)\/?(.*)$/s.exec(path) ?? [];
  return { bucket, key };
}

const onBucket = (method: string, query: URLSearchParams): OperationName | undefined => {
  if (method !== 'GET') return undefined;
  if (query.get('list-type') === '2') return 'ListObjectsV2';
  return query.has('uploads') ? 'ListMultipartUploads' : undefined;
};

const onObject = (method: string, query: URLSearchParams): OperationName | undefined => {
  const inUpload = query.has('uploadId');
  switch (method) {
    case 'PUT':
      return inUpload || query.has('partNumber') ? 'UploadPart' : 'PutObject';
    case 'GET':
      return inUpload ? 'ListParts' : 'GetObject';
    case 'HEAD':
      return 'HeadObject';
    case 'DELETE':
      return inUpload ? 'AbortMultipartUpload' : 'DeleteObject';
    case 'POST':
      if (query.has('uploads')) return 'CreateMultipartUpload';
      return inUpload ? 'CompleteMultipartUpload' : undefined;
    default:
      return undefined;
  }
};

/** The operation that a request asks for by its method, path and parameters. */
export function operationNamed({
  method,
  path,
  query,
}: Pick<ServiceRequest, 'method' | 'path' | 'query'>): OperationName | undefined {
  const { bucket, key } = splitPath(path);
  if (bucket === '') return undefined;
  return key === '' ? onBucket(method, query) : onObject(method, query);
}

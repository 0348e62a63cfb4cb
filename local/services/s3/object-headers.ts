import { notImplemented } from '../../service.ts';
import { s3Error } from './errors.ts';

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html */
const SYSTEM = [
  'content-type',
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'expires',
];
const LARGEST_METADATA = 2048;

/** The headers of an upload that are kept with the object. @throws MetadataTooLarge, InvalidStorageClass */
export function keptHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  const storageClass = headers['x-amz-storage-class'];
  if (storageClass !== undefined && storageClass !== 'STANDARD')
    throw notImplemented(`the storage class ${storageClass}`);
  const kept: Record<string, string> = { 'content-type': 'binary/octet-stream' };
  for (const name of SYSTEM) if (headers[name] !== undefined && headers[name] !== '') kept[name] = headers[name];
  const encoding = kept['content-encoding']
    ?.split(',')
    .map((part) => part.trim())
    .filter((part) => part !== 'aws-chunked');
  delete kept['content-encoding'];
  if (encoding !== undefined && encoding.length > 0) kept['content-encoding'] = encoding.join(',');
  const metadata = Object.entries(headers).filter(([name]) => name.startsWith('x-amz-meta-'));
  const size = metadata.reduce(
    (sum, [name, value]) => sum + name.length - 'x-amz-meta-'.length + Buffer.byteLength(value),
    0,
  );
  if (size > LARGEST_METADATA) {
    throw s3Error('MetadataTooLarge', 'Your metadata headers exceed the maximum allowed metadata size', 400, {
      Size: size,
      MaxSizeAllowed: LARGEST_METADATA,
    });
  }
  return { ...kept, ...Object.fromEntries(metadata) };
}

/** Overrides by `response-*` parameters. https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html */
export const RESPONSE_PARAMETERS = SYSTEM.map((name) => `response-${name}`);

export const overrides = (query: URLSearchParams): Record<string, string> =>
  Object.fromEntries(
    SYSTEM.flatMap((name) => {
      const value = query.get(`response-${name}`);
      return value === null ? [] : [[name, value]];
    }),
  );

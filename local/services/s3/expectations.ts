import { notImplemented } from '../../service.ts';
import { assertChecksumValue, headerOf, isAlgorithm, type ChecksumAlgorithm } from './checksum.ts';
import { s3Error } from './errors.ts';

/** What the headers of an upload promise of its body. */
export interface Expectations {
  /** Bytes, after decoding. */
  readonly length: number;
  /** Whether the body is `aws-chunked`. */
  readonly chunked: boolean;
  /** Lower-case hexadecimal SHA-256; undefined for an unsigned payload. */
  readonly sha256: string | undefined;
  /** Base64 */
  readonly md5: string | undefined;
  /** `value` is undefined when it comes in a trailing header. */
  readonly checksum: { readonly algorithm: ChecksumAlgorithm; readonly value: string | undefined } | undefined;
}

type Headers = Readonly<Record<string, string>>;

/** The largest single upload. https://docs.aws.amazon.com/AmazonS3/latest/userguide/upload-objects.html */
const LARGEST = 5 * 1024 ** 3;

/** https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html */
const UNSIGNED = 'UNSIGNED-PAYLOAD';
const UNSIGNED_TRAILER = 'STREAMING-UNSIGNED-PAYLOAD-TRAILER';

/** @throws InvalidRequest, MissingContentLength, EntityTooLarge, InvalidDigest; NotImplemented for chunk signatures */
export function readExpectations(headers: Headers, presigned: boolean): Expectations {
  // A presigned URL that says nothing of the payload leaves it unsigned:
  // https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
  const payload = headers['x-amz-content-sha256'] ?? (presigned ? UNSIGNED : undefined);
  if (payload === undefined) {
    throw s3Error('InvalidRequest', 'Missing required header for this request: x-amz-content-sha256');
  }
  if (payload.startsWith('STREAMING-') && payload !== UNSIGNED_TRAILER)
    throw notImplemented(`payloads signed as ${payload}`);
  const chunked = payload === UNSIGNED_TRAILER;
  const literal = !chunked && payload !== UNSIGNED;
  if (literal && !/^[\da-f]{64}$/.test(payload)) {
    throw s3Error(
      'InvalidArgument',
      'x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, or a valid sha256 value.',
    );
  }
  return {
    chunked,
    length: readLength(headers, chunked),
    sha256: literal ? payload : undefined,
    md5: readMd5(headers),
    checksum: readChecksum(headers, chunked),
  };
}

function readLength(headers: Headers, chunked: boolean): number {
  const text = headers[chunked ? 'x-amz-decoded-content-length' : 'content-length'];
  if (text === undefined || !/^\d{1,15}$/.test(text)) {
    throw s3Error('MissingContentLength', 'You must provide the Content-Length HTTP header.', 411);
  }
  const length = Number(text);
  if (length > LARGEST) {
    throw s3Error('EntityTooLarge', 'Your proposed upload exceeds the maximum allowed size', 400, {
      ProposedSize: length,
      MaxSizeAllowed: LARGEST,
    });
  }
  return length;
}

function readMd5(headers: Headers): string | undefined {
  const md5 = headers['content-md5'];
  if (md5 !== undefined && (Buffer.from(md5, 'base64').length !== 16 || md5.length !== 24)) {
    throw s3Error('InvalidDigest', 'The Content-MD5 you specified is not valid.');
  }
  return md5;
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html */
function readChecksum(headers: Headers, chunked: boolean): Expectations['checksum'] {
  const inHeaders = Object.keys(headers).filter((name) => /^x-amz-checksum-(crc32|sha256)$/.test(name));
  const trailer = headers['x-amz-trailer']?.trim().toLowerCase();
  if (trailer !== undefined && !chunked) {
    throw s3Error('InvalidRequest', 'The x-amz-trailer header needs x-amz-content-sha256 with a trailer.');
  }
  const names = trailer === undefined ? inHeaders : [...inHeaders, trailer];
  if (names.length > 1) {
    throw s3Error(
      'InvalidRequest',
      'Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.',
    );
  }
  const declared = headers['x-amz-sdk-checksum-algorithm'];
  const [name] = names;
  if (name === undefined) {
    if (declared === undefined) return undefined;
    throw s3Error(
      'InvalidRequest',
      'x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.',
    );
  }
  const algorithm = name.replace('x-amz-checksum-', '').toUpperCase();
  if (!isAlgorithm(algorithm) || headerOf(algorithm) !== name) throw notImplemented(`the trailing header ${name}`);
  if (declared !== undefined && declared.toUpperCase() !== algorithm) {
    throw s3Error('InvalidRequest', 'Value for x-amz-sdk-checksum-algorithm header is invalid.');
  }
  const value = trailer === undefined ? headers[name] : undefined;
  if (value !== undefined) assertChecksumValue(algorithm, value);
  return { algorithm, value };
}

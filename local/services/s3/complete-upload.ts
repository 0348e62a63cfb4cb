import { createHash } from 'node:crypto';
import { readBody } from '../../service.ts';
import type { Operation, S3Call } from './call.ts';
import { compositeChecksum, memberOf, type ChecksumAlgorithm, type StoredChecksum } from './checksum.ts';
import { encryptionHeaders, useKey } from './encryption.ts';
import { s3Error } from './errors.ts';
import { checksumMember } from './lists.ts';
import { requestedBy, uploadOf } from './multipart.ts';
import { authorizeWrite } from './objects.ts';
import { assertConditions, commit } from './precondition.ts';
import type { ObjectRecord, PartRecord } from './records.ts';
import type { Upload } from './upload-store.ts';
import { assertShape, childText, parseXml } from './xml-reader.ts';
import { renderXml } from './xml.ts';

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html: for every part but the last. */
const SMALLEST_PART = 5 * 1024 ** 2;
/** 10,000 parts with all their members. */
const LONGEST_LIST = 8 * 1024 ** 2;

/** A part as the request lists it. */
interface Listed {
  readonly partNumber: number;
  readonly etag: string;
  readonly checksums: Readonly<Partial<Record<ChecksumAlgorithm, string>>>;
}

const invalidPart = (partNumber: number, etag: string) =>
  s3Error(
    'InvalidPart',
    'One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part’s entity tag.',
    400,
    { PartNumber: partNumber, ETag: etag },
  );

async function readList({ body, headers }: S3Call): Promise<readonly Listed[]> {
  const bytes = await readBody(body, LONGEST_LIST);
  const sha256 = headers['x-amz-content-sha256'];
  if (
    sha256 !== undefined &&
    /^[\da-f]{64}$/.test(sha256) &&
    createHash('sha256').update(bytes).digest('hex') !== sha256
  ) {
    throw s3Error(
      'XAmzContentSHA256Mismatch',
      "The provided 'x-amz-content-sha256' header does not match what was computed.",
    );
  }
  const root = parseXml(bytes.toString('utf8'));
  assertShape(root, 'CompleteMultipartUpload', ['Part']);
  const listed = root.children.map((part): Listed => {
    assertShape(part, 'Part', ['PartNumber', 'ETag', memberOf('CRC32'), memberOf('SHA256')]);
    const [number, etag] = [childText(part, 'PartNumber'), childText(part, 'ETag')];
    if (number === undefined || etag === undefined || !/^\d{1,5}$/.test(number)) throw malformed();
    const [CRC32, SHA256] = [childText(part, memberOf('CRC32')), childText(part, memberOf('SHA256'))];
    return {
      partNumber: Number(number),
      etag: etag.replaceAll('"', ''),
      checksums: { ...(CRC32 === undefined ? {} : { CRC32 }), ...(SHA256 === undefined ? {} : { SHA256 }) },
    };
  });
  if (listed.length === 0) throw malformed();
  return listed;
}

const malformed = () =>
  s3Error('MalformedXML', 'The XML you provided was not well-formed or did not validate against our published schema');

/** The parts that were listed. @throws InvalidPartOrder, InvalidPart, EntityTooSmall, InvalidRequest */
function chosenParts({ record, parts }: Upload, listed: readonly Listed[]): readonly PartRecord[] {
  if (listed.some(({ partNumber }, index) => index > 0 && partNumber <= (listed[index - 1]?.partNumber ?? 0))) {
    throw s3Error(
      'InvalidPartOrder',
      'The list of parts was not in ascending order. The parts list must be specified in order by part number.',
    );
  }
  const chosen = listed.map(({ partNumber, etag, checksums }) => {
    const part = parts.get(partNumber);
    if (part === undefined || part.etag !== etag) throw invalidPart(partNumber, etag);
    for (const [algorithm, value] of Object.entries(checksums)) {
      if (part.checksum?.algorithm !== algorithm || part.checksum.value !== value) throw invalidPart(partNumber, etag);
    }
    const promised = record.checksumAlgorithm;
    if (promised !== undefined && checksums[promised] === undefined) {
      throw s3Error(
        'InvalidRequest',
        `The upload was created using a ${promised.toLowerCase()} checksum. The complete request must include the checksum for each part. It was missing for part ${partNumber} in the request.`,
      );
    }
    return part;
  });
  const small = chosen.slice(0, -1).find(({ size }) => size < SMALLEST_PART);
  if (small !== undefined) {
    throw s3Error('EntityTooSmall', 'Your proposed upload is smaller than the minimum allowed size', 400, {
      ProposedSize: small.size,
      MinSizeAllowed: SMALLEST_PART,
      PartNumber: small.partNumber,
      ETag: small.etag,
    });
  }
  return chosen;
}

function assemble({ record }: Upload, parts: readonly PartRecord[], now: number): ObjectRecord {
  const { key, headers, encryption, checksumAlgorithm, uploadId } = record;
  const tags = createHash('md5');
  for (const { etag } of parts) tags.update(etag, 'hex');
  const checksums = parts.map(({ checksum }) => checksum).filter((sum): sum is StoredChecksum => sum !== undefined);
  return {
    key,
    size: parts.reduce((sum, { size }) => sum + size, 0),
    etag: `${tags.digest('hex')}-${parts.length}`,
    lastModified: now,
    headers,
    checksum: checksumAlgorithm === undefined ? undefined : compositeChecksum(checksumAlgorithm, checksums),
    encryption,
    // No byte is copied: the object is its parts, one after the other.
    segments: parts.map(({ segment }) => segment),
    uploadId,
  };
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html */
export const completeMultipartUpload: Operation = {
  query: ['uploadId'],
  headers: ['if-match', 'if-none-match'],
  run: async (call) => {
    const { headers, bucket, key, host } = call;
    assertConditions(headers);
    authorizeWrite(call, requestedBy(call));
    useKey(call, uploadOf(call).record.encryption, 'kms:Decrypt');
    const record = await commit(call, async () => {
      const listed = await readList(call);
      const upload = uploadOf(call);
      return {
        record: () => {
          // It may have been aborted or completed a moment ago.
          uploadOf(call);
          return assemble(upload, chosenParts(upload, listed), host.clock.now());
        },
        settled: (stored) => {
          if (stored) bucket.uploads.remove(upload);
        },
      };
    });
    return {
      status: 200,
      headers: { 'content-type': 'application/xml', ...encryptionHeaders(record.encryption) },
      body: renderXml('CompleteMultipartUploadResult', [
        ['Location', `${host.endpoint()}/${bucket.name}/${encodeURIComponent(key)}`],
        ['Bucket', bucket.name],
        ['Key', key],
        ['ETag', `"${record.etag}"`],
        ...checksumMember(record.checksum),
        ...(record.checksum === undefined ? [] : [['ChecksumType', record.checksum.type] as const]),
      ]),
    };
  },
};

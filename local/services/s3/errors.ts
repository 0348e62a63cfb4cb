import { ServiceError, type ServiceResponse } from '../../service.ts';
import { renderXml } from './xml.ts';

/** Errors as https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList lists them. */
export const s3Error = (
  code: string,
  message: string,
  status = 400,
  members: Record<string, unknown> = {},
): ServiceError => new ServiceError(code, message, status, members);

export const noSuchKey = (key: string): ServiceError =>
  s3Error('NoSuchKey', 'The specified key does not exist.', 404, { Key: key });

export const noSuchUpload = (uploadId: string): ServiceError =>
  s3Error(
    'NoSuchUpload',
    'The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.',
    404,
    { UploadId: uploadId },
  );

export const invalidArgument = (message: string, name: string, value: string): ServiceError =>
  s3Error('InvalidArgument', message, 400, { ArgumentName: name, ArgumentValue: value });

/** https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#RESTErrorResponses */
export function errorResponse(error: ServiceError, requestId: string): ServiceResponse {
  const members = Object.entries(error.members).map(([name, value]) => [name, String(value)] as const);
  return {
    status: error.code === 'AccessDenied' ? 403 : error.status,
    headers: { 'content-type': 'application/xml', 'x-amz-request-id': requestId },
    body: renderXml('Error', [['Code', error.code], ['Message', error.message], ...members, ['RequestId', requestId]], {
      namespace: false,
    }),
  };
}

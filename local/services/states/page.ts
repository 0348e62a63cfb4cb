import { createHash } from 'node:crypto';
import { ServiceError } from '../../service.ts';
import { validation } from './api-errors.ts';

const DEFAULT_SIZE = 100;
const LARGEST_SIZE = 1000;
/** Tokens expire after 24 hours. https://docs.aws.amazon.com/step-functions/latest/apireference/API_GetExecutionHistory.html */
const LIFETIME = 24 * 3600 * 1000;

interface Position {
  /** What was asked for: a token only continues the same request. */
  readonly query: string;
  readonly offset: number;
  readonly issued: number;
}

export interface PageRequest {
  readonly maxResults: number | undefined;
  readonly nextToken: string | undefined;
  /** Everything else that was asked for. */
  readonly query: unknown;
}

/** One page of `items`. Throws `InvalidToken` for a token that is not of this request or has expired. */
export function page<T>(
  items: readonly T[],
  request: PageRequest,
  now: number,
): { items: readonly T[]; nextToken?: string } {
  const { maxResults = 0, nextToken } = request;
  if (!Number.isInteger(maxResults) || maxResults < 0 || maxResults > LARGEST_SIZE) {
    throw validation(`1 validation error detected: Value '${maxResults}' at 'maxResults' must be between 0 and 1000`);
  }
  const query = createHash('sha256').update(JSON.stringify(request.query)).digest('base64url');
  const offset = nextToken === undefined ? 0 : offsetIn(nextToken, query, now);
  const end = offset + (maxResults === 0 ? DEFAULT_SIZE : maxResults);
  const shown = { items: items.slice(offset, end) };
  return end < items.length ? { ...shown, nextToken: encode({ query, offset: end, issued: now }) } : shown;
}

const encode = (position: Position): string => Buffer.from(JSON.stringify(position)).toString('base64url');

function offsetIn(token: string, query: string, now: number): number {
  const position = decode(token);
  if (position?.query === query && Number.isInteger(position.offset) && position.issued >= now - LIFETIME)
    return position.offset;
  throw new ServiceError('InvalidToken', "Invalid Token: 'Invalid token'");
}

function decode(token: string): Position | undefined {
  try {
    // Every member is checked by the caller.
    return JSON.parse(Buffer.from(token, 'base64url').toString()) as Position;
  } catch {
    return undefined;
  }
}

import * as z from 'zod';
import { notImplemented, ServiceError } from '../../service.ts';

/** https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsRequestEntry.html */
const entry = z.strictObject({
  Source: z.string().optional(),
  DetailType: z.string().optional(),
  Detail: z.string().optional(),
  EventBusName: z.string().optional(),
  Resources: z.array(z.string()).optional(),
  /** Seconds since the epoch. */
  Time: z.number().optional(),
});

const request = z.strictObject({ Entries: z.array(entry) });

export type PutEventsEntry = z.output<typeof entry>;

/** https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html#eb-putevent-size */
const LARGEST_REQUEST = 262_144;
const MOST_ENTRIES = 10;

/** Throws `ValidationException` for what refuses the request as a whole. */
export function readPutEvents(body: unknown): readonly PutEventsEntry[] {
  const read = request.safeParse(body);
  if (!read.success) {
    const [issue] = read.error.issues;
    const where = `${issue?.path.join('.') || 'request'}: ${issue?.message}`;
    if (issue?.code === 'unrecognized_keys') throw notImplemented(`this events:PutEvents request (${where})`);
    throw new ServiceError('ValidationException', where);
  }
  const { Entries } = read.data;
  if (Entries.length < 1 || Entries.length > MOST_ENTRIES)
    throw new ServiceError(
      'ValidationException',
      `1 validation error detected: Value at 'entries' failed to satisfy constraint: Member must have length between 1 and ${MOST_ENTRIES}`,
    );
  if (Entries.reduce((sum, each) => sum + sizeOf(each), 0) > LARGEST_REQUEST)
    throw new ServiceError('ValidationException', 'Total size of the entries in the request is over the limit.');
  return Entries;
}

/** As documented: 14 bytes for a time, and the UTF-8 lengths of source, detail type, detail and resources. */
const sizeOf = ({ Time, Source, DetailType, Detail, Resources }: PutEventsEntry): number =>
  (Time === undefined ? 0 : 14) +
  [Source, DetailType, Detail, ...(Resources ?? [])].reduce((sum, text) => sum + Buffer.byteLength(text ?? ''), 0);

/** Why one entry is not accepted. https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsResultEntry.html */
export interface EntryRefusal {
  readonly ErrorCode: string;
  readonly ErrorMessage: string;
}

export interface ReadEntry {
  readonly source: string;
  readonly detailType: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

/** What an entry says, or why it is refused while others may be accepted. */
export function readEntry(each: PutEventsEntry): ReadEntry | EntryRefusal {
  const { Source, DetailType, Detail } = each;
  if (!Source || Source.length > 256) return invalid('Source');
  if (!DetailType || DetailType.length > 128) return invalid('DetailType');
  if (Detail === undefined) return invalid('Detail');
  const detail = detailOf(Detail);
  if (detail === undefined) return { ErrorCode: 'MalformedDetail', ErrorMessage: 'Detail is malformed.' };
  if (Source.startsWith('aws.'))
    return { ErrorCode: 'NotAuthorizedForSourceException', ErrorMessage: 'Not authorized for the source.' };
  return { source: Source, detailType: DetailType, detail };
}

const invalid = (name: string): EntryRefusal => ({
  ErrorCode: 'InvalidArgument',
  ErrorMessage: `Parameter ${name} is not valid. Reason: ${name} is a required argument.`,
});

function detailOf(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const read = z.record(z.string(), z.unknown()).safeParse(JSON.parse(text));
    return read.success ? read.data : undefined;
  } catch {
    return undefined;
  }
}

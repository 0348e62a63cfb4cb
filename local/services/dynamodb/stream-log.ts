import { createHash } from 'node:crypto';
import type { Clock } from '../../clock.ts';
import type { StreamRecord, TableStream } from '../../ports.ts';
import type { Item } from './attribute-value.ts';
import { itemSize } from './item-size.ts';
import { endOf, recordsPrefix, SEQUENCE_KEY } from './keys.ts';
import type { Store, View } from './store.ts';
import { primaryKey, type StreamViewType, type Table } from './table.ts';

/** An item before and after a write; undefined where there is none. */
export interface Change {
  readonly before: Item | undefined;
  readonly after: Item | undefined;
}

/** Records are kept for 24 hours. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html */
const RETENTION = 24 * 60 * 60 * 1000;

/** Marks a deletion by TTL. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-streams.html */
export const EXPIRED_BY = { type: 'Service', principalId: 'dynamodb.amazonaws.com' } as const;

/** One table's stream, kept in the table's own store so that an item and its record are committed together. */
export class StreamLog implements TableStream {
  readonly arn: string;
  readonly #table: Table;
  readonly #viewType: StreamViewType;
  readonly #region: string;
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #listeners: (() => void)[] = [];

  constructor(table: Table, stream: NonNullable<Table['stream']>, region: string, store: Store, clock: Clock) {
    this.arn = stream.arn;
    this.#table = table;
    this.#viewType = stream.viewType;
    this.#region = region;
    this.#store = store;
    this.#clock = clock;
  }

  async read(sequenceNumber: string | undefined, limit: number): Promise<readonly StreamRecord[]> {
    const prefix = recordsPrefix(this.#table);
    const records: StreamRecord[] = [];
    for await (const [, record] of this.#store.scan<StreamRecord>({
      gt: prefix + (sequenceNumber ?? ''),
      lt: endOf(prefix),
    })) {
      if (records.length >= limit) break;
      if (!this.#trimmed(record)) records.push(record);
    }
    return records;
  }

  onAppend(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** Adds a change to `view`; listeners hear of it once it is durable. */
  append(view: View, change: Change, userIdentity: StreamRecord['userIdentity']): void {
    const sequence = (view.get<number>(SEQUENCE_KEY) ?? 0) + 1;
    view.put(SEQUENCE_KEY, sequence);
    const sequenceNumber = String(sequence).padStart(21, '0');
    view.put(recordsPrefix(this.#table) + sequenceNumber, this.#record(change, sequenceNumber, userIdentity));
    view.onCommit(() => {
      for (const listener of this.#listeners) listener();
    });
  }

  /** Removes records older than 24 hours. */
  async trim(): Promise<void> {
    const prefix = recordsPrefix(this.#table);
    const old: string[] = [];
    for await (const [key, record] of this.#store.scan<StreamRecord>({ gt: prefix, lt: endOf(prefix) })) {
      if (!this.#trimmed(record)) break;
      old.push(key);
    }
    if (old.length > 0)
      await this.#store.write((view) => {
        for (const key of old) view.delete(key);
      });
  }

  #trimmed(record: StreamRecord): boolean {
    return record.dynamodb.ApproximateCreationDateTime * 1000 <= this.#clock.now() - RETENTION;
  }

  /** https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_StreamRecord.html */
  #record(change: Change, sequenceNumber: string, userIdentity: StreamRecord['userIdentity']): StreamRecord {
    const { before, after } = change;
    const Keys = primaryKey(this.#table, after ?? before ?? {});
    const NewImage = this.#viewType.startsWith('NEW') ? after : undefined;
    const OldImage = this.#viewType.includes('OLD') ? before : undefined;
    return {
      eventID: createHash('md5').update(`${this.arn}/${sequenceNumber}`).digest('hex'),
      eventName: before === undefined ? 'INSERT' : after === undefined ? 'REMOVE' : 'MODIFY',
      eventVersion: '1.1',
      eventSource: 'aws:dynamodb',
      awsRegion: this.#region,
      eventSourceARN: this.arn,
      dynamodb: {
        ApproximateCreationDateTime: Math.floor(this.#clock.now() / 1000),
        Keys,
        ...(NewImage && { NewImage }),
        ...(OldImage && { OldImage }),
        SequenceNumber: sequenceNumber,
        SizeBytes: [Keys, NewImage, OldImage].reduce(
          (sum, image) => sum + (image === undefined ? 0 : itemSize(image)),
          0,
        ),
        StreamViewType: this.#viewType,
      },
      ...(userIdentity && { userIdentity }),
    };
  }
}

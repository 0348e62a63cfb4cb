import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { DataFiles } from './data-files.ts';
import { readRecords, writeRecord } from './record-files.ts';
import type { PartRecord, UploadRecord } from './records.ts';

/** A multipart upload with the parts that it has so far. */
export interface Upload {
  readonly record: UploadRecord;
  readonly parts: Map<number, PartRecord>;
}

type Written = UploadRecord | PartRecord;

/** The multipart uploads of a bucket that are under way. */
export class UploadStore {
  readonly #directory: string;
  readonly #files: DataFiles;
  readonly #uploads = new Map<string, Upload>();

  /** @param completed whether an object came from this upload; a crash may have come before its removal */
  constructor(directory: string, files: DataFiles, completed: (uploadId: string) => boolean) {
    this.#directory = directory;
    this.#files = files;
    mkdirSync(directory, { recursive: true });
    for (const name of readdirSync(directory)) this.#load(join(directory, name), completed);
  }

  newId(): string {
    return randomBytes(48).toString('base64url');
  }

  get(uploadId: string): Upload | undefined {
    return this.#uploads.get(uploadId);
  }

  list(): readonly Upload[] {
    return [...this.#uploads.values()];
  }

  begin(record: UploadRecord): void {
    const directory = join(this.#directory, record.uploadId);
    mkdirSync(directory);
    writeRecord(join(directory, 'upload.json'), record, this.#files.durable);
    this.#uploads.set(record.uploadId, { record, parts: new Map() });
  }

  /** Adds a part, in place of an earlier one with the same number. */
  addPart({ record, parts }: Upload, part: PartRecord): void {
    const file = join(this.#directory, record.uploadId, `part-${part.partNumber}.json`);
    writeRecord(file, part, this.#files.durable);
    this.#files.retain([part.segment]);
    const before = parts.get(part.partNumber);
    parts.set(part.partNumber, part);
    if (before !== undefined) this.#files.release([before.segment]);
  }

  /** Forgets an upload, aborted or completed; parts that became an object stay. */
  remove({ record, parts }: Upload): void {
    this.#uploads.delete(record.uploadId);
    const directory = join(this.#directory, record.uploadId);
    // Without this file the rest is not an upload, should a crash come before the next line.
    rmSync(join(directory, 'upload.json'));
    rmSync(directory, { recursive: true });
    this.#files.release([...parts.values()].map(({ segment }) => segment));
  }

  #load(directory: string, completed: (uploadId: string) => boolean): void {
    const records = readRecords<Written>(directory);
    const record = records.find((candidate): candidate is UploadRecord => 'uploadId' in candidate);
    if (record === undefined || completed(record.uploadId)) {
      rmSync(directory, { recursive: true });
      return;
    }
    const parts = records.filter((candidate): candidate is PartRecord => 'partNumber' in candidate);
    this.#uploads.set(record.uploadId, { record, parts: new Map(parts.map((part) => [part.partNumber, part])) });
    const segments = parts.map(({ segment }) => segment);
    this.#files.check(segments);
    this.#files.retain(segments);
  }
}

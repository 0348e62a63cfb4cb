import { closeSync, fsyncSync, openSync, readdirSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** Writes a record so that a reader, also one after a crash, sees the old one or the new one. */
export function writeRecord(file: string, record: object, durable: boolean): void {
  const temporary = `${file}.new`;
  const descriptor = openSync(temporary, 'w', 0o600);
  try {
    writeSync(descriptor, JSON.stringify(record));
    if (durable) fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(temporary, file);
}

/** Every record of a directory; what a crash left half-written is removed. */
export function readRecords<T>(directory: string): T[] {
  const names = readdirSync(directory);
  for (const name of names.filter((candidate) => candidate.endsWith('.new'))) rmSync(join(directory, name));
  return names
    .filter((name) => name.endsWith('.json'))
    .map(
      // writeRecord() wrote it, from a T.
      (name) => JSON.parse(readFileSync(join(directory, name), 'utf8')) as T,
    );
}

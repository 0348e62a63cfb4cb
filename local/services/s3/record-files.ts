import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { readJson, removeDrafts, replaceFile } from '../../durable-file.ts';

/** Writes a record so that a reader, also one after a crash, sees the old one or the new one. */
export const writeRecord = (file: string, record: object, durable: boolean): void => {
  replaceFile(file, JSON.stringify(record), durable);
};

/** Every record of a directory; what a crash left half-written is removed. @throws DataDirectoryProblem naming a damaged one */
export function readRecords<T>(directory: string): T[] {
  const names = readdirSync(directory);
  removeDrafts(directory, names);
  return names.filter((name) => name.endsWith('.json')).flatMap((name) => readJson<T>(join(directory, name)) ?? []);
}

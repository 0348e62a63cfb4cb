import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  ftruncateSync,
  fstatSync,
} from 'node:fs';
import { dirname, join, sep } from 'node:path';

/** The data directory cannot be used; the message says why and what to do. */
export class DataDirectoryProblem extends Error {
  override readonly name = 'DataDirectoryProblem';
}

const watched = new Map<string, (problem: DataDirectoryProblem) => void>();

/** Has `tell` called when something under a directory cannot be written any more; returns what ends that. */
export function watchWrites(directory: string, tell: (problem: DataDirectoryProblem) => void): () => void {
  watched.set(directory, tell);
  return () => watched.delete(directory);
}

const WHY: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full: free some space',
  EDQUOT: 'the quota is used up: free some space',
  EFBIG: 'a file may not grow further: raise the limit',
  EROFS: 'it is read-only: make it writable',
  EACCES: 'it may not be written to: give this user the right to',
  EPERM: 'it may not be written to: give this user the right to',
};

/**
 * Ends the use of a data directory in which a write failed: what was answered before is kept, and nothing is answered that is not. As with a
 * database whose log cannot be written, going on would be guessing.
 * @returns the problem, to be thrown
 */
export function writeFailed(path: string, cause: unknown): DataDirectoryProblem {
  const code = (cause as NodeJS.ErrnoException).code ?? '';
  const directory = [...watched.keys()].find((candidate) => path === candidate || path.startsWith(candidate + sep));
  const problem = new DataDirectoryProblem(
    `${directory ?? dirname(path)} cannot be written (${deepest(cause)}): ` +
      `${WHY[code] ?? 'make room or mend the disk'}, and start again. Everything that was answered is kept.`,
    { cause },
  );
  if (directory !== undefined) watched.get(directory)?.(problem);
  return problem;
}

/** What the system itself said. */
export const deepest = (error: unknown): string =>
  error instanceof Error && error.cause !== undefined
    ? deepest(error.cause)
    : error instanceof Error
      ? error.message
      : String(error);

/** Whether an error says that the disk, and not the caller, is at fault. */
export const isDiskError = (error: unknown): boolean =>
  [...Object.keys(WHY), 'EIO'].includes((error as NodeJS.ErrnoException).code ?? '');

function flushDirectory(directory: string): void {
  const handle = openSync(directory, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/**
 * Replaces a file whole: a reader, also one after a crash or on a full disk, finds the state before or the state after.
 * @param durable whether it must survive the machine's end, not only the process's
 * @throws DataDirectoryProblem, and the file is as it was
 */
export function replaceFile(path: string, text: string, durable = true): void {
  const draft = `${path}.new`;
  try {
    const handle = openSync(draft, 'w', 0o600);
    try {
      // Unlike writeSync, which on a full disk writes a part and says so in a number.
      writeFileSync(handle, text);
      if (durable) fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    renameSync(draft, path);
    if (durable) flushDirectory(dirname(path));
  } catch (error) {
    throw writeFailed(path, error);
  }
}

/** Lines that are added one by one, each durable before its writer goes on. */
export class LineLog {
  readonly #path: string;
  readonly #handle: number;

  constructor(path: string) {
    this.#path = path;
    this.#handle = openSync(path, 'a', 0o600);
  }

  /** @throws DataDirectoryProblem, and the file is as it was */
  append(line: string): void {
    const { size } = fstatSync(this.#handle);
    try {
      writeFileSync(this.#handle, `${line}\n`);
      fsyncSync(this.#handle);
    } catch (error) {
      // A part of the line may be there; the next one would be appended to it.
      ftruncateSync(this.#handle, size);
      throw writeFailed(this.#path, error);
    }
  }

  close(): void {
    closeSync(this.#handle);
  }
}

/** What a file that only {@link replaceFile} writes holds; undefined when there is none. @throws DataDirectoryProblem naming a damaged file */
export function readJson<T>(path: string): T | undefined {
  if (!existsSync(path)) return undefined;
  return parseJson<T>(readFileSync(path, 'utf8'), path);
}

/** @throws DataDirectoryProblem naming the file */
export function parseJson<T>(text: string, path: string): T {
  try {
    // Written by the runtime, from a value of type T.
    return JSON.parse(text) as T;
  } catch (error) {
    throw damaged(path, 'is not what was written', error);
  }
}

/** Checks that a file holds as many bytes as were written. @throws DataDirectoryProblem naming the file */
export function checkSize(path: string, size: number): void {
  const found = existsSync(path) ? statSync(path).size : undefined;
  if (found !== size) throw damaged(path, `holds ${found ?? 'no'} bytes instead of ${size}`);
}

const damaged = (path: string, what: string, cause?: unknown): DataDirectoryProblem =>
  new DataDirectoryProblem(
    `${path} ${what}. Nothing was changed: put the directory back from a copy, or name another one.`,
    { cause },
  );

/** Removes drafts that a crash left behind. */
export const removeDrafts = (directory: string, names: readonly string[]): void => {
  for (const name of names) if (name.endsWith('.new')) rmSync(join(directory, name));
};

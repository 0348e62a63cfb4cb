import { rmSync } from 'node:fs';
import { link, open, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { ClientError, codeOf } from './errors.ts';
import { EXIT } from './exit-codes.ts';

const exists = (path: string): ClientError =>
  new ClientError(
    EXIT.failed,
    'FILE_EXISTS',
    `${path} exists, and nothing is overwritten.`,
    'Choose another folder with --to, move the file away, or give --force.',
  );

/** @throws ClientError when something lies there already */
export async function refuseExisting(path: string): Promise<void> {
  const found = await stat(path).catch((error: unknown) => {
    if (codeOf(error) !== 'ENOENT') throw error;
    return undefined;
  });
  if (found !== undefined) throw exists(path);
}

/**
 * Files that count only when all of them are complete: they are written under another name, appear together, and leave nothing behind
 * when they are given up, also when the process ends on the way.
 */
export class PartFiles {
  readonly #force: boolean;
  readonly #parts = new Map<string, FileHandle>();
  /** A last resort: the process ends without anyone having cleaned up. */
  readonly #onExit = (): void => {
    for (const path of this.#parts.keys()) rmSync(path, { force: true });
  };

  /** @param force whether existing files are replaced */
  constructor(force: boolean) {
    this.#force = force;
    process.once('exit', this.#onExit);
  }

  /** Begins a file that only its owner can read. */
  async create(path: string): Promise<FileHandle> {
    if (this.#force) await rm(path, { force: true });
    try {
      const file = await open(path, 'wx', 0o600);
      this.#parts.set(path, file);
      return file;
    } catch (error) {
      throw codeOf(error) === 'EEXIST' ? exists(path) : error;
    }
  }

  /** Ends writing a file; its bytes are on the disk. */
  async complete(path: string): Promise<void> {
    const file = this.#parts.get(path);
    await file?.sync();
    await file?.close();
  }

  /** Puts complete files in their places: all of them, or none. */
  async place(moves: readonly { readonly part: string; readonly final: string }[]): Promise<void> {
    const placed: string[] = [];
    try {
      for (const { part, final } of moves) {
        if (this.#force) await rename(part, final);
        else await this.#linkTo(part, final);
        placed.push(final);
      }
    } catch (error) {
      for (const path of placed) await rm(path, { force: true });
      throw error;
    }
  }

  /** A link never takes the place of another file, which a rename does without a word. */
  async #linkTo(part: string, final: string): Promise<void> {
    try {
      await link(part, final);
    } catch (error) {
      if (codeOf(error) === 'EEXIST') throw exists(final);
      if (!['EPERM', 'ENOTSUP', 'EMLINK', 'ENOSYS'].includes(codeOf(error) ?? '')) throw error;
      // A file system without links (FAT).
      await refuseExisting(final);
      await rename(part, final);
    }
  }

  /** Removes what is still under its other name. To be called however it ended. */
  async discard(): Promise<void> {
    for (const [path, file] of this.#parts) {
      await file.close().catch(() => undefined);
      await rm(path, { force: true });
    }
    this.#parts.clear();
    process.off('exit', this.#onExit);
  }
}

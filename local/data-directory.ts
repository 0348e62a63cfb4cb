import { randomUUID } from 'node:crypto';
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { Clock } from './clock.ts';
import { DataDirectoryProblem, readJson } from './durable-file.ts';
import { DurableJson } from './services/durable-json.ts';

/** Directories that runtimes of this very process hold; a process id alone cannot tell them apart. */
const held = new Set<string>();

/** Whether a process of that id exists. One that may not be signalled exists, too. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

const holder = (lock: string): number | undefined => {
  try {
    return Number(readFileSync(lock, 'utf8').trim());
  } catch {
    return undefined;
  }
};

/** Creates the lock with its content in one step, so that nobody reads it empty. @returns false when there is one already */
function tryLock(lock: string): boolean {
  const draft = `${lock}.${randomUUID()}`;
  writeFileSync(draft, String(process.pid), { mode: 0o600 });
  try {
    linkSync(draft, lock);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(draft);
  }
}

/** Replaces the lock of a dead process; of two that try at the same time, at most one succeeds. */
function takeOver(directory: string, lock: string, dead: number | undefined): void {
  const moved = `${lock}.${randomUUID()}`;
  renameSync(lock, moved);
  // Another may have taken over between the look and the move: what was moved is then its lock, and goes back.
  const stale = holder(moved) === dead;
  if (!stale) linkSync(moved, lock);
  rmSync(moved);
  if (!stale || !tryLock(lock)) throw new DataDirectoryProblem(`${directory} was taken by another runtime just now`);
}

function takeLock(directory: string): string {
  const lock = join(directory, 'runtime.lock');
  if (held.has(directory))
    throw new DataDirectoryProblem(`${directory} is in use by a runtime of this process: stop it first`);
  if (!tryLock(lock)) {
    const pid = holder(lock);
    if (pid !== undefined && pid !== process.pid && isAlive(pid))
      throw new DataDirectoryProblem(
        `${directory} is in use by process ${pid}: stop it, or remove ${lock} if that process is not a runtime`,
      );
    takeOver(directory, lock, pid);
  }
  held.add(directory);
  return lock;
}

const MARKER = 'local-runtime.json';
const FORMAT = 1;

/**
 * Other people's files are left alone: the directory is new, or was made by a runtime that keeps its state in the same form, for the same
 * application.
 */
function checkOwn(directory: string, application: string): void {
  const marker = join(directory, MARKER);
  if (!existsSync(marker)) {
    if (readdirSync(directory).length > 0)
      throw new DataDirectoryProblem(`${directory} holds other files: name a directory that is new or empty`);
    writeFileSync(marker, JSON.stringify({ format: FORMAT, application }), { mode: 0o600 });
    return;
  }
  const kept = readJson<{ readonly format?: unknown; readonly application?: unknown }>(marker);
  if (kept?.format !== FORMAT)
    throw new DataDirectoryProblem(
      `${directory} was written by another version of the runtime: remove it, or name another`,
    );
  if (kept.application !== application)
    throw new DataDirectoryProblem(
      `${directory} holds the state of ${String(kept.application)}, not of ${application}: name another directory`,
    );
}

/** Where one runtime keeps its state between starts. */
export class DataDirectory {
  readonly path: string;
  #lock: string;

  /**
   * Creates the directory when there is none (readable by its owner only) and locks it. The lock of a process that has died is taken over.
   * @param application what the state belongs to: another application's is not touched
   * @throws {DataDirectoryProblem}
   */
  constructor(path: string, application: string) {
    this.path = resolve(path);
    try {
      if (!existsSync(this.path)) mkdirSync(this.path, { recursive: true, mode: 0o700 });
      checkOwn(this.path, application);
      // It holds keys.
      chmodSync(this.path, 0o700);
      accessSync(this.path, constants.R_OK | constants.W_OK | constants.X_OK);
      this.#lock = takeLock(this.path);
    } catch (error) {
      if (error instanceof DataDirectoryProblem) throw error;
      throw new DataDirectoryProblem(
        `${this.path} cannot be used for data (${(error as Error).message}): choose a directory that you may write to`,
        { cause: error },
      );
    }
  }

  release(): void {
    held.delete(this.path);
    rmSync(this.#lock, { force: true });
  }
}

/**
 * A clock whose offset survives the process. The offset is kept before time moves: should the process die on the way, time has passed,
 * as on a machine that slept, and never runs backwards.
 */
export class DurableClock extends Clock {
  readonly #kept: DurableJson<{ offset: number }>;

  constructor(settled: () => Promise<void>, directory: string) {
    const kept = new DurableJson(directory, 'clock.json', { offset: 0 });
    super(settled, kept.value.offset);
    this.#kept = kept;
  }

  override async advanceTo(to: number): Promise<void> {
    this.#kept.value = { offset: Math.max(this.offset, this.offset + (to - this.now())) };
    this.#kept.save();
    await super.advanceTo(to);
    this.#kept.value = { offset: this.offset };
    this.#kept.save();
  }
}

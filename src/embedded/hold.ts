/** A data directory serves one Brevet at a time. */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { link, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { codeOf, giveToOwnerOfFolder, readRecord, replaceFile } from './record.ts';

const HOLDER = z.object({ pid: z.int(), since: z.string(), note: z.string() });

/** Who holds a data directory, for the one who may not. */
export interface Holder {
  readonly pid: number;
  /** RFC 3339, UTC. */
  readonly since: string;
  /** What it said of itself, such as `brevet start`. */
  readonly note: string;
}

/** A data directory that is ours until released, or until this process ends, however it ends. */
export interface Hold {
  release(): Promise<void>;
}

/** Another process holds the data directory. The message is fit to be shown as it is. */
export class DataDirHeld extends Error {
  override readonly name = 'DataDirHeld';
  readonly holder: Holder | undefined;

  constructor(dataDir: string, holder: Holder | undefined) {
    const who = holder
      ? `process ${holder.pid} (${holder.note}), since ${holder.since}`
      : 'another process, which is only just starting';
    super(`The data directory ${dataDir} is in use by ${who}. Stop it, or set BREVET_DATA_DIR to another.`);
    this.holder = holder;
  }
}

/** SQLITE_BUSY: another process has the lock. @see https://sqlite.org/rescode.html#busy */
const BUSY = 5;

/**
 * Takes the directory or throws {@link DataDirHeld}.
 *
 * Node offers no file lock of its own, but SQLite takes one on its database file. The kernel gives it to
 * one process alone and takes it back when that process ends, by `kill -9` too, so there is no stale lock
 * to judge and no moment at which two could both clear one away. The database itself stays empty; who
 * holds it is written beside it.
 *
 * Nothing else in this process may open the lock file: POSIX drops a process's locks on a file when it
 * closes any descriptor of it.
 */
export async function holdDataDir(dataDir: string, note: string): Promise<Hold> {
  const lockPath = join(dataDir, 'lock');
  if (!existsSync(lockPath)) await makeLockFile(lockPath);
  const lock = lockFile(lockPath);
  const holderFile = join(dataDir, 'holder.json');
  if (!lock) throw new DataDirHeld(dataDir, await readHolder(holderFile));
  const holder: Holder = { pid: process.pid, since: new Date().toISOString(), note };
  await replaceFile(holderFile, `${JSON.stringify(holder)}\n`);
  return {
    async release() {
      if (!lock.isOpen) return;
      await rm(holderFile, { force: true });
      lock.close();
    },
  };
}

/** Under another name first: closing the lock file itself could drop a lock that was taken meanwhile. */
async function makeLockFile(path: string): Promise<void> {
  const made = `${path}.${randomUUID()}`;
  await writeFile(made, '', { mode: 0o600 });
  await giveToOwnerOfFolder(made);
  try {
    await link(made, path);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  } finally {
    await rm(made);
  }
}

function lockFile(path: string): DatabaseSync | undefined {
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    database.exec('PRAGMA journal_mode = OFF; BEGIN EXCLUSIVE');
    return database;
  } catch (error) {
    database.close();
    if (isBusy(error)) return undefined;
    throw error;
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === BUSY;
}

/** Undefined when the holder has not yet written who it is, and what is there is a former holder's. */
async function readHolder(path: string): Promise<Holder | undefined> {
  const holder = await readRecord(path, HOLDER);
  return holder && isAlive(holder.pid) ? holder : undefined;
}

/** A process of another user answers EPERM, and lives. */
function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

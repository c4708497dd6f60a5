/** Where tests write what is gone after them: in memory where there is plenty, since most of it is databases. */
import { accessSync, constants, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Kept in memory by Linux, for every user. */
const IN_MEMORY = '/dev/shm';

/** Twice what a whole run was seen to write at one time. */
const PLENTY_BYTES = 8 * 1024 ** 3;

/** The folder for temporary folders: who names one with `TMPDIR` gets that. */
export function temporaryRoot(): string {
  return process.env['TMPDIR'] === undefined && hasPlenty(IN_MEMORY) ? IN_MEMORY : tmpdir();
}

function hasPlenty(folder: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return Math.min(bavail * bsize, process.availableMemory()) >= PLENTY_BYTES && runsPrograms(folder);
  } catch {
    // None here, or not for this user.
    return false;
  }
}

/** Tests copy Node and Postgres; containers often forbid to run what lies there. */
function runsPrograms(folder: string): boolean {
  const program = join(folder, `brevet-test-${process.pid}`);
  writeFileSync(program, '', { mode: 0o700 });
  try {
    accessSync(program, constants.X_OK);
    return true;
  } finally {
    rmSync(program);
  }
}

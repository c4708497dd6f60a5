/** Small files that are read by another process, or by the next one: whole or not there, and checked. */
import { chown, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { z } from 'zod';

/** Replaces the file at once: nobody sees half of it, and a crash leaves the old one or the new one. */
export async function replaceFile(path: string, content: string): Promise<void> {
  await writeFile(`${path}.new`, content, { mode: 0o600, flush: true });
  await giveToOwnerOfFolder(`${path}.new`);
  await rename(`${path}.new`, path);
}

/** What root writes in another user's folder is for that user, who may be the next to start Brevet. */
export async function giveToOwnerOfFolder(path: string): Promise<void> {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = await stat(dirname(path));
  await chown(path, uid, gid);
}

/** The file's text, or undefined where there is no file. */
export async function readIfPresent(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    // ESRCH: a process that ended while its entry under /proc was being read.
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ESRCH') return undefined;
    throw error;
  }
}

/** JSON of a known shape; a fault if it has another. */
export async function readRecord<T>(path: string, shape: z.ZodType<T>): Promise<T | undefined> {
  const text = await readIfPresent(path);
  return text === undefined ? undefined : shape.parse(JSON.parse(text));
}

/** The code of a system's or Postgres' error, such as ENOENT or 28P01. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

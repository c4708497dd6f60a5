/** Small files that are read by another process, or by the next one: whole or not there, and checked. */
import { readFile, rename, writeFile } from 'node:fs/promises';
import type { z } from 'zod';

/** Replaces the file at once: nobody sees half of it, and a crash leaves the old one or the new one. */
export async function replaceFile(
  path: string,
  content: string,
  giveAway?: (path: string) => Promise<void>,
): Promise<void> {
  await writeFile(`${path}.new`, content, { mode: 0o600, flush: true });
  await giveAway?.(`${path}.new`);
  await rename(`${path}.new`, path);
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

/** The code of a system's error, such as ENOENT. */
export function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

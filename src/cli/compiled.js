/**
 * What Node compiled at an earlier start, types taken off, is kept for the next one: half of the time that a start
 * takes. It is plain JavaScript, as it comes before the first TypeScript.
 *
 * What is kept is code that will be run, so it is only ever kept in a folder that is this user's own and that nobody
 * else can enter.
 */
import { lstatSync, mkdirSync } from 'node:fs';
import module from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const FOLDER = fileURLToPath(new URL('../../node_modules/.cache/brevet', import.meta.url));

const PRIVATE = 0o700;
const OTHERS = 0o077;

/** Everything that is loaded after this. Where there can be no such folder, all is compiled anew. */
export function keepCompiled() {
  if (isPrivate(FOLDER)) module.enableCompileCache(FOLDER);
}

/** @param {string} folder made where there is none */
function isPrivate(folder) {
  try {
    mkdirSync(dirname(folder), { recursive: true });
    mkdirSync(folder, { recursive: true, mode: PRIVATE });
    const found = lstatSync(folder);
    return found.isDirectory() && found.uid === process.getuid?.() && (found.mode & OTHERS) === 0;
  } catch {
    // Brevet may lie where its user cannot write, and it starts all the same.
    return false;
  }
}

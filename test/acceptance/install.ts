/** A Brevet of its own in a folder: the sources and what npm installed for them, owned by the user who runs it. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { passableNode } from '../support/leftovers.ts';
import { ROOT } from './broker.ts';
import type { Install } from './broker.ts';

export const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;

const command = promisify(execFile);

const LOCK = z.object({ packages: z.record(z.string(), z.object({ dev: z.boolean().optional() })) });

/** What npm installs without its development dependencies, by folder; what stands inside another goes with that one. */
async function installed(): Promise<readonly string[]> {
  const { packages } = LOCK.parse(JSON.parse(await readFile(join(ROOT, 'package-lock.json'), 'utf8')));
  return Object.entries(packages).flatMap(([folder, { dev }]) =>
    dev === true || folder.split('node_modules/').length !== 2 || !existsSync(join(ROOT, folder)) ? [] : [folder],
  );
}

/** @param folders that the user shall have besides. As root: for the user nobody, in a folder that is theirs alone. Otherwise for this user. */
export async function installFor(home: string, folders: readonly string[] = []): Promise<Install> {
  const root = join(home, 'brevet');
  for (const folder of folders) await mkdir(join(home, folder));
  await mkdir(join(root, 'node_modules'), { recursive: true });
  const modules = await installed();
  for (const folder of modules.map(dirname)) await mkdir(join(root, folder), { recursive: true });
  // Many thousand files, which Node itself would copy one by one.
  for (const part of ['package.json', 'src', 'policy', 'drizzle', ...modules]) {
    await command('cp', ['-a', join(ROOT, part), join(root, dirname(part))]);
  }
  const node = await passableNode();
  if (!isRoot) return { root, node };
  await giveAway(home);
  return { root, node, user: { uid: NOBODY, gid: NOBODY } };
}

async function giveAway(home: string): Promise<void> {
  await command('chown', ['-R', '-P', '-h', `${NOBODY}:${NOBODY}`, home]);
  await chmod(home, 0o700);
}

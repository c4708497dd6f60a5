/**
 * Temporary folders for tests, and the end of what a test left running in them. A process that a test started may
 * outlive the test's own: Postgres is made to. So each has its data in one folder of the run, by which it is found.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, globSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { chmod, copyFile, mkdtemp, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { removeAnnex } from '../../src/embedded/annex.ts';
import { clusterName, readPidFile, stopCluster } from '../../src/embedded/postmaster.ts';
import { homeOf } from '../../src/embedded/site.ts';
import { isAlive } from './alive.ts';
import { temporaryRoot } from './memory.ts';

/** Names the run's folder to the test files; without it a file makes its own. */
export const RUN_FOLDER = 'BREVET_TEST_POSTGRES';

/** What shells report for a command ended by Ctrl-C. */
const INTERRUPTED_STATUS = 130;

/** The run's folder: the runner empties it, or this process does as it ends. */
export function runFolder(): string {
  folder ??= process.env[RUN_FOLDER] ?? ownFolder();
  return folder;
}

let folder: string | undefined;

/**
 * A folder that is gone after the run. Passable, so that the user that Postgres runs as under root can walk in.
 * Postgres servers whose data directory is the folder, or lies directly in it, are ended with the run.
 */
export async function temporaryFolder(name: string): Promise<string> {
  const made = await mkdtemp(join(runFolder(), `${name}-`));
  await chmod(made, PASSABLE);
  return made;
}

const PASSABLE = 0o711;

/** Node where any user can run it: it may lie where others can't go. One copy for the whole run. */
export async function passableNode(): Promise<string> {
  const node = join(runFolder(), 'node');
  if (existsSync(node)) return node;
  const unfinished = `${node}.${process.pid}`;
  await copyFile(process.execPath, unfinished);
  await chmod(unfinished, RUNNABLE);
  await rename(unfinished, node);
  return node;
}

const RUNNABLE = 0o755;

/** A new folder for a run. */
export function makeRunFolder(root = temporaryRoot()): string {
  const made = mkdtempSync(join(root, PREFIX));
  chmodSync(made, PASSABLE);
  writeFileSync(join(made, RUNNER), String(process.pid));
  return made;
}

const PREFIX = 'brevet-test-';
/** In the folder of a run: whose it is. */
const RUNNER = 'runner.pid';

/** Ends what runs of this user left that were killed, and removes their folders: they may lie in memory. */
export async function sweepKilled(root = temporaryRoot()): Promise<void> {
  for (const note of globSync(join(root, `${PREFIX}*`, RUNNER))) {
    const isOurs = statSync(note).uid === process.getuid?.();
    if (isOurs && !isAlive(Number(readFileSync(note, 'utf8')))) await sweep(dirname(note));
  }
}

function ownFolder(): string {
  const made = makeRunFolder();
  // Also after a failed test and after a signal. A process that exits can't wait, so another one does.
  process.once('exit', () => {
    if (serversIn(made).length > 0) spawnSync(process.execPath, [fileURLToPath(import.meta.url), made]);
    rmSync(made, { recursive: true, force: true });
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => process.exit(INTERRUPTED_STATUS));
  }
  return made;
}

/** Ends every Postgres that has its data in the folder, and removes the folder. */
export async function sweep(swept: string): Promise<void> {
  for (const dataDir of serversIn(swept)) {
    const cluster = join(homeOf(dataDir), 'cluster');
    await stopCluster(await clusterName(cluster), (await readPidFile(cluster))?.pid);
    await removeAnnex(homeOf(dataDir));
  }
  await rm(swept, { recursive: true, force: true });
}

/** Data directories with a server that was not stopped in order. */
function serversIn(swept: string): string[] {
  const depths = ['', '*', '*/*'].map((depth) => join(swept, depth, 'postgres', 'cluster', 'postmaster.pid'));
  return globSync(depths).map((pidFile) => dirname(dirname(dirname(pidFile))));
}

if (import.meta.main) {
  const [swept] = process.argv.slice(2);
  if (swept !== undefined && existsSync(swept)) await sweep(swept);
}

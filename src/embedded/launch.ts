/** One start of the server's process, on a cluster where nothing else runs. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { open, readdir, readFile, rename, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { spawnAs } from './account.ts';
import { clusterFolder, dataDirectory, SERVER_ENV } from './cluster.ts';
import { clusterName, readPidFile, stopCluster } from './postmaster.ts';
import type { Site } from './site.ts';

/** Recovery after a crash replays at most `max_wal_size`; longer than this and something else is wrong. */
export const START_LIMIT_MS = 60_000;
const POLL_MS = 3;

/** A log beyond this is put aside at the next start, and the one put aside before it goes. */
const LOG_BYTES = 16 * 1024 * 1024;
const LOG_TAIL = 2_000;

/**
 * Leaves nothing in the new server's way: a server that is sick or runs by other settings, backends whose postmaster was
 * killed, and lock files with the number of a process that is not of this cluster (any more). Postgres takes such a one
 * for a live server as long as the number is in use, be it by a dead process that nobody has reaped.
 */
export async function clearAway({ home, address }: Site, pid: number | undefined): Promise<void> {
  const folder = clusterFolder(home);
  await stopCluster(await clusterName(folder), pid);
  await rm(join(folder, 'postmaster.pid'), { force: true });
  for (const name of await readdir(address.socketDir)) await rm(join(address.socketDir, name));
}

/** Starts the server and answers with its pid once it takes connections. @param told ends the wait, not the server. */
export async function launch(site: Site, told?: AbortSignal): Promise<number> {
  told?.throwIfAborted();
  const folder = clusterFolder(site.home);
  const logFile = join(site.home, 'log');
  const name = await clusterName(folder);
  const log = await openLog(logFile);
  try {
    const { size } = await log.stat();
    const server = spawn(
      join(site.binaries.native, 'bin', 'postgres'),
      ['-D', dataDirectory(site, folder), '-c', `cluster_name=${name}`],
      // A session of its own: Ctrl-C in the terminal is for Brevet, which drains before it stops Postgres.
      { cwd: folder, env: SERVER_ENV, detached: true, stdio: ['ignore', log.fd, log.fd], ...spawnAs(site.account) },
    );
    const pid = await readiness(server, { folder, logFile, size, told });
    server.unref();
    return pid;
  } finally {
    await log.close();
  }
}

async function openLog(path: string): Promise<FileHandle> {
  const log = await open(path, 'a', 0o600);
  if ((await log.stat()).size < LOG_BYTES) return log;
  await log.close();
  await rename(path, `${path}.1`);
  return open(path, 'a', 0o600);
}

interface Awaited {
  readonly folder: string;
  readonly logFile: string;
  /** Of the log before this start. */
  readonly size: number;
  readonly told: AbortSignal | undefined;
}

/** Listens before anything else is awaited: on a busy machine the server may have ended by then. */
async function readiness(server: ChildProcess, { folder, logFile, size, told }: Awaited): Promise<number> {
  let failure: string | undefined;
  server.once('error', (error) => (failure = error.message));
  server.once('exit', (status, signal) => (failure ??= `it ended with ${status ?? signal}`));
  const until = performance.now() + START_LIMIT_MS;
  for (;;) {
    const state = await readPidFile(folder);
    if (state?.ready && state.pid === server.pid) return state.pid;
    told?.throwIfAborted();
    if (performance.now() > until) failure ??= 'it was not ready in time';
    if (failure !== undefined) throw new Error(`Postgres did not start: ${failure}\n${await tailOf(logFile, size)}`);
    await wait(POLL_MS);
  }
}

async function tailOf(logFile: string, from: number): Promise<string> {
  const written = (await readFile(logFile)).subarray(from).toString();
  return written.slice(-LOG_TAIL).trim();
}

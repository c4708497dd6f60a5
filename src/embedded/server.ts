/**
 * The Postgres that Brevet starts when no database is configured: the real one, durable, on a socket in a
 * private folder, with a password that was made for it. It outlives a Brevet that is killed, and the next
 * Brevet takes it over.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import postgres from 'postgres';
import { spawnAs } from './account.ts';
import {
  clusterFolder,
  dataDirectory,
  ensureCluster,
  SERVER_ENV,
  SUPERUSER,
  superuserPassword,
  writeSettings,
} from './cluster.ts';
import type { Settings } from './cluster.ts';
import type { Connection } from './connection.ts';
import { holdDataDir } from './hold.ts';
import type { Hold } from './hold.ts';
import { clusterName, readPidFile, stopCluster } from './postmaster.ts';
import { homeOf, laySite, makeDataDir, readAddress, removeAnnex } from './site.ts';
import type { Address, Site } from './site.ts';

export interface EmbeddedOptions {
  readonly dataDir: string;
  /** What the process says of itself to another that wants the same data directory, such as `brevet start`. */
  readonly note: string;
  /** Listen on 127.0.0.1 too. Without it there is no TCP at all. */
  readonly tcp?: { readonly port: number };
  /** Postgres settings by name, over Brevet's own. */
  readonly settings?: Settings;
}

export interface EmbeddedServer {
  /** Brevet's Postgres folder in the data directory. */
  readonly home: string;
  readonly socketDir: string;
  readonly port: number;
  readonly tcpPort?: number;
  readonly superuser: string;
  readonly password: () => string;
  /** The options to connect with; as the superuser if no other login is named. */
  connection(database: string, login?: { readonly user: string; readonly password: () => string }): Connection;
}

/** The server as seen by the process that holds its data directory. */
export interface RunningServer extends EmbeddedServer {
  readonly takenOver: boolean;
  /** The postmaster's. */
  readonly pid: number;
  /** A temporary folder outside the data directory, where one was needed; `stop` removes it. */
  readonly annex: string | null;
  /** Fast shutdown, then immediate, then by force; gives up the data directory. About 3 s at the most. */
  stop(): Promise<void>;
}

/** Recovery after a crash replays at most `max_wal_size`; longer than this and something else is wrong. */
const START_LIMIT_MS = 60_000;
const POLL_MS = 3;

/** A server that has not answered by then has stopped or hangs. */
const ANSWER_LIMIT_S = 2;

/** A log beyond this is put aside at the next start, and the one put aside before it goes. */
const LOG_BYTES = 16 * 1024 * 1024;
const LOG_TAIL = 2_000;

/** @see https://www.postgresql.org/docs/18/errcodes-appendix.html cannot_connect_now */
const STARTING_UP = '57P03';

/**
 * Starts the server of a data directory, or takes over the one that is running there.
 *
 * @throws {DataDirHeld} when another process has the data directory.
 * @throws {BinariesAbsent} when npm did not bring Postgres for this platform.
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<RunningServer> {
  const dataDir = resolve(options.dataDir);
  await makeDataDir(dataDir);
  const hold = await holdDataDir(dataDir, options.note);
  try {
    const site = await laySite(dataDir, options.tcp?.port);
    await ensureCluster(site);
    const asBefore = await writeSettings(site, settingsOf(site, options));
    const { pid, takenOver } = await survivorOrNew(site, asBefore);
    const server = await serverAt(site.home, site.address);
    const { annex } = site.address;
    return { ...server, pid, takenOver, annex, stop: onlyOnce(() => stop(site, pid, hold)) };
  } catch (error) {
    await hold.release();
    throw error;
  }
}

/** The server of a data directory, for the other processes of the deployment whose parent holds it. */
export async function embeddedAt(dataDir: string): Promise<EmbeddedServer> {
  const home = homeOf(dataDir);
  const address = await readAddress(home);
  if (!address) throw new Error(`No embedded Postgres was ever started in ${dataDir}.`);
  return serverAt(home, address);
}

async function serverAt(home: string, { socketDir, port, tcp }: Address): Promise<EmbeddedServer> {
  const secret = await superuserPassword(home);
  const password = () => secret;
  return {
    home,
    socketDir,
    port,
    ...(tcp && { tcpPort: port }),
    superuser: SUPERUSER,
    password,
    connection: (database, login = { user: SUPERUSER, password }) => ({
      host: socketDir,
      port,
      user: login.user,
      password: login.password,
      database,
    }),
  };
}

function settingsOf(site: Site, options: EmbeddedOptions): Settings {
  return {
    ...options.settings,
    listen_addresses: options.tcp ? '127.0.0.1' : '',
    port: String(site.address.port),
    unix_socket_directories: site.socketSetting,
  };
}

async function survivorOrNew(site: Site, asBefore: boolean): Promise<{ pid: number; takenOver: boolean }> {
  const survivor = await readPidFile(clusterFolder(site.home));
  if (survivor && asBefore && (await answers(site))) return { pid: survivor.pid, takenOver: true };
  await clearAway(site, survivor?.pid);
  return { pid: await launch(site), takenOver: false };
}

/**
 * Whether the server at our socket is ours and well. It is asked to show that it knows our password's
 * verifier (SCRAM proves both sides), so nothing that merely took its place passes. While it recovers it
 * says so, and is waited for.
 */
async function answers(site: Site): Promise<boolean> {
  const server = await serverAt(site.home, site.address);
  const until = performance.now() + START_LIMIT_MS;
  for (;;) {
    const answer = await ask(server);
    if (answer !== STARTING_UP || performance.now() > until) return answer === 'well';
    await wait(POLL_MS);
  }
}

async function ask(server: EmbeddedServer): Promise<string> {
  const sql = postgres({
    ...server.connection('postgres'),
    max: 1,
    connect_timeout: ANSWER_LIMIT_S,
    fetch_types: false,
  });
  try {
    await sql`select 1`;
    return 'well';
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : 'unwell';
  } finally {
    await sql.end({ timeout: 0 });
  }
}

/**
 * Leaves nothing in the new server's way: a server that is sick or runs by other settings, backends whose postmaster was
 * killed, and lock files with the number of a process that is not of this cluster (any more). Postgres takes such a one
 * for a live server as long as the number is in use, be it by a dead process that nobody has reaped.
 */
async function clearAway({ home, address }: Site, pid: number | undefined): Promise<void> {
  const folder = clusterFolder(home);
  await stopCluster(await clusterName(folder), pid);
  await rm(join(folder, 'postmaster.pid'), { force: true });
  for (const name of await readdir(address.socketDir)) await rm(join(address.socketDir, name));
}

async function launch(site: Site): Promise<number> {
  const folder = clusterFolder(site.home);
  const logFile = join(site.home, 'log');
  const log = await openLog(logFile);
  try {
    const server = spawn(
      join(site.binaries.native, 'bin', 'postgres'),
      ['-D', dataDirectory(site, folder), '-c', `cluster_name=${await clusterName(folder)}`],
      // A session of its own: Ctrl-C in the terminal is for Brevet, which drains before it stops Postgres.
      { cwd: folder, env: SERVER_ENV, detached: true, stdio: ['ignore', log.fd, log.fd], ...spawnAs(site.account) },
    );
    const pid = await readiness(server, folder, logFile);
    server.unref();
    return pid;
  } finally {
    await log.close();
  }
}

async function openLog(path: string): Promise<Awaited<ReturnType<typeof open>>> {
  const log = await open(path, 'a', 0o600);
  if ((await log.stat()).size < LOG_BYTES) return log;
  await log.close();
  await rename(path, `${path}.1`);
  return open(path, 'a', 0o600);
}

/** Resolves with the postmaster's pid once it takes connections. */
async function readiness(server: ChildProcess, folder: string, logFile: string): Promise<number> {
  let failure: string | undefined;
  const { size } = await stat(logFile);
  server.once('error', (error) => (failure = error.message));
  server.once('exit', (status, signal) => (failure ??= `it ended with ${status ?? signal}`));
  const until = performance.now() + START_LIMIT_MS;
  for (;;) {
    const state = await readPidFile(folder);
    if (state?.ready && state.pid === server.pid) return state.pid;
    if (performance.now() > until) failure ??= 'it was not ready in time';
    if (failure !== undefined) throw new Error(`Postgres did not start: ${failure}\n${await tailOf(logFile, size)}`);
    await wait(POLL_MS);
  }
}

async function tailOf(logFile: string, from: number): Promise<string> {
  const written = (await readFile(logFile)).subarray(from).toString();
  return written.slice(-LOG_TAIL).trim();
}

async function stop(site: Site, pid: number, hold: Hold): Promise<void> {
  try {
    await stopCluster(await clusterName(clusterFolder(site.home)), pid);
    await removeAnnex(site.address);
  } finally {
    await hold.release();
  }
}

function onlyOnce(action: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined;
  return () => (done ??= action());
}

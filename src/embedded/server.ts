/**
 * The Postgres that Brevet starts when no database is configured: the real one, durable, on a socket in a
 * private folder, with a password that was made for it. It outlives a Brevet that is killed, and the next
 * Brevet takes it over.
 */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import postgres from 'postgres';
import type { Secret } from '../core/secret.ts';
import { readAnnex, removeAnnex } from './annex.ts';
import { clusterFolder, ensureCluster, SUPERUSER, superuserPassword, writeSettings } from './cluster.ts';
import type { Settings } from './cluster.ts';
import type { Connection } from './connection.ts';
import { holdDataDir } from './hold.ts';
import type { Hold } from './hold.ts';
import { keepRunning } from './keep.ts';
import type { Loss } from './keep.ts';
import { clearAway, launch, START_LIMIT_MS } from './launch.ts';
import { clusterName, readPidFile, stopCluster } from './postmaster.ts';
import { codeOf } from './record.ts';
import { homeOf, laySite, makeDataDir, readAddress } from './site.ts';
import type { Address, Site } from './site.ts';

export interface EmbeddedOptions {
  readonly dataDir: string;
  /** What the process says of itself to another that wants the same data directory, such as `brevet start`. */
  readonly note: string;
  /** Listen on 127.0.0.1 too. Without it there is no TCP at all. */
  readonly tcp?: { readonly port: number };
  /** Postgres settings by name, over Brevet's own. */
  readonly settings?: Settings;
  /** Told when the server ended by itself and was started again, or could not be and will be tried again. */
  readonly onLoss?: (loss: Loss) => void;
  /** Aborted while it starts, it ends what it began and rejects. */
  readonly told?: AbortSignal;
}

export interface EmbeddedServer {
  /** Brevet's Postgres folder in the data directory. */
  readonly home: string;
  readonly socketDir: string;
  readonly port: number;
  readonly tcpPort?: number;
  readonly superuser: string;
  readonly password: Secret;
  /** The options to connect with; as the superuser if no other login is named. */
  connection(database: string, login?: { readonly user: string; readonly password: () => string }): Connection;
}

/** The server as seen by the process that holds its data directory. */
export interface RunningServer extends EmbeddedServer {
  readonly takenOver: boolean;
  /** The postmaster's, at the moment. */
  pid(): number;
  /** A temporary folder outside the data directory, where one was needed; `stop` removes it. */
  readonly annex: string | undefined;
  /** Fast shutdown, then immediate, then by force; gives up the data directory. About 3 s at the most. */
  stop(): Promise<void>;
}

/** Between two questions to a server that is recovering. */
const ASK_AGAIN_MS = 20;

/** A server that has not answered by then has stopped or hangs. */
const ANSWER_LIMIT_S = 2;

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
  const leave = () => leaveNothing(homeOf(dataDir), hold);
  try {
    return await startHeld(dataDir, options, leave);
  } catch (error) {
    await leave();
    throw error;
  }
}

async function startHeld(dataDir: string, options: EmbeddedOptions, leave: Stop): Promise<RunningServer> {
  const site = await laySite(dataDir, options.tcp?.port);
  await ensureCluster(site, options.told);
  const asBefore = await writeSettings(site, settingsOf(site, options));
  const { pid, takenOver } = await survivorOrNew(site, asBefore, options.told);
  const server = await serverAt(site.home, site.address);
  const kept = keepRunning(site, pid, options.onLoss ?? (() => {}));
  const stop = onlyOnce(async () => {
    await kept.letGo();
    await leave();
  });
  return { ...server, pid: kept.pid, takenOver, annex: await readAnnex(site.home), stop };
}

/** The server of a data directory, for the other processes of the deployment whose parent holds it. */
export async function embeddedAt(dataDir: string): Promise<EmbeddedServer> {
  const home = homeOf(dataDir);
  const address = await readAddress(home);
  if (!address) throw new Error(`No embedded Postgres was ever started in ${dataDir}.`);
  return serverAt(home, address);
}

async function serverAt(home: string, { socketDir, port, tcp }: Address): Promise<EmbeddedServer> {
  const password = await superuserPassword(home);
  return {
    home,
    socketDir,
    port,
    ...(tcp && { tcpPort: port }),
    superuser: SUPERUSER,
    password,
    connection: (database, login = { user: SUPERUSER, password: () => password.reveal() }) => ({
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

async function survivorOrNew(
  site: Site,
  asBefore: boolean,
  told: AbortSignal | undefined,
): Promise<{ pid: number; takenOver: boolean }> {
  const survivor = await readPidFile(clusterFolder(site.home));
  if (survivor && asBefore && (await answers(site, told))) return { pid: survivor.pid, takenOver: true };
  await clearAway(site, survivor?.pid);
  return { pid: await launch(site, told), takenOver: false };
}

/**
 * Whether the server at our socket is ours and well. It is asked to show that it knows our password's
 * verifier (SCRAM proves both sides), so nothing that merely took its place passes. While it recovers it
 * says so, and is waited for.
 */
async function answers(site: Site, told: AbortSignal | undefined): Promise<boolean> {
  const server = await serverAt(site.home, site.address);
  const until = performance.now() + START_LIMIT_MS;
  for (;;) {
    const answer = await ask(server);
    told?.throwIfAborted();
    if (answer !== STARTING_UP || performance.now() > until) return answer === 'well';
    await wait(ASK_AGAIN_MS);
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
    return codeOf(error) ?? 'unwell';
  } finally {
    await sql.end({ timeout: 0 });
  }
}

type Stop = () => Promise<void>;

/** Nothing of the server runs after this or lies outside its data directory, which is free for the next. */
async function leaveNothing(home: string, hold: Hold): Promise<void> {
  const folder = clusterFolder(home);
  try {
    if (existsSync(folder)) await stopCluster(await clusterName(folder), (await readPidFile(folder))?.pid);
    await removeAnnex(home);
  } finally {
    await hold.release();
  }
}

function onlyOnce(action: Stop): Stop {
  let done: Promise<void> | undefined;
  return () => (done ??= action());
}

/** The cluster's files: made once by initdb, its settings written again at every start. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, open, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Secret } from '../core/secret.ts';
import { giveTo, spawnAs } from './account.ts';
import type { Account } from './account.ts';
import type { Binaries } from './binaries.ts';
import { passwordAt } from './password.ts';
import { readIfPresent, replaceFile } from './record.ts';

/** Where a cluster stands, and who runs it from which binaries. */
export interface Cluster {
  /** Brevet's own folder in the data directory; the cluster is in `home/cluster`. */
  readonly home: string;
  readonly account: Account;
  readonly binaries: Binaries;
  /** Whether the account can walk to the cluster by its path. */
  readonly reachable: boolean;
}

export type Settings = Readonly<Record<string, string>>;

export const SUPERUSER = 'postgres';

export function clusterFolder(home: string): string {
  return join(home, 'cluster');
}

export function superuserPassword(home: string): Promise<Secret> {
  return passwordAt(superuserFile(home));
}

function superuserFile(home: string): string {
  return join(home, 'superuser.password');
}

/**
 * For a machine that has other work to do. Durability is as in production; memory is not. Everything that
 * a statement's text could leak into the log is off, since statements here may carry verifiers.
 */
const SETTINGS: Settings = {
  max_connections: '100',
  shared_buffers: '64MB',
  maintenance_work_mem: '32MB',
  max_wal_size: '512MB',
  max_parallel_workers_per_gather: '0',
  jit: 'off',
  huge_pages: 'off',
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  max_prepared_transactions: '0',
  password_encryption: 'scram-sha-256',
  unix_socket_permissions: '0700',
  log_statement: 'none',
  log_min_error_statement: 'panic',
  log_checkpoints: 'off',
  log_timezone: 'UTC',
  timezone: 'UTC',
};

/** A password from everyone, on every way in; replication is asked for by a role that may. */
const HOST_BASED_AUTHENTICATION = `# Written by Brevet at every start.
local all         all              scram-sha-256
local replication all              scram-sha-256
host  all         all 127.0.0.1/32 scram-sha-256
host  replication all 127.0.0.1/32 scram-sha-256
`;

/** Runs initdb where there is no cluster yet. One that was interrupted leaves nothing that looks whole. */
export async function ensureCluster(cluster: Cluster, told?: AbortSignal): Promise<void> {
  const folder = clusterFolder(cluster.home);
  if (existsSync(folder)) return refuseUnfit(cluster);
  await removeUnfinished(cluster.home);
  // A name of its own each time: an initdb whose Brevet was killed may still be writing to the last one.
  const unfinished = await mkdtemp(join(cluster.home, UNFINISHED));
  const data = join(unfinished, 'data');
  const passwordFile = join(unfinished, 'password');
  await mkdir(data, { mode: 0o700 });
  await writeFile(passwordFile, (await superuserPassword(cluster.home)).reveal(), { mode: 0o600 });
  for (const path of [unfinished, data, passwordFile]) await giveTo(cluster.account, path);
  try {
    await runInitdb(cluster, data, told);
  } catch (fault) {
    await rm(unfinished, { recursive: true, force: true });
    throw fault;
  }
  await rename(data, folder);
  await rm(unfinished, { recursive: true });
  await makeDurable(cluster.home);
}

const UNFINISHED = 'unfinished-';

async function removeUnfinished(home: string): Promise<void> {
  const names = (await readdir(home)).filter((name) => name.startsWith(UNFINISHED));
  await Promise.all(names.map((name) => rm(join(home, name), { recursive: true, force: true })));
}

async function refuseUnfit({ home, binaries }: Cluster): Promise<void> {
  const made = (await readFile(join(clusterFolder(home), 'PG_VERSION'), 'utf8')).trim();
  const [major] = binaries.version.split('.');
  if (made !== major) {
    throw new Error(
      `The cluster in ${home} was made by Postgres ${made} and this Brevet brings ${major}. ` +
        'Dump it with the older Brevet and load it into a new data directory.',
    );
  }
  if (!existsSync(superuserFile(home))) {
    throw new Error(`${superuserFile(home)} is gone, and nobody else knows the password of the cluster: restore it.`);
  }
}

async function runInitdb(cluster: Cluster, data: string, told: AbortSignal | undefined): Promise<void> {
  const initdb = spawn(
    join(cluster.binaries.native, 'bin', 'initdb'),
    [
      `--pgdata=${dataDirectory(cluster, data)}`,
      `--username=${SUPERUSER}`,
      '--pwfile=../password',
      '--auth=scram-sha-256',
      // The same order and case rules on every platform, whatever locales it has.
      '--encoding=UTF8',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      '--locale=C',
      '--no-instructions',
    ],
    { cwd: data, env: SERVER_ENV, stdio: ['ignore', 'ignore', 'pipe'], ...spawnAs(cluster.account) },
  );
  // It clears up what it made, and is waited for: nothing writes to the folder after it.
  const end = (): void => void initdb.kill('SIGTERM');
  told?.addEventListener('abort', end);
  if (told?.aborted === true) end();
  const ended = once(initdb, 'close');
  const [said] = await Promise.all([text(initdb.stderr), ended]);
  told?.removeEventListener('abort', end);
  told?.throwIfAborted();
  if (initdb.exitCode !== 0) throw new Error(`initdb failed (${initdb.exitCode ?? initdb.signalCode}): ${said.trim()}`);
}

/**
 * What to call `folder` in front of Postgres, whose working directory it is. In a private home of root's no
 * other user can walk to it. But the working directory is entered before the user changes, and Linux's
 * link to it is followed without walking. (A relative path is no way round: Postgres makes it absolute.)
 */
export function dataDirectory(cluster: Cluster, folder: string): string {
  return cluster.reachable ? folder : '/proc/self/cwd';
}

/** Nothing of Brevet's own environment reaches Postgres: it holds secrets and `PG*` settings. */
export const SERVER_ENV = { PATH: '/usr/bin:/bin', LC_ALL: 'C' };

async function makeDurable(folder: string): Promise<void> {
  const handle = await open(folder);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Writes the settings and who may come in. Answers whether a server that started before this still runs
 * by them.
 */
export async function writeSettings(cluster: Cluster, own: Settings): Promise<boolean> {
  const lines = Object.entries({ ...SETTINGS, ...own }).map(([name, value]) => `${name} = ${quote(value)}\n`);
  const settings = `# Written by Brevet at every start, for Postgres ${cluster.binaries.version}.\n${lines.join('')}`;
  const same = await Promise.all([
    rewrite(cluster, 'postgresql.conf', settings),
    rewrite(cluster, 'pg_hba.conf', HOST_BASED_AUTHENTICATION),
  ]);
  return !same.includes(false);
}

function quote(value: string): string {
  return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}

async function rewrite({ home }: Cluster, name: string, content: string): Promise<boolean> {
  const path = join(clusterFolder(home), name);
  if ((await readIfPresent(path)) === content) return true;
  await replaceFile(path, content);
  return false;
}

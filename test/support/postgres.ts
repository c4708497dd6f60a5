/**
 * Real Postgres for tests: one server for a whole run, a database of its own for each test that asks, and
 * servers of their own to stand for a client's database.
 */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import postgres from 'postgres';
import type { Connection } from '../../src/embedded/connection.ts';
import { databaseStatements, LOGIN, loginOf, OWNER, provision } from '../../src/embedded/provision.ts';
import { embeddedAt, startEmbedded } from '../../src/embedded/server.ts';
import type { EmbeddedServer, RunningServer } from '../../src/embedded/server.ts';

/** Names the data directory of the run's server; its passwords stay in their files. */
const RUN_SERVER = 'BREVET_TEST_POSTGRES';

/** Parallel test files of several connections each. */
const MAX_CONNECTIONS = '300';

const TEMPLATE = 'brevet_template';
const EMPTY = 'brevet_empty';

/** Any number that no code under test uses: it guards the making of the templates. */
const TEMPLATE_LOCK = 7_261_004;

export interface TestDatabase {
  readonly name: string;
  /** The login that migrates. */
  readonly owner: Connection;
  /** The login that Brevet serves as. */
  readonly serve: Connection;
  /** The superuser, who passes every wall. */
  readonly admin: Connection;
  drop(): Promise<void>;
}

/** Starts the server of a whole run; give `env` to the processes that run the test files. */
export async function startServer(): Promise<{ env: Record<string, string>; stop(): Promise<void> }> {
  const { server, dataDir, stop } = await temporaryServer({ note: 'tests' });
  await provision(server);
  return { env: { [RUN_SERVER]: JSON.stringify({ dataDir }) }, stop };
}

/** A database with the roles in place and, unless told otherwise, the migrations applied. */
export async function testDatabase({ migrated = true }: { migrated?: boolean } = {}): Promise<TestDatabase> {
  const server = await runServer();
  const [owner, serve] = await Promise.all([loginOf(server, OWNER), loginOf(server, LOGIN)]);
  const name = `test_${randomBytes(8).toString('hex')}`;
  await withAdmin(server.connection('postgres'), async (sql) => {
    await ensureTemplate(sql, server, migrated ? TEMPLATE : EMPTY);
    await makeDatabase(sql, name, migrated ? TEMPLATE : EMPTY);
  });
  return {
    name,
    owner: server.connection(name, owner),
    serve: server.connection(name, serve),
    admin: server.connection(name),
    drop: () =>
      withAdmin(server.connection('postgres'), async (sql) => {
        await sql.unsafe(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
      }),
  };
}

async function makeDatabase(sql: postgres.Sql, name: string, template: string): Promise<void> {
  await sql.unsafe(`CREATE DATABASE ${name} OWNER ${OWNER} TEMPLATE ${template} STRATEGY wal_log`);
  await sql.unsafe(databaseStatements(name));
}

/** Made once in a run, by whichever file comes first; the others wait. */
async function ensureTemplate(sql: postgres.Sql, server: EmbeddedServer, name: string): Promise<void> {
  await sql`select pg_advisory_lock(${TEMPLATE_LOCK})`;
  try {
    const [known] = await sql`select datistemplate from pg_database where datname = ${name}`;
    if (known?.['datistemplate'] === true) return;
    await sql.unsafe(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    await makeDatabase(sql, name, 'template0');
    if (name === TEMPLATE) await migrateAs(server.connection(name, await loginOf(server, OWNER)));
    // Last, since it says that the template is whole.
    await sql.unsafe(`ALTER DATABASE ${name} IS_TEMPLATE true`);
  } finally {
    await sql`select pg_advisory_unlock(${TEMPLATE_LOCK})`;
  }
}

async function migrateAs(owner: Connection): Promise<void> {
  const path = new URL('../../src/store/migrate.ts', import.meta.url);
  if (!existsSync(path)) return;
  const store: { migrate(owner: Connection): Promise<void> } = await import(path.href);
  await store.migrate(owner);
}

/** The run's server or, in a test file that is run by itself, one that ends with the process. */
function runServer(): Promise<EmbeddedServer> {
  const given = process.env[RUN_SERVER];
  own ??= given === undefined ? ownServer() : embeddedAt(dataDirOf(given));
  return own;
}

let own: Promise<EmbeddedServer> | undefined;

function dataDirOf(given: string): string {
  const run: { dataDir: string } = JSON.parse(given);
  return run.dataDir;
}

async function ownServer(): Promise<EmbeddedServer> {
  const { server } = await temporaryServer({ note: 'test file' });
  await provision(server);
  return server;
}

interface Temporary {
  readonly server: RunningServer;
  readonly dataDir: string;
  stop(): Promise<void>;
}

/** A server in a temporary folder. It is gone when the process ends, if nobody stopped it before. */
async function temporaryServer(options: {
  note: string;
  tcp?: { port: number };
  settings?: Record<string, string>;
}): Promise<Temporary> {
  const folder = await temporaryFolder('brevet-test-');
  const dataDir = join(folder, 'data');
  const settings = { max_connections: MAX_CONNECTIONS, ...options.settings };
  const server = await startEmbedded({ ...options, dataDir, settings });
  const undo = endWithProcess(server, folder);
  const stop = async () => {
    undo();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  };
  return { server, dataDir, stop };
}

/** Passable, so that the user Postgres runs as under root can walk in. */
async function temporaryFolder(prefix: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), prefix));
  await chmod(folder, 0o711);
  return folder;
}

/**
 * Ends the server when the process ends, whatever the reason: a test that failed, or a signal. Node gives
 * an exit no time to wait, so it waits in place.
 */
function endWithProcess(server: RunningServer, folder: string): () => void {
  const atExit = () => {
    endNow(server);
    for (const left of [folder, server.annex]) if (left !== undefined) rmSync(left, { recursive: true, force: true });
  };
  process.once('exit', atExit);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, exitBy);
  return () => process.off('exit', atExit);
}

/** The shell's way of saying that a signal ended a process. */
const ENDED_BY_SIGNAL = 130;

function exitBy(): void {
  process.exit(ENDED_BY_SIGNAL);
}

const EXIT_POLL_MS = 5;
const EXIT_POLLS = 400;

function endNow(server: RunningServer): void {
  const pidFile = join(server.home, 'cluster', 'postmaster.pid');
  if (!existsSync(pidFile)) return;
  const pid = Number(readFileSync(pidFile, 'utf8').split('\n')[0]);
  process.kill(pid, 'SIGQUIT');
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (let poll = 0; poll < EXIT_POLLS && existsSync(pidFile); poll++) Atomics.wait(pause, 0, 0, EXIT_POLL_MS);
}

/** Runs statements over a connection that is closed before this resolves. */
export async function withAdmin<T>(to: Connection, action: (sql: postgres.Sql) => Promise<T>): Promise<T> {
  const sql = postgres({ ...to, max: 1, onnotice: () => {} });
  try {
    return await action(sql);
  } finally {
    await sql.end();
  }
}

/** A client's own database server, on TCP, for what providers do to it. */
export interface TargetDatabase {
  readonly host: '127.0.0.1';
  readonly port: number;
  /** The superuser, over TCP. */
  readonly admin: Connection;
  /** A connection over TCP as anyone to any database. */
  connection(database: string, login?: { user: string; password: () => string }): Connection;
  /** Under the same port and with the same data. */
  start(): Promise<void>;
  stop(): Promise<void>;
  restart(): Promise<void>;
  /** As a crash: no shutdown, every session lost. */
  kill(): Promise<void>;
  /** The folder of its data: a standby is copied from it. */
  readonly cluster: string;
  /** Stops it and removes its data. */
  remove(): Promise<void>;
}

export async function targetDatabase(settings: Record<string, string> = {}): Promise<TargetDatabase> {
  const port = await freePort();
  const folder = await temporaryFolder('brevet-target-');
  const options = {
    note: "a client's database",
    dataDir: join(folder, 'data'),
    tcp: { port },
    settings: { max_connections: '100', ...settings },
  };
  let server = await startEmbedded(options);
  let undo = endWithProcess(server, folder);
  const start = async () => {
    undo();
    server = await startEmbedded(options);
    undo = endWithProcess(server, folder);
  };
  const stop = () => server.stop();
  const connection: TargetDatabase['connection'] = (database, login) => ({
    ...server.connection(database, login),
    host: '127.0.0.1',
  });
  return {
    host: '127.0.0.1',
    port,
    admin: connection('postgres'),
    connection,
    start,
    stop,
    restart: async () => {
      await stop();
      await start();
    },
    kill: async () => {
      process.kill(server.pid, 'SIGKILL');
      await server.stop();
    },
    cluster: join(server.home, 'cluster'),
    remove: async () => {
      await stop();
      undo();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A port that is free on loopback now. */
export async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((listening) => probe.listen(0, '127.0.0.1', listening));
  const { port } = probe.address() as AddressInfo;
  await new Promise<void>((closed) => probe.close(() => closed()));
  return port;
}

/**
 * Real Postgres for tests: one server for a whole run, a database of its own for each test that asks, and
 * servers of their own to stand for a client's database.
 */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import postgres from 'postgres';
import type { Connection } from '../../src/embedded/connection.ts';
import { databaseStatements, LOGIN, loginOf, OWNER, provision } from '../../src/embedded/provision.ts';
import { embeddedAt, startEmbedded } from '../../src/embedded/server.ts';
import type { EmbeddedServer } from '../../src/embedded/server.ts';
import { copyTemplate, dataFolder, makeBroker, makeTemplate } from './cluster.ts';
import { makeRunFolder, RUN_FOLDER, runFolder, sweep, sweepKilled, temporaryFolder } from './leftovers.ts';
import { freePort } from './port.ts';

/** Parallel test files of several connections each. */
const MAX_CONNECTIONS = '300';
/**
 * These servers are killed, but no machine under them is: what they wrote is there without waiting for the disk. What
 * little they read they read themselves, rather than start three processes more to do it. Their passwords are random and
 * live for minutes: hashing them slowly would guard nothing, and every connection pays for it.
 */
const UNSYNCED = { fsync: 'off', io_method: 'sync', scram_iterations: '1' };

const TEMPLATE = 'brevet_template';
const EMPTY = 'brevet_empty';

/** Any numbers that no code under test uses: they guard the making of the templates, and of one that is made from those. */
const TEMPLATE_LOCK = 7_261_004;
const FILLED_LOCK = 7_261_005;

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
  await sweepKilled();
  const folder = makeRunFolder();
  await makeTemplate(folder);
  await copyTemplate(folder, folder);
  const server = await startIn(folder);
  const stop = async () => {
    await server.stop();
    await sweep(folder);
  };
  try {
    await makeBroker(folder, await freePort());
  } catch (fault) {
    await stop();
    throw fault;
  }
  const env = { [RUN_FOLDER]: folder, TMPDIR: dirname(folder) };
  return { env, stop };
}

async function startIn(folder: string) {
  const settings = { max_connections: MAX_CONNECTIONS, ...UNSYNCED };
  const server = await startEmbedded({ dataDir: folder, note: 'tests', settings });
  await provision(server);
  return server;
}

/** A database with the roles in place and, unless told otherwise, the migrations applied. */
export async function testDatabase({ migrated = true }: { migrated?: boolean } = {}): Promise<TestDatabase> {
  const server = await runServer();
  const template = migrated ? TEMPLATE : EMPTY;
  return withAdmin(server.connection('postgres'), async (sql) => {
    await ensureTemplate(sql, server, template);
    return copyOf(sql, server, template);
  });
}

/**
 * A copy of a migrated database that is filled once in a run.
 *
 * @param fill must have closed its connections when it resolves.
 */
export async function filledDatabase(
  name: string,
  fill: (database: TestDatabase) => Promise<void>,
): Promise<TestDatabase> {
  const server = await runServer();
  return withAdmin(server.connection('postgres'), async (sql) => {
    await ensureTemplate(sql, server, TEMPLATE);
    await onceInRun(sql, { name, lock: FILLED_LOCK }, async () => {
      await makeDatabase(sql, name, TEMPLATE);
      await fill(await accessTo(server, name));
    });
    return copyOf(sql, server, name);
  });
}

async function copyOf(sql: postgres.Sql, server: EmbeddedServer, template: string): Promise<TestDatabase> {
  const name = `test_${randomBytes(8).toString('hex')}`;
  await makeDatabase(sql, name, template);
  return accessTo(server, name);
}

async function accessTo(server: EmbeddedServer, name: string): Promise<TestDatabase> {
  const [owner, serve] = await Promise.all([loginOf(server, OWNER), loginOf(server, LOGIN)]);
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

const ensureTemplate = (sql: postgres.Sql, server: EmbeddedServer, name: string): Promise<void> =>
  onceInRun(sql, { name, lock: TEMPLATE_LOCK }, async () => {
    await makeDatabase(sql, name, 'template0');
    if (name === TEMPLATE) await migrateAs(server.connection(name, await loginOf(server, OWNER)));
  });

/** By whichever file comes first; the others wait. */
async function onceInRun(
  sql: postgres.Sql,
  { name, lock }: { readonly name: string; readonly lock: number },
  make: () => Promise<void>,
): Promise<void> {
  await sql`select pg_advisory_lock(${lock})`;
  try {
    const [known] = await sql`select datistemplate from pg_database where datname = ${name}`;
    if (known?.['datistemplate'] === true) return;
    await sql.unsafe(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    await make();
    // Last, since it says that the template is whole.
    await sql.unsafe(`ALTER DATABASE ${name} IS_TEMPLATE true`);
  } finally {
    await sql`select pg_advisory_unlock(${lock})`;
  }
}

async function migrateAs(owner: Connection): Promise<void> {
  const path = new URL('../../src/store/migrate.ts', import.meta.url);
  if (!existsSync(path)) return;
  const store = (await import(path.href)) as { migrate(owner: Connection): Promise<void> };
  await store.migrate(owner);
}

/** The run's server or, in a test file that is run by itself, one that ends with the process. */
function runServer(): Promise<EmbeddedServer> {
  server ??= process.env[RUN_FOLDER] === undefined ? startIn(runFolder()) : embeddedAt(runFolder());
  return server;
}

let server: Promise<EmbeddedServer> | undefined;

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

/** Whether a server of this process has the identity of the run's template. */
let isCopied = false;

export async function targetDatabase(settings: Record<string, string> = {}): Promise<TargetDatabase> {
  const port = await freePort();
  // Servers of one file are told apart by their identity, so one of them alone is a copy.
  const isCopy = !isCopied;
  isCopied = true;
  const dataDir = await (isCopy ? dataFolder('target') : temporaryFolder('target'));
  const options = { note: "a client's database", dataDir, tcp: { port }, settings: { ...UNSYNCED, ...settings } };
  let server = await startEmbedded(options);
  const connection: TargetDatabase['connection'] = (database, login) => ({
    ...server.connection(database, login),
    host: '127.0.0.1',
  });
  const start = async () => {
    server = await startEmbedded(options);
  };
  const stop = () => server.stop();
  return {
    host: '127.0.0.1',
    port,
    cluster: join(server.home, 'cluster'),
    admin: connection('postgres'),
    connection,
    start,
    stop,
    restart: async () => {
      await stop();
      await start();
    },
    kill: async () => {
      // In one turn, or the server might be found dead and started again.
      process.kill(server.pid(), 'SIGKILL');
      await stop();
    },
    remove: async () => {
      await stop();
      await rm(dataDir, { recursive: true, force: true });
      if (isCopy) isCopied = false;
    },
  };
}

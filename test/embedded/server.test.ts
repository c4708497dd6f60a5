import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import postgres from 'postgres';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Connection } from '../../src/embedded/connection.ts';
import { DataDirHeld } from '../../src/embedded/hold.ts';
import { belongsTo, clusterName, readPidFile, stopCluster } from '../../src/embedded/postmaster.ts';
import { embeddedAt, startEmbedded } from '../../src/embedded/server.ts';
import type { EmbeddedServer, RunningServer } from '../../src/embedded/server.ts';
import type { Loss } from '../../src/embedded/keep.ts';
import { copyTemplate, dataFolder } from '../support/cluster.ts';
import { runFolder, temporaryFolder } from '../support/leftovers.ts';
import { freePort } from '../support/port.ts';
import { withAdmin } from '../support/postgres.ts';
import { end, startIn } from './clone.ts';

const note = 'server.test.ts';

const clusterOf = (dataDir: string) => join(dataDir, 'postgres', 'cluster');

/** Which cluster answers: initdb gives each an identity of its own. */
async function identity(server: EmbeddedServer): Promise<string> {
  const [row] = await withAdmin(
    server.connection('postgres'),
    (sql) => sql<{ id: string }[]>`
    select system_identifier::text as id from pg_control_system()`,
  );
  return row?.id ?? '';
}

async function refusal(to: Connection): Promise<string> {
  const sql = postgres({ ...to, max: 1, connect_timeout: 2, fetch_types: false });
  try {
    await sql`select 1`;
    return 'none';
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
  } finally {
    await sql.end({ timeout: 0 });
  }
}

const life = suite('the life of an embedded server');

let dataDir: string;
let server: RunningServer;

life.before(async () => {
  dataDir = await temporaryFolder('life');
  server = await startEmbedded({ dataDir, note });
});
life.after(() => server.stop());

life('answers on its socket, and on no TCP port', async () => {
  const [row] = await withAdmin(
    server.connection('postgres'),
    (sql) => sql<{ tcp: string; address: string | null }[]>`
    select current_setting('listen_addresses') as tcp, inet_server_addr()::text as address`,
  );
  assert.equal(row, { tcp: '', address: null });
  assert.is(server.tcpPort, undefined);
  assert.is(await refusal({ ...server.connection('postgres'), host: '127.0.0.1' }), 'ECONNREFUSED');
});

life('is durable, and keeps statements out of its log', async () => {
  const wanted = { fsync: 'on', synchronous_commit: 'on', full_page_writes: 'on', log_min_error_statement: 'panic' };
  const rows = await withAdmin(
    server.connection('postgres'),
    (sql) => sql<{ name: string; setting: string }[]>`
    select name, setting from pg_settings where name in ${sql(Object.keys(wanted))}`,
  );
  assert.equal(Object.fromEntries(rows.map(({ name, setting }) => [name, setting])), wanted);
});

life('lets nobody in without the password', async () => {
  const wrong = server.connection('postgres', { user: 'postgres', password: () => 'guess' });
  assert.is(await refusal(wrong), '28P01');
  const rules = await withAdmin(
    server.connection('postgres'),
    (sql) => sql<{ method: string }[]>`
    select distinct auth_method as method from pg_hba_file_rules`,
  );
  assert.equal([...rules], [{ method: 'scram-sha-256' }]);
});

life('keeps the password in one file that its user alone may read', async () => {
  const { mode } = await stat(join(server.home, 'superuser.password'));
  assert.is(mode & 0o777, 0o600);
  assert.is(await mentions(server.password.reveal()), 'superuser.password');
  assert.is((await stat(server.socketDir)).mode & 0o777, 0o700);
});

/** The files of `home` outside the cluster that hold the text. */
async function mentions(text: string): Promise<string> {
  const entries = await readdir(server.home, { withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const found = await Promise.all(
    files.map(async ({ name }) => ((await readFile(join(server.home, name), 'utf8')).includes(text) ? [name] : [])),
  );
  return found.flat().join(' ');
}

life('shows the password to no other process', async () => {
  const shown = await Promise.all(
    (await readdir('/proc'))
      .filter((name) => /^\d+$/.test(name))
      .flatMap((pid) => [`/proc/${pid}/cmdline`, `/proc/${pid}/environ`])
      .map(async (path) => ((await readOr(path)).includes(server.password.reveal()) ? path : undefined)),
  );
  assert.equal(shown.filter(Boolean), []);
  assert.not.match(JSON.stringify(server.connection('postgres')), server.password.reveal());
});

/** Processes end while they are looked at. */
async function readOr(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && ['ENOENT', 'ESRCH', 'EACCES'].includes(String(error.code)))
      return '';
    throw error;
  }
}

life('is found by the other processes of the deployment', async () => {
  assert.is(await identity(await embeddedAt(dataDir)), await identity(server));
});

life('is held by one process alone, which is named to the next', async () => {
  const error = await startEmbedded({ dataDir, note: 'another' }).catch((caught: unknown) => caught);
  assert.instance(error, DataDirHeld);
  assert.is(error instanceof DataDirHeld && error.holder?.pid, process.pid);
  assert.match(String(error), `process ${process.pid} (${note}), since 2`);
});

life('stops with sessions open, and starts again with the same data', async () => {
  const before = await identity(server);
  const busy = postgres({ ...server.connection('postgres'), max: 1, onclose: () => {} });
  await busy`select 1`;
  await server.stop();
  assert.not(existsSync(join(clusterOf(dataDir), 'postmaster.pid')));
  assert.not(existsSync(join(dataDir, 'holder.json')));
  server = await startEmbedded({ dataDir, note });
  assert.is(server.takenOver, false);
  assert.is(await identity(server), before);
  await busy.end({ timeout: 0 });
});

life('is started again when it ends by itself', async () => {
  const fallen = await dataFolder('fallen');
  const losses: Loss[] = [];
  let told: () => void = () => {};
  const again = new Promise<void>((resolve) => (told = resolve));
  const onLoss = (loss: Loss) => {
    losses.push(loss);
    told();
  };
  const kept = await startEmbedded({ dataDir: fallen, note, onLoss });
  const first = kept.pid();
  // Keeping a server keeps no process alive.
  const alive = setInterval(() => {}, 60_000);
  process.kill(first, 'SIGKILL');
  await again;
  clearInterval(alive);
  assert.equal(losses, [{ restarted: true }]);
  assert.is.not(kept.pid(), first);
  assert.ok((await identity(kept)).length > 0);
  await kept.stop();
});

life('says so when the password of its cluster is lost', async () => {
  const lost = await dataFolder('lost');
  await (await startEmbedded({ dataDir: lost, note })).stop();
  await rm(join(lost, 'postgres', 'superuser.password'));
  const error = await startEmbedded({ dataDir: lost, note }).catch((caught: unknown) => caught);
  assert.match(String(error), 'superuser.password');
});

life('refuses a cluster of another major version', async () => {
  const other = await temporaryFolder('other-major');
  await mkdir(clusterOf(other), { recursive: true });
  await writeFile(join(clusterOf(other), 'PG_VERSION'), '17\n');
  const error = await startEmbedded({ dataDir: other, note }).catch((caught: unknown) => caught);
  assert.match(String(error), 'made by Postgres 17');
});

life('makes a cluster anew when making it was interrupted', async () => {
  const other = await temporaryFolder('interrupted');
  await mkdir(join(other, 'postgres', 'unfinished-abc', 'data'), { recursive: true });
  const made = await startEmbedded({ dataDir: other, note });
  assert.equal(
    (await readdir(made.home)).filter((name) => name.startsWith('unfinished-')),
    [],
  );
  await made.stop();
});

life('listens on loopback when asked', async () => {
  const port = await freePort();
  const asked = await startEmbedded({ dataDir: await dataFolder('tcp'), note, tcp: { port } });
  const [row] = await withAdmin(
    { ...asked.connection('postgres'), host: '127.0.0.1' },
    (sql) => sql<{ tcp: string }[]>`
    select current_setting('listen_addresses') as tcp`,
  );
  assert.equal([asked.tcpPort, row?.tcp], [port, '127.0.0.1']);
  await asked.stop();
});

life('puts its socket elsewhere when the path would be too long for one', async () => {
  const deep = join(await temporaryFolder('deep'), 'd'.repeat(100));
  await copyTemplate(runFolder(), deep);
  const far = await startEmbedded({ dataDir: deep, note });
  assert.is(far.annex, dirname(far.socketDir));
  assert.ok((await identity(far)).length > 0);
  await far.stop();
  assert.not(existsSync(dirname(far.socketDir)));
});

life('says why it could not start, and leaves nothing behind', async () => {
  const deep = join(await temporaryFolder('wrong'), 'd'.repeat(100));
  await copyTemplate(runFolder(), deep);
  const wrong = { dataDir: deep, note, settings: { max_connections: 'many' } };
  const error = await startEmbedded(wrong).catch((caught: unknown) => caught);
  assert.match(String(error), 'invalid value for parameter "max_connections"');
  assert.equal((await readdir(join(deep, 'postgres'))).includes('annex'), false);
  const right = await startEmbedded({ dataDir: deep, note });
  await right.stop();
  assert.not(existsSync(right.annex ?? deep));
});

life.run();

const survivors = suite('a server whose Brevet is gone');

let orphaned: string;

survivors.before(async () => {
  orphaned = await dataFolder('orphan');
});
survivors.after.each(async () => {
  await stopCluster(await clusterName(clusterOf(orphaned)), (await readPidFile(clusterOf(orphaned)))?.pid);
});

/** Starts in a process of its own and kills that process. Answers with the postmaster's pid. */
async function orphan(): Promise<number> {
  const { child, started } = await startIn(orphaned);
  await end(child, 'SIGKILL');
  return started.pid;
}

/** The next start, which must not need anything but the data directory. */
async function next(): Promise<{ pid: number; takenOver: boolean; id: string }> {
  const { pid, takenOver, stop, ...found } = await startEmbedded({ dataDir: orphaned, note });
  const id = await identity(found);
  await stop();
  return { pid: pid(), takenOver, id };
}

async function runs(pid: number): Promise<boolean> {
  return belongsTo(await clusterName(clusterOf(orphaned)), pid);
}

survivors('is taken over, with its sessions', async () => {
  const pid = await orphan();
  const sql = postgres({ ...(await embeddedAt(orphaned)).connection('postgres'), max: 1, onnotice: () => {} });
  await sql`create temporary table kept (a int)`;
  const server = await startEmbedded({ dataDir: orphaned, note });
  assert.equal([server.takenOver, server.pid()], [true, pid]);
  assert.is((await sql`select * from kept`).length, 0);
  await sql.end();
  await server.stop();
  assert.not(await runs(pid));
});

survivors('is taken over by one of two that try at once', async () => {
  await orphan();
  const tries = await Promise.allSettled([startIn(orphaned), startEmbedded({ dataDir: orphaned, note })]);
  const won = tries.filter((tried) => tried.status === 'fulfilled').map((tried) => tried.value);
  assert.is(won.length, 1);
  for (const winner of won) await ('child' in winner ? end(winner.child, 'SIGTERM') : winner.stop());
});

survivors('is not ended by Ctrl-C in the terminal of its Brevet', async () => {
  const { child, started } = await startIn(orphaned);
  const ended = new Promise((resolve) => child.once('exit', resolve));
  process.kill(-Number(child.pid), 'SIGINT');
  await ended;
  assert.ok(await runs(started.pid));
  assert.is((await next()).pid, started.pid);
});

survivors('is started anew under other settings', async () => {
  const pid = await orphan();
  const server = await startEmbedded({ dataDir: orphaned, note, settings: { max_connections: '20' } });
  assert.equal([server.takenOver, await runs(pid)], [false, false]);
  await server.stop();
});

survivors('is replaced when it does not answer', async () => {
  const pid = await orphan();
  process.kill(pid, 'SIGSTOP');
  const { takenOver } = await next();
  assert.equal([takenOver, await runs(pid)], [false, false]);
});

survivors('leaves backends behind when killed itself, which are ended', async () => {
  const pid = await orphan();
  const sql = postgres({ ...(await embeddedAt(orphaned)).connection('postgres'), max: 1 });
  const [backend] = await sql<{ pid: number }[]>`select pg_backend_pid() as pid`;
  // Stopped, it can't see that its postmaster is gone.
  process.kill(backend?.pid ?? 0, 'SIGSTOP');
  process.kill(pid, 'SIGKILL');
  const { takenOver } = await next();
  assert.equal([takenOver, await runs(backend?.pid ?? 0)], [false, false]);
  await sql.end({ timeout: 0 });
});

survivors('is not mistaken for another process that bears its number', async () => {
  await orphan();
  const { id } = await next();
  const { uid, gid } = await stat(clusterOf(orphaned));
  const stranger = spawn('sleep', ['600'], { uid, gid });
  const pidFile = join(clusterOf(orphaned), 'postmaster.pid');
  await writeFile(pidFile, `${stranger.pid}\n${clusterOf(orphaned)}\n0\n5432\n../socket\n\n1 1\nready   \n`);
  assert.is((await next()).id, id);
  assert.is(stranger.exitCode ?? stranger.signalCode, null);
  await end(stranger, 'SIGKILL');
});

survivors('is not touched by the start of another cluster to which its postmaster.pid was copied', async () => {
  const pid = await orphan();
  const copy = await dataFolder('copy');
  const made = await startEmbedded({ dataDir: copy, note });
  await made.stop();
  await copyFile(join(clusterOf(orphaned), 'postmaster.pid'), join(clusterOf(copy), 'postmaster.pid'));
  const started = await startEmbedded({ dataDir: copy, note });
  assert.is(started.takenOver, false);
  await started.stop();
  assert.ok(await runs(pid));
});

survivors.run();

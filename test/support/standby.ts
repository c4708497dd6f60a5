/**
 * A hot standby of a test's target database, on a TCP port of its own: where a login lives on unseen from the primary.
 * npm's Postgres brings no pg_basebackup, so the primary's files are copied between a backup's start and its stop.
 */
import { chown, copyFile, cp, mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { startEmbedded } from '../../src/embedded/server.ts';
import { temporaryFolder } from './leftovers.ts';
import { freePort } from './port.ts';
import { withAdmin } from './postgres.ts';
import type { TargetDatabase } from './postgres.ts';

export interface Standby {
  readonly host: '127.0.0.1';
  readonly port: number;
  /** The superuser, over TCP. */
  readonly admin: TargetDatabase['admin'];
  readonly connection: TargetDatabase['connection'];
  /** Resolves once the standby has replayed all that the primary has committed by now. */
  caughtUp(): Promise<void>;
  /** Stops it and removes its data. */
  remove(): Promise<void>;
}

/** @param settings Postgres settings of the standby alone, such as `application_name` for its replication. */
export async function startStandby(primary: TargetDatabase, settings: Record<string, string> = {}): Promise<Standby> {
  const dataDir = await temporaryFolder('standby');
  const home = join(dataDir, 'postgres');
  await copyCluster(primary, join(home, 'cluster'));
  await copyFile(join(dirname(primary.cluster), 'superuser.password'), join(home, 'superuser.password'));
  const port = await freePort();
  const server = await startEmbedded({
    dataDir,
    note: "a client's standby",
    tcp: { port },
    settings: { hot_standby: 'on', primary_conninfo: conninfo(primary), ...settings },
  });
  const connection: Standby['connection'] = (database, login) => ({
    ...server.connection(database, login),
    host: '127.0.0.1',
  });
  return {
    host: '127.0.0.1',
    port,
    admin: connection('postgres'),
    connection,
    caughtUp: () => untilReplayed(primary, connection('postgres')),
    remove: async () => {
      await server.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

function conninfo({ host, port, admin }: TargetDatabase): string {
  return `host=${host} port=${port} user=${admin.user} password=${admin.password()}`;
}

/** @see https://www.postgresql.org/docs/18/continuous-archiving.html#BACKUP-LOWLEVEL-BASE-BACKUP */
async function copyCluster(primary: TargetDatabase, to: string): Promise<void> {
  await mkdir(dirname(to), { mode: 0o711 });
  // Start and stop belong to one session.
  await withAdmin(primary.admin, async (sql) => {
    await sql`select pg_backup_start('standby', fast => true)`;
    await cp(primary.cluster, to, { recursive: true, filter: (path) => isCopied(relative(primary.cluster, path)) });
    const [backup] = await sql<
      { label: string }[]
    >`select labelfile as label from pg_backup_stop(wait_for_archive => false)`;
    if (!backup) throw new Error('a backup without a label');
    await writeFile(join(to, 'backup_label'), backup.label, { mode: 0o600 });
  });
  await writeFile(join(to, 'standby.signal'), '', { mode: 0o600 });
  await giveToOwnerOf(primary.cluster, to);
}

/** The log comes from the primary; its lock file and its sockets' state are its own. */
function isCopied(path: string): boolean {
  return !/^(?:postmaster\.(?:pid|opts)$|pg_wal\/.*[0-9A-F]{24}|pg_replslot\/|pg_stat_tmp\/|pgsql_tmp)/.test(path);
}

async function giveToOwnerOf(original: string, copy: string): Promise<void> {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = await stat(original);
  for (const name of ['', ...(await readdir(copy, { recursive: true }))]) await chown(join(copy, name), uid, gid);
}

const POLL_MS = 10;

async function untilReplayed(primary: TargetDatabase, standby: Standby['admin']): Promise<void> {
  const [now] = await withAdmin(
    primary.admin,
    (sql) => sql<{ lsn: string }[]>`select pg_current_wal_flush_lsn()::text as lsn`,
  );
  await withAdmin(standby, async (sql) => {
    for (;;) {
      const [state] = await sql<{ done: boolean }[]>`
        select coalesce(pg_last_wal_replay_lsn() >= ${now?.lsn ?? ''}::pg_lsn, false) as done`;
      if (state?.done) return;
      await wait(POLL_MS);
    }
  });
}

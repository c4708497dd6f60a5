/** The client's side of the demo: a Postgres of their own, with a table, a group that may read it, and Brevet's admin. */
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import postgres from 'postgres';
import { Secret } from '../../core/secret.ts';
import { startEmbedded } from '../../embedded/server.ts';
import type { RunningServer } from '../../embedded/server.ts';
import { SYSTEM_IDENTIFIER, targetGrants } from '../../providers/postgres/grants.ts';

const DATABASE = 'shop';
const ADMIN = 'brevet_admin';
const GROUP = 'reporting';
const CONNECT_ROLE = 'brevet_connect';

export interface ClientsDatabase {
  /** What an administrator writes as the target. */
  readonly target: Readonly<Record<string, unknown>>;
  readonly host: string;
  readonly port: number;
  stop(): Promise<void>;
}

export async function startClientsDatabase(dataDir: string): Promise<ClientsDatabase> {
  const port = await freePort();
  const settings = { reserved_connections: '4' };
  const server = await startEmbedded({ dataDir, note: 'the demo client', tcp: { port }, settings });
  const secret = new Secret(randomBytes(24).toString('base64url'));
  const systemIdentifier = await prepare(server, secret);
  const config = {
    nodes: [{ host: '127.0.0.1', port }],
    database: DATABASE,
    admin: ADMIN,
    groups: [GROUP],
    connect_role: CONNECT_ROLE,
    system_identifier: systemIdentifier,
    tls: 'off',
  };
  return {
    target: { provider: 'postgres', config, secret: secret.reveal(), environment: 'production', data_classes: [] },
    host: '127.0.0.1',
    port,
    stop: () => server.stop(),
  };
}

/** What the client's own administrator does once. */
async function prepare(server: RunningServer, secret: Secret): Promise<string> {
  await asSuperuser(server, 'postgres', async (sql) => {
    await sql.unsafe(`CREATE DATABASE ${DATABASE} STRATEGY wal_log`);
    await sql.unsafe('REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC');
  });
  return asSuperuser(server, DATABASE, async (sql) => {
    const statements = [
      'CREATE TABLE sales (day date PRIMARY KEY, orders int NOT NULL, revenue numeric NOT NULL)',
      `INSERT INTO sales SELECT date '2026-11-14' + n, 40 + 7 * n, 1900.50 + 211 * n FROM generate_series(0, 6) n`,
      `CREATE ROLE ${GROUP} NOLOGIN`,
      `GRANT SELECT ON sales TO ${GROUP}`,
      ...targetGrants({ admin: ADMIN, database: DATABASE, groups: [GROUP], connectRole: CONNECT_ROLE }),
      `ALTER ROLE ${ADMIN} PASSWORD '${secret.reveal()}'`,
    ];
    for (const statement of statements) await sql.unsafe(statement);
    const [row] = await sql.unsafe<{ system_identifier: string }[]>(SYSTEM_IDENTIFIER);
    return row?.system_identifier ?? '';
  });
}

async function asSuperuser<T>(
  server: RunningServer,
  database: string,
  act: (sql: postgres.Sql) => Promise<T>,
): Promise<T> {
  const sql = postgres({ ...server.connection(database), max: 1, onnotice: () => undefined });
  try {
    return await act(sql);
  } finally {
    await sql.end({ timeout: 1 });
  }
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}

/** A client's Postgres, as it is measured: a table, a group role that may read it, and Brevet's admin login. */
import { createHmac, createHash, pbkdf2Sync, randomBytes } from 'node:crypto';
import postgres from 'postgres';
import { startEmbedded } from '../src/embedded/server.ts';
import type { RunningServer } from '../src/embedded/server.ts';
import { SYSTEM_IDENTIFIER, targetGrants } from '../src/providers/postgres/grants.ts';

export const DATABASE = 'shop';
export const ADMIN = 'brevet_admin';
export const GROUP = 'reporting';
const CONNECT_ROLE = 'brevet_connect';
/** @param connections where more logins are alive at once than usually. */
export const startShop = (dataDir: string, port: number, connections = 400): Promise<RunningServer> =>
  startEmbedded({
    dataDir,
    note: 'the bench',
    tcp: { port },
    settings: { max_connections: String(connections), reserved_connections: '4' },
  });

/** As an administrator writes it. */
export const target = (port: number, secret: string, system_identifier: string, scram_rounds: number) => ({
  provider: 'postgres',
  config: {
    nodes: [{ host: '127.0.0.1', port }],
    database: DATABASE,
    admin: ADMIN,
    groups: [GROUP],
    connect_role: CONNECT_ROLE,
    system_identifier,
    scram_rounds,
    tls: 'off',
  },
  secret,
  environment: 'production',
  data_classes: [],
  msp_wide: { reason: 'One server is measured as two targets, which differ in their rounds' },
});

export async function prepare(server: RunningServer, password: string): Promise<string> {
  await asSuperuser(server, 'postgres', [
    `CREATE DATABASE ${DATABASE} STRATEGY wal_log`,
    'REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC',
  ]);
  const id = await asSuperuser(server, DATABASE, [
    'CREATE TABLE sales (day date PRIMARY KEY)',
    `CREATE ROLE ${GROUP} NOLOGIN`,
    `GRANT SELECT ON sales TO ${GROUP}`,
    ...targetGrants({ admin: ADMIN, database: DATABASE, groups: [GROUP], connectRole: CONNECT_ROLE }),
    `ALTER ROLE ${ADMIN} PASSWORD '${password}'`,
    SYSTEM_IDENTIFIER,
  ]);
  return String(id['system_identifier']);
}

/** @returns the first row of the last statement. */
export async function asSuperuser(
  server: RunningServer,
  database: string,
  statements: readonly string[],
): Promise<Readonly<Record<string, unknown>>> {
  const sql = postgres({ ...server.connection(database), max: 1, onnotice: () => undefined });
  try {
    let last: Readonly<Record<string, unknown>> = {};
    for (const statement of statements) {
      const [row] = await sql.unsafe<Record<string, unknown>[]>(statement);
      last = row ?? {};
    }
    return last;
  } finally {
    await sql.end({ timeout: 1 });
  }
}

/** As Postgres keeps it. @see RFC 5802 section 3 */
export function verifierOf(rounds: number): string {
  const salt = randomBytes(16);
  const salted = pbkdf2Sync(randomBytes(32), salt, rounds, 32, 'sha256');
  const hmac = (text: string): Buffer => createHmac('sha256', salted).update(text).digest();
  const stored = createHash('sha256').update(hmac('Client Key')).digest('base64');
  return `SCRAM-SHA-256$${rounds}:${salt.toString('base64')}$${stored}:${hmac('Server Key').toString('base64')}`;
}

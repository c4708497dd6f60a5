/** Logins at a client's Postgres: through Brevet until they are proven dead, and by bare statements one by one. */
import { createHmac, createHash, pbkdf2Sync, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import postgres from 'postgres';
import { startEmbedded } from '../src/embedded/server.ts';
import type { RunningServer } from '../src/embedded/server.ts';
import { SYSTEM_IDENTIFIER, targetGrants } from '../src/providers/postgres/grants.ts';
import { alternate, ratioOf, rowOf } from './figures.ts';
import type { Contender, Row } from './figures.ts';
import type { Generator, Measured } from './load.ts';
import { bareLogins } from './load/bare.ts';
import type { Plan } from './plan.ts';
import { freePort, startBrevet } from './servers.ts';
import type { Outcome } from './tokens.ts';
import { agentSession, newAgentKey, populate, TENANT } from './world.ts';

const DATABASE = 'shop';
const ADMIN = 'brevet_admin';
const GROUP = 'reporting';
const CONNECT_ROLE = 'brevet_connect';
/** Room for as many logins as are ever alive, each with the connections that it may take. */
const SETTINGS = { max_connections: '400', reserved_connections: '4' };
const ROUNDS = { usual: 4096, fewest: 1 } as const;
const AT_ONCE = [8, 32] as const;

export async function measureLogins(folder: string, plan: Plan, generator: Generator): Promise<Outcome> {
  const port = await freePort();
  const server = await startEmbedded({
    dataDir: join(folder, 'client'),
    note: 'the bench',
    tcp: { port },
    settings: SETTINGS,
  });
  const broker = await startBrevet({ dataDir: join(folder, 'broker'), without: 'hashing' });
  try {
    const password = randomBytes(24).toString('base64url');
    const server_id = await prepare(server, password);
    const targets = Object.entries(ROUNDS).map(([name, rounds]) => [name, target(port, password, server_id, rounds)]);
    const key = newAgentKey();
    await populate(broker, key, Object.fromEntries(targets) as Record<string, unknown>);
    const brevet = (resource: string, connections: number) => async () =>
      generator.run({
        kind: 'logins',
        port: broker.port,
        tenant: TENANT,
        token: await agentSession(broker, key),
        resource,
        connections,
        ...plan.window,
      });
    const admin = { host: '127.0.0.1', port, database: DATABASE, user: ADMIN, password };
    const bare = (rounds: number, connections: number) => () =>
      bareLogins(admin, { verifier: verifierOf(rounds), group: GROUP, connections, seconds: plan.window.seconds });
    const contenders: Contender<Measured>[] = AT_ONCE.flatMap((count) =>
      Object.entries(ROUNDS).flatMap(([name, rounds]) => [
        { name: `login-${name}-${count}`, run: brevet(name, count) },
        { name: `bare-${name}-${count}`, run: bare(rounds, count) },
      ]),
    );
    await brevet('usual', 8)();
    return outcomeOf(await alternate(plan.rounds, contenders, plan.told));
  } finally {
    await broker.stop();
    await server.stop();
  }
}

function outcomeOf(results: ReadonlyMap<string, readonly Measured[]>): Outcome {
  const of = (name: string): number[] => (results.get(name) ?? []).map(({ perSecond }) => perSecond);
  const row = (name: string, what: string): Row => rowOf(name, what, 'per second', of(name));
  return {
    rows: AT_ONCE.flatMap((count) =>
      Object.entries(ROUNDS).flatMap(([name, rounds]) => [
        row(`login-${name}-${count}`, `logins through Brevet, proven dead; ${count} at once, ${rounds} rounds`),
        row(`bare-${name}-${count}`, `the bare statements; ${count} at once, ${rounds} rounds`),
      ]),
    ),
    ratios: {
      login_over_bare: ratioOf(of('login-usual-32'), of('bare-usual-32')),
      login_over_bare_fewest_rounds: ratioOf(of('login-fewest-32'), of('bare-fewest-32')),
    },
  };
}

const target = (port: number, secret: string, system_identifier: string, scram_rounds: number) => ({
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

async function prepare(server: RunningServer, password: string): Promise<string> {
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
async function asSuperuser(
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
function verifierOf(rounds: number): string {
  const salt = randomBytes(16);
  const salted = pbkdf2Sync(randomBytes(32), salt, rounds, 32, 'sha256');
  const hmac = (text: string): Buffer => createHmac('sha256', salted).update(text).digest();
  const stored = createHash('sha256').update(hmac('Client Key')).digest('base64');
  return `SCRAM-SHA-256$${rounds}:${salt.toString('base64')}$${stored}:${hmac('Server Key').toString('base64')}`;
}

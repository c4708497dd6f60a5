/**
 * Logins at a client's Postgres: through Brevet until they are proven dead, and through Vault's own database engine, on
 * the same server. Both hash as they do for their users.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { startVault } from '../test/support/vault.ts';
import type { TestVault } from '../test/support/vault.ts';
import { alternate, ratioOf, rowOf } from './figures.ts';
import type { Contender, Row } from './figures.ts';
import type { Generator, Measured } from './load.ts';
import { ROUNDS } from './logins.ts';
import type { Plan } from './plan.ts';
import { freePort, startBrevet } from './servers.ts';
import { asSuperuser, DATABASE, GROUP, prepare, startShop, target } from './shop.ts';
import type { Outcome } from './tokens.ts';
import { agentSession, newAgentKey, populate, TENANT } from './world.ts';

const AT_ONCE = 32;

export async function measureVault(folder: string, plan: Plan, generator: Generator): Promise<Outcome> {
  const port = await freePort();
  const server = await startShop(join(folder, 'client'), port);
  const vault = await startVault();
  const broker = await startBrevet({ dataDir: join(folder, 'broker') });
  try {
    const password = randomBytes(24).toString('base64url');
    const server_id = await prepare(server, password);
    const targets = Object.entries(ROUNDS).map(([name, rounds]) => [name, target(port, password, server_id, rounds)]);
    const key = newAgentKey();
    await populate(broker, key, Object.fromEntries(targets) as Record<string, unknown>);
    await vault.must('POST', 'sys/mounts/database', { type: 'database' });
    for (const [name, rounds] of Object.entries(ROUNDS)) {
      const login = { name: `vault_${name}`, password: randomBytes(18).toString('hex') };
      await asSuperuser(server, DATABASE, vaultsLogin(login, rounds));
      await connectVault(vault, name, login, port);
    }
    const load = { connections: AT_ONCE, ...plan.window };
    const brevet = (resource: string) => async () =>
      generator.run({
        kind: 'logins',
        port: broker.port,
        tenant: TENANT,
        token: await agentSession(broker, key),
        resource,
        ...load,
      });
    const engine = (role: string) => () =>
      generator.run({ kind: 'vault-logins', port: vault.port, token: vault.rootToken, role, ...load });
    const contenders: Contender<Measured>[] = Object.keys(ROUNDS).flatMap((name) => [
      { name: `login-${name}`, run: brevet(name) },
      { name: `vault-${name}`, run: engine(name) },
    ]);
    for (const { run } of contenders) await run();
    return outcomeOf(await alternate(plan.rounds, contenders, plan.told));
  } finally {
    await broker.stop();
    await vault.stop();
    await server.stop();
  }
}

function outcomeOf(results: ReadonlyMap<string, readonly Measured[]>): Outcome {
  const of = (name: string): number[] => (results.get(name) ?? []).map(({ perSecond }) => perSecond);
  const row = (name: string, what: string): Row => rowOf(name, what, 'per second', of(name));
  return {
    rows: Object.entries(ROUNDS).flatMap(([name, rounds]) => [
      row(`login-${name}`, `logins through Brevet, which hashes; ${AT_ONCE} at once, ${rounds} rounds`),
      row(`vault-${name}`, `logins through Vault's database engine; ${AT_ONCE} at once, ${rounds} rounds`),
    ]),
    ratios: {
      login_over_vault: ratioOf(of('login-usual'), of('vault-usual')),
      login_over_vault_fewest_rounds: ratioOf(of('login-fewest'), of('vault-fewest')),
    },
  };
}

interface Login {
  readonly name: string;
  readonly password: string;
}

/** Vault sends passwords as they are, and Postgres hashes them with the rounds of the login that does. */
const vaultsLogin = ({ name, password }: Login, rounds: number): readonly string[] => [
  `CREATE ROLE ${name} LOGIN CREATEROLE PASSWORD '${password}'`,
  `ALTER ROLE ${name} SET scram_iterations = ${rounds}`,
  `GRANT ${GROUP} TO ${name} WITH ADMIN OPTION, INHERIT FALSE, SET FALSE`,
  `GRANT pg_signal_backend TO ${name}`,
  `GRANT CONNECT ON DATABASE ${DATABASE} TO ${name}`,
];

/** What Brevet does to a login, in Vault's words: its own statements would leave sessions open. */
async function connectVault(vault: TestVault, name: string, { name: username, password }: Login, port: number) {
  await vault.must('POST', `database/config/${name}`, {
    plugin_name: 'postgresql-database-plugin',
    allowed_roles: name,
    connection_url: `postgresql://{{username}}:{{password}}@127.0.0.1:${port}/${DATABASE}?sslmode=disable`,
    username,
    password,
    // Four, unless it is told otherwise.
    max_open_connections: AT_ONCE,
    max_idle_connections: AT_ONCE,
  });
  await vault.must('POST', `database/roles/${name}`, {
    db_name: name,
    default_ttl: '5m',
    max_ttl: '5m',
    creation_statements: `CREATE ROLE "{{name}}" LOGIN NOINHERIT CONNECTION LIMIT 2 PASSWORD '{{password}}' VALID UNTIL '{{expiration}}' IN ROLE ${GROUP}`,
    revocation_statements: [
      'ALTER ROLE "{{name}}" NOLOGIN',
      `SELECT pg_terminate_backend(pid, 500) FROM pg_stat_activity WHERE usename = '{{name}}'`,
      'DROP ROLE "{{name}}"',
    ],
  });
}

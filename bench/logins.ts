/** Logins at a client's Postgres: through Brevet until they are proven dead, and by bare statements one by one. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { alternate, ratioOf, rowOf } from './figures.ts';
import type { Contender, Row } from './figures.ts';
import type { Generator, Measured } from './load.ts';
import { bareLogins } from './load/bare.ts';
import type { Plan } from './plan.ts';
import { freePort, startBrevet } from './servers.ts';
import type { Outcome } from './tokens.ts';
import { ADMIN, DATABASE, GROUP, prepare, startShop, target, verifierOf } from './shop.ts';
import { agentSession, newAgentKey, populate, TENANT } from './world.ts';

export const ROUNDS = { usual: 4096, fewest: 1 } as const;
const AT_ONCE = [8, 32] as const;

export async function measureLogins(folder: string, plan: Plan, generator: Generator): Promise<Outcome> {
  const port = await freePort();
  const server = await startShop(join(folder, 'client'), port);
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

/** Logins at a client's Postgres: through Brevet until they are proven dead, and by bare statements one by one. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { clusterFolder } from '../src/embedded/cluster.ts';
import { readPidFile } from '../src/embedded/postmaster.ts';
import { embeddedAt } from '../src/embedded/server.ts';
import { alternate, ratioOf, rowOf } from './figures.ts';
import type { Contender, Row } from './figures.ts';
import type { Generator, Measured } from './load.ts';
import { bareLogins } from './load/bare.ts';
import type { Plan } from './plan.ts';
import { processorTime, serverTime } from './processor.ts';
import { freePort, startBrevet } from './servers.ts';
import type { BrevetServer } from './servers.ts';
import type { Outcome } from './tokens.ts';
import { ADMIN, DATABASE, GROUP, prepare, startShop, target, verifierOf } from './shop.ts';
import { agentSession, newAgentKey, populate, TENANT } from './world.ts';

export const ROUNDS = { usual: 4096, fewest: 1 } as const;
const AT_ONCE = [8, 32] as const;

/** Where the processor's time of one login goes, in milliseconds. */
const SPENDERS = {
  brevet: 'Brevet’s process',
  store: 'Brevet’s Postgres',
  target: 'the client’s Postgres',
} as const;
type Spender = keyof typeof SPENDERS;

interface Lived extends Measured {
  /** Empty where the system does not tell. */
  readonly spent: Partial<Record<Spender, number>>;
}

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
    const store = await postmasterOf(broker);
    const clocks = async () => ({
      brevet: await processorTime(broker.process.pid ?? 0),
      store: await serverTime(store),
      target: await serverTime(server.pid()),
    });
    const brevet = (resource: string, connections: number) => async (): Promise<Lived> => {
      const token = await agentSession(broker, key);
      const before = await clocks();
      const load = { kind: 'logins', port: broker.port, tenant: TENANT, token, resource, connections } as const;
      const measured = await generator.run({ ...load, ...plan.window });
      return { ...measured, spent: spentBetween(before, await clocks(), measured.count) };
    };
    const admin = { host: '127.0.0.1', port, database: DATABASE, user: ADMIN, password };
    const bare = (rounds: number, connections: number) => async (): Promise<Lived> => {
      const { seconds } = plan.window;
      const logins = { verifier: verifierOf(rounds), group: GROUP, connections, seconds };
      const before = await clocks();
      const measured = await bareLogins(admin, logins);
      const { target: spent } = spentBetween(before, await clocks(), measured.count);
      return { ...measured, spent: spent === undefined ? {} : { target: spent } };
    };
    const contenders: Contender<Lived>[] = AT_ONCE.flatMap((count) =>
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

const postmasterOf = async ({ dataDir }: BrevetServer): Promise<number> => {
  const { home } = await embeddedAt(dataDir);
  const state = await readPidFile(clusterFolder(home));
  if (state === undefined) throw new Error('the broker has no Postgres of its own');
  return state.pid;
};

type Clocks = Readonly<Record<Spender, number | null>>;

const spentBetween = (before: Clocks, after: Clocks, logins: number): Lived['spent'] =>
  Object.fromEntries(
    Object.entries(after).flatMap(([spender, now]) => {
      const then = before[spender as Spender];
      return now === null || then === null ? [] : [[spender, (now - then) / logins]];
    }),
  );

function outcomeOf(results: ReadonlyMap<string, readonly Lived[]>): Outcome {
  const of = (name: string): number[] => (results.get(name) ?? []).map(({ perSecond }) => perSecond);
  return {
    rows: AT_ONCE.flatMap((count) =>
      Object.entries(ROUNDS).flatMap(([name, rounds]) => [
        ...rowsOf(
          `login-${name}-${count}`,
          `logins through Brevet, proven dead; ${count} at once, ${rounds} rounds`,
          results,
        ),
        ...rowsOf(`bare-${name}-${count}`, `the bare statements; ${count} at once, ${rounds} rounds`, results),
      ]),
    ),
    ratios: {
      login_over_bare: ratioOf(of('login-usual-32'), of('bare-usual-32')),
      login_over_bare_fewest_rounds: ratioOf(of('login-fewest-32'), of('bare-fewest-32')),
    },
  };
}

/** How many a second, how long one takes, and what of that is the processor's, where the system tells. */
function rowsOf(name: string, what: string, results: ReadonlyMap<string, readonly Lived[]>): Row[] {
  const runs = results.get(name) ?? [];
  const spent = (Object.entries(SPENDERS) as [Spender, string][]).flatMap(([spender, whose]) => {
    const figures = runs.flatMap((run) => run.spent[spender] ?? []);
    return figures.length === 0
      ? []
      : [rowOf(`${name}-${spender}`, `processor time of one in ${whose}`, 'ms', figures)];
  });
  const perSecond = runs.map((run) => run.perSecond);
  const times = runs.map(({ p50 }) => p50);
  return [
    rowOf(name, what, 'per second', perSecond),
    rowOf(`${name}-time`, 'the time of one, whole', 'ms', times),
    ...spent,
  ];
}

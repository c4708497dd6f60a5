/** Where the processor time of one issue goes: by thread of Node's, in Postgres and in the load, at 64 connections. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { clusterFolder } from '../src/embedded/cluster.ts';
import { belongsTo, clusterName } from '../src/embedded/postmaster.ts';
import { homeOf } from '../src/embedded/site.ts';
import { alternate, rowOf } from './figures.ts';
import type { Contender, Row } from './figures.ts';
import type { Generator } from './load.ts';
import type { Plan } from './plan.ts';
import { startBrevet, startServer } from './servers.ts';
import type { BrevetServer, Server } from './servers.ts';
import { brevetAsk, STATIC_ISSUER, staticAsk } from './tokens.ts';
import type { Ask, Outcome } from './tokens.ts';
import { AGENT, newAgentKey, populate, taskForm } from './world.ts';

const CONNECTIONS = 64;

const PARTS = {
  main: 'Node, the main thread',
  pool: 'Node, the thread pool: signatures',
  engine: 'Node, what collects and compiles beside it',
  postgres: 'Postgres',
  load: 'bench/load',
} as const;
type Part = keyof typeof PARTS;
/** In nanoseconds, since each process began. */
type Spent = Readonly<Record<Exclude<Part, 'load'>, number>>;

interface Measuring {
  readonly ask: Ask;
  spent(): Promise<Spent>;
}

export async function measureParts(folder: string, plan: Plan, generator: Generator): Promise<Outcome> {
  const key = newAgentKey();
  const given = { client: AGENT, audience: STATIC_ISSUER, key: JSON.stringify(key.publicKey) };
  const servers: Server[] = [];
  const brevet = async (name: string, processes: number): Promise<Measuring> => {
    const broker = await startBrevet({ dataDir: join(folder, name), processes });
    servers.push(broker);
    await populate(broker, key);
    return { ask: brevetAsk(broker, key), spent: () => spentBy(broker.process.pid, broker) };
  };
  const bare = async (name: 'floor' | 'peer', form: Ask['form']): Promise<Measuring> => {
    const server = await startServer(name, { ...given, answers: 'kept' });
    servers.push(server);
    return { ask: staticAsk(server, key, form), spent: () => spentBy(server.process.pid, null) };
  };
  try {
    const measured = {
      'Brevet, one process': await brevet('one', 1),
      'Brevet, two processes': await brevet('two', 2),
      'oidc-provider in memory': await bare('peer', { resource: 'urn:ticket:{n}' }),
      'the floor': await bare('floor', taskForm()),
    };
    const run = (one: Measuring, requests: number) => generator.run({ ...one.ask, connections: CONNECTIONS, requests });
    for (const one of Object.values(measured)) await run(one, plan.warmUp);
    const contenders = Object.entries(measured).map(([name, one]): Contender<Readonly<Record<Part, number>>> => ({
      name,
      run: async () => {
        const { requests } = plan.window;
        const before = await one.spent();
        const { processor } = await run(one, requests);
        const after = await one.spent();
        const each = (part: keyof Spent): number => (after[part] - before[part]) / 1000 / requests;
        return {
          main: each('main'),
          pool: each('pool'),
          engine: each('engine'),
          postgres: each('postgres'),
          load: processor,
        };
      },
    }));
    return outcomeOf(await alternate(plan.rounds, contenders, plan.told));
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
  }
}

function outcomeOf(results: ReadonlyMap<string, readonly Readonly<Record<Part, number>>[]>): Outcome {
  const rows = [...results].flatMap(([name, rounds]): Row[] => [
    rowOf(`parts ${name}`, `${name}: processor time of one`, 'µs', rounds.map(sumOf)),
    ...(Object.keys(PARTS) as Part[]).map((part) =>
      rowOf(
        `parts ${name} ${part}`,
        `  ${PARTS[part]}`,
        'µs',
        rounds.map((spent) => spent[part]),
      ),
    ),
  ]);
  return { rows, ratios: {} };
}

const sumOf = (spent: Readonly<Record<Part, number>>): number =>
  Object.values(spent).reduce((sum, part) => sum + part, 0);

/** @param own whose Postgres is counted too. */
async function spentBy(root: number | undefined, own: Pick<BrevetServer, 'dataDir'> | null): Promise<Spent> {
  const cluster = own === null ? null : await clusterName(clusterFolder(homeOf(own.dataDir)));
  const spent = { main: 0, pool: 0, engine: 0, postgres: 0 };
  const parents = await parentsOfAll();
  for (const pid of parents.keys()) {
    if (cluster !== null && (await belongsTo(cluster, pid))) spent.postgres += await nanoseconds(`${pid}`);
    else if (root !== undefined && isUnder(parents, pid, root)) await addThreads(spent, pid);
  }
  return spent;
}

async function addThreads(spent: Record<keyof Spent, number>, pid: number): Promise<void> {
  for (const thread of await readdir(`/proc/${pid}/task`)) {
    const name = await readFile(`/proc/${pid}/task/${thread}/comm`, 'utf8');
    const part = thread === String(pid) ? 'main' : name.startsWith('libuv-worker') ? 'pool' : 'engine';
    spent[part] += await nanoseconds(`${pid}/task/${thread}`);
  }
}

/** Of all processes, those that have ended meanwhile left out. */
async function parentsOfAll(): Promise<ReadonlyMap<number, number>> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const parents = new Map<number, number>();
  for (const pid of pids) {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
    const parent = /^.*\) \S (\d+)/s.exec(stat)?.[1];
    if (parent !== undefined) parents.set(pid, Number(parent));
  }
  return parents;
}

function isUnder(parents: ReadonlyMap<number, number>, pid: number, root: number): boolean {
  for (let at: number | undefined = pid; at !== undefined; at = parents.get(at)) if (at === root) return true;
  return false;
}

/** To the nanosecond, where `stat` counts whom it finds at work every 10 ms. */
const nanoseconds = async (task: string): Promise<number> =>
  Number((await readFile(`/proc/${task}/schedstat`, 'utf8')).split(' ')[0]);

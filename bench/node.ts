/** What a process costs to start, and to hold. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Connection } from '../src/embedded/connection.ts';
import { provision } from '../src/embedded/provision.ts';
import { startEmbedded } from '../src/embedded/server.ts';
import { alternate, rowOf } from './figures.ts';
import type { Contender } from './figures.ts';
import type { Generator } from './load.ts';
import { residentMegabytes } from './machine.ts';
import type { Plan } from './plan.ts';
import { startBrevet } from './servers.ts';
import type { BrevetOptions } from './servers.ts';
import { brevetAsk } from './tokens.ts';
import type { Outcome } from './tokens.ts';
import { newAgentKey, populate } from './world.ts';

/** After a start, before it is called rest. */
const SETTLE_MS = 1_500;
const SAMPLE_EVERY_MS = 100;
const CONNECTIONS = 64;

export async function measureNode(folder: string, plan: Plan, generator: Generator): Promise<Outcome> {
  const server = await startEmbedded({ dataDir: join(folder, 'postgres'), note: 'the bench' });
  try {
    const { owner, serve } = await provision(server);
    const own: BrevetOptions = { dataDir: join(folder, 'own') };
    const running: BrevetOptions = {
      dataDir: join(folder, 'configured'),
      settings: {
        DATABASE_URL: urlOf(serve),
        BREVET_MIGRATE_URL: urlOf(owner),
        BREVET_DEPLOYMENT_KEY: randomBytes(32).toString('base64'),
      },
    };
    const held = await memory(own, plan, generator);
    await startAndStop(running);
    const contenders: Contender<number>[] = [
      { name: 'start-own', run: () => startAndStop(own) },
      { name: 'start-running', run: () => startAndStop(running) },
    ];
    const starts = await alternate(plan.starts, contenders, plan.told);
    return {
      rows: [
        rowOf('rss-rest', 'resident memory at rest, without Postgres', 'MB', held.rest),
        rowOf('rss-load', 'resident memory under load, the most, without Postgres', 'MB', held.load),
        rowOf('start-own', 'start to ready, on an existing data directory', 'ms', starts.get('start-own') ?? []),
        rowOf('start-running', 'start to ready, on a running Postgres', 'ms', starts.get('start-running') ?? []),
      ],
      ratios: {},
    };
  } finally {
    await server.stop();
  }
}

async function startAndStop(options: BrevetOptions): Promise<number> {
  const broker = await startBrevet(options);
  await broker.stop();
  return broker.startedIn;
}

/** Of one process over all rounds, so that what it never gives back shows. */
async function memory(options: BrevetOptions, plan: Plan, generator: Generator) {
  const key = newAgentKey();
  const broker = await startBrevet(options);
  try {
    await populate(broker, key);
    const rest: number[] = [];
    const load: number[] = [];
    for (let round = 0; round < plan.rounds; round++) {
      await pause(SETTLE_MS);
      rest.push(await residentMegabytes(broker.process.pid));
      const sampling = sampleMost(broker.process.pid);
      await generator.run({ ...brevetAsk(broker, key), ...plan.window, connections: CONNECTIONS });
      load.push(await sampling.stop());
    }
    return { rest, load };
  } finally {
    await broker.stop();
  }
}

export function sampleMost(pid: number | undefined): { stop(): Promise<number> } {
  const stopping = new AbortController();
  const most = (async () => {
    let seen = 0;
    for (;;) {
      seen = Math.max(seen, await residentMegabytes(pid));
      if (stopping.signal.aborted) return seen;
      await pause(SAMPLE_EVERY_MS);
    }
  })();
  return {
    stop: () => {
      stopping.abort();
      return most;
    },
  };
}

function urlOf({ host, port, user, password, database }: Connection): string {
  const at = `${user}:${encodeURIComponent(password())}@localhost:${port}`;
  return `postgres://${at}/${database}?host=${encodeURIComponent(host)}`;
}

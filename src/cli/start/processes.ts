/**
 * Several processes on one port and one database: the first holds the database, and starts each of the others anew
 * when it is gone. None of them holds state, so any may answer any request.
 */
import cluster from 'node:cluster';
import type { Worker } from 'node:cluster';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import type { Config } from '../../config.ts';
import { DATABASE, LOGIN, loginOf, OWNER } from '../../embedded/provision.ts';
import { embeddedAt } from '../../embedded/server.ts';
import { openDatabase, serveOn } from '../../node.ts';
import type { Database, Starting } from '../../node.ts';
import { unlessGivenUp, unlessTold } from '../../node/told.ts';

/** Between a process that is gone and the next: one that cannot start must not take the machine. */
const AGAIN_AFTER_MS = 500;
/** What a process takes to drain and stop, and some more; after that it is ended. */
const STOP_LIMIT_MS = 4_500;

/** What a process says to the first one, once it serves. */
interface Ready {
  readonly url: string;
  readonly inSetup: boolean;
}

export const isFurtherProcess = (): boolean => cluster.isWorker;

export interface Processes extends Ready {
  stop(): Promise<void>;
}

/** @throws whatever opening the database throws, or where no process came to serve, or it was told to stop before. */
export async function serveWithProcesses(config: Config, count: number, { log, told }: Told): Promise<Processes> {
  // Each takes its connections from the one socket itself. Handed on by the first process, one that was on its way to a
  // process as it died would stay open in the first, and its client would wait for ever.
  cluster.schedulingPolicy = cluster.SCHED_NONE;
  const database = await openDatabase(config, log, told);
  let stopping = false;
  const ended = new Set<Promise<void>>();

  /** @returns once this one serves. */
  async function startOne(): Promise<Ready> {
    const worker = cluster.fork();
    const gone = whenGone(worker);
    ended.add(gone);
    const ready = await Promise.race([whenReady(worker), gone.then(() => null)]);
    if (ready === null) throw new Error('a process ended before it served; the log says why');
    gone.then(startAgain, () => undefined).catch((fault: unknown) => log.error('process.failed', { fault }));
    return ready;
  }

  async function startAgain(): Promise<void> {
    if (stopping) return;
    log.error('process.gone', {});
    await pause(AGAIN_AFTER_MS);
    if (!stopping) await startOne().catch(startAgain);
  }

  async function stop(): Promise<void> {
    stopping = true;
    for (const worker of Object.values(cluster.workers ?? {})) worker?.process.kill('SIGTERM');
    const limit = setTimeout(() => {
      for (const worker of Object.values(cluster.workers ?? {})) worker?.process.kill('SIGKILL');
    }, STOP_LIMIT_MS);
    await Promise.all(ended);
    clearTimeout(limit);
    await database.stop();
  }

  try {
    const ready = await Promise.race([Promise.all(Array.from({ length: count }, startOne)), whenTold(told)]);
    const [{ url, inSetup } = { url: config.publicUrl, inSetup: false }] = ready;
    return { url, inSetup, stop };
  } catch (fault) {
    await stop();
    throw fault;
  }
}

/** Whoever starts processes can always be told to stop. */
type Told = Required<Starting>;

const whenTold = (told: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    told.addEventListener('abort', () => reject(told.reason));
    if (told.aborted) reject(told.reason);
  });

const whenReady = (worker: Worker): Promise<Ready> =>
  new Promise((resolve) => {
    worker.once('message', (message: Ready) => resolve(message));
  });

const whenGone = (worker: Worker): Promise<void> =>
  new Promise((resolve) => {
    worker.once('exit', () => resolve());
  });

/** One of the further processes: serves until it is told to stop, or the first one is gone. */
export async function serveAsFurtherProcess(config: Config, { log, told }: Told): Promise<void> {
  const alone = new AbortController();
  process.once('disconnect', () => alone.abort(new Error('the first process is gone')));
  const ending = AbortSignal.any([told, alone.signal]);
  const starting = unlessTold(serveOn(await heldDatabase(config, log), config, log), ending);
  const serving = await unlessGivenUp(starting, ending, log);
  if (serving !== null) {
    process.send?.({ url: serving.url, inSetup: serving.inSetup } satisfies Ready);
    if (!ending.aborted) await once(ending, 'abort');
    await serving.stop();
  }
  if (process.connected) process.disconnect();
}

/** The database that the first process holds. */
async function heldDatabase(config: Config, log: Starting['log']): Promise<Pick<Database, 'owner' | 'serve'>> {
  if (config.database.kind === 'configured') return openDatabase(config, log);
  const server = await embeddedAt(config.dataDir);
  const [owner, serve] = await Promise.all([loginOf(server, OWNER), loginOf(server, LOGIN)]);
  return { owner: server.connection(DATABASE, owner), serve: server.connection(DATABASE, serve) };
}

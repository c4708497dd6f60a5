/** Serves a node's app over HTTP and keeps its sweeper going. */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { takeIn } from '../administer/take-in.ts';
import { count, hunt, watch } from '../broker.ts';
import type { BundleFiles } from '../core/registers.ts';
import type { Deps } from '../deps.ts';
import { makeNode } from './parts.ts';
import type { NodeParts } from './parts.ts';
import { nodeServer } from './server.ts';

/** A pass each half second sees an expiry soon enough; the queue is taken up as soon. */
const SWEEP_EVERY_MS = 500;
/** Requests under way get this long, then their connections are closed. */
const DRAIN_MS = 3_000;
/** Nobody is told that it serves before its sweeper has passed once, or after this: where it cannot pass, `/readyz` says so. */
const FIRST_PASS_MS = 2_000;
/** A count that is under way when it is stopped gets this long. */
const COUNT_ENDS_MS = 1_000;

export interface Serving {
  readonly url: string;
  readonly deps: Deps;
  /** Whether set-up lasted when it began to serve. */
  readonly inSetup: boolean;
  /** Drains and stops: within 5 s. */
  stop(): Promise<void>;
}

export interface ServeOptions {
  readonly listen: { readonly host: string; readonly port: number };
  /** The bundle on disk: taken in by an empty broker, and compared by any other. */
  readonly bundle: BundleFiles | null;
}

/**
 * A statement sent on a connection that has just closed makes postgres.js 3.4.9 write to a socket that is gone, in a
 * turn of the loop that no caller can catch. Its caller gets `StoreUnavailable` by the store's own deadline; the
 * process goes on. Every other fault that nobody caught ends it, as it should.
 */
function surviveClosedConnections(log: Deps['log']): () => void {
  const onFault = (fault: unknown): void => {
    if (isWriteToClosed(fault)) {
      log.warn('postgres.closed_connection_written', {});
      return;
    }
    log.error('process.failed', { fault: fault instanceof Error ? (fault.stack ?? fault.message) : String(fault) });
    process.exit(1);
  };
  process.on('uncaughtException', onFault);
  return () => process.off('uncaughtException', onFault);
}

const isWriteToClosed = (fault: unknown): boolean =>
  fault instanceof TypeError && /\bnextWrite\b.*postgres[\\/]src[\\/]connection\.js/.test(fault.stack ?? '');

export async function serveNode(parts: NodeParts, options: ServeOptions): Promise<Serving> {
  const { deps, close } = await makeNode(parts);
  try {
    if (options.bundle !== null) await takeIn(deps, options.bundle);
    return await serveDeps(deps, close, options.listen);
  } catch (fault) {
    await close();
    throw fault;
  }
}

/** Nothing of it goes on by itself when it cannot listen. */
async function serveDeps(
  deps: Deps,
  close: () => Promise<void>,
  { host, port: asked }: ServeOptions['listen'],
): Promise<Serving> {
  const { inSetup } = await deps.store.deployment();
  const { server, port } = await startListening(nodeServer(deps, host), { host, port: asked });
  const sweeper = startSweeper(deps);
  const hunter = every(HUNT_LOOK_MS, async () => deps.background(hunt(deps)));
  const counter = every(COUNT_LOOK_MS, () => counting(deps));
  const letFaultsThrough = surviveClosedConnections(deps.log);
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
  deps.log.info('listening', { url, node: deps.node });
  if (inSetup) deps.log.warn('set_up.lasts', { until: 'two administrators have signed in' });
  await inTime(sweeper.passedOnce, FIRST_PASS_MS);
  return {
    url,
    deps,
    inSetup,
    async stop() {
      deps.live?.close();
      await drain(server);
      await Promise.all([hunter.stop(), counter.stop(), sweeper.stop()]);
      await close();
      await deps.store.close();
      letFaultsThrough();
    },
  };
}

function startListening(
  server: Server,
  { host, port }: ServeOptions['listen'],
): Promise<{ readonly server: Server; readonly port: number }> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve({ server, port: (server.address() as AddressInfo).port });
    });
  });
}

async function drain(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  server.closeIdleConnections();
  const force = setTimeout(() => server.closeAllConnections(), DRAIN_MS);
  await closed;
  clearTimeout(force);
}

/** How often this node looks whether a hunt for orphans is due over all of them. */
const HUNT_LOOK_MS = 60_000;
/** The same for the count of breakers. */
const COUNT_LOOK_MS = 5_000;

/** Beside the sweeper, whose passes must not wait for a target that is slow to list what it holds, nor for a count. */
function every(ms: number, look: () => Promise<void>): { stop(): Promise<void> } {
  let last = Promise.resolve();
  const timer = setInterval(() => {
    last = Promise.all([last, look()]).then(() => undefined);
  }, ms);
  timer.unref();
  return {
    async stop() {
      clearInterval(timer);
      await inTime(last, COUNT_ENDS_MS);
    },
  };
}

const inTime = (work: Promise<void>, ms: number): Promise<void> =>
  Promise.race([work, pause(ms, undefined, { ref: false })]);

/** One that fails is told, and the next one comes all the same. */
const counting = (deps: Deps): Promise<void> =>
  count(deps).catch((fault: unknown) => deps.log.error('breakers.not_counted', { fault: String(fault) }));

/** The sweeper as a loop. A pass that fails is logged, and the next one comes all the same. */
function startSweeper(deps: Deps): { readonly passedOnce: Promise<void>; stop(): Promise<void> } {
  const stopping = new AbortController();
  const passed = Promise.withResolvers<void>();
  const running = (async () => {
    while (!stopping.signal.aborted) {
      const more = await watch(deps).catch((fault: unknown) => {
        deps.log.error('sweep.failed', { fault: String(fault) });
        return false;
      });
      passed.resolve();
      if (!more) await pause(SWEEP_EVERY_MS, undefined, { signal: stopping.signal }).catch(rethrowUnlessAborted);
    }
  })();
  return {
    passedOnce: passed.promise,
    async stop() {
      stopping.abort();
      await running;
    },
  };
}

function rethrowUnlessAborted(fault: unknown): void {
  if (!(fault instanceof Error && fault.name === 'AbortError')) throw fault;
}

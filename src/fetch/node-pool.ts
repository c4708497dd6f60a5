/**
 * Connections to tools, kept for a moment: each was looked at when it was made, and serves the calls of one pool alone,
 * so that what one tenant's answer leaves on it is never another's.
 *
 * @node-only
 */
import { Agent as HttpAgent } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import type { ClientHttp2Session } from 'node:http2';
import { Agent as HttpsAgent } from 'node:https';
import type { LookupFunction } from 'node:net';
import { isIP } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import type { AllowedUrl } from '../authenticate/address.ts';
import { watch } from './node.ts';

/** Shorter than what servers keep an idle connection for, so that few calls meet one that is just going. */
const IDLE_MS = 4_000;
/** As many as agents call at once: one that is closed after each call costs its tool more than the call. */
const MOST_IDLE = 256;
const MOST_POOLS = 1_000;

export interface Pool {
  readonly agent: HttpAgent;
  /** What its server speaks, once that is known; over plain http that is HTTP/1.1. */
  speaks: 'http/1.1' | 'h2' | null;
  session: ClientHttp2Session | null;
}

export interface Pools {
  of(key: string, url: URL, ca: string | null): Pool;
  close(): void;
}

export function createPools(): Pools {
  const pools = new Map<string, Pool>();
  return {
    of(key, url, ca) {
      const name = `${key} ${url.origin} ${ca ?? ''}`;
      const known = pools.get(name) ?? newPool(url, ca);
      pools.delete(name);
      pools.set(name, known);
      const [oldest] = pools;
      if (pools.size > MOST_POOLS && oldest !== undefined) {
        pools.delete(oldest[0]);
        closePool(oldest[1]);
      }
      return known;
    },
    close() {
      for (const pool of pools.values()) closePool(pool);
      pools.clear();
    },
  };
}

function newPool(url: URL, ca: string | null): Pool {
  const kept = { keepAlive: true, timeout: IDLE_MS, maxFreeSockets: MOST_IDLE, scheduling: 'lifo' } as const;
  return url.protocol === 'https:'
    ? { agent: new HttpsAgent({ ...kept, ...(ca !== null && { ca }) }), speaks: null, session: null }
    : { agent: new HttpAgent(kept), speaks: 'http/1.1', session: null };
}

/** Calls under way on it go on; what is idle goes. */
function closePool({ agent, session }: Pool): void {
  agent.destroy();
  session?.close();
}

export interface Reaching {
  readonly allowed: AllowedUrl;
  readonly lookup: LookupFunction;
  readonly ca: string | null;
  readonly signal: AbortSignal;
}

/** A connection over TLS on which the server has said what it speaks. */
export function negotiate({ allowed, lookup, ca, signal }: Reaching): Promise<TLSSocket> {
  const { url, host } = allowed;
  return new Promise((resolve, reject) => {
    const socket = connectTls({
      host,
      port: Number(url.port || 443),
      ALPNProtocols: ['h2', 'http/1.1'],
      lookup,
      ...(isIP(host) === 0 && { servername: host }),
      ...(ca !== null && { ca }),
    });
    const stop = (): void => {
      socket.destroy(new Error('stopped'));
    };
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    watch(socket, allowed, (why) => socket.destroy(why));
    const settled = (): void => {
      signal.removeEventListener('abort', stop);
      socket.off('error', failed);
    };
    const failed = (fault: Error): void => {
      settled();
      reject(fault);
    };
    socket.once('error', failed);
    socket.once('secureConnect', () => {
      settled();
      resolve(socket);
    });
  });
}

/** Its calls go over this connection together, until it has been idle for a while or the server closes it. */
export function sessionOn(pool: Pool, url: URL, socket: TLSSocket): ClientHttp2Session {
  const session = connectHttp2(url.origin, { createConnection: () => socket, settings: { enablePush: false } });
  const gone = (): void => {
    if (pool.session === session) pool.session = null;
  };
  session.once('close', gone);
  session.once('goaway', gone);
  // The calls on it are told each for themselves.
  session.on('error', gone);
  session.setTimeout(IDLE_MS, () => session.close());
  pool.session = session;
  return session;
}

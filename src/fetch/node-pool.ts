/**
 * Connections to tools, kept for a moment: each was looked at when it was made, and serves the calls of one pool alone,
 * so that what one tenant's answer leaves on it is never another's.
 *
 * @node-only
 */
import { connect as connectHttp2 } from 'node:http2';
import type { ClientHttp2Session } from 'node:http2';
import { connect as connectPlain, isIP } from 'node:net';
import type { LookupFunction } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import type { AllowedUrl } from '../authenticate/address.ts';
import { watch } from './node.ts';
import { keepConnections } from './node-kept.ts';
import type { Connect, Keeping } from './node-kept.ts';

/** Shorter than what servers keep an idle connection for, so that few calls meet one that is just going. */
const IDLE_MS = 4_000;
const MOST_POOLS = 1_000;

export interface Pool {
  /** Of HTTP/1.1, for calls that may come twice. */
  readonly kept: Keeping;
  /** What its server speaks, once that is known; over plain http that is HTTP/1.1. */
  speaks: 'http/1.1' | 'h2' | null;
  session: ClientHttp2Session | null;
}

export interface Pools {
  of(key: string, to: Site): Pool;
  close(): void;
}

export function createPools(): Pools {
  const pools = new Map<string, Pool>();
  return {
    of(key, to) {
      const name = `${key} ${to.allowed.url.origin} ${to.ca ?? ''}`;
      const known = pools.get(name) ?? newPool(to);
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

function newPool(to: Site): Pool {
  const { url } = to.allowed;
  const kept = keepConnections(url.origin, connecting(to));
  return { kept, speaks: url.protocol === 'https:' ? null : 'http/1.1', session: null };
}

/** Calls under way on it go on; what is idle goes. */
function closePool({ kept, session }: Pool): void {
  kept.close();
  session?.close();
}

/** A server, and how its addresses are found and looked at. */
export interface Site {
  readonly allowed: AllowedUrl;
  readonly lookup: LookupFunction;
  readonly ca: string | null;
}

/** A call on its way to it. */
export interface Reaching extends Site {
  readonly signal: AbortSignal;
}

const connecting =
  (to: Site): Connect =>
  (then) => {
    const { url, host } = to.allowed;
    const isPlain = url.protocol === 'http:';
    const socket = isPlain
      ? connectPlain({ host, port: Number(url.port || 80), lookup: to.lookup, noDelay: true })
      : tlsTo(to, ['http/1.1']);
    watch(socket, to.allowed, (why) => socket.destroy(why));
    const failed = (fault: Error): void => then(fault, null);
    socket.once('error', failed);
    socket.once(isPlain ? 'connect' : 'secureConnect', () => {
      if (socket.destroyed) return;
      socket.off('error', failed);
      then(null, socket);
    });
    return socket;
  };

function tlsTo({ allowed: { url, host }, lookup, ca }: Site, ALPNProtocols: string[]): TLSSocket {
  return connectTls({
    host,
    port: Number(url.port || 443),
    ALPNProtocols,
    lookup,
    ...(isIP(host) === 0 && { servername: host }),
    ...(ca !== null && { ca }),
  });
}

/** A connection over TLS on which the server has said what it speaks. */
export function negotiate(to: Reaching): Promise<TLSSocket> {
  const { allowed, signal } = to;
  return new Promise((resolve, reject) => {
    const socket = tlsTo(to, ['h2', 'http/1.1']);
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
  session.setTimeout(IDLE_MS, () => {
    // An answer that is long silent goes on over it, and no other call begins there.
    gone();
    session.close();
  });
  pool.session = session;
  return session;
}

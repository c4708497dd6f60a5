/**
 * Calls to tools, on Node: over HTTP/1.1 or HTTP/2 as the server speaks it, in both directions as fast as the slower side
 * takes it, and nothing held in memory.
 *
 * @node-only
 */
import { request as requestHttp } from 'node:http';
import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2';
import { request as requestHttps } from 'node:https';
import type { Writable } from 'node:stream';
import { FetchFailed, FetchRefused } from '../core/fetch.ts';
import type { Forward, ForwardCall, ForwardedAnswer } from '../core/forward.ts';
import { Secret } from '../core/secret.ts';
import { checkUrl } from '../authenticate/address.ts';
import type { Reach } from '../authenticate/address.ts';
import { asFetchError, byDns, lookupWithin, watch } from './node.ts';
import type { Resolve } from './node.ts';
import { createPools, negotiate, sessionOn } from './node-pool.ts';
import type { Pool, Reaching } from './node-pool.ts';

export interface NodeForward {
  readonly forward: Forward;
  close(): void;
}

export function nodeForward(reach: Reach, resolve: Resolve = byDns): NodeForward {
  const pools = createPools();
  return {
    async forward(call) {
      const allowed = checkUrl(call.url.reveal(), call.mayBePrivate ? reach : { privateHosts: [] });
      if (typeof allowed === 'string') throw new FetchRefused(`refused: ${allowed}`);
      const { ca, signal } = call;
      const site = { allowed, lookup: lookupWithin(allowed, resolve), ca };
      const pool = pools.of(`${call.pool} ${String(call.mayBePrivate)}`, site);
      return send(call, pool, { ...site, signal });
    },
    close: () => pools.close(),
  };
}

async function send(call: ForwardCall, pool: Pool, reaching: Reaching): Promise<ForwardedAnswer> {
  try {
    if (pool.session !== null) return await overHttp2(call, pool.session, reaching);
    if (pool.speaks !== 'http/1.1') return await asNegotiated(call, pool, reaching);
    return await (isRepeatable(call) ? overKept(call, pool, reaching) : overHttp1(call, reaching, { agent: false }));
  } catch (fault) {
    throw fault instanceof Error ? asFetchError(fault) : fault;
  }
}

type Repeatable = ForwardCall & { readonly method: 'GET' | 'HEAD'; readonly body: null };

/** Without a body, and by a method that does the same when it comes twice. @see RFC 9110 section 9.2.2 */
const isRepeatable = (call: ForwardCall): call is Repeatable =>
  call.body === null && (call.method === 'GET' || call.method === 'HEAD');

const overKept = (
  { method, headers }: Repeatable,
  { kept }: Pool,
  { allowed: { url }, signal }: Reaching,
): Promise<ForwardedAnswer> =>
  kept.send({ method, path: `${url.pathname}${url.search}`, headers: shown(headers), signal });

async function asNegotiated(call: ForwardCall, pool: Pool, reaching: Reaching): Promise<ForwardedAnswer> {
  const socket = await negotiate(reaching);
  pool.speaks = socket.alpnProtocol === 'h2' ? 'h2' : 'http/1.1';
  if (pool.speaks === 'h2') return overHttp2(call, sessionOn(pool, reaching.allowed.url, socket), reaching);
  return overHttp1(call, reaching, { createConnection: () => socket });
}

/** @see RFC 9112 */
async function overHttp1(
  call: ForwardCall,
  reaching: Reaching,
  connection: Pick<RequestOptions, 'agent' | 'createConnection'>,
): Promise<ForwardedAnswer> {
  const { allowed, lookup, ca, signal } = reaching;
  const start = allowed.url.protocol === 'https:' ? requestHttps : requestHttp;
  const request = start(allowed.url, {
    method: call.method,
    headers: shown(call.headers),
    lookup,
    signal,
    ...(ca !== null && { ca }),
    ...connection,
  });
  request.on('socket', (socket) => watch(socket, allowed, (why) => request.destroy(why)));
  const response = await answered(request, call);
  return { status: response.statusCode ?? 0, headers: pairsOf(response.rawHeaders), body: bytesOf(response) };
}

function answered(request: ClientRequest, { body }: ForwardCall): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.once('response', resolve);
    request.once('upgrade', (_response, socket) => {
      socket.destroy();
      reject(new FetchFailed('answered with another protocol'));
    });
    // What comes after the answer has begun is told to whoever reads it.
    request.on('error', reject);
    pour(body, request);
  });
}

/** @see RFC 9113 */
function overHttp2(
  call: ForwardCall,
  session: ClientHttp2Session,
  { allowed, signal }: Reaching,
): Promise<ForwardedAnswer> {
  const { url } = allowed;
  const stream = session.request(
    {
      ':method': call.method,
      ':scheme': 'https',
      ':authority': url.host,
      ':path': `${url.pathname}${url.search}`,
      ...shown(call.headers),
    },
    { signal, endStream: call.body === null },
  );
  return new Promise((resolve, reject) => {
    stream.once('response', (headers) => resolve(http2Answer(stream, headers)));
    stream.on('error', reject);
    stream.once('close', () => reject(new FetchFailed('no answer: the stream was closed')));
    if (call.body !== null) pour(call.body, stream);
  });
}

const http2Answer = (stream: ClientHttp2Stream, headers: IncomingHttpHeaders): ForwardedAnswer => ({
  status: Number(headers[':status']),
  headers: Object.entries(headers).flatMap(([name, value]) =>
    name.startsWith(':') ? [] : [value ?? []].flat().map((one) => [name, one] as const),
  ),
  body: bytesOf(stream),
});

/** The one place where a key is revealed to its tool. */
const shown = (headers: ForwardCall['headers']): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, value instanceof Secret ? value.reveal() : value]),
  );

function pairsOf(raw: readonly string[]): readonly (readonly [string, string])[] {
  return Array.from({ length: raw.length / 2 }, (_, at) => [(raw[2 * at] ?? '').toLowerCase(), raw[2 * at + 1] ?? '']);
}

/** Left before its end, begun or not, it takes its connection with it. */
const bytesOf = (stream: AsyncIterable<Buffer> & { destroy(): unknown }): AsyncIterable<Uint8Array> => ({
  [Symbol.asyncIterator]() {
    const reading = stream[Symbol.asyncIterator]();
    return {
      next: () => reading.next().catch(asBroken),
      return() {
        stream.destroy();
        return Promise.resolve({ done: true, value: undefined });
      },
    };
  },
});

function asBroken(fault: unknown): never {
  throw fault instanceof Error ? asFetchError(fault) : fault;
}

function pour(body: ForwardCall['body'], into: Writable): void {
  if (body === null) into.end();
  else if (body instanceof Uint8Array) into.end(body);
  else {
    pourSlowly(body, into).catch((fault: unknown) =>
      into.destroy(fault instanceof Error ? fault : new Error(String(fault))),
    );
  }
}

async function pourSlowly(body: AsyncIterable<Uint8Array>, into: Writable): Promise<void> {
  for await (const chunk of body) {
    if (into.destroyed) return;
    if (!into.write(chunk)) await room(into);
  }
  into.end();
}

const room = (into: Writable): Promise<void> =>
  new Promise((resolve) => {
    const go = (): void => {
      into.off('drain', go);
      into.off('close', go);
      resolve();
    };
    into.once('drain', go);
    into.once('close', go);
  });

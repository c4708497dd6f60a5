/**
 * Requests to other servers, on Node. Each address that a name resolves to is checked at the very lookup that the
 * connection is made with, and looked at again once it stands, so that a name whose answer changes gains nothing.
 *
 * @node-only
 */
import { lookup as resolveByDns } from 'node:dns';
import type { LookupAddress } from 'node:dns';
import { request as requestHttp } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { RequestOptions } from 'node:https';
import type { LookupFunction, Socket } from 'node:net';
import { FetchFailed, FetchRefused } from '../core/fetch.ts';
import type { ChallengedAnswer, FetchLimits, GuardedRequest } from '../core/fetch.ts';
import { checkUrl, mayBeAt } from '../authenticate/address.ts';
import type { AllowedUrl, Reach } from '../authenticate/address.ts';

type Resolved = (error: NodeJS.ErrnoException | null, addresses: readonly LookupAddress[]) => void;
/** Every address of a name. */
export type Resolve = (host: string, then: Resolved) => void;

export const byDns: Resolve = (host, then) => resolveByDns(host, { all: true }, then);

export function guardedRequest(reach: Reach, resolve: Resolve = byDns): GuardedRequest {
  return async (text, limits, headers = {}, body) => {
    const allowed = checkUrl(text, reach);
    if (typeof allowed === 'string') throw new FetchRefused(`refused: ${allowed}`);
    const options = {
      method: body === undefined ? 'GET' : 'POST',
      headers: { 'accept-encoding': 'identity', ...headers },
      lookup: lookupWithin(allowed, resolve),
      // No pool: a connection serves the request whose lookup was checked, and ends with it.
      agent: false,
      signal: AbortSignal.timeout(limits.milliseconds),
    };
    return send(allowed, limits, options, body);
  };
}

/** The lookup that the socket itself uses: all of a name's addresses, or none if one may not be reached. */
export function lookupWithin(allowed: AllowedUrl, resolve: Resolve): LookupFunction {
  return (host, options, callback) => {
    resolve(host, (error, addresses) => {
      const [first] = addresses ?? [];
      if (error !== null || first === undefined) callback(error ?? new FetchFailed('the name has no address'), '', 0);
      else if (!addresses.every(({ address }) => mayBeAt(allowed, address))) callback(notThere(), '', 0);
      else if (options.all === true) callback(null, [...addresses]);
      else callback(null, first.address, first.family);
    });
  };
}

const notThere = (): FetchRefused => new FetchRefused('refused: the name leads to an address that may not be reached');

function send(
  allowed: AllowedUrl,
  limits: FetchLimits,
  options: RequestOptions,
  body: string | undefined,
): Promise<ChallengedAnswer> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => reject(asFetchError(error));
    const start = allowed.url.protocol === 'https:' ? requestHttps : requestHttp;
    const request = start(allowed.url, options, (response) => {
      const { statusCode: status = 0, headers } = response;
      const challenge = headers['www-authenticate'] ?? null;
      readBody(response, limits.bytes).then((read) => resolve({ status, body: read, challenge }), fail);
    });
    request.on('error', fail);
    request.on('socket', (socket) => watch(socket, allowed, (why) => request.destroy(why)));
    request.end(body);
  });
}

/** Looks at where a connection leads once it stands; one that stands was looked at when it was made. */
export function watch(socket: Socket, allowed: AllowedUrl, refuse: (why: FetchRefused) => void): void {
  if (!socket.connecting) return;
  socket.once('connect', () => {
    const { remoteAddress } = socket;
    if (remoteAddress !== undefined && mayBeAt(allowed, remoteAddress)) return;
    refuse(new FetchRefused('refused: connected to an address that may not be reached'));
  });
}

async function readBody(response: IncomingMessage, bytes: number): Promise<string> {
  const encoding = response.headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity') throw drop(response, 'answered in an encoding that was not asked for');
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > bytes) throw drop(response, `answered more than ${bytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function drop(response: IncomingMessage, why: string): FetchFailed {
  response.destroy();
  return new FetchFailed(why);
}

export function asFetchError(error: Error): Error {
  if (error instanceof FetchRefused || error instanceof FetchFailed) return error;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  return new FetchFailed(`no answer: ${code}`, { cause: error });
}

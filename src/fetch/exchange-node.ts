/**
 * Calls of a provider's server, on Node: over connections that are kept for a while, since a mint makes several calls.
 *
 * @node-only
 */
import { Agent as HttpAgent, request as requestHttp } from 'node:http';
import type { IncomingMessage, RequestOptions } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import { FetchFailed } from '../core/fetch.ts';
import type { Exchange, ExchangeCall, GuardedAnswer } from '../core/fetch.ts';

/** Below what proxies and servers usually keep an idle connection for. */
const KEPT_MS = 4_000;
const MOST_AT_ONCE = 32;

export interface Exchanges {
  readonly exchange: Exchange;
  /** Ends every connection. */
  close(): void;
}

export function exchangesOnNode(): Exchanges {
  const kept = { keepAlive: true, timeout: KEPT_MS, maxSockets: MOST_AT_ONCE };
  const plain = new HttpAgent(kept);
  const secure = new HttpsAgent({ ...kept, rejectUnauthorized: true });
  return {
    exchange: (call) => {
      const isPlain = new URL(call.url).protocol === 'http:';
      const options: RequestOptions & { ca?: string } = {
        method: call.method,
        headers: { 'accept-encoding': 'identity', ...call.headers },
        agent: isPlain ? plain : secure,
        signal: AbortSignal.timeout(call.limits.milliseconds),
        ...(call.ca !== null && { ca: call.ca }),
      };
      return send(isPlain ? requestHttp : requestHttps, call, options);
    },
    close: () => {
      plain.destroy();
      secure.destroy();
    },
  };
}

function send(start: typeof requestHttps, call: ExchangeCall, options: RequestOptions): Promise<GuardedAnswer> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => reject(asFetchFailed(error));
    const request = start(call.url, options, (response) => {
      readBody(response, call.limits.bytes).then((body) => resolve({ status: response.statusCode ?? 0, body }), fail);
    });
    request.on('error', fail);
    request.end(call.body ?? undefined);
  });
}

async function readBody(response: IncomingMessage, bytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > bytes) {
      response.destroy();
      throw new FetchFailed(`answered more than ${bytes} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Without its cause: an error of Node's may hold the request, and with it the token. */
function asFetchFailed(error: Error): FetchFailed {
  if (error instanceof FetchFailed) return error;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  return new FetchFailed(`no answer: ${code}`);
}

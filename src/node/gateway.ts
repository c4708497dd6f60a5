/**
 * Calls through the gateway as Node itself takes them: those without a body, by a path that is written in one way alone.
 * Request and Response of the web, with their streams, would cost more than everything that is looked at. All else goes
 * by the app, whose route says the same.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { parseName } from '../core/ids.ts';
import type { Deps } from '../deps.ts';
import { throughGateway } from '../http/gateway-call.ts';
import { problemOf } from '../http/wire.ts';
import { AnswerCut } from '../use/gateway/answer.ts';
import type { Exchanged } from '../use/gateway/exchange.ts';
import { headersOf, taking, writeWire } from './edge.ts';
import type { Headers } from './edge.ts';

/** No name and no id is written otherwise; what is, is for the app to read. */
const BARE = /^\/t\/([a-z0-9-]+)\/gateway\/(lse_[a-z0-9]+)(\/[^]*)$/;

interface Bare {
  readonly tenant: string;
  readonly lease: string;
  readonly target: string;
}

/** @param otherwise serves every other request. */
export const gatewayFirst =
  (deps: Deps, otherwise: RequestListener): RequestListener =>
  (request, response) => {
    const bare = bareCall(request);
    if (bare === null) return otherwise(request, response);
    deps.background(pass(deps, bare, request, response));
  };

function bareCall({ method, url = '', headers }: IncomingMessage): Bare | null {
  if (method !== 'GET' && method !== 'HEAD') return null;
  // A body that may not be there is for the app to refuse.
  if (headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined) return null;
  const [, tenant, lease, target] = BARE.exec(url) ?? [];
  return tenant === undefined || lease === undefined || target === undefined ? null : { tenant, lease, target };
}

const pass = (deps: Deps, bare: Bare, request: IncomingMessage, response: ServerResponse): Promise<void> =>
  taking(deps, { request, response }, async ({ id, always }) => {
    const answer = await throughGateway(deps, parseName('tenant', bare.tenant), {
      lease: bare.lease,
      method: request.method ?? '',
      target: bare.target,
      headers: headersOf(request),
      body: null,
      gone: goneWith(response),
    });
    if (answer.ok) return write(deps, response, answer.value, always);
    writeWire(response, problemOf(deps, id, answer.error, request.headers.authorization), always);
  });

function goneWith(response: ServerResponse): AbortSignal {
  const gone = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) gone.abort();
  });
  return gone.signal;
}

async function write(
  { log }: Deps,
  response: ServerResponse,
  { status, headers, body, cut }: Exchanged,
  always: Headers,
): Promise<void> {
  response.writeHead(status, { ...always, ...headers });
  if (body === null) return void response.end();
  // As a text it goes out with its head, in one piece.
  if (body instanceof Uint8Array) return void response.end(latin1(body), 'latin1');
  // With its connection, so that no reader takes it for whole.
  const breakOff = (): void => void response.destroy();
  cut.addEventListener('abort', breakOff, { once: true });
  try {
    for await (const chunk of body) {
      if (response.destroyed) return;
      if (!response.write(chunk)) await room(response);
    }
    response.end();
  } catch (fault) {
    if (!(fault instanceof AnswerCut)) log.error('gateway.broken_off', { fault: String(fault) });
    breakOff();
  } finally {
    cut.removeEventListener('abort', breakOff);
  }
}

const latin1 = ({ buffer, byteOffset, byteLength }: Uint8Array): string =>
  Buffer.from(buffer, byteOffset, byteLength).toString('latin1');

const room = (response: ServerResponse): Promise<void> =>
  new Promise((resolve) => {
    const go = (): void => {
      response.off('drain', go);
      response.off('close', go);
      resolve();
    };
    response.once('drain', go);
    response.once('close', go);
  });

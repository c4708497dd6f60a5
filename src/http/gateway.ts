/** Calls through the gateway: everything below a lease's own path, whatever its method. On Node most go by `node/gateway.ts`. */
import { Hono } from 'hono';
import type { Context } from 'hono';
import type { StatusCode } from 'hono/utils/http-status';
import type { Result } from '../core/result.ts';
import { AnswerCut } from '../use/gateway/answer.ts';
import type { Exchanged } from '../use/gateway/exchange.ts';
import { withBody } from './body.ts';
import { tenantOf } from './caller.ts';
import { throughGateway } from './gateway-call.ts';
import type { Scope } from './scope.ts';
import { problem } from './wire.ts';

export const gateway = new Hono<Scope>();

gateway.all('/:lease/*', async (c) => {
  const { raw } = c.req;
  const pass = (body: AsyncIterable<Uint8Array> | null): Promise<Result<Exchanged>> =>
    throughGateway(c.var.deps, tenantOf(c), {
      lease: c.req.param('lease'),
      method: raw.method,
      target: targetOf(c),
      headers: new Map(raw.headers),
      body,
      gone: raw.signal,
    });
  const hasBody = raw.method !== 'GET' && raw.method !== 'HEAD' && raw.body !== null;
  const answer = hasBody ? await withBody(raw.body, pass) : await pass(null);
  return answer.ok ? passed(c, answer.value) : problem(c, answer.error);
});

const OWN_PATH = /^\/t\/[^/?#]+\/gateway\/[^/?#]+(\/[^]*)$/;

/**
 * As it stands on the request's first line, where the platform still has that: whoever reads a URL has already walked its
 * dots and turned its backslashes.
 */
function targetOf(c: Context<Scope>): string | null {
  const { pathname, search } = new URL(c.req.url);
  return OWN_PATH.exec(c.env?.incoming?.url ?? `${pathname}${search}`)?.[1] ?? null;
}

function passed(c: Context<Scope>, { status, headers, body, cut }: Exchanged): Response {
  const isWhole = body === null || body instanceof Uint8Array;
  const sent = isWhole ? bytesOf(body) : ReadableStream.from(orBrokenOff(c, body, cut));
  return c.newResponse(sent, status as StatusCode, headers);
}

const bytesOf = (body: Uint8Array | null): Uint8Array<ArrayBuffer> | null =>
  body === null ? null : new Uint8Array(body);

/**
 * A stream that is cut takes its connection with it, so that no reader takes it for whole. What serves it on Node would say
 * why in the middle of the body, and end it in order.
 */
const orBrokenOff = (
  c: Context<Scope>,
  body: AsyncIterable<Uint8Array>,
  cut: AbortSignal,
): AsyncIterable<Uint8Array> => ({
  [Symbol.asyncIterator]() {
    const passing = body[Symbol.asyncIterator]();
    const breakOff = (): void => void c.env?.outgoing?.destroy();
    cut.addEventListener('abort', breakOff, { once: true });
    const over = <T>(last: T): T => {
      cut.removeEventListener('abort', breakOff);
      return last;
    };
    return {
      async next() {
        try {
          const step = await passing.next();
          return step.done === true ? over(step) : step;
        } catch (fault) {
          if (!(fault instanceof AnswerCut)) c.var.deps.log.error('gateway.broken_off', { fault: String(fault) });
          if (c.env?.outgoing === undefined) throw fault;
          breakOff();
          return over({ done: true, value: undefined });
        }
      },
      return: async () => over((await passing.return?.()) ?? { done: true, value: undefined }),
    };
  },
});

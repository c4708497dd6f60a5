/**
 * Calls that may come twice, over connections that are kept. They go by undici, Node's own client without the streams of
 * `node:http`: a small call takes a fifth of the processor time. One client is one connection, with one call at a time.
 *
 * @node-only
 */
import type { Socket } from 'node:net';
import type { Client, Dispatcher } from 'undici';
import { FetchFailed } from '../core/fetch.ts';
import type { ForwardedAnswer } from '../core/forward.ts';
import { inbox } from './inbox.ts';
import type { Inbox } from './inbox.ts';
import { asFetchError } from './node.ts';

/** Shorter than what servers keep an idle connection for, so that few calls meet one that is just going. */
const IDLE_MS = 4_000;
/** As many as agents call at once: one that is closed after each call costs its tool more than the call. */
const MOST_IDLE = 256;

export interface KeptCall {
  readonly method: 'GET' | 'HEAD';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Ends it, also in the middle of the answer. */
  readonly signal: AbortSignal;
}

export interface Keeping {
  send(call: KeptCall): Promise<ForwardedAnswer>;
  /** Calls under way go on; what is idle goes. */
  close(): void;
}

/** A connection that stands, looked at as it was made; or the fault for which there is none. */
export type Connect = (then: (fault: Error | null, socket: Socket | null) => void) => Socket;

interface Kept {
  readonly client: Client;
  /** Whether a call went over it before. */
  isUsed: boolean;
  isGone: boolean;
  /** Ends it, whatever it is doing. */
  end(fault: Error): void;
}

export function keepConnections(origin: string, connect: Connect): Keeping {
  const idle: Kept[] = [];
  let isClosed = false;
  const take = async (): Promise<Kept> => idle.pop() ?? open(origin, connect, idle);
  const give = (kept: Kept): void => {
    kept.isUsed = true;
    if (kept.isGone) return;
    if (isClosed || idle.length >= MOST_IDLE) kept.end(new FetchFailed('no answer: closed'));
    else idle.push(kept);
  };
  return {
    async send(call) {
      for (;;) {
        const kept = await take();
        const { isUsed } = kept;
        try {
          return await sendOver(kept, call, give);
        } catch (fault) {
          // An idle connection that its server was just closing: the call never got there, and may come again.
          if (!isUsed || !isReset(fault)) throw fault;
        }
      }
    },
    close() {
      isClosed = true;
      for (const kept of idle.splice(0)) kept.end(new FetchFailed('no answer: closed'));
    },
  };
}

/** What the system says of a connection that was closed at the other end, and what undici does, under way and while it waited. */
const isReset = (fault: unknown): boolean =>
  fault instanceof Error &&
  'code' in fault &&
  /^(?:ECONNRESET|EPIPE|UND_ERR_SOCKET|UND_ERR_DESTROYED)$/.test(String(fault.code));

/** Loaded with the first call: whoever has no such tool does without it. */
async function open(origin: string, connect: Connect, idle: Kept[]): Promise<Kept> {
  const { Client } = await import('undici');
  let connecting: Socket | null = null;
  const client = new Client(origin, {
    connect: (_to, callback) => {
      connecting = connect((fault, socket) => {
        connecting = null;
        if (socket === null) callback(fault ?? new FetchFailed('no answer: no connection'), null);
        else callback(null, socket);
      });
    },
    pipelining: 1,
    keepAliveTimeout: IDLE_MS,
    keepAliveMaxTimeout: IDLE_MS,
    // How long a call may take is for its signal to say.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  const kept: Kept = {
    client,
    isUsed: false,
    isGone: false,
    end(fault) {
      kept.isGone = true;
      connecting?.destroy(fault);
      client.destroy(fault, () => undefined);
    },
  };
  // By itself it would connect again; one that is gone is no use to anybody.
  client.once('disconnect', () => {
    kept.isGone = true;
    const at = idle.indexOf(kept);
    if (at >= 0) idle.splice(at, 1);
    client.destroy(() => undefined);
  });
  return kept;
}

function sendOver(kept: Kept, { signal, ...request }: KeptCall, give: (kept: Kept) => void): Promise<ForwardedAnswer> {
  return new Promise((resolve, reject) => {
    let body: Inbox | null = null;
    const fail = (fault: Error): void => {
      signal.removeEventListener('abort', stop);
      if (body === null) reject(fault);
      else body.fail(asFetchError(fault));
    };
    const stop = (): void => {
      const fault = new FetchFailed('no answer: ended');
      kept.end(fault);
      fail(fault);
    };
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) return stop();
    kept.client.dispatch(request, {
      onRequestStart() {},
      onResponseStart(controller, status) {
        // One that says that another comes.
        if (status < 200) return;
        const leave = (): void => {
          signal.removeEventListener('abort', stop);
          kept.end(new FetchFailed('no answer: left'));
        };
        body = inbox({ pause: () => controller.pause(), resume: () => controller.resume(), leave });
        resolve({ status, headers: pairsOf(controller.rawHeaders), body: body.body });
      },
      onResponseData(_controller, chunk) {
        body?.push(chunk);
      },
      onResponseEnd() {
        signal.removeEventListener('abort', stop);
        body?.end();
        give(kept);
      },
      onResponseError: (_controller, fault) => fail(fault),
    });
  });
}

/** As they came, and byte for byte: undici's own reading takes them for UTF-8. */
function pairsOf(raw: Dispatcher.DispatchController['rawHeaders']): ForwardedAnswer['headers'] {
  if (!Array.isArray(raw)) throw new TypeError('headers of another protocol');
  const texts = raw.map((part) => (typeof part === 'string' ? part : part.toString('latin1')));
  return Array.from({ length: texts.length / 2 }, (_, at) => [
    (texts[2 * at] ?? '').toLowerCase(),
    texts[2 * at + 1] ?? '',
  ]);
}

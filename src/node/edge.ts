/** What the calls have in common that Node takes by itself, without Request and Response of the web. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { newId } from '../core/ids.ts';
import type { CallId } from '../core/ids.ts';
import type { Deps } from '../deps.ts';
import { refusalFor } from '../http/fault.ts';
import { problemOf } from '../http/wire.ts';
import type { Wire } from '../http/wire.ts';

export type Headers = Readonly<Record<string, string>>;

interface Taken {
  readonly id: CallId;
  /** What every answer bears. */
  readonly always: Headers;
}

/** @param answer whose faults become answers, as those of a route do. */
export async function taking(
  deps: Deps,
  { request, response }: { readonly request: IncomingMessage; readonly response: ServerResponse },
  answer: (taken: Taken) => Promise<void>,
): Promise<void> {
  const id = newId('cal', deps.clock(), deps.random);
  const always = { 'x-request-id': id, 'x-content-type-options': 'nosniff' };
  try {
    await answer({ id, always });
  } catch (fault) {
    if (!(fault instanceof Error)) throw fault;
    writeWire(response, problemOf(deps, id, refusalFor(fault, deps, id), request.headers.authorization), always);
  }
}

export function writeWire(response: ServerResponse, { status, headers, text }: Wire, always: Headers): void {
  response.writeHead(status, { ...always, ...headers, 'content-length': Buffer.byteLength(text) }).end(text);
}

/** Each name once, as everybody else reads a request: two of one are one with a comma, and so no token. */
export function headersOf({ rawHeaders }: IncomingMessage): ReadonlyMap<string, string> {
  const headers = new Map<string, string>();
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]?.toLowerCase() ?? '';
    const value = rawHeaders[at + 1] ?? '';
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  return headers;
}

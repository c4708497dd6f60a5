/**
 * Calls to tools, on Workers: to public hosts alone, since a name's addresses cannot be seen there.
 */
import { FetchFailed, FetchRefused } from '../core/fetch.ts';
import type { Forward, ForwardCall } from '../core/forward.ts';
import { Secret } from '../core/secret.ts';
import { checkUrl } from '../authenticate/address.ts';
import { isPrivateName } from './workers.ts';

export function workersForward(send: typeof fetch): Forward {
  return async (call) => {
    const allowed = checkUrl(call.url.reveal(), { privateHosts: [] });
    if (typeof allowed === 'string') throw new FetchRefused(`refused: ${allowed}`);
    if (isPrivateName(allowed.host)) throw new FetchRefused('refused: a private name');
    if (call.ca !== null) throw new FetchRefused('refused: an authority of its own cannot be looked at here');
    try {
      const response = await send(allowed.url, requestOf(call));
      return { status: response.status, headers: [...response.headers], body: bytesOf(response.body) };
    } catch (fault) {
      throw failed(fault);
    }
  };
}

function requestOf({ method, headers, body, signal }: ForwardCall): RequestInit {
  const shown = Object.entries(headers).map(
    ([name, value]) => [name, value instanceof Secret ? value.reveal() : value] as [string, string],
  );
  const common = { method, headers: shown, redirect: 'manual', signal } as const;
  if (body === null) return common;
  if (body instanceof Uint8Array) return { ...common, body: new Uint8Array(body) };
  return { ...common, body: ReadableStream.from(body), duplex: 'half' };
}

async function* bytesOf(body: ReadableStream<Uint8Array> | null): AsyncGenerator<Uint8Array> {
  if (body === null) return;
  try {
    yield* body;
  } catch (fault) {
    throw failed(fault);
  }
}

const failed = (fault: unknown): unknown =>
  fault instanceof FetchFailed || !(fault instanceof Error)
    ? fault
    : new FetchFailed(`no answer: ${fault.name}`, { cause: fault });

/**
 * Requests to other servers, on Workers. A name's addresses cannot be seen there, and the platform's own network is
 * not reached through `fetch`; so only what a URL says is checked: https, a public address or a name of the public DNS.
 */
import { FetchFailed, FetchRefused } from '../core/fetch.ts';
import type { FetchLimits, GuardedRequest } from '../core/fetch.ts';
import { checkUrl } from '../authenticate/address.ts';
import type { Reach } from '../authenticate/address.ts';

/** Names that no public DNS has. @see RFC 6761, RFC 6762, RFC 8375 */
const PRIVATE_NAME = /^[^.]+$|\.(?:localhost|local|internal|intranet|home\.arpa|test|invalid|onion)$/;

export const isPrivateName = (host: string): boolean => !host.includes(':') && PRIVATE_NAME.test(host);

export function guardedRequest(reach: Reach, send: typeof fetch): GuardedRequest {
  return async (text, limits, headers = {}, body) => {
    const allowed = checkUrl(text, reach);
    if (typeof allowed === 'string') throw new FetchRefused(`refused: ${allowed}`);
    if (!allowed.mayBePrivate && isPrivateName(allowed.host)) {
      throw new FetchRefused('refused: a private name');
    }
    const signal = AbortSignal.timeout(limits.milliseconds);
    try {
      const response = await send(allowed.url, {
        redirect: 'manual',
        headers,
        signal,
        ...(body === undefined ? {} : { method: 'POST', body }),
      });
      const challenge = response.headers.get('www-authenticate');
      return { status: response.status, body: await readBody(response, limits), challenge };
    } catch (error) {
      if (error instanceof FetchFailed || !(error instanceof Error)) throw error;
      throw new FetchFailed(`no answer: ${error.name}`, { cause: error });
    }
  };
}

async function readBody(response: Response, { bytes }: FetchLimits): Promise<string> {
  const text = new TextDecoder();
  let body = '';
  let length = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    // Leaving the loop cancels the stream.
    if (length > bytes) throw new FetchFailed(`answered more than ${bytes} bytes`);
    body += text.decode(chunk, { stream: true });
  }
  return body + text.decode();
}

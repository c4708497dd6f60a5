/** The call itself: out with the key, and back what may be seen of the answer. */
import { FetchRefused } from '../../core/fetch.ts';
import type { ForwardCall, ForwardedAnswer } from '../../core/forward.ts';
import { err, ok } from '../../core/result.ts';
import type { Result } from '../../core/result.ts';
import { sha256Hex } from '../../core/digest.ts';
import type { Deps } from '../../deps.ts';
import { endOf, passing, screen } from './answer.ts';
import type { NotWhole, Screened, Tally } from './answer.ts';
import { echoScanner } from './echo.ts';
import { forgetToken } from './key.ts';
import type { Key, Tool } from './key.ts';

export interface Exchanged {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | AsyncIterable<Uint8Array> | null;
  /** Aborted where nothing more of a stream may be passed on, also while its reader takes none of it. */
  readonly cut: AbortSignal;
}

/** One that is stated to be no larger is read before it is passed on, so that nothing of it leaves if it may not. */
const SMALL = 64 * 1024;

const NOTHING = { bytes: 0, digest: sha256Hex('') };

/** @param ended told once, when the answer has ended, however; with its status, where there was one. */
export async function exchange(
  deps: Deps,
  { tool, key, call }: { readonly tool: Tool; readonly key: Key; readonly call: ForwardCall },
  ended: Ended,
): Promise<Result<Exchanged, NotWhole>> {
  const answer = await answerTo(deps, call);
  if (typeof answer === 'string') return refuse(answer, null, ended);
  const { status } = answer;
  if (status === UNAUTHORIZED) forgetToken(deps, tool);
  const seen = screen(answer, tool.config, key.needles);
  if (typeof seen === 'string') {
    await drop(answer);
    return refuse(seen, status, ended);
  }
  const isHead = call.method === 'HEAD' || status === NOT_MODIFIED;
  if (isHead || EMPTY.includes(status)) {
    // What a tool sends where nothing may stand is read by nobody.
    await drop(answer);
    ended(status, { end: 'whole', ...NOTHING });
    // Of what it would be, and of what never comes: whoever is told a length there waits for it.
    return ok({ status, headers: isHead ? headersOf(seen) : seen.headers, body: null, cut: call.signal });
  }
  if (seen.length !== null && seen.length <= SMALL) return whole(seen, answer, { key, call }, ended);
  const { response_bytes: limit } = tool.config.limits;
  const { signal } = call;
  const body = passing(answer.body, { needles: key.needles, limit, signal }, (tally) => ended(status, tally));
  return ok({ status, headers: headersOf(seen), body, cut: signal });
}

const UNAUTHORIZED = 401;
/** @see RFC 9110 section 6.4.1 */
const EMPTY = [204, 205];
const NOT_MODIFIED = 304;

async function answerTo(deps: Deps, call: ForwardCall): Promise<ForwardedAnswer | NotWhole> {
  try {
    return await deps.gateway.forward(call);
  } catch (fault) {
    if (fault instanceof FetchRefused) deps.log.warn('gateway.not_sent', { pool: call.pool, why: fault.message });
    return endOf(fault, call.signal);
  }
}

function refuse(end: NotWhole, status: number | null, ended: Ended): Result<never, NotWhole> {
  ended(status, { end, ...NOTHING });
  return err(end);
}

/** Leaving it lets its connection go. */
async function drop({ body }: ForwardedAnswer): Promise<void> {
  await body[Symbol.asyncIterator]().return?.(undefined);
}

type Ended = (status: number | null, tally: Tally) => void;

async function whole(
  { status, headers }: Screened,
  { body }: ForwardedAnswer,
  { key, call }: { readonly key: Key; readonly call: ForwardCall },
  ended: Ended,
): Promise<Result<Exchanged, NotWhole>> {
  const parts: Uint8Array[] = [];
  try {
    let bytes = 0;
    for await (const part of body) {
      bytes += part.length;
      if (bytes > SMALL) return refuse('too_large', status, ended);
      parts.push(part);
    }
  } catch (fault) {
    return refuse(endOf(fault, call.signal), status, ended);
  }
  const bytes = joined(parts);
  if (echoScanner(key.needles).push(bytes).found) return refuse('key_echoed', status, ended);
  ended(status, { end: 'whole', bytes: bytes.length, digest: sha256Hex(bytes) });
  return ok({ status, headers, body: bytes, cut: call.signal });
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const [first, ...more] = parts;
  if (first !== undefined && more.length === 0) return first;
  const all = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

const headersOf = ({ headers, length }: Screened): Readonly<Record<string, string>> =>
  length === null ? headers : { ...headers, 'content-length': String(length) };

/** The call itself: out with the key, and back what may be seen of the answer. */
import { FetchRefused } from '../../core/fetch.ts';
import type { ForwardCall, ForwardedAnswer } from '../../core/forward.ts';
import { err, ok } from '../../core/result.ts';
import type { Result } from '../../core/result.ts';
import { sha256Hex } from '../../core/digest.ts';
import type { Deps } from '../../deps.ts';
import { endOf, passing, screen } from './answer.ts';
import type { AnswerEnd, Screened, Tally } from './answer.ts';
import { forgetToken } from './key.ts';
import type { Key, Tool } from './key.ts';

export interface Exchanged {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | AsyncIterable<Uint8Array> | null;
}

/** One that is stated to be no larger is read before it is passed on, so that nothing of it leaves if it may not. */
const SMALL = 64 * 1024;

const NOTHING = { bytes: 0, digest: sha256Hex('') };

/** @param ended told once, when the answer has ended, however; with its status, where there was one. */
export async function exchange(
  deps: Deps,
  { tool, key, call }: { readonly tool: Tool; readonly key: Key; readonly call: ForwardCall },
  ended: (status: number | null, tally: Tally) => void,
): Promise<Result<Exchanged, Exclude<AnswerEnd, 'whole'>>> {
  const answer = await answerTo(deps, call);
  if (typeof answer === 'string') return refuse(answer, null, ended);
  const { status } = answer;
  if (status === UNAUTHORIZED) forgetToken(deps, tool);
  const seen = screen(answer, tool.config, key.needles);
  if (typeof seen === 'string') {
    await drop(answer);
    return refuse(seen, status, ended);
  }
  const { signal } = call;
  const { response_bytes: limit } = tool.config.limits;
  const body = passing(answer.body, { needles: key.needles, limit, signal }, (tally) => ended(status, tally));
  const isSmall = call.method === 'HEAD' || EMPTY.includes(status) || (seen.length !== null && seen.length <= SMALL);
  return isSmall ? whole(seen, body, call) : ok({ status, headers: headersOf(seen), body });
}

const UNAUTHORIZED = 401;
/** @see RFC 9110 section 6.4.1 */
const EMPTY = [204, 205, 304];

async function answerTo(deps: Deps, call: ForwardCall): Promise<ForwardedAnswer | Exclude<AnswerEnd, 'whole'>> {
  try {
    return await deps.gateway.forward(call);
  } catch (fault) {
    if (fault instanceof FetchRefused) deps.log.warn('gateway.not_sent', { pool: call.pool, why: fault.message });
    return endOf(fault, call.signal) as Exclude<AnswerEnd, 'whole'>;
  }
}

function refuse(
  end: AnswerEnd,
  status: number | null,
  ended: (status: number | null, tally: Tally) => void,
): Result<never, Exclude<AnswerEnd, 'whole'>> {
  ended(status, { end, ...NOTHING });
  return err(end as Exclude<AnswerEnd, 'whole'>);
}

/** Leaving it lets its connection go. */
async function drop({ body }: ForwardedAnswer): Promise<void> {
  await body[Symbol.asyncIterator]().return?.(undefined);
}

async function whole(
  seen: Screened,
  body: AsyncIterable<Uint8Array>,
  { method, signal }: ForwardCall,
): Promise<Result<Exchanged, Exclude<AnswerEnd, 'whole'>>> {
  const parts: Uint8Array[] = [];
  try {
    for await (const part of body) parts.push(part);
  } catch (fault) {
    return err(endOf(fault, signal) as Exclude<AnswerEnd, 'whole'>);
  }
  const isEmpty = method === 'HEAD' || EMPTY.includes(seen.status);
  return ok({ status: seen.status, headers: seen.headers, body: isEmpty ? null : joined(parts) });
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

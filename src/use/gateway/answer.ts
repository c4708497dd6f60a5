/**
 * What a tool answered, on its way to the agent: of the headers those that are allowed, of the body everything but the
 * key, counted and hashed as it passes.
 */
import { runningSha256, utf8 } from '../../core/digest.ts';
import { failure } from '../../core/failure.ts';
import type { Failure } from '../../core/failure.ts';
import { FetchFailed, FetchRefused } from '../../core/fetch.ts';
import type { ForwardedAnswer } from '../../core/forward.ts';
import type { CutFor } from '../../core/gateway/kept.ts';
import type { HttpTarget } from '../../core/gateway/target.ts';
import { seconds } from '../../core/time.ts';
import { BodyTooLarge } from './body.ts';
import { echoScanner } from './echo.ts';
import type { Needles } from './echo.ts';

/** How an answer ended. `whole`: as the tool ended it. */
export type AnswerEnd = 'whole' | NotWhole;

export type NotWhole = CutFor | 'request_too_large' | 'no_answer' | 'redirect' | 'encoded' | 'too_large' | 'key_echoed';

export interface Tally {
  readonly end: AnswerEnd;
  readonly bytes: number;
  /** SHA-256, in hex, of what was passed on. */
  readonly digest: string;
}

/** Breaks the answer off, so that its reader sees that it is not whole. */
export class AnswerCut extends Error {
  override readonly name = 'AnswerCut';
  readonly end: NotWhole;

  constructor(end: NotWhole, cause?: unknown) {
    super(`the answer was cut: ${end}`, { cause });
    this.end = end;
  }
}

export interface Screened {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** As the tool stated it. */
  readonly length: number | null;
}

/** Shows none of it to the agent where the head alone says that it must not. */
export function screen(answer: ForwardedAnswer, config: HttpTarget, needles: Needles): Screened | NotWhole {
  const { status } = answer;
  if (status >= 300 && status < 400 && status !== NOT_MODIFIED) return 'redirect';
  const encodings = [...valuesOf(answer, 'content-encoding'), ...valuesOf(answer, 'transfer-encoding')];
  if (encodings.some((encoding) => !/^(?:identity|chunked)$/i.test(encoding))) return 'encoded';
  const lengths = new Set(valuesOf(answer, 'content-length'));
  const [stated = null] = lengths;
  if (lengths.size > 1 || status < 200 || status > LAST_STATUS) return 'no_answer';
  if (Number(stated ?? 0) > config.limits.response_bytes) return 'too_large';
  const shown = answer.headers.filter(([name]) => config.response_headers.includes(name));
  const holdsKey = shown.some(([, value]) => echoScanner(needles).push(utf8(value)).found);
  if (holdsKey) return 'key_echoed';
  const headers: Record<string, string> = {};
  for (const [name, value] of shown) headers[name] = name in headers ? `${headers[name]}, ${value}` : value;
  return { status, headers, length: stated === null ? null : Number(stated) };
}

const NOT_MODIFIED = 304;
/** @see RFC 9110 section 15: what is beyond has no class, and no answer can be made of it. */
const LAST_STATUS = 599;

const valuesOf = ({ headers }: ForwardedAnswer, wanted: string): string[] =>
  headers.filter(([name]) => name === wanted).map(([, value]) => value.trim());

/**
 * The body as it may be seen.
 * @param ended told once, however it ends.
 * @throws {AnswerCut} in the place where it was cut.
 */
export function passing(
  body: AsyncIterable<Uint8Array>,
  screening: Screening,
  ended: (tally: Tally) => void,
): AsyncIterable<Uint8Array> {
  const screened = screenedBody(body, screening, ended);
  let isBegun = false;
  return {
    [Symbol.asyncIterator]: () => ({
      next() {
        isBegun = true;
        return screened.next();
      },
      // One that nobody ever read has ended all the same, and a generator that was never begun would not say so.
      async return() {
        if (!isBegun) {
          isBegun = true;
          ended({ end: leftFor(screening.signal), bytes: 0, digest: runningSha256().digest('hex') });
          await body[Symbol.asyncIterator]().return?.();
        }
        return screened.return(undefined);
      },
    }),
  };
}

interface Screening {
  readonly needles: Needles;
  readonly limit: number;
  readonly signal: AbortSignal;
}

async function* screenedBody(
  body: AsyncIterable<Uint8Array>,
  { needles, limit, signal }: Screening,
  ended: (tally: Tally) => void,
): AsyncGenerator<Uint8Array> {
  const scanner = echoScanner(needles);
  const digest = runningSha256();
  let bytes = 0;
  let end: AnswerEnd | null = null;
  const count = (part: Uint8Array): Uint8Array => {
    bytes += part.length;
    digest.update(part);
    return part;
  };
  try {
    for await (const chunk of body) {
      const { clear, found } = scanner.push(chunk);
      if (bytes + clear.length > limit) throw new AnswerCut('too_large');
      if (clear.length > 0) yield count(clear);
      if (found) throw new AnswerCut('key_echoed');
    }
    const rest = scanner.rest();
    if (rest.length > 0) yield count(rest);
    end = 'whole';
  } catch (fault) {
    const why = endOf(fault, signal);
    end = why;
    throw fault instanceof AnswerCut ? fault : new AnswerCut(why, fault);
  } finally {
    ended({ end: end ?? leftFor(signal), bytes, digest: digest.digest('hex') });
  }
}

/** Whoever stops reading before the end has gone, or was cut off. */
const leftFor = ({ aborted, reason }: AbortSignal): CutFor => (aborted ? (reason as CutFor) : 'caller_gone');

export function endOf(fault: unknown, signal: AbortSignal): NotWhole {
  if (fault instanceof AnswerCut) return fault.end;
  if (signal.aborted) return signal.reason as CutFor;
  for (let cause = fault; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof BodyTooLarge) return 'request_too_large';
  }
  if (fault instanceof FetchFailed || fault instanceof FetchRefused) return 'no_answer';
  throw fault;
}

/** A moment in which a busy node or a database that restarts is back. */
const RETRY = seconds(2);

/** What an agent is told of an answer that it does not get. */
export function failureOf(end: NotWhole): Failure {
  switch (end) {
    case 'lease_over':
    case 'caller_gone':
      return failure('unauthenticated', 'the lease was over before the answer was', { hint: 'Ask again.' });
    case 'lease_unseen':
      return failure('database_unavailable', 'whether the lease still stands could not be seen in time', {
        hint: 'The tool may have done it: look there before you ask again.',
        retryAfter: RETRY,
      });
    case 'too_slow':
      return failure('gateway_timeout', 'the tool took longer than its target allows');
    case 'request_too_large':
      return failure('body_too_large', 'the body is over what the target takes');
    case 'no_answer':
      return failure('gateway_no_answer', 'the tool gave no answer, or none in order');
    case 'redirect':
      return failure('gateway_redirect', 'the tool leads elsewhere, and no key goes there');
    case 'encoded':
      return failure('gateway_encoded', 'the tool answered in an encoding that was not asked for');
    case 'too_large':
      return failure('gateway_answer_too_large', 'the answer is over what the target allows');
    case 'key_echoed':
      return failure('gateway_key_echoed', 'the tool answered with its key', { hint: 'Tell an operator.' });
  }
}

/**
 * One call to the broker: made anew for each try, bounded in time, never redirected, its refusals typed.
 */
import type { JsonObject } from '../core/canonical.ts';
import type { Random } from '../core/ids.ts';
import { isPrivateOnTheWay } from '../core/loopback.ts';
import { instant } from '../core/time.ts';
import type { Clock } from '../core/time.ts';
import { BrevetRefused, BrevetUnavailable } from './error.ts';
import type { Problem } from './error.ts';
import { DEFAULT_RETRY, readRetryAfter, sleep, TransientFailure, withRetries } from './retry.ts';
import type { RetryPolicy, Sleep } from './retry.ts';

/** How the broker is reached. */
export interface Line {
  /** An origin, without a slash at its end. */
  readonly url: string;
  readonly fetch: typeof fetch;
  readonly clock: Clock;
  readonly random: Random;
  readonly retry: RetryPolicy;
  readonly sleep: Sleep;
}

/** One request. The body goes as JSON, or as a form where it is one. */
export interface Outgoing {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  /** Below the URL, with its slash. */
  readonly path: string;
  readonly token?: string;
  readonly idempotencyKey?: string;
  /** Further ones: conditions, and the reason of a change. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: JsonObject | URLSearchParams;
}

export interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
  /** Names the state of what was read. */
  readonly etag: string | null;
}

/** With what an answer says of asking again, in milliseconds. */
interface Told extends Answer {
  readonly retryAfter: number | null;
}

export interface Bounds {
  /** For each try, in milliseconds. */
  readonly timeout: number;
  readonly signal?: AbortSignal | undefined;
}

/** Answers that time may heal: something before the broker failed, or the broker says that it cannot now. */
const TRANSIENT = [502, 503, 504];
/** From here on an answer is a fault's, and nobody's no. @see RFC 9110 section 15.6 */
const FAULTS = 500;

/** @throws {TypeError} for a URL that would carry tokens in the clear. */
export function openLine(url: string, options: Partial<Omit<Line, 'url'>> = {}): Line {
  const parsed = URL.parse(url);
  if (parsed === null || !isPrivateOnTheWay(parsed)) {
    throw new TypeError(`the broker's URL must begin with https://, or with http:// on localhost: ${told(parsed)}`);
  }
  return {
    url: parsed.origin,
    fetch: options.fetch ?? ((input, init) => fetch(input, init)),
    clock: options.clock ?? (() => instant(Date.now())),
    random: options.random ?? ((bytes) => crypto.getRandomValues(new Uint8Array(bytes))),
    retry: options.retry ?? DEFAULT_RETRY,
    sleep: options.sleep ?? sleep,
  };
}

/** Without what a URL may hold beside its host: a login, or a token. */
const told = (url: URL | null): string =>
  url === null
    ? 'this is no URL'
    : url.host === ''
      ? `this one begins with ${url.protocol}`
      : `${url.protocol}//${url.host}`;

/**
 * @param make makes the request anew for each try, so that an assertion is never sent twice.
 * @throws {BrevetRefused} where the broker says no, {BrevetUnavailable} where no try got an answer, or a fault was it.
 */
export function call(line: Line, make: () => Promise<Outgoing>, bounds: Bounds): Promise<Answer> {
  const { retry: policy, random } = line;
  return withRetries({ policy, random, sleep: line.sleep }, bounds.signal, async () => {
    const request = await make();
    const answer = await send(line, request, bounds);
    if (answer.status < 400) return answer;
    const problem = problemOf(answer);
    if (answer.status < FAULTS) throw new BrevetRefused(problem);
    if (!TRANSIENT.includes(answer.status)) throw new BrevetUnavailable('the broker failed', problem);
    throw new TransientFailure(new BrevetUnavailable('the broker cannot answer now', problem), answer.retryAfter);
  });
}

/** A connection that fails, or an answer that breaks off, is transient; a caller who gives up is not. */
async function send(
  line: Line,
  { method, path, token, idempotencyKey, headers, body }: Outgoing,
  { timeout, signal }: Bounds,
): Promise<Told> {
  signal?.throwIfAborted();
  // What cannot be said as JSON is the caller's fault, and no line's.
  const content = body === undefined || body instanceof URLSearchParams ? body : JSON.stringify(body);
  const late = AbortSignal.timeout(timeout);
  try {
    const response = await line.fetch(`${line.url}${path}`, {
      method,
      redirect: 'error',
      signal: signal === undefined ? late : AbortSignal.any([signal, late]),
      headers: {
        ...headers,
        accept: 'application/json',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
        ...(typeof content === 'string' ? { 'content-type': 'application/json' } : {}),
      },
      ...(content === undefined ? {} : { body: content }),
    });
    const retryAfter = readRetryAfter(response.headers.get('retry-after'), line.clock());
    const etag = response.headers.get('etag');
    return { status: response.status, body: asObject(await response.text()), etag, retryAfter };
  } catch (cause) {
    if (signal?.aborted === true) throw signal.reason;
    const what = late.aborted ? `the broker did not answer within ${timeout} ms` : 'the broker cannot be reached';
    throw new TransientFailure(new BrevetUnavailable(`${what} (${line.url})`, null, { cause }), null);
  }
}

/** What is not a JSON object came from something before the broker, and says nothing. */
function asObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : {};
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const textOr = <T>(value: unknown, otherwise: T): string | T => (typeof value === 'string' ? value : otherwise);

/** Both dialects: problem documents, and the errors of RFC 6749 whose `error_uri` ends with the code. */
function problemOf({ status, body, retryAfter }: Told): Problem {
  const { code, detail, hint, path, request_id, error, error_description, error_uri, ...members } = body;
  const named = textOr(code, textOr(error_uri, '').split('/').at(-1) || textOr(error, 'unknown'));
  return {
    status,
    code: named,
    detail: textOr(detail, textOr(error_description, `the broker answered ${status}`)),
    hint: textOr(hint, null),
    path: textOr(path, null),
    requestId: textOr(request_id, null),
    retryAfterMs: retryAfter,
    members,
  };
}

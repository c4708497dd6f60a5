/**
 * The ports through which Brevet asks other servers. What stands behind them guards every call: no private address
 * unless configured, also when a name resolves to one; no redirect; bounded bytes and time.
 */
import type { Milliseconds } from './time.ts';

export interface FetchLimits {
  readonly bytes: number;
  readonly milliseconds: Milliseconds;
}

/** A GET whose answer is JSON: rejects with `FetchRefused` or `FetchFailed`; never follows a redirect. */
export type GuardedFetch = (url: string, limits: FetchLimits) => Promise<unknown>;

export interface GuardedAnswer {
  readonly status: number;
  readonly body: string;
}

/** What a request of an API is answered with. */
export interface ChallengedAnswer extends GuardedAnswer {
  /** `WWW-Authenticate`, where a refusal says what it refuses; `null`: it says nothing. */
  readonly challenge: string | null;
}

/** Under the same guard, of any status: a GET, such as a probe of a credential, or a POST of a body. */
export type GuardedRequest = (
  url: string,
  limits: FetchLimits,
  headers?: Readonly<Record<string, string>>,
  body?: string,
) => Promise<ChallengedAnswer>;

/** The guard forbids the address: whoever configured it has to change something. */
export class FetchRefused extends Error {
  override readonly name = 'FetchRefused';
}

/** The far side did not answer, or not in bounds, or not what was asked for: time may heal it. */
export class FetchFailed extends Error {
  override readonly name = 'FetchFailed';
}

/** One call of a server that an administrator named, and that may stand in a private network. */
export interface ExchangeCall {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** `null`: none. */
  readonly body: string | null;
  /** Certificates in PEM that are trusted instead of the public ones; `null`: those. */
  readonly ca: string | null;
  readonly limits: FetchLimits;
}

/** Any status is an answer; rejects with `FetchRefused` or `FetchFailed`; never follows a redirect. */
export type Exchange = (call: ExchangeCall) => Promise<GuardedAnswer>;

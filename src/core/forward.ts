/**
 * The port through which a call goes out to a tool and its answer comes back, neither of them held in memory. What stands
 * behind it guards every connection: the very origin, no private address unless that was allowed, no redirect.
 */
import type { Secret } from './secret.ts';

export interface ForwardCall {
  readonly method: string;
  /** Whole; a key may stand in its query. */
  readonly url: Secret;
  /** In lower case, each once. A value that bears the key is a `Secret`. */
  readonly headers: Readonly<Record<string, string | Secret>>;
  readonly body: Uint8Array | AsyncIterable<Uint8Array> | null;
  /** In PEM, where the far side's authority is not a public one. */
  readonly ca: string | null;
  /** Whether a private address was meant, which the deployment must allow too. */
  readonly mayBePrivate: boolean;
  /** Calls of one pool may share a connection: those with one key for one tenant. */
  readonly pool: string;
  /** Ends it, also in the middle of the answer. */
  readonly signal: AbortSignal;
}

export interface ForwardedAnswer {
  readonly status: number;
  /** Names in lower case, as often as they came. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** To be read to its end, or left: then the connection goes. Rejects with `FetchFailed` where it breaks off. */
  readonly body: AsyncIterable<Uint8Array>;
}

/** Rejects with `FetchRefused` or `FetchFailed` of core/fetch.ts; neither names the URL. */
export type Forward = (call: ForwardCall) => Promise<ForwardedAnswer>;

/**
 * The one retry policy: what may be tried again, after how long, and how often.
 */
import type { Random } from '../core/ids.ts';
import type { BrevetUnavailable } from './error.ts';

export interface RetryPolicy {
  /** All tries, the first among them. */
  readonly tries: number;
  /** Before the second try; it doubles from then on. In milliseconds. */
  readonly firstDelay: number;
  /** No delay is longer; a broker that asks for more is not tried again. In milliseconds. */
  readonly longestDelay: number;
}

/** Outlasts a restart of the broker or its database, and not a person's patience. */
export const DEFAULT_RETRY: RetryPolicy = { tries: 5, firstDelay: 200, longestDelay: 15_000 };

/** One try that failed in a way that time may heal. */
export class TransientFailure extends Error {
  override readonly name = 'TransientFailure';
  readonly unavailable: BrevetUnavailable;
  /** What `Retry-After` said, in milliseconds. */
  readonly retryAfter: number | null;

  constructor(unavailable: BrevetUnavailable, retryAfter: number | null) {
    super(unavailable.message, { cause: unavailable });
    this.unavailable = unavailable;
    this.retryAfter = retryAfter;
  }
}

export type Sleep = (milliseconds: number, signal: AbortSignal | undefined) => Promise<void>;

/**
 * Tries until one is not transient. What is tried must be the same act each time, by its nature or by its
 * `Idempotency-Key`.
 * @throws {BrevetUnavailable} after the last try.
 */
export async function withRetries<T>(
  { policy, random, sleep }: { readonly policy: RetryPolicy; readonly random: Random; readonly sleep: Sleep },
  signal: AbortSignal | undefined,
  attempt: () => Promise<T>,
): Promise<T> {
  for (let tried = 1; ; tried++) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof TransientFailure)) throw error;
      const delay = delayAfter(policy, tried, error.retryAfter, random);
      if (delay === null || signal?.aborted === true) throw error.unavailable;
      await sleep(delay, signal);
    }
  }
}

/** `null`: not again. */
function delayAfter(policy: RetryPolicy, tried: number, retryAfter: number | null, random: Random): number | null {
  if (tried >= policy.tries) return null;
  // Half of it by chance, so that agents that were refused together do not come back together.
  const chance = (random(1)[0] ?? 0) / 255;
  if (retryAfter !== null) return retryAfter > policy.longestDelay ? null : retryAfter * (1 + chance / 10);
  return Math.min(policy.longestDelay, policy.firstDelay * 2 ** (tried - 1)) * (0.5 + chance / 2);
}

/** `Retry-After` in milliseconds, from either of its forms. @see RFC 9110 section 10.2.3 */
export function readRetryAfter(header: string | null, now: number): number | null {
  if (header === null) return null;
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1000;
  const at = Date.parse(header);
  return Number.isNaN(at) ? null : Math.max(0, at - now);
}

/** Waits, or rejects with the signal's reason. */
export const sleep: Sleep = (milliseconds, signal) =>
  new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, milliseconds);
    signal?.addEventListener('abort', stop, { once: true });
  });

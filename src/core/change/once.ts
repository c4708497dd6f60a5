/** What happens once, however often it is sent: proofs that are spent, counters that only go on, and keys that are claimed. */
import type { Instant } from '../time.ts';

/** A client assertion that may be used once. @see RFC 7523 section 3 */
export interface OneUse {
  /** Who signed it: the `jti` is unique within. */
  readonly client: string;
  readonly jti: string;
  /** Until then it must be remembered. */
  readonly until: Instant;
}

/** How often a passkey has signed, as its authenticator counts: it only ever goes on. */
export interface Counted {
  readonly passkey: string;
  readonly signCount: number;
}

/** A claim on an `Idempotency-Key`, unique for tenant, principal and route. */
export interface Idempotency {
  readonly principal: string;
  readonly route: string;
  readonly key: string;
  /** A keyed digest of the body, without the assertion. */
  readonly digest: string;
}

/** A POST that creates may carry a key, so that it can be sent again without being done again. */
export type Claim = Omit<Idempotency, 'principal'>;

/**
 * A lease in an agent's hands: its credential is used, and then it is done.
 */
import type { Credential, Granted, LeaseFacts, Receipt } from './answer.ts';

/** What the agent says of its own work. References and digests stand as evidence, never contents. */
export interface TaskOutcome {
  readonly outcome: 'succeeded' | 'failed' | 'abandoned';
  readonly summary?: string;
  readonly evidence?: readonly Readonly<Record<string, string>>[];
}

/** How a lease ended, as far as was known when the broker answered. */
export interface Ended extends LeaseFacts {
  readonly receipt: Receipt | null;
}

/** The lease was completed, or had been before: its credential is not given out again. */
export class LeaseOver extends Error {
  override readonly name = 'LeaseOver';
}

export type Complete = (outcome: TaskOutcome, signal: AbortSignal | undefined) => Promise<Ended>;

/** Prints without its credential. */
export class AgentLease {
  readonly id: string;
  /** The access request that it was issued for. */
  readonly request: string;
  readonly expiresAt: string;
  readonly #complete: Complete;
  #credential: Credential | null;

  constructor({ lease, request, expiresAt, credential }: Granted, complete: Complete) {
    this.id = lease;
    this.request = request;
    this.expiresAt = expiresAt;
    this.#credential = credential;
    this.#complete = complete;
  }

  /**
   * Lends the credential to a function. Keep it no longer than that.
   * @throws {LeaseOver} once the lease is done.
   */
  async use<T>(work: (credential: Credential) => T | Promise<T>): Promise<T> {
    if (this.#credential === null) throw new LeaseOver(`the lease ${this.id} is over: ask again`);
    return work(this.#credential);
  }

  /**
   * Completes the lease, which revokes its credential. Safe to call again: the broker says how it stands.
   * @throws {BrevetUnavailable} where the broker could not be told; it ends the lease at `expiresAt` by itself.
   */
  async done(outcome: TaskOutcome, options: { readonly signal?: AbortSignal } = {}): Promise<Ended> {
    this.#credential = null;
    return this.#complete(outcome, options.signal);
  }
}

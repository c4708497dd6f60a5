/** A client and its broker: how it is reached, as whom, and with what patience. */
import type { Prover } from './assertion.ts';
import type { Line } from './call.ts';
import type { Session } from './session.ts';

/** For each try, in milliseconds. */
export interface Timeouts {
  /** A session token. */
  readonly session: number;
  /** A request, which may have a provider mint. */
  readonly ask: number;
  /** A completion, on top of what the broker waits to see death. */
  readonly done: number;
}

export interface Connected {
  readonly line: Line;
  /** The tenant's, below the URL. */
  readonly path: string;
  readonly session: Session;
  readonly timeouts: Timeouts;
  readonly prove: Prover;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
}

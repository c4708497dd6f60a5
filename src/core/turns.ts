/**
 * One at a time, over all nodes: for a provider whose server has no compare-and-set. A turn is a row that is taken only
 * while nobody holds it or its holder's time is over; each taking raises its fence, by which a holder that woke late
 * finds that it has lost it.
 */
import type { Milliseconds, Seconds } from './time.ts';

export interface Turn {
  readonly name: string;
  /** Higher with each taking. */
  readonly fence: number;
}

export interface Turns {
  /** @param hold longer than what is done under it may take. @returns `null` while another holds it. */
  take(name: string, hold: Seconds): Promise<Turn | null>;
  /** Whether it is still this holder's, by the database's clock. */
  isHeld(turn: Turn): Promise<boolean>;
  /** Gives it back; nothing happens where it was lost. */
  release(turn: Turn): Promise<void>;
}

/** The same for what one node does for all, again and again. */
export interface Rounds extends Turns {
  /** Keeps it for so long from now on. @returns whether it was still this holder's. */
  extend(turn: Turn, hold: Seconds): Promise<boolean>;
  /** What it was for is done, and nobody takes it for so long, which is no longer than it is held for; nothing happens where it was lost. */
  done(turn: Turn, pause: Seconds): Promise<void>;
  /** How long ago it was done; `null`: it never was. */
  sinceDone(name: string): Promise<Milliseconds | null>;
}

/** What breakers look at. */
import type { Signal, Trip } from '../oversight.ts';
import type { Instant } from '../time.ts';

/** So many of one kind of sign. */
export interface Tally extends Pick<Trip, 'tenant' | 'agent' | 'task'> {
  readonly n: number;
}

/** What breakers look at, over all tenants. */
export interface BreakerReads {
  /**
   * How many there were since then of each agent and task class at a tenant, or since the last breaker of it was ended;
   * those alone with `least` of them.
   */
  tallies(signal: Signal, since: Instant, least: number): Promise<readonly Tally[]>;
  tripsStanding(): Promise<readonly Pick<Trip, 'tenant' | 'agent' | 'task' | 'to'>[]>;
  tripsBegun(since: Instant): Promise<readonly Pick<Trip, 'tenant' | 'agent' | 'task' | 'from'>[]>;
  /** When somebody last ended a pause of everything that breakers began. */
  spikeEnded(): Promise<Instant | null>;
}

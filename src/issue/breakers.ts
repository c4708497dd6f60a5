/** In memory, for this process: how each target has answered, and what share of the queue that has earned it. */
import { FIRST_SHARE, placeKey } from '../core/breakers.ts';
import type { At, Breakers } from '../core/breakers.ts';
import { after, between, seconds } from '../core/time.ts';
import type { Clock, Instant } from '../core/time.ts';

const LARGEST_SHARE = 128;
/** After so many calls in a row without an answer nothing more is minted there for a while. */
const FAILURES = 3;
/** Doubling, up to half a minute. */
const FIRST_REST = seconds(1);
const LONGEST_REST = seconds(30);
/** Of those that are not what an unknown one would be. */
const MOST_KEPT = 10_000;

interface Health {
  readonly share: number;
  /** Calls in a row that got no answer. */
  readonly failures: number;
  readonly until: Instant;
}

export function createBreakers(clock: Clock): Breakers {
  const known = new Map<string, Health>();
  const write = (at: At, health: Health): void => {
    const key = placeKey(at);
    known.delete(key);
    if (health.share === FIRST_SHARE && health.failures === 0) return;
    known.set(key, health);
    const [oldest] = known.keys();
    if (known.size > MOST_KEPT && oldest !== undefined) known.delete(oldest);
  };
  const healthOf = (at: At): Health => known.get(placeKey(at)) ?? { share: FIRST_SHARE, failures: 0, until: clock() };
  return {
    answered(at) {
      const { share, failures } = healthOf(at);
      const earned = failures > 0 ? FIRST_SHARE : Math.min(LARGEST_SHARE, share + 1);
      write(at, { share: earned, failures: 0, until: clock() });
    },
    failed(at) {
      const { share, failures: before } = healthOf(at);
      const failures = before + 1;
      const rest = Math.min(LONGEST_REST, FIRST_REST * 2 ** Math.min(10, Math.max(0, failures - FAILURES)));
      const until = failures < FAILURES ? clock() : after(clock(), seconds(rest));
      write(at, { share: failures < FAILURES ? Math.max(1, Math.floor(share / 2)) : 1, failures, until });
    },
    rests(at) {
      const { until } = healthOf(at);
      const left = between(clock(), until);
      return left <= 0 ? null : seconds(Math.ceil(left / 1000));
    },
    shares: () => Object.fromEntries([...known].map(([key, { share }]) => [key, share])),
  };
}
